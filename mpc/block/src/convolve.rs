//! A convolution over blocks whose taps are drawn anew for every block: each is added to blocks behind it as it has become.

use crate::Block;
use crate::path::BitsPath;

/// Blocks behind the current one of which a subset takes it in, plus the one behind them that always does.
pub const REACH: usize = 25;
/// Blocks behind the last tap that a call may change.
pub const OVERHANG: usize = 28;

/// The places that take a block in: bit `d − 1` is the block `d` behind it.
pub(crate) fn taken(taps: u32) -> u32 {
    (taps & ((1 << (REACH - 1)) - 1)) | 1 << (REACH - 1)
}

/// For each of `taps`, in order: adds block `i`, as it has become, to the blocks `i + d` for which bit `d − 1` of the tap is set,
/// `d` from 1 to 24, and to block `i + 25`. There are [`OVERHANG`] more blocks than taps, and a multiple of four taps. The taps are
/// public.
///
/// # Panics
/// When the lengths do not fit.
pub fn convolve(blocks: &mut [Block], taps: &[u32]) {
    convolve_by(BitsPath::best(), blocks, taps);
}

/// [`convolve`] in one way of computing.
pub(crate) fn convolve_by(path: BitsPath, blocks: &mut [Block], taps: &[u32]) {
    assert!(blocks.len() == taps.len() + OVERHANG && taps.len().is_multiple_of(4), "a tap a block, and the overhang");
    match path {
        BitsPath::Portable => portable(blocks, taps),
        #[cfg(target_arch = "x86_64")]
        BitsPath::Wide(gfni) => gfni.convolve(blocks, taps),
    }
}

fn portable(blocks: &mut [Block], taps: &[u32]) {
    for (at, taps) in taps.iter().enumerate() {
        let (taken, source) = (taken(*taps), blocks[at]);
        for (bit, to) in blocks[at + 1..][..REACH].iter_mut().enumerate() {
            *to ^= source.masked((taken >> bit) & 1 == 1);
        }
    }
}
