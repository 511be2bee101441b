//! Unbalanced intersection: a small query against a large set whose tables the client has cached.
//!
//! Tier C: malicious, two parties; the client learns which of its elements are in the set, the owner learns nothing. The owner
//! evaluates a verifiable oblivious function (RFC 9497, ristretto255-SHA512, verifiable mode) at its whole set once and
//! publishes binary fuse tables of the values ([`Owner::publish`]), which the client keeps ([`Cache`]). Online ([`serve`], [`query`])
//! the client has its elements evaluated blindly, with a proof that the published key was used, and looks them up. As Kales,
//! Rechberger, Schneider, Senker and Weinert, "Mobile Private Contact Discovery at Scale" (USENIX Security 2019), with a
//! proof. A label of fixed length may be sealed under each element's value; only who asks for the element opens it.
//!
//! *Epochs.* A release adds elements to those before it, up to [`MAX_RELEASES`] of an epoch under one key. A removal or too many
//! additions begin another epoch, whose key has nothing to do with the last one's.
//!
//! *What is pinned.* The digest of the newest release covers the owner's key, the epoch, every byte of every table and all
//! releases before; the session is bound to it. So an owner answers from the set it published, for every client alike. Which
//! set it publishes nobody can check: it may hold what it likes, and about as many elements as its tables have slots.
//!
//! *What shows.* To the client: the bound that the set is padded to, and, within an epoch, whether an element that it has asked
//! for earlier joins the set. To the owner: the bound that queries are padded to, which also limits how many elements a
//! session can try. How many sessions there are is the notary's budget; who holds the owner ends an epoch before its key has answered
//! 2^30 elements, since a static Diffie–Hellman oracle costs half as many bits of security as their number has (Brown and
//! Gallant, ePrint 2004/306).
//!
//! ```
//! use mpc_block::Block;
//! use mpc_core::{Abort, memory};
//! use mpc_psi::unbalanced::{Cache, Level, Owner, Release, Set, query, serve};
//!
//! let set: Vec<Block> = (0..100).map(Block::from_u128).collect();
//! let mut owner = Owner::new(&[7; 32], 1, 10, 0)?;
//! let published = owner.publish(Set { elements: &set, labels: &[], bound: 100 }, 2, &mut |out: &mut [u8]| out.fill(9))?;
//! let mut level = Level::new(Release::parse(&published.release)?, &published.digest)?;
//! for table in published.tables {
//!     level.add(table)?;
//! }
//! let cache = Cache::new(level)?;
//!
//! let mut both = memory::contexts(memory::network(2), [1; 32]).into_iter();
//! let (mut zero, mut one) = (both.next().unwrap(), both.next().unwrap());
//! let wanted = [Block::from_u128(5), Block::from_u128(500)];
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! let found = runtime.block_on(async {
//!     let both = tokio::try_join!(serve(&mut zero, 1, &owner, 10), query(&mut one, 0, &cache, 10, &wanted))?;
//!     Ok::<_, Abort>(both.1)
//! })?;
//! assert!(found.len() == 1 && found[0].element == 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod fuse;
mod online;
mod owner;
mod proof;
mod release;
mod suite;
mod table;
#[cfg(test)]
mod tests;
mod transfer;
mod value;
mod voprf;

pub use cache::{Cache, Level};
pub use online::{Match, query, serve};
pub use owner::{Owner, Published, Refused, Set, most_bytes};
pub use release::{BadRelease, MAX_LABEL_BYTES, MAX_RELEASES, Release};
pub use transfer::{receive, send};
pub use voprf::{Asked, BadMessage, Client, Key, Output, PublicKey};

/// Most elements of one release, padding included.
pub const MAX_SET: usize = 1 << 28;
/// Most elements that a session asks for.
pub const MAX_QUERIES: usize = 1 << 20;
