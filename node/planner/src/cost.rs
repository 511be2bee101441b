//! Estimates of bytes, rounds and time; they lie outside the plan's digest and bind nobody.
//!
//! The constants were fitted to runs of the demo's queries (56 MB over 3,648 rows, 15 key bits); those of an overlap are counted
//! in [`overlap`].

use notary_terms::{Function, Intersect, Label, Plan, Program, ReadRole, Spares, Star, Tier};

use crate::{overlap, program, published, star_tier, vectors};

/// What a run will roughly cost, all parties together.
pub(crate) struct Cost {
    /// Bytes on all links.
    pub(crate) bytes: u64,
    /// Messages that wait for each other.
    pub(crate) rounds: u64,
    /// Milliseconds on one machine or a local network.
    pub(crate) millis: u64,
}

/// Bytes that the three nodes send for each row and each bit sorted by.
const BYTES_BIT: u64 = 340;
/// Bytes for each row and each word of its payload: sharing, the sort's moves, scans and the shuffle.
const BYTES_WORD: u64 = 850;
/// Bytes for each group and aggregate: comparison with the threshold, bit by bit.
const BYTES_SHOWN: u64 = 1_000;
/// Bytes for each group and mean: a division of 62 bits.
const BYTES_MEAN: u64 = 30_000;
/// Rounds: for each bit sorted by, for each doubling of a scan, for a division, and for the rest.
const ROUNDS_BIT: u64 = 3;
const ROUNDS_SCAN: u64 = 2;
const ROUNDS_MEAN: u64 = 100;
const ROUNDS_BASE: u64 = 60;
/// Rounds and bytes that a local network carries in a millisecond.
pub(crate) const ROUNDS_MILLI: u64 = 4;
pub(crate) const BYTES_MILLI: u64 = 150_000;

/// Bytes for each key of the receiver (a slot and a quarter of its encoding) and of the other owner (a mask), and what
/// correlations of two parties take whatever their sizes.
pub(crate) const BYTES_OWN_KEY: u64 = 21;
const BYTES_MASK: u64 = 16;
pub(crate) const BYTES_PAIR: u64 = 600_000;
/// Bytes for each key of the receiver where bytes are spared; from so many keys on the encodings differ at all.
const BYTES_OWN_KEY_SPARED: u64 = 20;
const KEYS_ALIKE: u64 = 1 << 15;
/// Keys of both sides that one machine works off in a millisecond then: the encoding does not stay in its cache.
const KEYS_MILLI_SPARED: u64 = 1_500;
/// Rounds of an intersection, and keys of both sides that one machine works off in a millisecond.
const ROUNDS_PAIR: u64 = 12;
const KEYS_MILLI: u64 = 2_000;

/// Estimates a plan.
pub(crate) fn estimate(plan: &Plan) -> Cost {
    match &plan.program {
        Program::Star(star) => of_star(plan, star),
        Program::Intersect(intersect) => pair(plan, intersect, intersect.spares),
        Program::Overlap(sums) => overlap::cost::between(plan, sums, sums.spares),
        Program::Common(program) => common(plan, program.spares),
        Program::Circuit(circuit) => program::cost(plan, circuit),
        Program::Published(published) => published::cost(plan, published),
        Program::Vectors(vectors) => vectors::told::cost(plan, vectors),
    }
}

/// Estimates an intersection as if it spared this.
pub(crate) fn pair(plan: &Plan, intersect: &Intersect, spares: Spares) -> Cost {
    let bound = |place: usize| plan.reads.get(place).map_or(0, |read| u64::from(read.rows_bound));
    let label = match &intersect.label {
        Label::Nothing => 0,
        Label::Count => 4,
        Label::Row { cells, rows } => {
            u64::from(*rows) * cells.iter().map(|cell| u64::from(cell.bytes) + 1).sum::<u64>()
        }
    };
    let (own, other, buckets) = (bound(0), bound(1), u64::from(intersect.buckets(&plan.reads)));
    let (own_key, keys_milli) = match spares {
        Spares::Bytes if own / buckets > KEYS_ALIKE => (BYTES_OWN_KEY_SPARED, KEYS_MILLI_SPARED),
        Spares::Bytes | Spares::Time => (BYTES_OWN_KEY, KEYS_MILLI),
    };
    let bytes = other.saturating_mul(BYTES_MASK + label).saturating_add(own * own_key + buckets * BYTES_PAIR);
    let rounds = buckets * ROUNDS_PAIR;
    Cost { bytes, rounds, millis: rounds / ROUNDS_MILLI + (own + other) / keys_milli + bytes / BYTES_MILLI }
}

/// A star of pairs around the receiver, as if it spared this: with each owner a table of the receiver's keys, and one of the owner's.
pub(crate) fn common(plan: &Plan, spares: Spares) -> Cost {
    let bounds: Vec<u64> = plan.reads.iter().map(|read| u64::from(read.rows_bound)).collect();
    let (own, others) = bounds.split_first().map_or((0, &[][..]), |(own, others)| (*own, others));
    let table = |keys: u64| match spares {
        Spares::Bytes if keys > KEYS_ALIKE => (keys * BYTES_OWN_KEY_SPARED, keys / KEYS_MILLI_SPARED),
        Spares::Bytes | Spares::Time => (keys * BYTES_OWN_KEY, keys / KEYS_MILLI),
    };
    let (mut bytes, mut millis) = (others.len() as u64 * BYTES_PAIR, ROUNDS_PAIR / ROUNDS_MILLI);
    for (table_bytes, worked) in others.iter().flat_map(|other| [table(own), table(*other)]) {
        bytes += table_bytes;
        millis += worked;
    }
    Cost { bytes, rounds: ROUNDS_PAIR, millis: millis + bytes / BYTES_MILLI }
}

fn of_star(plan: &Plan, star: &Star) -> Cost {
    let rows: u64 = plan.reads.iter().map(|read| u64::from(read.rows_bound)).sum();
    let group_bits = u64::from(u32::BITS - star.max_groups.leading_zeros());
    let sorted = u64::from(star.key_bits) + group_bits + 2;
    let words: u64 = plan.reads.iter().map(words).sum::<u64>() + 2;
    let shown = u64::try_from(star.aggregates.len()).unwrap_or(0);
    let means = star.aggregates.iter().filter(|a| matches!(a.function, Function::Avg { .. })).count();
    let means = u64::try_from(means).unwrap_or(0);
    let per_row = (sorted * BYTES_BIT).saturating_add(words * BYTES_WORD);
    let per_group = shown * BYTES_SHOWN + means * BYTES_MEAN;
    let bytes = rows.saturating_mul(per_row).saturating_add(u64::from(star.max_groups).saturating_mul(per_group));
    let doublings = u64::from(u64::BITS - rows.leading_zeros());
    let divisions = if means > 0 { ROUNDS_MEAN } else { 0 };
    let rounds = sorted * ROUNDS_BIT + doublings * ROUNDS_SCAN + divisions + ROUNDS_BASE;
    let cost = Cost { bytes, rounds, millis: rounds / ROUNDS_MILLI + bytes / BYTES_MILLI };
    if plan.tier == Tier::BPlus { star_tier::checked(plan, star, &cost, [sorted + words, sorted, means]) } else { cost }
}

/// Words that one row of a read brings: a value and its validity each, and the group's name.
fn words(read: &notary_terms::Read) -> u64 {
    let values = 2 * u64::try_from(read.values.len()).unwrap_or(0);
    match &read.role {
        ReadRole::Carrier { groups } => values + groups.iter().map(|g| u64::from(g.words)).sum::<u64>(),
        ReadRole::Side { .. } | ReadRole::Set { .. } | ReadRole::Input { .. } => values + 1,
    }
}
