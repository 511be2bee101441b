//! Storage for buckets: what the caller provides, and the writer that deals elements out to it.

use mpc_block::{Aes, Block};
use zeroize::{Zeroize, Zeroizing};

use super::Plan;

/// Bytes of one element: its block and its row.
const RECORD_BYTES: usize = 16 + 8;
/// Bytes that a bucket collects in memory before they are stored.
const BUFFER_BYTES: usize = 64 << 10;

/// Append-only storage, a run of bytes for each bucket. An implementation makes durable what it reports as appended;
/// the error is told to the caller of the run.
pub trait Spill: Send {
    /// Appends to the run of a bucket.
    ///
    /// # Errors
    /// Why the storage refuses.
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), String>;

    /// All bytes of the run of a bucket, in the order they were appended; none where nothing was.
    ///
    /// # Errors
    /// Why the storage fails.
    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, String>;
}

/// Deals elements out to the buckets of a plan. It keeps 64 KiB a bucket in memory.
pub struct Writer<'a, S: Spill> {
    cipher: Aes,
    buffers: Vec<Zeroizing<Vec<u8>>>,
    spill: &'a mut S,
}

impl<'a, S: Spill> Writer<'a, S> {
    /// Writes to empty storage.
    pub fn new(plan: &Plan, spill: &'a mut S) -> Self {
        let buffers = (0..plan.buckets()).map(|_| Zeroizing::new(Vec::new())).collect();
        Self { cipher: plan.cipher(), buffers, spill }
    }

    /// Adds the element of one row; several rows may have one element.
    ///
    /// # Errors
    /// Why the storage refuses.
    pub fn push(&mut self, element: Block, row: u64) -> Result<(), String> {
        let hash = (self.cipher.encrypt(element) ^ element).to_u128() as u32;
        let bucket = ((u64::from(hash) * self.buffers.len() as u64) >> 32) as usize;
        let buffer = &mut self.buffers[bucket];
        make_room(buffer);
        buffer.extend_from_slice(&element.to_bytes());
        buffer.extend_from_slice(&row.to_be_bytes());
        if buffer.len() >= BUFFER_BYTES {
            self.spill.append(bucket, buffer)?;
            buffer.clear();
        }
        Ok(())
    }

    /// Stores what is still in memory. Without this call rows are missing.
    ///
    /// # Errors
    /// Why the storage refuses.
    pub fn finish(mut self) -> Result<(), String> {
        for (bucket, buffer) in self.buffers.iter_mut().enumerate().filter(|(_, buffer)| !buffer.is_empty()) {
            self.spill.append(bucket, buffer)?;
            buffer.zeroize();
        }
        Ok(())
    }
}

/// Room for one more record; memory that is given up for more is wiped.
fn make_room(buffer: &mut Zeroizing<Vec<u8>>) {
    if buffer.capacity() - buffer.len() < RECORD_BYTES {
        let most = BUFFER_BYTES + RECORD_BYTES;
        let mut larger = Zeroizing::new(Vec::<u8>::with_capacity((4 * buffer.capacity()).clamp(1 << 10, most)));
        larger.extend_from_slice(&buffer[..]);
        *buffer = larger;
    }
}

/// Elements and rows of a run; `None` when it ends within a record.
pub(super) fn parse(bytes: &[u8]) -> Option<(Zeroizing<Vec<Block>>, Vec<u64>)> {
    let (records, rest) = bytes.as_chunks::<RECORD_BYTES>();
    let mut blocks = Zeroizing::new(Vec::<Block>::with_capacity(records.len()));
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let (block, row) = (record.first_chunk::<16>()?, record.last_chunk::<8>()?);
        blocks.push(Block::from_bytes(*block));
        rows.push(u64::from_be_bytes(*row));
    }
    rest.is_empty().then_some((blocks, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_room_before_it_is_written_to_and_no_more_than_its_bound() {
        let mut buffer = Zeroizing::new(Vec::<u8>::new());
        for at in 0..=BUFFER_BYTES / RECORD_BYTES {
            make_room(&mut buffer);
            let memory = buffer.as_ptr();
            buffer.extend_from_slice(&[at as u8; RECORD_BYTES]);
            assert_eq!(buffer.as_ptr(), memory, "a vector that grows by itself leaves a copy behind");
        }
        assert!(buffer.capacity() <= BUFFER_BYTES + RECORD_BYTES);
        assert!(buffer.chunks(RECORD_BYTES).enumerate().all(|(at, record)| record == [at as u8; RECORD_BYTES]));
    }
}
