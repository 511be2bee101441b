//! A garbler's tables, without I/O: half gates that all garblers make together.
//!
//! Half gates (Zahur, Rosulek and Evans, Eurocrypt 2015) authenticated as Katz, Ranellucci, Rosulek and Wang do for two parties
//! (CRYPTO 2018, Fig. 3 and 4) and Yang, Wang and Zhang for more (CCS 2020). Garbler `i` has for every wire a label `L_0`; the
//! evaluator gets to know the masked value `Λ = v ⊕ λ` and the label `L_Λ = L_0 ⊕ Λ·Δ_i`. Of an AND gate,
//! `Λ_γ = Λ_α·Λ_β ⊕ Λ_α·λ_β ⊕ Λ_β·λ_α ⊕ λ*`, so that its label for `Λ_γ` is
//!
//! `L_γ,0 ⊕ Λ_α·(λ_β·Δ_i) ⊕ Λ_β·(λ_α·Δ_i ⊕ Λ_α·Δ_i) ⊕ λ*·Δ_i`,
//!
//! where every party has its block of each product with `Δ_i`. Garbler `i` puts its own blocks `A` into
//! `G_0 = H(L_α,0) ⊕ H(L_α,1) ⊕ A_β`, `G_1 = H(L_β,0) ⊕ H(L_β,1) ⊕ A_α ⊕ L_α,0` and
//! `L_γ,0 = H(L_α,0) ⊕ H(L_β,0) ⊕ A*`. For the label of another garbler it sends its blocks likewise, the third one as
//! `C = H(L_α,0) ⊕ H(L_β,0) ⊕ B*`; the hash has another tweak for each target. The evaluator has its own blocks at hand. The lead
//! adds the lowest bit of `L_γ,0`, from which the evaluator reads `Λ_γ`, since the lowest bit of the lead's `Δ` is 1.
//!
//! Per AND gate a garbler sends `32 + 48·(n − 2)` bytes, the lead one bit more.

use std::ops::Range;

use mpc_block::{Block, Tmmo, bytes_of};
use zeroize::Zeroizing;

use crate::bits;
use crate::plan::{BATCH, Op, Piece, Plan};
use crate::prepare::Prepared;
use crate::session::{EVALUATOR, LEAD};
use crate::shares::{Blocks, add};
use crate::tweak;

/// What all who garble or evaluate one run know.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) prepared: &'a Prepared,
    pub(crate) hash: &'a Tmmo,
    pub(crate) me: usize,
    pub(crate) parties: usize,
    /// The number in the session of the run's first AND gate.
    pub(crate) first: u64,
}

impl Job<'_> {
    /// The garblers: every party but the evaluator.
    pub(crate) fn garblers(&self) -> Range<usize> {
        EVALUATOR + 1..self.parties
    }

    /// Bytes that garbler `from` sends for these pieces.
    pub(crate) fn frame_bytes(&self, from: usize, pieces: Range<usize>) -> usize {
        let lead = |ands: usize| if from == LEAD { bits::bytes(ands) } else { 0 };
        let blocks = 2 + 3 * (self.parties - 2);
        self.plan.pieces[pieces].iter().map(|piece| 16 * blocks * piece.ands + lead(piece.ands)).sum()
    }

    /// This party's blocks of the masks of the wires, those of the inputs at their slots; empty columns where not `needed`.
    pub(crate) fn mask_slots(&self, needed: impl Fn(usize) -> bool) -> Vec<Blocks> {
        let slots = |party: usize| {
            let mut column = Zeroizing::new(vec![Block::ZERO; self.plan.slots]);
            column[..self.plan.inputs].copy_from_slice(&self.prepared.inputs[party]);
            column
        };
        let column = |party| if needed(party) { slots(party) } else { Zeroizing::new(Vec::new()) };
        (0..self.parties).map(column).collect()
    }
}

/// A garbler on its way through the circuit.
pub(crate) struct Garbler<'a> {
    job: Job<'a>,
    delta: Block,
    labels: Blocks,
    masks: Vec<Blocks>,
    /// `L_γ,0` of every AND gate so far.
    results: Blocks,
    op: usize,
    gate: usize,
    /// `L_α,0`, `L_α,1`, `L_β,0` and `L_β,1` of a piece, and their hashes.
    inputs: [Blocks; 4],
    hashes: [Blocks; 4],
}

impl<'a> Garbler<'a> {
    /// Begins with the labels `L_0` of the input wires.
    pub(crate) fn new(job: Job<'a>, delta: Block, inputs: &[Block]) -> Self {
        let mut labels = Zeroizing::new(vec![Block::ZERO; job.plan.slots]);
        labels[..inputs.len()].copy_from_slice(inputs);
        let scratch = || std::array::from_fn(|_| Zeroizing::new(vec![Block::ZERO; BATCH]));
        let masks = job.mask_slots(|party| party != EVALUATOR);
        let results = Zeroizing::new(Vec::with_capacity(job.plan.ands));
        let (inputs, hashes) = (scratch(), scratch());
        Self { job, delta, labels, masks, results, op: 0, gate: 0, inputs, hashes }
    }

    /// The tables of the next pieces.
    pub(crate) fn frame(&mut self, pieces: Range<usize>) -> Vec<u8> {
        let plan = self.job.plan;
        let mut out = Vec::with_capacity(self.job.frame_bytes(self.job.me, pieces.clone()));
        for piece in &plan.pieces[pieces] {
            self.piece(plan, *piece, &mut out);
        }
        out
    }

    /// `L_γ,0` of every AND gate, after the last piece.
    pub(crate) fn finish(self) -> Blocks {
        self.results
    }

    fn piece(&mut self, plan: &Plan, piece: Piece, out: &mut Vec<u8>) {
        let ands = self.op + piece.free;
        for op in &plan.ops[self.op..ands] {
            add(&mut self.labels, *op);
            self.masks[EVALUATOR + 1..].iter_mut().for_each(|masks| add(masks, *op));
        }
        let gates = &plan.ops[ands..ands + piece.ands];
        self.gather(gates);
        let mut results = Zeroizing::new(Vec::<Block>::with_capacity(gates.len()));
        for target in self.job.garblers() {
            self.hash(target, gates.len());
            let third = self.table(target, gates, out);
            if target == self.job.me {
                results = third;
            } else {
                out.extend_from_slice(bytes_of(&third));
            }
        }
        if self.job.me == LEAD {
            let lowest: Vec<u8> = results.iter().map(|label| u8::from(label.lsb())).collect();
            out.extend_from_slice(&bits::pack(&lowest));
        }
        self.write(gates, &results);
        self.op = ands + gates.len();
        self.gate += gates.len();
    }

    /// The labels that the gates read.
    fn gather(&mut self, gates: &[Op]) {
        let Self { labels, inputs: [left_zero, left_one, right_zero, right_one], delta, .. } = self;
        for (at, op) in gates.iter().enumerate() {
            left_zero[at] = labels[op.left.slot()] ^ delta.masked(op.left.inverted());
            right_zero[at] = labels[op.right.slot()] ^ delta.masked(op.right.inverted());
            (left_one[at], right_one[at]) = (left_zero[at] ^ *delta, right_zero[at] ^ *delta);
        }
    }

    fn hash(&mut self, target: usize, count: usize) {
        let number = self.job.first + self.gate as u64;
        for (at, (hashes, inputs)) in self.hashes.iter_mut().zip(&self.inputs).enumerate() {
            let hashes = &mut hashes[..count];
            hashes.copy_from_slice(&inputs[..count]);
            self.job.hash.hash_all(hashes, tweak::label(at >= 2, target, number));
        }
    }

    /// Appends `G_0` and `G_1` of every gate for the label of `target`; the third block of every gate.
    fn table(&self, target: usize, gates: &[Op], out: &mut Vec<u8>) -> Blocks {
        let [left_zero, left_one, right_zero, right_one] = &self.hashes;
        let (masks, products) = (&self.masks[target], &self.job.prepared.products[target][self.gate..]);
        for (at, op) in gates.iter().enumerate() {
            let row = left_zero[at] ^ left_one[at] ^ masks[op.right.slot()];
            out.extend_from_slice(&row.to_bytes());
        }
        let own = target == self.job.me;
        for (at, op) in gates.iter().enumerate() {
            let label = if own { self.inputs[0][at] } else { Block::ZERO };
            let row = right_zero[at] ^ right_one[at] ^ masks[op.left.slot()] ^ label;
            out.extend_from_slice(&row.to_bytes());
        }
        Zeroizing::new((0..gates.len()).map(|at| left_zero[at] ^ right_zero[at] ^ products[at]).collect())
    }

    fn write(&mut self, gates: &[Op], results: &[Block]) {
        for (op, label) in gates.iter().zip(results) {
            self.labels[op.out()] = *label;
        }
        self.results.extend_from_slice(results);
        let fresh = &self.job.prepared.masks;
        for (masks, fresh) in self.masks.iter_mut().zip(fresh).skip(EVALUATOR + 1) {
            for (op, mask) in gates.iter().zip(&fresh[self.gate..]) {
                masks[op.out()] = *mask;
            }
        }
    }
}
