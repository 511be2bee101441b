//! An oblivious pseudorandom function for many keys: the receiver evaluates it on its keys, the sender on any.
//!
//! The malicious OPRF of Rindal and Schoppmann, "VOLE-PSI: Fast OPRF and Circuit-PSI from Vector-OLE" (EUROCRYPT 2021),
//! with the store and the VOLE of Raghuraman and Rindal (CCS 2022). With `D` decoding, `V` and `H` hashes:
//!
//! 1. The sender commits to its part of a coin `w`.
//! 2. A VOLE over GF(2^128) gives the sender `Δ` and `C`, the receiver `A` and `B` with `C = A·Δ + B`.
//! 3. The receiver answers with its part of the coin, encodes a table `P` with `D(P, x) = V(x)` for its keys `x`, and
//!    sends `A + P` bin by bin. The sender has `K = C + Δ·(A + P) = B + Δ·P`.
//! 4. The sender opens its part of the coin; so the receiver's table is fixed before `w` is known to it.
//! 5. The function of `y` is `H(D(K, y) + Δ·V(y) + w, y)`, which the sender can compute for all `y`; where `D(P, y) =
//!    V(y)` it is `H(D(B, y) + w, y)`, which the receiver can.
//!
//! `V` is AES-128 under a public key of the session with its input added, `H` is SM3 with a salt of the session. Keys
//! are outputs of a collision-resistant hash ([`crate::element`]).
//!
//! *What a malicious receiver can do*: choose a table of `m` slots that is right for more than its `n` keys. `m` keys are
//! always possible, and a table has 267 slots at least, so one key is as good as 267. A set of `n'` keys has a table with
//! probability `2^(-128·(n' − m))` at most, whatever the rows are, so after `Q` evaluations of `V` there is one with
//! probability below `C(Q, n')·2^(-128·(n' − m))`, times 4 a bin for the choice of rows. With `Q = 2^64` that excludes
//! `n' > 2.3·n + 500` for every `n` (2.03·n at 2^20; 2.22·n just above 2^15, where a second bin begins; 479 for one).
//! Nothing else is claimed here, and nothing rests on the conjecture that `n' > m` is hard, which Han, Kim, Son and Yang
//! examine ("Revisiting OKVS-based OPRF and PSI", ASIACRYPT 2024). So a party that cheats as the receiver has what an
//! honest one with so many keys would have. It can also guess bits of `Δ` and end the session when wrong, as in the VOLE.
//!
//! *What a malicious sender can do*: stop. Which function it holds is fixed by its coin and its `Δ`.

mod function;
mod receiver;
mod sender;

use mpc_block::{Aes, Block};
use mpc_core::cointoss::Toss;
use mpc_core::{Abort, Context};
use mpc_ot::pcg::{Expander, Parameters};

use crate::Mode;
use crate::line::{Line, encode_numbers};
use crate::okvs::Okvs;
use function::Function;

pub use receiver::evaluate;
pub(crate) use receiver::evaluate_pairs;
pub use sender::Sender;

/// Length of a commitment, of a reply and of a message of the coin's opening.
const COMMITMENT_BYTES: usize = 32;
const REPLY_BYTES: usize = 32;
const OPENING_BYTES: usize = 64;

/// What both parties have before the first message.
struct Start {
    line: Line,
    toss: Toss,
    okvs: Okvs,
    function: Function,
    vole: Parameters,
}

impl Start {
    /// Forks the session for `sender` and `receiver`, one of which is this party, and `count` keys of the receiver.
    fn new(ctx: &mut Context, [sender, receiver]: [usize; 2], count: usize, mode: Mode) -> Result<Self, Abort> {
        let peer = if ctx.me() == sender { receiver } else { sender };
        let parameters = [encode_numbers(&[sender, receiver, count]).as_slice(), &[mode.encode()]].concat();
        let line = Line::open(ctx, peer, "oprf", &parameters);
        let toss = Toss { session: line.id(), step: "oprf".into(), committer: sender, responder: receiver };
        let seed = line.digest_block("heqi/mpc/psi/oprf/rows/1");
        let okvs = Okvs::new(count, mode, seed).map_err(|fault| line.fail(fault.to_string()))?;
        let function = Function::new(
            Aes::new(line.digest_block("heqi/mpc/psi/oprf/values/1")),
            line.digest_block("heqi/mpc/psi/oprf/output/1"),
        );
        let vole = vole_parameters(mode, okvs.slots());
        Ok(Self { line, toss, okvs, function, vole })
    }

    /// Bytes of the message that carries one bin: which rows it has, and its slots.
    fn bin_bytes(&self) -> usize {
        1 + self.okvs.width() * size_of::<Block>()
    }
}

/// The batches of the VOLE: those that stay in the cache, or the largest that are not mostly wasted.
fn vole_parameters(mode: Mode, slots: usize) -> Parameters {
    let depth = match (mode, slots) {
        (Mode::Fast, _) | (_, ..=0x2_0000) => 10,
        (_, ..=0x8_0000) => 12,
        _ => 14,
    };
    Parameters::new(depth, Expander::Seven).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the union bound excludes tables that are right for `held` keys, except with probability 2^-40; in
    /// thousandths of a bit. `C(2^64, n')` is below `(e·2^64/n')^n'`.
    fn excluded(okvs: &Okvs, held: usize) -> bool {
        let logarithm = 250 * u64::from((held as u128).pow(4).ilog2());
        let (held, slots, bins) = (held as u64, okvs.slots() as u64, okvs.bins() as u64);
        held * (64_000 + 1_443 - logarithm) + 2_000 * bins + 40_000 < 128_000 * (held - slots)
    }

    #[test]
    fn no_table_is_right_for_more_keys_than_the_documents_say() {
        for mode in [Mode::Fast, Mode::LowCommunication] {
            let okvs = |count: usize| Okvs::new(count, mode, Block::ONE).unwrap();
            let large = (14..=26).flat_map(|power| [1 << power, (1 << power) + 1, 3 << (power - 1)]);
            let all = (1..1 << 14).step_by(61).chain([2, 127, 128, 129, 1023, 1024, 2047, (1 << 14) - 1]).chain(large);
            for count in all.filter(|count| *count <= crate::okvs::MAX_KEYS) {
                assert!(excluded(&okvs(count), count * 23 / 10 + 500), "{count}");
            }
            // The bound is no larger than it has to be.
            assert!(!excluded(&okvs(1 << 15), (1 << 15) * 2) && !excluded(&okvs(1), 470));
        }
    }
}
