//! SM2 (GB/T 32918, GM/T 0003, GM/T 0009): keys, signatures under the default identity, and public-key encryption.
//!
//! Signatures are `r‖s`, public keys `x‖y`, ciphertexts `C1‖C3‖C2` with `C1` as an uncompressed point (a leading `04`).

mod fast;
mod key;
mod pke;
mod signature;

pub use fast::tables::{KeyTables, limit_tables, tables};
pub use key::{PublicKey, SecretKey};
pub use pke::{OVERHEAD_BYTES, decrypt, encrypt};
pub use signature::{Signature, verify};

/// The signer's identity that GM/T 0009 prescribes when none was agreed; part of what is hashed.
pub const IDENTITY: &str = "1234567812345678";
