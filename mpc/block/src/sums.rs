//! Sums of several streams by the bits of their numbers, without the streams ever lying in memory.

use zeroize::Zeroizing;

use crate::Block;
use crate::cast::{raw_mut, xor_into};
use crate::cipher::{Cipher, Mode};
use crate::path::AesPath;
use crate::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::x86::{Narrow, Wide};

/// Blocks that are drawn at a time where there is no kernel.
const GROUP: usize = 32;

/// `2^k` streams as [`crate::BlockPrg`] gives them, numbered from 0, which are drawn together. Wiped when dropped.
pub struct StreamSums {
    ciphers: Ciphers,
    punctured: bool,
    position: u64,
}

enum Ciphers {
    Portable(Vec<Portable>),
    #[cfg(target_arch = "x86_64")]
    Narrow(Vec<Narrow>),
    #[cfg(target_arch = "x86_64")]
    Wide(Vec<Wide>),
}

impl StreamSums {
    /// Starts the streams of `2^k` seeds, `k` at most 8. `punctured` leaves out number 0, whose seed means nothing then.
    ///
    /// # Panics
    /// When the number of seeds is no power of two up to 256.
    pub fn new(seeds: &[Block], punctured: bool) -> Self {
        Self::by(AesPath::best(), seeds, punctured)
    }

    /// Starts the streams for one way of computing.
    pub(crate) fn by(path: AesPath, seeds: &[Block], punctured: bool) -> Self {
        assert!(seeds.len().is_power_of_two() && seeds.len() <= 256, "a power of two of streams");
        let ciphers = match path {
            AesPath::Portable => Ciphers::Portable(seeds.iter().map(|seed| Portable::new(*seed)).collect()),
            #[cfg(target_arch = "x86_64")]
            AesPath::Narrow(aes_ni) => Ciphers::Narrow(seeds.iter().map(|seed| Narrow::new(aes_ni, *seed)).collect()),
            #[cfg(target_arch = "x86_64")]
            AesPath::Wide(vaes) => Ciphers::Wide(seeds.iter().map(|seed| Wide::new(vaes, *seed)).collect()),
        };
        Self { ciphers, punctured, position: 0 }
    }

    /// Draws the next blocks of every stream, as many as `sums` has of each of its `k + 1` rows: row 0 becomes the sum of all
    /// streams, row `b + 1` the sum of those whose number has bit `b`.
    ///
    /// # Panics
    /// When `sums` has no whole number of blocks a row.
    pub fn draw(&mut self, sums: &mut [Block]) {
        let (first, position) = (usize::from(self.punctured), u128::from(self.position));
        let rows = match &self.ciphers {
            Ciphers::Portable(ciphers) => draw(ciphers, first, position, sums),
            #[cfg(target_arch = "x86_64")]
            Ciphers::Narrow(ciphers) => draw(ciphers, first, position, sums),
            #[cfg(target_arch = "x86_64")]
            Ciphers::Wide(ciphers) => draw(ciphers, first, position, sums),
        };
        self.position += (sums.len() / rows) as u64;
    }
}

/// The rows that so many streams give.
pub(crate) fn rows_of(streams: usize) -> usize {
    streams.trailing_zeros() as usize + 1
}

/// Draws, and tells how many rows there are.
fn draw<C: Cipher>(ciphers: &[C], first: usize, position: u128, sums: &mut [Block]) -> usize {
    let rows = rows_of(ciphers.len());
    assert!(sums.len().is_multiple_of(rows), "rows of one length");
    C::sum_streams(ciphers, first, position, sums);
    rows
}

/// [`Cipher::sum_streams`], stream by stream.
pub(crate) fn sum_streams<C: Cipher>(ciphers: &[C], first: usize, position: u128, sums: &mut [Block]) {
    let rows = rows_of(ciphers.len());
    let len = sums.len() / rows;
    let mut room = Zeroizing::new([Block::ZERO; GROUP]);
    sums.fill(Block::ZERO);
    for (number, cipher) in ciphers.iter().enumerate().skip(first) {
        for from in (0..len).step_by(GROUP) {
            let drawn = &mut room[..GROUP.min(len - from)];
            cipher.stream(position + from as u128, Mode::Replace, raw_mut(drawn));
            for row in (0..rows).filter(|row| *row == 0 || number >> (row - 1) & 1 == 1) {
                xor_into(&mut sums[row * len + from..][..drawn.len()], drawn);
            }
        }
    }
}
