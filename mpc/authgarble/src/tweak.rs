//! The tweaks of the hash: each use of a party's `Δ` has its own, over all runs of a session.

/// The hash of keys of leaky triples.
const TRIPLE: u128 = 1 << 96;
/// The hash of labels.
const LABEL: u128 = 2 << 96;
/// The hash of the labels that the evaluator proves to hold.
const PROOF: u128 = 3 << 96;
/// What is hashed for the second input of a gate.
const RIGHT: u128 = 1 << 80;

/// The tweak of leaky triple `number` of the session, where the bit is that of party `owner`; the next triple has the next.
pub(crate) fn triple(owner: usize, number: u64) -> u128 {
    TRIPLE | (owner as u128) << 64 | u128::from(number)
}

/// The tweak of a label of AND gate `number` of the session, where what it hides is for the label of party `target`; the next
/// gate has the next.
pub(crate) fn label(right: bool, target: usize, number: u64) -> u128 {
    LABEL | if right { RIGHT } else { 0 } | (target as u128) << 64 | u128::from(number)
}

/// The tweak of the proof of the label of AND gate `number` of the session; the next gate has the next.
pub(crate) fn proof(number: u64) -> u128 {
    PROOF | u128::from(number)
}
