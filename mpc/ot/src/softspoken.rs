//! Oblivious transfer extension from small-field VOLE: SoftSpokenOT (Roy, CRYPTO 2022), against malicious peers.
//!
//! The sender holds a secret `Δ` of 128 bits; of every transfer it gets a block `q`, and the receiver a random bit `u` and
//! `t = q ⊕ u·Δ` (correlated transfers). Hashing both sides with the transfer's index gives random ones, and one more exchange of
//! corrections chosen ones.
//!
//! 1. **Trees** (`tree`): `Δ` is cut into `128/k` elements of GF(2^k). For each the receiver grows a GGM tree of `2^k`
//!    leaves, and 128 base transfers give the sender every leaf but the one at its element (the all-but-one transfer of
//!    Fig. 13 there), proven consistent by hashes of the leaves (Fig. 14, `leaf`): a receiver that sends different trees
//!    for different `Δ` has to guess bits of `Δ`, and is caught when wrong.
//! 2. **Small-field VOLE** (`vole`, Fig. 7): with `r_x` the stream of leaf `x`, the receiver has `u = Σ r_x` and `v = Σ x·r_x`,
//!    the sender `w = Σ (x + Δ_i)·r_x = v + Δ_i·u`.
//! 3. **Subspace VOLE** with the repetition code (section 4): the receiver sends `u_i + u_0` for all trees but the first, so that
//!    all have the choice bits `u_0`. That is `128/k − 1` bits a transfer, all the communication there is.
//! 4. **Consistency check** (`check`, section 4): after the corrections of a chunk the sender draws a universal hash; the
//!    receiver answers with the hash of its choices, masked by 128 transfers that are sacrificed, and with a digest of the hashed
//!    columns. The sender uses nothing of a chunk before its check has passed. Both compute a chunk tile by tile (`chunk`), so that
//!    columns are hashed and turned into rows while they are in the cache.
//! 5. **Hashing**: the key of transfer `j` is `H(t, j)` under the tweakable circular correlation robust hash TMMO (Guo, Katz, Wang
//!    and Yu, S&P 2020) with a public key that the session decides. `j` counts all transfers of the session.
//!
//! *Leakage*, as in the paper's functionality: a malicious receiver may guess some bits of `Δ`; the guess of `c` bits passes with
//! probability `2^-c`, else the session ends. What is hashed from `Δ` stays secure; who uses correlated transfers directly must
//! allow for it. *Not used*: the check of Keller, Orsini and Scholl (2015), whose proof Roy found to fail.
//!
//! *Costs* of a random transfer: `2^k/k + 2` AES calls at the receiver, `(2^k − 1)/k + 4` at the sender ([`Parameters`] lists
//! them; correlated transfers spare the hash's 2 and 4), one product in GF(2^128) at each side, `128/k − 1` bits on the wire.
//! A chunk adds 128 transfers and 64 bytes. The set-up moves 8 KiB to the receiver and at most 12.1 KiB back.

mod check;
mod chosen;
mod chunk;
mod leaf;
mod parameters;
mod receiver;
mod receiving;
mod sender;
mod sending;
#[cfg(test)]
mod tests;
mod tree;
mod vole;

pub use parameters::Parameters;
pub use receiver::Receiver;
pub use sender::Sender;

/// Bits of `Δ`: columns of a chunk, and base transfers.
const COLUMNS: usize = 128;
