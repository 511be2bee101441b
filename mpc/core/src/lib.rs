//! What every protocol shares: parties over ordered frames, sessions and their forks, abort with blame, agreed randomness.
//!
//! A leaf protocol ([`cointoss`]) steps without I/O: its messages are return values. A composition is `async` over a
//! [`Context`], whose forks have deterministic identifiers that are bound into every frame and every hash. A party
//! always knows the exact length of the frame it waits for; anything else is an [`Abort`] that names the peer.

mod abort;
pub mod cointoss;
mod context;
pub mod memory;
pub mod mutate;
mod passing;
mod prg;
pub mod sweep;
mod transport;
pub mod words;

pub use abort::{Abort, Blame};
pub use context::{Context, Frame, MAX_PAYLOAD, PIECE_WORDS};
pub use passing::Passing;
pub use prg::Prg;
pub use transport::Transport;
