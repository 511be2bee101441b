//! What aggregates over an overlap cost, by which transfers are made: counted from the engines' messages, averages over their shapes.

use notary_terms::{Overlap, Plan, Spares};

use crate::cost::{BYTES_MILLI, BYTES_OWN_KEY, BYTES_PAIR, Cost, ROUNDS_MILLI};

/// Bins of the receiver's keys: so many for ten keys, and so many more.
const BINS_TEN: u64 = 13;
const BINS_MORE: u64 = 1024;
/// Transfers of both nodes for each bin: 14 digits compared with their tree; and for each aggregate, two or three columns selected.
const TRANSFERS_COMPARED: u64 = 84;
const TRANSFERS_SUMMED: u64 = 5;
/// Thousandths of a byte that one transfer takes: by the extension, and by silent correlations.
const MILLIBYTES_FAST: u64 = 7_900;
const MILLIBYTES_SPARED: u64 = 225;
/// Bytes of transfers that any run takes: what the last of the made ones are rounded up to, a batch in each direction.
const BYTES_FEWEST_FAST: u64 = 70_000;
const BYTES_FEWEST_SPARED: u64 = 160_000;
/// Bytes of all else for each bin: the digits' tables, bits as numbers; and for each aggregate, selections and products.
const BYTES_COMPARED: u64 = 70;
const BYTES_SUMMED: u64 = 120;
/// Bytes for each aggregate whatever the sizes: ciphertexts of its products; and for each key of the other owner's table.
const BYTES_PRODUCT: u64 = 1_000_000;
const BYTES_TARGET: u64 = 64;
/// Rounds of comparison, sums and threshold.
const ROUNDS: u64 = 60;
/// Keys of the receiver that are compared in a millisecond either way, and milliseconds of a first batch of silent transfers.
const MILLI_FAST: u64 = 250;
const MILLI_SPARED: u64 = 100;
const MILLIS_FIRST_SPARED: u64 = 40;

/// Estimates the sums as if they spared this.
pub(crate) fn between(plan: &Plan, overlap: &Overlap, spares: Spares) -> Cost {
    let bound = |place: usize| plan.reads.get(place).map_or(0, |read| u64::from(read.rows_bound));
    let (own, other, sums) = (bound(0), bound(1), overlap.aggregates.len() as u64);
    let (millibytes, fewest, (first, keys_milli)) = match spares {
        Spares::Time => (MILLIBYTES_FAST, BYTES_FEWEST_FAST, (0, MILLI_FAST)),
        Spares::Bytes => (MILLIBYTES_SPARED, BYTES_FEWEST_SPARED, (MILLIS_FIRST_SPARED, MILLI_SPARED)),
    };
    let bins = own * BINS_TEN / 10 + BINS_MORE;
    let transfers = bins * (TRANSFERS_COMPARED + sums * TRANSFERS_SUMMED);
    let moved = bins * (BYTES_COMPARED + sums * BYTES_SUMMED) + sums * BYTES_PRODUCT + BYTES_PAIR;
    let tables = own * BYTES_OWN_KEY + other * BYTES_TARGET * (1 + sums);
    let bytes = transfers * millibytes / 1000 + fewest + moved + tables;
    let millis = ROUNDS / ROUNDS_MILLI + first + own / keys_milli + bytes / BYTES_MILLI;
    Cost { bytes, rounds: ROUNDS, millis }
}
