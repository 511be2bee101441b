//! From output labels to values, at either party, and never from a label that stands for neither value.
//!
//! For the evaluator the garbler hashes both labels of an output bit; the evaluator hashes its own and compares. A bit
//! of point-and-permute alone would decode every label, a wrong one too. For the garbler the evaluator sends its label,
//! which the garbler compares with both: the other label cannot be guessed (authenticity of the garbling), so an
//! evaluator cannot change the garbler's output.

use std::ops::Range;

use mpc_block::{Block, Tmmo};
use zeroize::Zeroizing;

use super::hash::output_tweak;
use super::{GarbleError, HASHES_BYTES, LABEL_BYTES};

/// Both labels of every output bit, at the garbler.
pub struct Decoding {
    hash: Tmmo,
    delta: Zeroizing<Block>,
    zeros: Zeroizing<Vec<Block>>,
}

impl Decoding {
    pub(super) fn new(hash: Tmmo, delta: Zeroizing<Block>, zeros: Zeroizing<Vec<Block>>) -> Self {
        Self { hash, delta, zeros }
    }

    /// For the evaluator: the hashes of the labels for 0 and for 1 of the output bits in `range`, [`HASHES_BYTES`]
    /// each. Bits that do not exist have none.
    pub fn hashes(&self, range: Range<usize>) -> Vec<u8> {
        let zeros = self.zeros.get(range.start..).unwrap_or_default();
        let mut zeros = Zeroizing::new(zeros.iter().take(range.len()).copied().collect::<Vec<Block>>());
        let mut ones = Zeroizing::new(zeros.iter().map(|zero| *zero ^ *self.delta).collect::<Vec<Block>>());
        for labels in [&mut zeros, &mut ones] {
            self.hash.hash_all(labels, output_tweak(range.start));
        }
        zeros.iter().zip(ones.iter()).flat_map(|(zero, one)| [zero.to_bytes(), one.to_bytes()]).flatten().collect()
    }

    /// The values of the output bits from `first` on whose labels the evaluator sent, [`LABEL_BYTES`] each.
    ///
    /// # Errors
    /// [`GarbleError::Outputs`] when the bytes are no labels of bits that exist; [`GarbleError::Undecodable`] at a
    /// label that is neither of the bit's two.
    pub fn read(&self, first: usize, labels: &[u8]) -> Result<Zeroizing<Vec<bool>>, GarbleError> {
        let (labels, rest) = labels.as_chunks::<LABEL_BYTES>();
        let zeros = self.zeros.get(first..).unwrap_or_default();
        if !rest.is_empty() || labels.len() > zeros.len() {
            return Err(GarbleError::Outputs);
        }
        let mut out = Zeroizing::new(Vec::<bool>::with_capacity(labels.len()));
        for (at, (label, zero)) in labels.iter().zip(zeros).enumerate() {
            let label = Block::from_bytes(*label);
            out.push(value(label, [*zero, *zero ^ *self.delta]).ok_or(GarbleError::Undecodable(first + at))?);
        }
        Ok(out)
    }
}

/// One label of every output bit, at the evaluator.
pub struct OutputLabels {
    hash: Tmmo,
    labels: Zeroizing<Vec<Block>>,
}

impl OutputLabels {
    pub(super) fn new(hash: Tmmo, labels: Zeroizing<Vec<Block>>) -> Self {
        Self { hash, labels }
    }

    /// For the garbler: the labels of the output bits in `range`, [`LABEL_BYTES`] each. Bits that do not exist have
    /// none.
    pub fn bytes(&self, range: Range<usize>) -> Vec<u8> {
        let labels = range.map_while(|bit| self.labels.get(bit));
        labels.flat_map(|label| label.to_bytes()).collect()
    }

    /// The values of the output bits from `first` on whose hashes the garbler sent, [`HASHES_BYTES`] each.
    ///
    /// # Errors
    /// [`GarbleError::Outputs`] when the bytes are no hashes of bits that exist; [`GarbleError::Undecodable`] at a
    /// label whose hash is neither.
    pub fn decode(&self, first: usize, hashes: &[u8]) -> Result<Zeroizing<Vec<bool>>, GarbleError> {
        let (hashes, rest) = hashes.as_chunks::<HASHES_BYTES>();
        let labels = self.labels.get(first..).unwrap_or_default();
        if !rest.is_empty() || hashes.len() > labels.len() {
            return Err(GarbleError::Outputs);
        }
        let mut hashed = Zeroizing::new(labels[..hashes.len()].to_vec());
        self.hash.hash_all(&mut hashed, output_tweak(first));
        let mut out = Zeroizing::new(Vec::<bool>::with_capacity(hashes.len()));
        for (bit, (both, hashed)) in (first..).zip(hashes.iter().zip(hashed.iter())) {
            let (both, _) = both.as_chunks::<16>();
            let both = [Block::from_bytes(both[0]), Block::from_bytes(both[1])];
            out.push(value(*hashed, both).ok_or(GarbleError::Undecodable(bit))?);
        }
        Ok(out)
    }
}

/// Which of both it is; neither, also when it is both.
fn value(found: Block, both: [Block; 2]) -> Option<bool> {
    let [zero, one] = both.map(|block| block.ct_eq(found));
    (zero != one).then_some(one)
}
