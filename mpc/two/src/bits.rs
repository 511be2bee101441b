//! Products of secret bits, one round: two transfers a bit, however many products share the factor.
//!
//! As in `cot`, modulo 2: of the factor `x` and each `y` the sender sends `c = k_0 ⊕ k_1 ⊕ y`, the receiver `f = x ⊕
//! u`, and the shares are `k_f` and `k_u ⊕ x·c`. A key has 64 bits, so a second product with the same factor uses its
//! second bit.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::cot::flips;
use crate::line::Line;
use crate::party::Party;
use crate::shares::WORD;
use crate::transfers::{Pair, padded};

/// Sets every bit from `len` on to zero.
pub(crate) fn clear_tail(words: &mut [u64], len: usize) {
    if let (Some(last), 1..) = (words.last_mut(), len % WORD) {
        *last &= (1 << (len % WORD)) - 1;
    }
}

/// Bit `at` of 64 keys as a word; key `i` gives bit `i`.
fn gather(keys: impl Iterator<Item = u64>, at: usize) -> u64 {
    keys.enumerate().fold(0, |word, (lane, key)| word | (key >> at & 1) << lane)
}

/// Words of the two keys' bits.
fn gather_pairs(keys: &[Pair], at: usize) -> [u64; 2] {
    [gather(keys.iter().map(|key| key[0]), at), gather(keys.iter().map(|key| key[1]), at)]
}

/// This party's shares of `x ∧ y` for each of the `ys`, bit by bit; all have one length in words.
pub(crate) async fn and<const K: usize>(
    party: &mut Party,
    line: &mut Line,
    x: &[u64],
    ys: [&[u64]; K],
) -> Result<[Zeroizing<Vec<u64>>; K], Abort> {
    let mut out: [_; K] = std::array::from_fn(|_| Zeroizing::new(Vec::<u64>::with_capacity(x.len())));
    let slice = party.parameters.slice();
    for (at, part) in x.chunks(slice).enumerate() {
        let ys = ys.map(|y| &y[at * slice..][..part.len()]);
        and_part(party, line, part, ys, &mut out).await?;
    }
    Ok(out)
}

async fn and_part<const K: usize>(
    party: &mut Party,
    line: &mut Line,
    x: &[u64],
    ys: [&[u64]; K],
    out: &mut [Zeroizing<Vec<u64>>; K],
) -> Result<(), Abort> {
    let (count, transfers) = (x.len(), padded(WORD * x.len()));
    party.reserve(transfers, transfers).await?;
    let Party { sender, receiver, .. } = party;
    let sent = sender.take(transfers);
    let (keys, choices) = receiver.take(transfers);
    let mut message = flips(choices, x);
    let mut pairs = Zeroizing::new(Vec::<[u64; 2]>::with_capacity(K * count));
    for (place, y) in ys.iter().enumerate() {
        for (keys, y) in sent.chunks_exact(WORD).zip(*y) {
            let [zero, one] = gather_pairs(keys, place);
            message.push(zero ^ one ^ y);
            pairs.push([zero, one]);
        }
    }
    let got = line.words(&message, (1 + K) * count).await?;
    let (theirs, corrections) = got.split_at(count);
    for (place, (y, out)) in ys.iter().zip(out).enumerate() {
        for (at, (x, y)) in x.iter().zip(y.iter()).enumerate() {
            let [zero, one] = pairs[place * count + at];
            let sent = zero ^ (theirs[at] & (zero ^ one));
            let chosen = gather(keys[at * WORD..][..WORD].iter().copied(), place);
            let received = chosen ^ (x & corrections[place * count + at]);
            out.push((x & y) ^ sent ^ received);
        }
    }
    Ok(())
}
