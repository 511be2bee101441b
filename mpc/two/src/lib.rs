//! Two-party additive secret sharing on Z_2^64 and on bits without a dealer: products, comparisons, conversions, truncation.
//!
//! Tier A: both parties follow the protocol, and what one of them sees tells it nothing about the other's shares. A
//! secret `x` is `x_0 + x_1` modulo 2^64 ([`Additive`]), a secret bit is `b_0 ⊕ b_1` ([`BitShares`]). [`Two`] runs the
//! operations, in the same order at both parties; it exists once a session, and an abort ends it.
//!
//! * **Transfers** (`transfers`): random oblivious transfers in both directions, each used once, from SoftSpoken
//!   extension or silent ones, as [`Parameters`] say.
//! * **Products** of a bit and a word (`cot`), of words (`multiply`; Gilboa, CRYPTO 1999) and of bits (`bits`) take one
//!   round: the sender's corrections do not depend on the receiver's, so both travel at once.
//! * **Comparisons** (`leaves`, `compare`): digits of 4 bits are compared by one of 16 transfers, and a tree of
//!   products joins them (Rathee et al., "CrypTFlow2", CCS 2020).
//! * **Rows** move by networks of switches that one party sets (`network`, `shuffle`), come into order by comparisons that
//!   are opened after a shuffle (`sort`), and are summed up by segments.
//! * **Fixed point** (`fixed`): the functions of [`mpc_share::fixed`], written once for every engine.
//! * **Matrix products** (`rlwe`): ring LWE with packed coefficients and no rotations (Huang et al., "Cheetah", USENIX
//!   Security 2022; Hao et al., "Iron", NeurIPS 2022).
//!
//! *Why products of single words use transfers*: slots of ring LWE need prime moduli. A product modulo 2^64 is then an
//! integer of 128 bits under a mask 40 bits longer, so 3 ciphertexts of 8,192 slots a product; about 84
//! number-theoretic transforms for 8,192 products of one cross term take longer than their 524,288 transfers, and the
//! mask is only statistical.

mod bits;
mod compare;
mod convert;
mod cot;
mod fixed;
mod leaves;
mod line;
mod multiply;
mod network;
mod parameters;
mod party;
mod rlwe;
mod shares;
mod shuffle;
mod sort;
mod transfers;
mod truncate;
mod two;

pub use parameters::{Network, Parameters};
pub use shares::{Additive, BitShares};
pub use truncate::Rounding;
pub use two::Two;
