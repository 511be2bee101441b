//! From rows of keys to elements: one canonical encoding of a composite key, hashed to a block of 128 bits.
//!
//! *SQL's rule*: a row with a NULL in its key matches nothing and is left out; equal keys are one element, which knows
//! all its rows; an integer equals a decimal of the same value whatever its scale. Text is compared by its bytes: what
//! is to be equal (case, width, Unicode form) is made equal before, where the plan shows it.
//!
//! *Collisions*: a block is half of an SM3 digest. Among `n` elements of both parties together, two different keys
//! become one block with probability `n²/2^129`, which is 2^-75 for 2^27. To make two such keys takes 2^64 evaluations
//! of SM3.
//!
//! *Blocks are no secret-keeper*: who knows the identifier can hash guesses. They leave this party only through the
//! protocols of this crate.

mod part;

use base_gm::sm3::{Many, tagged};
use mpc_block::Block;
use zeroize::{Zeroize, Zeroizing};

use crate::line::halves;
use crate::order::{self, Sorted};

pub use part::Part;

/// Rows that are hashed together.
const TOGETHER: usize = 1024;

/// Rows on their way to blocks, in bounded memory.
pub struct Hasher {
    key: [u8; 16],
    many: Zeroizing<Many>,
    waiting: Vec<u64>,
    next: u64,
    encoded: Zeroizing<Vec<u8>>,
}

impl Hasher {
    /// Hashes under an identifier that all parties know and that nothing else uses: that of a session, or of a job
    /// whose runs resume each other.
    pub fn new(id: &[u8; 32]) -> Self {
        let key = halves(&tagged("heqi/mpc/psi/element/1", &[id]).0)[0].to_bytes();
        let (many, encoded) = (Zeroizing::new(Many::new()), Zeroizing::new(Vec::new()));
        Self { key, many, waiting: Vec::new(), next: 0, encoded }
    }

    /// Takes the next row's key. A row that is complete waits until [`Self::drain`]; true when it is time for that.
    pub fn row(&mut self, parts: &[Part<'_>]) -> bool {
        let row = self.next;
        self.next += 1;
        self.encoded.clear();
        let room = parts.iter().map(|part| part.room()).sum::<usize>();
        if self.encoded.capacity() < room {
            // What is too small is given up and wiped: a vector that grew would leave a copy behind.
            self.encoded = Zeroizing::new(Vec::with_capacity(room.next_power_of_two()));
        }
        if parts.iter().all(|part| part.encode(&mut self.encoded)) {
            self.many.plain(&[&self.key, &self.encoded]);
            self.waiting.push(row);
        }
        self.waiting.len() >= TOGETHER
    }

    /// Hands over every row that waits: its number, counted from 0 over all rows, and its block.
    pub fn drain(&mut self, mut sink: impl FnMut(u64, Block)) {
        let mut rows = self.waiting.drain(..);
        self.many.each_digest(|digest| {
            if let Some(row) = rows.next() {
                sink(row, halves(&digest.0)[0]);
            }
        });
    }
}

/// Collects rows in memory.
pub struct Builder {
    hasher: Hasher,
    blocks: Zeroizing<Vec<Block>>,
    rows: Vec<u32>,
}

impl Builder {
    /// See [`Hasher::new`].
    pub fn new(id: &[u8; 32]) -> Self {
        Self::with_capacity(id, 0)
    }

    /// With room for so many rows: a vector that does not grow leaves no copy behind.
    pub fn with_capacity(id: &[u8; 32], rows: usize) -> Self {
        let blocks = Zeroizing::new(Vec::with_capacity(rows));
        Self { hasher: Hasher::new(id), blocks, rows: Vec::with_capacity(rows) }
    }

    /// Takes the next row's key; one with a NULL is left out. There are fewer than 2^32 rows.
    pub fn row(&mut self, parts: &[Part<'_>]) {
        if self.hasher.row(parts) {
            self.drain();
        }
    }

    fn drain(&mut self) {
        let Self { hasher, blocks, rows } = self;
        hasher.drain(|row, block| {
            blocks.push(block);
            rows.push(row as u32);
        });
    }

    /// The elements of all rows.
    pub fn finish(mut self) -> Elements {
        self.drain();
        Elements::group(&self.blocks, &self.rows)
    }
}

/// The distinct elements of some rows, and which rows each has.
pub struct Elements {
    blocks: Zeroizing<Vec<Block>>,
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Elements {
    /// Groups equal blocks; `rows[i]` is the row of `blocks[i]`.
    pub(crate) fn group(blocks: &[Block], rows: &[u32]) -> Self {
        let sorted = Sorted::new(blocks.iter().copied(), order::bits_for(blocks.len()));
        let mut distinct = Zeroizing::new(Vec::<Block>::with_capacity(blocks.len()));
        let (mut starts, mut ordered) = (Vec::with_capacity(blocks.len() + 1), Vec::with_capacity(rows.len()));
        for group in sorted.entries().chunk_by(|one, other| one.value == other.value) {
            starts.push(ordered.len() as u32);
            distinct.push(group[0].value);
            ordered.extend(group.iter().map(|entry| rows[entry.index as usize]));
        }
        starts.push(ordered.len() as u32);
        Self { blocks: distinct, starts, rows: ordered }
    }

    /// The elements: distinct, in an order that follows from their values alone.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The rows that have element `at`, ascending; none behind the last element.
    pub fn rows_of(&self, at: usize) -> &[u32] {
        let bound = |at: usize| self.starts.get(at).map(|start| *start as usize);
        match (bound(at), bound(at + 1)) {
            (Some(start), Some(end)) => &self.rows[start..end],
            _ => &[],
        }
    }
}

impl Drop for Elements {
    fn drop(&mut self) {
        self.starts.zeroize();
        self.rows.zeroize();
    }
}
