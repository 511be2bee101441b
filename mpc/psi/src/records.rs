//! What the sender sends of its elements: masks in order, each with a sealed payload where there is one.
//!
//! Masks are uniform and come sorted, so the order tells nothing of the sender's, and the leading bits go as the number
//! of masks in each bucket: one byte a bucket of 8 to 16 masks, which spares whole bytes of every mask. All 128 bits
//! arrive: a shorter mask would let a malicious sender find two elements with one mask.

mod seal;

use mpc_block::Block;
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::line::{self, Line};
use crate::order::{self, Sorted};

/// Bytes of records in one message.
const MESSAGE_BYTES: usize = 1 << 20;

/// Lengths of the records of `count` elements; both parties know them.
pub(crate) struct Layout {
    count: usize,
    bits: u32,
    payload: usize,
}

/// One element of the receiver's that the sender has too.
pub(crate) struct Found {
    /// Its index at the receiver.
    pub(crate) own: u32,
    /// Its place in the order of the sender's masks.
    pub(crate) position: u32,
    /// What the sender attached to it; `None` when its seal is wrong. That ends nothing: an end would tell the sender
    /// that the element is a match.
    pub(crate) payload: Option<Zeroizing<Vec<u8>>>,
}

/// One element of the receiver's that the sender has too, with what the sender attached to it still sealed.
pub(crate) struct Held {
    /// Its index at the receiver.
    pub(crate) own: u32,
    key: Zeroizing<Block>,
    sealed: Vec<u8>,
}

impl Held {
    /// The `payload` bytes that the sender attached; `None` when their seal is wrong.
    pub(crate) fn open(&self, payload: usize) -> Option<Zeroizing<Vec<u8>>> {
        seal::open(*self.key, &self.sealed, payload)
    }
}

impl Layout {
    /// For `count` elements of the sender's with `payload` bytes each.
    pub(crate) fn new(count: usize, payload: usize) -> Self {
        Self { count, bits: order::bits_for(count), payload }
    }

    /// Leading bits by which masks are dealt out.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// Bytes of a mask that do not follow from its bucket.
    fn mask_bytes(&self) -> usize {
        16 - self.bits as usize / 8
    }

    fn record_bytes(&self) -> usize {
        self.mask_bytes() + seal::bytes(self.payload)
    }

    /// Records of one message.
    fn together(&self) -> usize {
        (MESSAGE_BYTES / self.record_bytes()).max(1)
    }

    /// The mask in a record of bucket `bucket`; `None` when it belongs to another one.
    fn mask(&self, bucket: usize, record: &[u8]) -> Option<Block> {
        let len = self.mask_bytes();
        let mut bytes = [0; 16];
        bytes[..len].copy_from_slice(record.get(..len)?);
        let known = (bucket >> (self.bits % 8)) as u128;
        let high = known.checked_shl(8 * len as u32).unwrap_or(0);
        let mask = Block::from_u128(u128::from_le_bytes(bytes) | high);
        (order::bucket(mask, self.bits) == bucket).then_some(mask)
    }
}

/// Sends the masks `pairs[i][0]`, which `sorted` has in order, with payload `i` sealed under `pairs[i][1]`.
pub(crate) async fn send(
    line: &mut Line,
    layout: &Layout,
    sorted: &Sorted,
    pairs: &[[Block; 2]],
    payloads: &[u8],
) -> Result<(), Abort> {
    let counts: Result<Vec<u8>, _> = (0..sorted.buckets()).map(|at| u8::try_from(sorted.bucket(at).len())).collect();
    let counts = counts.map_err(|_| line.fail("masks that are not even"))?;
    line.send(counts).await?;
    for entries in sorted.entries().chunks(layout.together()) {
        let indices: Vec<usize> = entries.iter().map(|entry| entry.index as usize).collect();
        let sealed = seal::seal(&indices, pairs, payloads, layout.payload);
        let mut message = line::message(entries.len() * layout.record_bytes());
        let len = seal::bytes(layout.payload);
        for (at, entry) in entries.iter().enumerate() {
            message.extend_from_slice(&entry.value.to_bytes()[..layout.mask_bytes()]);
            message.extend_from_slice(&sealed[at * len..][..len]);
        }
        line.send(message).await?;
    }
    Ok(())
}

/// Receives the sender's records and finds those with a mask `pairs[i][0]` of this party's, which `sorted` has dealt
/// out by the layout's bits.
pub(crate) async fn receive(
    line: &mut Line,
    layout: &Layout,
    sorted: &Sorted,
    pairs: &[[Block; 2]],
) -> Result<Vec<Found>, Abort> {
    let (mut found, sealed) = search(line, layout, sorted).await?;
    // Only now: how long a message takes would tell the sender how many of its records match.
    for (found, sealed) in found.iter_mut().zip(sealed) {
        found.payload = seal::open(pairs[found.own as usize][1], &sealed, layout.payload);
    }
    Ok(found)
}

/// As [`receive`], for a receiver that has more to tell the sender: what came with the matches is opened later, since how long
/// that takes would tell how many there are.
pub(crate) async fn receive_sealed(
    line: &mut Line,
    layout: &Layout,
    sorted: &Sorted,
    pairs: &[[Block; 2]],
) -> Result<Vec<Held>, Abort> {
    let (found, sealed) = search(line, layout, sorted).await?;
    let key = |found: &Found| Zeroizing::new(pairs[found.own as usize][1]);
    let held = found.iter().zip(sealed).map(|(found, sealed)| Held { own: found.own, key: key(found), sealed });
    Ok(held.collect())
}

/// Receives the records: those that match, and their sealed payloads.
async fn search(line: &mut Line, layout: &Layout, sorted: &Sorted) -> Result<(Vec<Found>, Vec<Vec<u8>>), Abort> {
    let counts = line.receive(1 << layout.bits).await?;
    if counts.iter().map(|count| usize::from(*count)).sum::<usize>() != layout.count {
        return Err(line.blame("not as many masks as announced"));
    }
    let (found, sealed) = (Vec::new(), Vec::new());
    let mut search = Search { layout, sorted, counts, bucket: 0, last: None, position: 0, found, sealed };
    let mut left = layout.count;
    while left > 0 {
        let together = left.min(layout.together());
        let message = line.receive(together * layout.record_bytes()).await?;
        for record in message.chunks_exact(layout.record_bytes()) {
            search.record(record).map_err(|why| line.blame(why))?;
        }
        left -= together;
    }
    Ok((search.found, search.sealed))
}

/// The receiver's place in the sender's records.
struct Search<'a> {
    layout: &'a Layout,
    sorted: &'a Sorted,
    counts: Vec<u8>,
    bucket: usize,
    last: Option<u128>,
    position: u32,
    found: Vec<Found>,
    /// The sealed payloads of what was found.
    sealed: Vec<Vec<u8>>,
}

impl Search<'_> {
    /// Looks for one record's mask. The error is what is wrong with the record.
    fn record(&mut self, record: &[u8]) -> Result<(), &'static str> {
        while self.counts.get(self.bucket) == Some(&0) {
            self.bucket += 1;
        }
        let count = self.counts.get_mut(self.bucket).ok_or("more masks than announced")?;
        *count -= 1;
        let mask = self.layout.mask(self.bucket, record).ok_or("a mask in another bucket")?;
        if self.last.is_some_and(|last| last >= mask.to_u128()) {
            return Err("masks out of order");
        }
        self.last = Some(mask.to_u128());
        if let Some(entry) = self.sorted.bucket(self.bucket).iter().find(|entry| entry.value == mask) {
            self.sealed.push(record[self.layout.mask_bytes()..].to_vec());
            self.found.push(Found { own: entry.index, position: self.position, payload: None });
        }
        self.position += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mpc_block::BlockPrg;
    use mpc_core::{Blame, memory};

    use super::*;

    fn pairs(count: usize) -> Vec<[Block; 2]> {
        let mut blocks = vec![Block::ZERO; 2 * count];
        BlockPrg::new(Block::from_u128(1)).fill(&mut blocks);
        blocks.as_chunks::<2>().0.to_vec()
    }

    fn lines() -> (Line, Line) {
        let mut contexts = memory::contexts(memory::network(2), [1; 32]);
        let sender = Line::open(&mut contexts[0], 1, "x", &[]);
        (sender, Line::open(&mut contexts[1], 0, "x", &[]))
    }

    #[tokio::test]
    async fn all_records_arrive_whatever_their_number_and_payload() {
        for (count, payload) in [(1, 0), (15, 3), (16, 0), (300, 0), (5000, 7), (20_000, 100)] {
            let pairs = pairs(count);
            let layout = Layout::new(count, payload);
            let sorted = Sorted::new(pairs.iter().map(|pair| pair[0]), layout.bits());
            let payloads: Vec<u8> = (0..count * payload).map(|at| (at / payload) as u8).collect();
            let (mut sender, mut receiver) = lines();
            send(&mut sender, &layout, &sorted, &pairs, &payloads).await.unwrap();
            // The receiver has every third element.
            let own: Vec<[Block; 2]> = pairs.iter().step_by(3).copied().collect();
            let own_sorted = Sorted::new(own.iter().map(|pair| pair[0]), layout.bits());
            let mut found = receive(&mut receiver, &layout, &own_sorted, &own).await.unwrap();
            found.sort_unstable_by_key(|found| found.own);
            assert!(found.iter().map(|found| found.own).eq(0..own.len() as u32));
            for found in &found {
                let theirs = found.own as usize * 3;
                assert_eq!(sorted.entries()[found.position as usize].index as usize, theirs);
                assert!(found.payload.as_ref().is_some_and(|got| got[..] == payloads[theirs * payload..][..payload]));
            }
        }
    }

    #[tokio::test]
    async fn a_wrong_seal_is_told_to_the_receiver_alone() {
        let pairs = pairs(30);
        let layout = Layout::new(30, 4);
        let sorted = Sorted::new(pairs.iter().map(|pair| pair[0]), layout.bits());
        let mut lying = pairs.clone();
        lying[7][1] = Block::ZERO;
        let (mut sender, mut receiver) = lines();
        send(&mut sender, &layout, &sorted, &lying, &[5; 120]).await.unwrap();
        let found = receive(&mut receiver, &layout, &sorted, &pairs).await.unwrap();
        assert_eq!(found.len(), 30);
        assert!(found.iter().all(|found| found.payload.is_some() == (found.own != 7)));
    }

    /// What a receiver without elements makes of 32 masks (4 buckets) that the sender announces and sends.
    async fn lie(counts: [u8; 4], masks: &[u128]) -> Result<Vec<Found>, Abort> {
        let layout = Layout { count: 32, bits: 2, payload: 0 };
        let (mut sender, mut receiver) = lines();
        sender.send(counts.to_vec()).await?;
        sender.send(masks.iter().flat_map(|mask| mask.to_le_bytes()).collect()).await?;
        receive(&mut receiver, &layout, &Sorted::new(std::iter::empty(), 2), &[]).await
    }

    #[tokio::test]
    async fn masks_that_are_not_in_order_or_not_as_announced_are_refused() {
        let masks: Vec<u128> = (0..32).map(|at| at << 123).collect();
        assert!(lie([8; 4], &masks).await.is_ok_and(|found| found.is_empty()));
        let changed = |at: usize, mask: u128| {
            let mut masks = masks.clone();
            masks[at] = mask;
            masks
        };
        let lies = [
            ([8, 8, 8, 7], masks.clone()),
            ([8, 8, 8, 9], masks.clone()),
            ([7, 9, 8, 8], masks.clone()),
            ([32, 0, 0, 0], masks.clone()),
            ([8; 4], changed(5, masks[4])),
            ([8; 4], changed(5, masks[4] - 1)),
            ([8; 4], changed(5, masks[8] + 1)),
        ];
        for (counts, masks) in lies {
            let outcome = lie(counts, &masks).await;
            assert!(outcome.is_err_and(|abort| abort.blame == Blame::Peer(0)), "{counts:?}");
        }
    }

    #[test]
    fn masks_lose_whole_bytes_only_and_get_them_back() {
        for (count, bytes) in [(1, 16), (1 << 10, 16), (1 << 11, 15), (1 << 19, 14), (1 << 26, 14)] {
            let layout = Layout::new(count, 0);
            assert_eq!((layout.mask_bytes(), layout.record_bytes()), (bytes, bytes));
            let mask = Block::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
            let bucket = order::bucket(mask, layout.bits());
            assert!(layout.mask(bucket, &mask.to_bytes()[..bytes]) == Some(mask));
            assert!(layout.mask(bucket, &mask.to_bytes()[..bytes - 1]).is_none());
        }
    }
}
