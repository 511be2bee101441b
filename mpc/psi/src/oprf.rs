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
//! *What a malicious receiver can do*: choose a table of `m` slots that is right for more than its `n` keys. A set of
//! `n'` keys has such a table with probability `2^(-128·(n' − m))` at most, whatever the rows are, so after `Q`
//! evaluations of `V` there is one with probability below `C(Q, n')·2^(-128·(n' − m))`. With `m = 1.33·n`, `n = 2^20`
//! and `Q = 2^64`, that excludes `n' > 2.1·n`; nothing else is claimed here, and nothing rests on the conjecture that
//! `n' > m` is hard, which Han, Kim, Son and Yang examine ("Revisiting OKVS-based OPRF and PSI", ASIACRYPT 2024). So a
//! party that cheats as the receiver has what an honest one with `2.1·n` keys would have, for `n` from 2^14 on; with
//! fewer keys, one with `2.6·n + 500`. It can also guess bits of `Δ` and end the session when wrong, as in the VOLE.
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
