//! Matrix products by ring LWE: one party's matrix encrypted, the other's in the clear, rows and columns packed into coefficients.
//!
//! Each party encrypts its share of one factor under its own key and sends it. The other multiplies by its share of the
//! other factor, adds a mask, and returns what decrypts to the masked cross term (Huang et al., Cheetah, USENIX
//! Security 2022; the packing of two matrices is that of Hao et al., Iron, NeurIPS 2022). There
//! are no rotations and no slots, so the plaintext modulus is 2^64 itself.
//!
//! *Parameters*: ring dimension 8,192, modulus `q` of 186 bits from 3 primes, secrets and the randomness of a
//! public-key encryption ternary, errors centred binomial with variance 10.5. The table of the Homomorphic Encryption
//! Standard (2018) allows 218 bits at this dimension for 128 bits of security against classical attacks with ternary
//! secrets.
//!
//! *What the returned ciphertext tells*: its second part is made fresh by an encryption of zero under the peer's public
//! key; of the first only the coefficients of the result are sent, each under a uniform mask modulo 2^64 and noise
//! between -2^120 and 2^120, which is the sum of three uniform numbers. Decryption allows `q/2^65 > 2^120.9`. What is to
//! be hidden in a coefficient is a sum of `t` products of an error and an entry, root mean square below `2^64.7·√t`,
//! where `t` is the inner dimension times the rows of a block. The noise has a Fisher information of `9.97/2^240`, so all
//! `e` coefficients of a product together are within a statistical distance of `2^-54.6·√(e·t)` of ones that depend on
//! nothing (Hellinger distance; it adds up in squares): 2^-44 for an inner product of 2^20 terms, 2^-40 for matrices of
//! 256 × 256, 2^-37 for 1024 × 1024, 2^-30 for the largest.
//!
//! *Why not the library's transforms*: `fhe-math` 0.1 (MIT) has 17 direct dependencies, among them `tfhe-ntt`
//! (BSD-3-Clause-Clear, which grants no patents), for what `ntt` does in a hundred lines.

mod keys;
mod modulus;
mod ntt;
mod plan;
mod product;
mod sample;
mod scale;
mod values;

pub(crate) use keys::Keys;
pub(crate) use product::{matmul, words_sent};

/// The most entries of a matrix: the noise stays below what the flooding hides.
pub(crate) const MAX_ENTRIES: usize = 1 << 28;

/// Ring dimension: polynomials modulo `X^8192 + 1`.
const N: usize = 8192;
/// Primes of the modulus.
const LIMBS: usize = 3;
/// Words of a polynomial: its coefficients modulo one prime after the other.
const POLY: usize = LIMBS * N;
