//! The evaluator's way through the tables of all garblers, without I/O; see [`crate::garbler`] for what a table is.

use std::ops::Range;

use mpc_block::{Block, blocks_of};
use zeroize::Zeroizing;

use crate::garbler::Job;
use crate::plan::{BATCH, Op, Piece, Plan};
use crate::session::{EVALUATOR, LEAD};
use crate::shares::{Blocks, add};
use crate::tweak;

/// The evaluator on its way through the circuit.
pub(crate) struct Evaluator<'a> {
    job: Job<'a>,
    /// The labels of every garbler, at its place.
    labels: Vec<Blocks>,
    masks: Vec<Blocks>,
    /// `Λ` of every slot.
    values: Vec<u8>,
    /// `Λ` of every AND gate so far.
    results: Vec<u8>,
    /// The sums of the hashes of every garbler's labels for these.
    proofs: Vec<Block>,
    op: usize,
    /// The labels for every garbler's target that a piece gives.
    sums: Vec<Blocks>,
    hashes: [Blocks; 2],
}

/// A message's blocks, read one vector after the other.
struct Reader {
    blocks: Vec<Block>,
    at: usize,
}

impl Reader {
    fn take(&mut self, count: usize) -> &[Block] {
        self.at += count;
        &self.blocks[self.at - count..self.at]
    }
}

impl<'a> Evaluator<'a> {
    /// Begins with the active labels of the input wires, garbler by garbler, and their masked values.
    pub(crate) fn new(job: Job<'a>, inputs: &[Blocks], values: &[u8]) -> Self {
        let slots = |inputs: &Blocks| {
            let mut labels = Zeroizing::new(vec![Block::ZERO; job.plan.slots]);
            labels[..inputs.len()].copy_from_slice(inputs);
            labels
        };
        let labels = inputs.iter().map(slots).collect();
        let scratch = || Zeroizing::new(vec![Block::ZERO; BATCH]);
        let sums = (0..job.parties).map(|_| scratch()).collect();
        let mut all = vec![0; job.plan.slots];
        all[..values.len()].copy_from_slice(values);
        let (masks, results) = (job.mask_slots(|party| party != EVALUATOR), Vec::with_capacity(job.plan.ands));
        let (proofs, hashes) = (vec![Block::ZERO; job.parties], [scratch(), scratch()]);
        Self { job, labels, masks, values: all, results, proofs, op: 0, sums, hashes }
    }

    /// Evaluates the next pieces. `tables` are the messages of all garblers, of the lengths that [`Job::frame_bytes`] tells.
    pub(crate) fn frame(&mut self, pieces: Range<usize>, tables: &[Vec<u8>]) {
        let plan = self.job.plan;
        let mut tables: Vec<&[u8]> = tables.iter().map(Vec::as_slice).collect();
        for at in pieces {
            let piece = plan.pieces[at];
            let mut parts = Vec::with_capacity(tables.len());
            for (garbler, rest) in self.job.garblers().zip(&mut tables) {
                let (part, behind) = rest.split_at(self.job.frame_bytes(garbler, at..at + 1));
                *rest = behind;
                parts.push(part);
            }
            self.piece(plan, piece, &parts);
        }
    }

    /// `Λ` of every AND gate, and for every garbler the sum of the hashes of its labels for these; after the last piece.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<Block>) {
        (self.results, self.proofs)
    }

    fn piece(&mut self, plan: &Plan, piece: Piece, parts: &[&[u8]]) {
        let ands = self.op + piece.free;
        for op in &plan.ops[self.op..ands] {
            let columns = self.labels[EVALUATOR + 1..].iter_mut().chain(&mut self.masks[EVALUATOR + 1..]);
            columns.for_each(|column| add(column, *op));
            self.values[op.out()] = self.values[op.left.slot()] ^ self.values[op.right.slot()];
        }
        let gates = &plan.ops[ands..ands + piece.ands];
        let chosen: Vec<[bool; 2]> = gates.iter().map(|op| self.read(op)).collect();
        self.own(gates, &chosen);
        let blocks = 2 + 3 * (self.job.parties - 2);
        let mut lowest = vec![0; gates.len()];
        for (garbler, part) in self.job.garblers().zip(parts) {
            let (rows, bit_part) = part.split_at(16 * blocks * gates.len());
            let mut reader = Reader { blocks: blocks_of(rows).unwrap_or_default(), at: 0 };
            for target in self.job.garblers() {
                self.row(garbler, target, gates, &chosen, &mut reader);
            }
            if garbler == LEAD {
                lowest.iter_mut().enumerate().for_each(|(at, bit)| *bit = bit_part[at / 8] >> (at % 8) & 1);
            }
        }
        self.write(gates, &lowest);
        self.op = ands + gates.len();
    }

    /// `Λ_α` and `Λ_β`.
    fn read(&self, op: &Op) -> [bool; 2] {
        [op.left, op.right].map(|place| (self.values[place.slot()] == 1) ^ place.inverted())
    }

    /// What this party has at hand of every garbler's label: its own blocks, and the label `L_α` where `Λ_β` is 1.
    fn own(&mut self, gates: &[Op], chosen: &[[bool; 2]]) {
        let first = self.results.len();
        for target in self.job.garblers() {
            let (labels, masks) = (&self.labels[target], &self.masks[target]);
            let products = &self.job.prepared.products[target][first..];
            let gates = gates.iter().zip(chosen).zip(products);
            for (sum, ((op, [left, right]), product)) in self.sums[target].iter_mut().zip(gates) {
                let crossed = masks[op.right.slot()].masked(*left);
                let read = (labels[op.left.slot()] ^ masks[op.left.slot()]).masked(*right);
                *sum = *product ^ crossed ^ read;
            }
        }
    }

    /// Adds what `garbler` sent for the label of `target`.
    fn row(&mut self, garbler: usize, target: usize, gates: &[Op], chosen: &[[bool; 2]], reader: &mut Reader) {
        let count = gates.len();
        let (number, labels) = (self.job.first + self.results.len() as u64, &self.labels[garbler]);
        let [left, right] = &mut self.hashes;
        for (at, op) in gates.iter().enumerate() {
            (left[at], right[at]) = (labels[op.left.slot()], labels[op.right.slot()]);
        }
        self.job.hash.hash_all(&mut left[..count], tweak::label(false, target, number));
        self.job.hash.hash_all(&mut right[..count], tweak::label(true, target, number));
        let sums = &mut self.sums[target][..count];
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum ^= left[at] ^ right[at];
        }
        for side in [0, 1] {
            for ((sum, row), chosen) in sums.iter_mut().zip(reader.take(count)).zip(chosen) {
                *sum ^= row.masked(chosen[side]);
            }
        }
        if garbler != target {
            sums.iter_mut().zip(reader.take(count)).for_each(|(sum, row)| *sum ^= *row);
        }
    }

    fn write(&mut self, gates: &[Op], lowest: &[u8]) {
        let first = self.results.len();
        for target in self.job.garblers() {
            let fresh = &self.job.prepared.masks[target][first..];
            for (at, op) in gates.iter().enumerate() {
                self.labels[target][op.out()] = self.sums[target][at];
                self.masks[target][op.out()] = fresh[at];
            }
            let proof = &mut self.hashes[0][..gates.len()];
            proof.copy_from_slice(&self.sums[target][..gates.len()]);
            self.job.hash.hash_all(proof, tweak::proof(self.job.first + first as u64));
            proof.iter().for_each(|hash| self.proofs[target] ^= *hash);
        }
        for ((op, label), lowest) in gates.iter().zip(self.sums[LEAD].iter()).zip(lowest) {
            let value = u8::from(label.lsb()) ^ lowest;
            self.values[op.out()] = value;
            self.results.push(value);
        }
    }
}
