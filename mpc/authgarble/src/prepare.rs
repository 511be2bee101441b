//! The phase before the inputs: a random mask for every wire, and shares of the product of the masks of every AND gate.
//!
//! Every input wire and every AND gate's result `γ` has a random authenticated mask `λ`; an XOR gate's is the sum of those it
//! reads. For an AND gate with the masks `λ_α` and `λ_β`, a triple `c = a·b` gives the product (Beaver, CRYPTO 1991): `d = λ_α ⊕ a`
//! and `e = λ_β ⊕ b` are opened, and `λ_α·λ_β = c ⊕ d·b ⊕ e·a ⊕ d·e`. What garbling needs is `λ* = λ_α·λ_β ⊕ λ_γ`. Before
//! anything is garbled, all that was opened is checked.

use mpc_block::{Block, Tmmo};
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bucket::Triples;
use crate::net::Net;
use crate::opening::{self, Opened};
use crate::parameters::{Chunk, chunks};
use crate::plan::Plan;
use crate::shares::{Blocks, Ends, Shares};
use crate::triples::{Made, Source, make};

/// This party's blocks of the masks; those of party `j`'s `Δ` in column `j`.
pub(crate) struct Prepared {
    /// Of every input bit.
    pub(crate) inputs: Vec<Blocks>,
    /// Of every AND gate's result, `λ_γ`.
    pub(crate) masks: Vec<Blocks>,
    /// Of every AND gate, `λ*`.
    pub(crate) products: Vec<Blocks>,
}

/// Where the pass over the circuit stands.
struct Pass<'a> {
    plan: &'a Plan,
    wires: Shares,
    next: usize,
}

/// Leaky triples that a circuit takes.
pub(crate) fn leaky_triples(ands: usize) -> u64 {
    chunks(ands).map(|chunk| chunk.leaky() as u64).sum()
}

/// Prepares a run of `plan`; the first leaky triple has number `first` in the session.
pub(crate) async fn prepare(
    net: &mut Net,
    plan: &Plan,
    ends: &mut Ends,
    hash: &Tmmo,
    delta: Block,
    mut first: u64,
) -> Result<Prepared, Abort> {
    let parties = net.parties();
    let column = || Zeroizing::new(Vec::with_capacity(plan.ands));
    let columns = || (0..parties).map(|_| column()).collect::<Vec<Blocks>>();
    let mut prepared = Prepared { inputs: Vec::new(), masks: columns(), products: columns() };
    let mut pass = Pass { plan, wires: Shares::zero(parties, plan.slots), next: 0 };
    for (number, chunk) in chunks(plan.ands).enumerate() {
        let inputs = if number == 0 { plan.inputs } else { 0 };
        let source = Source { ends: &mut *ends, hash, delta, first };
        let Made { triples, extra: mut masks, opened } = make(net, source, chunk, chunk.ands + inputs).await?;
        first += chunk.leaky() as u64;
        let of_inputs = masks.split_off(chunk.ands);
        if number == 0 {
            (0..inputs).for_each(|input| pass.wires.put(input, &of_inputs, input));
            prepared.inputs = of_inputs.columns;
        }
        net.enter("products of masks");
        let factors = Opened::open(net, pass.factors(&triples, &masks, chunk)).await?;
        prepared.add(net.me(), delta, &triples, masks, factors.values());
        net.enter("check of what was opened");
        opening::check(net, delta, &[opened, factors]).await?;
    }
    Ok(prepared)
}

impl Pass<'_> {
    /// Goes on through the AND gates of a chunk: their `d` and `e`, in turn.
    fn factors(&mut self, triples: &Triples, masks: &Shares, chunk: Chunk) -> Shares {
        let Self { plan, wires, next } = self;
        let mut factors = Shares::zero(wires.columns.len(), 2 * chunk.ands);
        let mut gate = 0;
        while gate < chunk.ands {
            let op = plan.ops[*next];
            *next += 1;
            if !op.is_and() {
                wires.add(op);
                continue;
            }
            let (left, right, out) = (op.left.slot(), op.right.slot(), op.out());
            factors.bits[2 * gate] = wires.bits[left] ^ triples.a.bits[gate];
            factors.bits[2 * gate + 1] = wires.bits[right] ^ triples.b.bits[gate];
            for (party, column) in factors.columns.iter_mut().enumerate() {
                let wires = &wires.columns[party];
                column[2 * gate] = wires[left] ^ triples.a.columns[party][gate];
                column[2 * gate + 1] = wires[right] ^ triples.b.columns[party][gate];
            }
            wires.put(out, masks, gate);
            gate += 1;
        }
        factors
    }
}

impl Prepared {
    /// Adds the masks and products of a chunk, whose `d` and `e` were opened as `factors`.
    fn add(&mut self, me: usize, delta: Block, triples: &Triples, masks: Shares, factors: &[u8]) {
        let (factors, _) = factors.as_chunks::<2>();
        let parties = masks.columns.into_iter().zip(&mut self.masks).zip(&mut self.products);
        for (party, ((fresh, masks), products)) in parties.enumerate() {
            let (a, b, c) = (&triples.a.columns[party], &triples.b.columns[party], &triples.c.columns[party]);
            let constant = if party == me { delta } else { Block::ZERO };
            for (gate, [d, e]) in factors.iter().enumerate() {
                let product = c[gate] ^ b[gate].masked(*d == 1) ^ a[gate].masked(*e == 1) ^ constant.masked(d & e == 1);
                products.push(product ^ fresh[gate]);
            }
            masks.extend_from_slice(&fresh);
        }
    }
}
