//! Chinese national (GM) cryptography: SM2, SM3, SM4-GCM, envelopes to several keys, X.509 certificates and key files.
//!
//! SM2 signatures are our own arithmetic, tested against three libraries; the other primitives are RustCrypto's. This crate fixes their parameters (identity, modes, encodings), checks at the edge
//! what a peer or a file hands in, and gives every value one canonical form. Nothing here opens a socket or reads a clock.

pub mod cert;
mod entropy;
pub mod envelope;
mod error;
pub mod keyfile;
pub mod sm2;
pub mod sm3;
pub mod sm4;

pub use error::GmError;
pub use zeroize::Zeroizing;
