//! A binary fuse table: every key's value is the sum of three slots, which lie in three neighbouring segments.
//!
//! Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters" (ACM JEA 27, 2022): three-wise, with their
//! lengths of segments and table, in integers. A key that is not in the table sums up to something unrelated to it. The
//! table depends on the set of keys and values and on the attempt alone, not on their order.

use zeroize::Zeroizing;

use super::value::Entry;

/// Most keys of a table.
pub(super) const MAX_KEYS: u32 = 1 << 21;
/// Most attempts at a table. A random one fails with a few per cent when small, with far less when large.
pub(super) const ATTEMPTS: u32 = 256;
/// Longest segment, as a power of two.
const MAX_SEGMENT_BITS: u32 = 18;

/// Where the slots of a key lie.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    segment: u64,
    /// Slots that a key's first one is chosen from.
    span: u64,
}

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTable {
    /// Two keys are equal.
    Doubled,
    /// No attempt succeeded.
    Unlucky,
}

impl Geometry {
    /// The geometry for `keys` keys, 0 to [`MAX_KEYS`].
    pub(super) fn of(keys: u32) -> Self {
        // Four times the binary logarithm, rounded down.
        let quarters = u128::from(keys.max(2)).pow(4).ilog2();
        // The segment's logarithm is log(keys)/log(3.33) + 2.25; 0.1440 is a quarter of log(2)/log(3.33).
        let segment = 1_u64 << ((quarters * 1440 + 22_500) / 10_000).min(MAX_SEGMENT_BITS);
        // The table is max(1.125, 0.875 + 0.25·log(10^6)/log(keys)) times as long as the keys are many.
        let thousandths = u64::from(1125_u32.max(875 + 19_930_u32.div_ceil(quarters)));
        let slots = (u64::from(keys) * thousandths).div_ceil(1000);
        let span = slots.div_ceil(segment).saturating_sub(2).max(1) * segment;
        Self { segment, span }
    }

    /// Slots of the table.
    pub(super) fn slots(&self) -> usize {
        (self.span + 2 * self.segment) as usize
    }

    /// The three slots of a hash, which differ.
    fn places(&self, hash: u64) -> [usize; 3] {
        let first = ((u128::from(hash) * u128::from(self.span)) >> 64) as u64;
        let inside = self.segment - 1;
        let second = (first + self.segment) ^ ((hash >> 18) & inside);
        let third = (first + 2 * self.segment) ^ (hash & inside);
        [first as usize, second as usize, third as usize]
    }
}

/// The hash of a key in an attempt: both halves of a product, folded. Keys are uniform, so that is enough.
fn hash(key: Entry, attempt: u32) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let salt = ODD.wrapping_mul(2 * u64::from(attempt) + 1);
    let product = u128::from(key.place ^ salt) * u128::from(key.mark ^ salt.rotate_left(32));
    let folded = (product as u64) ^ ((product >> 64) as u64);
    (folded ^ (folded >> 32)).wrapping_mul(ODD)
}

/// Adds the key's three slots of `stride` bytes to `out`, whose length is the stride.
pub(super) fn add_slots(geometry: Geometry, attempt: u32, key: Entry, slots: &[u8], out: &mut [u8]) {
    let stride = out.len();
    for place in geometry.places(hash(key, attempt)) {
        let slot = &slots[place * stride..][..stride];
        out.iter_mut().zip(slot).for_each(|(out, slot)| *out ^= slot);
    }
}

/// Makes the table of `keys`; `value` writes that of the key at a place of the slice. Returns the attempt that succeeded
/// and the slots, `stride` bytes each.
pub(super) fn build(
    keys: &[Entry],
    stride: usize,
    value: impl Fn(usize, &mut [u8]),
) -> Result<(u32, Vec<u8>), NoTable> {
    let geometry = Geometry::of(u32::try_from(keys.len()).map_err(|_| NoTable::Unlucky)?);
    for attempt in 0..ATTEMPTS {
        let mut hashed: Vec<(u64, u32)> = keys.iter().zip(0..).map(|(key, at)| (hash(*key, attempt), at)).collect();
        // In the order of their hashes, keys touch the table from one end to the other; and the order that they came in
        // leaves no trace.
        hashed.sort_unstable();
        let of = |at: u32| keys[at as usize];
        let mut meeting = hashed.windows(2).filter(|pair| pair[0].0 == pair[1].0).peekable();
        if meeting.peek().is_some() {
            if meeting.any(|pair| of(pair[0].1) == of(pair[1].1)) {
                return Err(NoTable::Doubled);
            }
            continue;
        }
        if let Some(order) = peel(geometry, &hashed) {
            return Ok((attempt, assign(geometry, &hashed, &order, stride, value)));
        }
    }
    Err(NoTable::Unlucky)
}

/// Takes keys away that have a slot for themselves until none is left: their ranks and these slots, in that order. `None`
/// when some keys stay.
fn peel(geometry: Geometry, hashed: &[(u64, u32)]) -> Option<Vec<(u32, u32)>> {
    let mut counts = vec![0_u32; geometry.slots()];
    let mut ranks = vec![0_u32; geometry.slots()];
    for ((hash, _), rank) in hashed.iter().zip(0..) {
        for place in geometry.places(*hash) {
            counts[place] += 1;
            ranks[place] ^= rank;
        }
    }
    let mut single: Vec<u32> = (0..).zip(&counts).filter(|(_, count)| **count == 1).map(|(place, _)| place).collect();
    let mut order = Vec::with_capacity(hashed.len());
    while let Some(slot) = single.pop() {
        if counts[slot as usize] != 1 {
            continue;
        }
        let rank = ranks[slot as usize];
        order.push((rank, slot));
        for place in geometry.places(hashed[rank as usize].0) {
            counts[place] -= 1;
            ranks[place] ^= rank;
            if counts[place] == 1 {
                single.push(place as u32);
            }
        }
    }
    (order.len() == hashed.len()).then_some(order)
}

/// Gives every key's own slot what is missing from its value, the last key first.
fn assign(
    geometry: Geometry,
    hashed: &[(u64, u32)],
    order: &[(u32, u32)],
    stride: usize,
    value: impl Fn(usize, &mut [u8]),
) -> Vec<u8> {
    let mut slots = vec![0_u8; geometry.slots() * stride];
    let mut sum = Zeroizing::new(vec![0_u8; stride]);
    for (rank, slot) in order.iter().rev() {
        let (hash, at) = hashed[*rank as usize];
        value(at as usize, &mut sum);
        for place in geometry.places(hash) {
            let other = &slots[place * stride..][..stride];
            sum.iter_mut().zip(other).for_each(|(sum, other)| *sum ^= other);
        }
        slots[*slot as usize * stride..][..stride].copy_from_slice(&sum);
    }
    slots
}
