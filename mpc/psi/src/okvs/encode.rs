//! The encoder: bin by bin, peel, solve the core, substitute back.

use mpc_block::Block;
use zeroize::{Zeroize, Zeroizing};

use super::peel::Peeler;
use super::rows::Family;
use super::two_core::{self, Equation};
use super::{EncodeFault, Okvs, Partition};

/// Encodes the bins of one table; its memory serves all of them.
pub(crate) struct Encoder<'a> {
    okvs: &'a Okvs,
    partition: &'a Partition,
    rows: Zeroizing<Vec<[u32; 3]>>,
    targets: Zeroizing<Vec<Block>>,
    peeler: Peeler,
}

impl<'a> Encoder<'a> {
    /// For the keys of `partition`, which `okvs` has dealt out.
    pub(crate) fn new(okvs: &'a Okvs, partition: &'a Partition) -> Result<Self, EncodeFault> {
        if partition.longest() > okvs.shape.capacity {
            let fault = if okvs.bins() == 1 { EncodeFault::TooManyKeys } else { EncodeFault::Unlucky };
            return Err(fault);
        }
        // Room for the fullest bin: a vector that does not grow leaves no copy behind.
        let most = partition.longest();
        let (rows, targets) = (Vec::<[u32; 3]>::with_capacity(most), Vec::<Block>::with_capacity(most));
        let (rows, targets) = (Zeroizing::new(rows), Zeroizing::new(targets));
        Ok(Self { okvs, partition, rows, targets, peeler: Peeler::new(most) })
    }

    /// Fills the slots of bin `bin`, which are random before, so that its keys have `values`, with the rows of
    /// `attempt`. Slots may have been changed when it fails.
    pub(crate) fn bin(
        &mut self,
        bin: usize,
        attempt: u8,
        values: &[Block],
        slots: &mut [Block],
    ) -> Result<(), EncodeFault> {
        let (keys, family) = (self.partition.keys(bin), self.okvs.family(attempt));
        let sparse = self.okvs.shape.sparse;
        family.places(keys, &mut self.rows);
        let order = self.peeler.peel(&self.rows, sparse);
        if order.len() < keys.len() {
            solve_core(family, keys, values, &self.rows, order, sparse, slots)?;
        }
        let (sparse, dense) = slots.split_at_mut(sparse);
        self.targets.clear();
        self.targets.extend_from_slice(values);
        family.add_dense(dense, keys, &mut self.targets);
        substitute(order, &self.rows, &self.targets, sparse);
        Ok(())
    }
}

/// Solves for the slots of the keys that were not put aside.
fn solve_core(
    family: &Family,
    keys: &[Block],
    values: &[Block],
    rows: &[[u32; 3]],
    order: &[[u32; 2]],
    sparse: usize,
    slots: &mut [Block],
) -> Result<(), EncodeFault> {
    if keys.len() - order.len() > two_core::MOST {
        return Err(EncodeFault::Unlucky);
    }
    let mut aside = Zeroizing::new(vec![false; keys.len()]);
    order.iter().for_each(|[key, _]| aside[*key as usize] = true);
    let left = (0..keys.len()).filter(|at| !aside[*at]);
    let equation = |at: usize| {
        let coefficients = family.coefficients_of(keys[at]);
        Equation { places: rows[at], coefficients, value: values[at] }
    };
    let mut equations: Vec<Equation> = left.map(equation).collect();
    let solved = two_core::solve(&equations, sparse, slots);
    equations.iter_mut().for_each(|equation| {
        equation.coefficients.zeroize();
        equation.value.zeroize();
    });
    if solved { Ok(()) } else { Err(EncodeFault::Unlucky) }
}

/// Gives every key that was put aside its slot, the last one first. What the slot held before is cancelled by the sum.
fn substitute(order: &[[u32; 2]], rows: &[[u32; 3]], targets: &[Block], sparse: &mut [Block]) {
    for [key, slot] in order.iter().rev() {
        let [first, second, third] = rows[*key as usize];
        let sum = sparse[first as usize] ^ sparse[second as usize] ^ sparse[third as usize];
        sparse[*slot as usize] ^= sum ^ targets[*key as usize];
    }
}
