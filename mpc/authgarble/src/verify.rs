//! The check that every AND gate was evaluated right, before anything of the result is revealed.
//!
//! 1. The evaluator tells every garbler `Λ` of every AND gate, with a challenge and with a proof that it holds the labels for these:
//!    the sum of their hashes. Who holds `L_Λ` does not know `L_Λ ⊕ Δ_i`, nor its hash. So a garbler knows that every `Λ` is
//!    right, whatever evaluator and other garblers do, and only then answers: the answer to a false `Λ` would tell a wire's value.
//! 2. By the `Λ` the parties hold shares of `t = Λ_α·Λ_β ⊕ Λ_α·λ_β ⊕ Λ_β·λ_α ⊕ λ* ⊕ Λ_γ`, which is zero where the gate is
//!    right (Katz, Ranellucci, Rosulek and Wang, CRYPTO 2018, section 4). Every garbler sends the evaluator the combination of
//!    its blocks of all `t` by the challenge; with the evaluator's they sum up to zero. A garbler that sends false tables learns
//!    nothing from the abort, because every `Λ` is masked by bits that it does not know.

use mpc_block::Block;
use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::bits;
use crate::combination::Combination;
use crate::garbler::Job;
use crate::net::Net;
use crate::plan::Place;
use crate::session::EVALUATOR;
use crate::shares::{Blocks, add};
use crate::tweak;

/// Gates whose blocks are combined at once.
const PART: usize = 1024;

/// `Λ` of every AND gate, and the challenge that came with them.
pub(crate) struct Claim {
    pub(crate) results: Vec<u8>,
    pub(crate) challenge: Block,
}

/// What a party has of the output bits.
pub(crate) struct Masked {
    /// Its blocks of their masks; those of party `j`'s `Δ` in column `j`, where party `j` receives outputs.
    pub(crate) masks: Vec<Blocks>,
    /// Their masked values, public.
    pub(crate) values: Vec<u8>,
}

/// The evaluator tells `Λ` of every AND gate; `proofs` has the sum of the hashes of each garbler's labels.
pub(crate) async fn tell(net: &mut Net, job: Job<'_>, results: Vec<u8>, proofs: &[Block]) -> Result<Claim, Abort> {
    let (packed, challenge) = (bits::pack(&results), net.random_block());
    let message = |garbler: usize| {
        let proof = proofs[garbler].to_bytes();
        (garbler, [&packed[..], &challenge.to_bytes(), &proof].concat())
    };
    let out = job.garblers().map(message).collect();
    net.exchange(out, &[]).await?;
    net.agree(&[packed]).await?;
    Ok(Claim { results, challenge })
}

/// A garbler hears `Λ` of every AND gate, whose labels `L_0` it has, and makes sure that the evaluator holds those for `Λ`.
pub(crate) async fn hear(net: &mut Net, job: Job<'_>, delta: Block, mut labels: Blocks) -> Result<Claim, Abort> {
    let len = bits::bytes(job.plan.ands);
    let got = net.exchange(Vec::new(), &[(EVALUATOR, len + 32)]).await?;
    let message = got.into_iter().next().unwrap_or_default();
    let (packed, rest) = message.split_at(len);
    let (challenge, proof) = rest.split_at(16);
    let mut results = vec![0; job.plan.ands];
    bits::add_packed(&mut results, packed).ok_or_else(|| net.blame(EVALUATOR, "bits behind the last"))?;
    for (label, result) in labels.iter_mut().zip(&results) {
        *label ^= delta.masked(*result == 1);
    }
    job.hash.hash_all(&mut labels, tweak::proof(job.first));
    let sum = labels.iter().fold(Block::ZERO, |sum, hash| sum ^ *hash);
    if !sum.ct_eq(block(proof)) {
        return Err(net.cheated("a gate was garbled or evaluated wrongly"));
    }
    let challenge = block(challenge);
    net.agree(&[packed.to_vec()]).await?;
    Ok(Claim { results, challenge })
}

/// The block of 16 bytes.
fn block(bytes: &[u8]) -> Block {
    bytes.first_chunk::<16>().map_or(Block::ZERO, |bytes| Block::from_bytes(*bytes))
}

/// Goes through the circuit again, for the check and for the masks of the outputs; `inputs` is `Λ` of the input bits, and `receives`
/// tells which parties receive outputs.
pub(crate) async fn verify(
    net: &mut Net,
    job: Job<'_>,
    delta: Block,
    inputs: &[u8],
    claim: &Claim,
    receives: impl Fn(usize) -> bool + Send,
) -> Result<Masked, Abort> {
    let masks = job.mask_slots(|party| party == EVALUATOR || receives(party));
    let own_delta = if job.me == EVALUATOR { delta } else { Block::ZERO };
    let mut pass = Pass::new(job, own_delta, masks, inputs, claim.challenge);
    pass.run(&claim.results);
    let masked = pass.outputs();
    let mut sum = pass.sum.finish();
    if job.me != EVALUATOR {
        net.exchange(vec![(EVALUATOR, sum.to_bytes().to_vec())], &[]).await?;
        return Ok(masked);
    }
    let expect: Vec<(usize, usize)> = job.garblers().map(|garbler| (garbler, 16)).collect();
    for answer in net.exchange(Vec::new(), &expect).await? {
        sum ^= block(&answer);
    }
    if !sum.ct_eq(Block::ZERO) {
        return Err(net.cheated("a gate was garbled wrongly"));
    }
    Ok(masked)
}

struct Pass<'a> {
    job: Job<'a>,
    /// The evaluator's `Δ` at the evaluator, else zero: what a public constant adds to its own blocks.
    delta: Block,
    /// No column for a party that needs none.
    masks: Vec<Blocks>,
    values: Vec<u8>,
    part: Vec<Block>,
    sum: Combination,
}

impl<'a> Pass<'a> {
    fn new(job: Job<'a>, delta: Block, masks: Vec<Blocks>, inputs: &[u8], challenge: Block) -> Self {
        let mut values = vec![0; job.plan.slots];
        values[..inputs.len()].copy_from_slice(inputs);
        Self { job, delta, masks, values, part: Vec::with_capacity(PART), sum: Combination::new(challenge) }
    }

    fn run(&mut self, results: &[u8]) {
        let (plan, prepared) = (self.job.plan, self.job.prepared);
        let mut results = results.iter().enumerate();
        for op in &plan.ops {
            let (left, right, out) = (op.left.slot(), op.right.slot(), op.out());
            if !op.is_and() {
                self.masks.iter_mut().filter(|masks| !masks.is_empty()).for_each(|masks| add(masks, *op));
                self.values[out] = self.values[left] ^ self.values[right];
                continue;
            }
            let Some((gate, result)) = results.next() else { return };
            let [x, y] = [op.left, op.right].map(|place| self.values[place.slot()] ^ u8::from(place.inverted()));
            let masks = &self.masks[EVALUATOR];
            let crossed = masks[right].masked(x == 1) ^ masks[left].masked(y == 1);
            let constant = self.delta.masked((x & y) ^ result == 1);
            self.part.push(prepared.products[EVALUATOR][gate] ^ crossed ^ constant);
            for (masks, fresh) in self.masks.iter_mut().zip(&prepared.masks).filter(|(masks, _)| !masks.is_empty()) {
                masks[out] = fresh[gate];
            }
            self.values[out] = *result;
            if self.part.len() == PART {
                self.flush();
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        self.sum.add(&self.part);
        self.part.clear();
    }

    fn outputs(&self) -> Masked {
        let results = &self.job.plan.results;
        let column = |masks: &Blocks| {
            let of = |place: &Place| masks.get(place.slot()).copied().unwrap_or_default();
            Zeroizing::new(results.iter().map(of).collect::<Vec<Block>>())
        };
        let value = |place: &Place| self.values[place.slot()] ^ u8::from(place.inverted());
        Masked { masks: self.masks.iter().map(column).collect(), values: results.iter().map(value).collect() }
    }
}
