//! The protocol of a matrix product: ciphertexts of one factor to the peer, masked products back.

use mpc_block::Block;
use mpc_core::Abort;
use zeroize::Zeroizing;

use super::keys::{Keys, is_reduced, public_seed};
use super::ntt::{backward, forward, forward_sparse, tables};
use super::plan::Plan;
use super::sample::{Poly, Sampler};
use super::scale::{flood, lowered, noise, raised};
use super::values::{add, add_product, dots, multiply, subtract_product};
use super::{LIMBS, N, POLY};
use crate::convert::Words;
use crate::line::{Line, SEED_BYTES};
use crate::parameters::Network;
use crate::party::Party;

/// The cheapest plan for a product, and whether it is that of the transposed one.
fn planned([n, m, k]: [usize; 3], network: Network) -> (Plan, bool) {
    let ((plan, cost), (turned, turned_cost)) = (Plan::new([n, m, k], network), Plan::new([k, m, n], network));
    if cost <= turned_cost { (plan, false) } else { (turned, true) }
}

/// Words that each party sends for a product, the keys of the session aside; no dimension is 0.
pub(crate) fn words_sent(shape: [usize; 3], network: Network) -> usize {
    planned(shape, network).0.words()
}

/// This party's shares of the product of two shared matrices; no dimension is 0.
pub(crate) async fn matmul(party: &mut Party, x: &[u64], y: &[u64], shape: [usize; 3]) -> Result<Words, Abort> {
    let [n, m, k] = shape;
    let (plan, turned) = planned(shape, party.parameters.network);
    if !turned {
        return run(party, &plan, x, y).await;
    }
    let (left, right) = (transposed(y, [m, k]), transposed(x, [n, m]));
    let out = run(party, &plan, &left, &right).await?;
    Ok(transposed(&out, [k, n]))
}

/// The transpose of a matrix with so many rows and columns.
fn transposed(matrix: &[u64], [rows, columns]: [usize; 2]) -> Words {
    let places = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
    Zeroizing::new(places.map(|place| matrix[place]).collect())
}

async fn run(party: &mut Party, plan: &Plan, x: &[u64], y: &[u64]) -> Result<Words, Abort> {
    let keys = match party.keys.take() {
        Some(keys) => keys,
        None => Keys::exchange(party).await?,
    };
    let mut line = party.line("matrix product", &plan.whole);
    let mut out = local(plan.whole, x, y);
    let columns = plan.counts()[2];
    for from in (0..columns).step_by(plan.slab()) {
        let slab = Slab { plan, from, to: (from + plan.slab()).min(columns) };
        slab.run(party, &keys, &mut line, x, y, &mut out).await?;
    }
    party.keys = Some(keys);
    Ok(out)
}

/// The product of this party's own shares.
fn local([_, m, k]: [usize; 3], x: &[u64], y: &[u64]) -> Words {
    let mut out = Zeroizing::new(vec![0_u64; x.len() / m * k]);
    for (out, x) in out.chunks_exact_mut(k).zip(x.chunks_exact(m)) {
        for (x, y) in x.iter().zip(y.chunks_exact(k)) {
            out.iter_mut().zip(y).for_each(|(out, y)| *out = out.wrapping_add(x.wrapping_mul(*y)));
        }
    }
    out
}

/// Columns of blocks of the right factor that are worked on in one go.
struct Slab<'a> {
    plan: &'a Plan,
    from: usize,
    to: usize,
}

/// Ciphertexts of a slab, as values: column after column of blocks.
struct Ciphers {
    /// The parts that are multiplied by 1.
    b: Vec<u64>,
    /// The parts that are multiplied by the secret.
    a: Vec<u64>,
}

impl Slab<'_> {
    async fn run(
        &self,
        party: &mut Party,
        keys: &Keys,
        line: &mut Line,
        x: &[u64],
        y: &[u64],
        out: &mut [u64],
    ) -> Result<(), Abort> {
        line.enter("ciphertexts");
        let seed = public_seed(party);
        let mine = self.encrypt(party, keys, seed, y);
        let (seed, b) = line.seeded(seed, &mine, mine.len()).await?;
        if !is_reduced(&b) {
            return Err(line.blame("a ciphertext that is not reduced"));
        }
        let mut a = vec![0_u64; b.len()];
        let mut sampler = Sampler::new(Block::from_bytes(seed));
        a.chunks_exact_mut(POLY).for_each(|poly| sampler.uniform(poly));
        let answers = self.answer(party, keys, &Ciphers { b, a }, x, out);
        line.enter("answers");
        let got = line.words(&answers, answers.len()).await?;
        self.decrypt(keys, &got, out);
        Ok(())
    }

    /// This party's ciphertexts of the right factor, without the parts that follow from the seed.
    fn encrypt(&self, party: &mut Party, keys: &Keys, seed: [u8; SEED_BYTES], y: &[u64]) -> Vec<u64> {
        let (plan, inner, columns) = (self.plan, self.plan.counts()[1], self.plan.whole[2]);
        let mut public = Sampler::new(Block::from_bytes(seed));
        let mut secret = Sampler::secret(&mut party.prg);
        let mut out = vec![0_u64; (self.to - self.from) * inner * POLY];
        let mut a = vec![0_u64; POLY];
        let blocks = (self.from..self.to).flat_map(|column| (0..inner).map(move |row| (row, column)));
        for (poly, (row, column)) in out.chunks_exact_mut(POLY).zip(blocks) {
            for (j, from) in plan.range(1, row).enumerate() {
                for (l, to) in plan.range(2, column).enumerate() {
                    let place = plan.right(j, l);
                    for (limb, table) in tables().iter().enumerate() {
                        poly[limb * N + place] = raised(table, y[from * columns + to]);
                    }
                }
            }
            secret.add_error(poly);
            forward(poly);
            public.uniform(&mut a);
            subtract_product(poly, &a, &keys.secret);
        }
        out
    }

    /// The answers to the peer's ciphertexts, row after row of blocks; takes the masks off `out`.
    fn answer(&self, party: &mut Party, keys: &Keys, ciphers: &Ciphers, x: &[u64], out: &mut [u64]) -> Vec<u64> {
        let [rows, inner, _] = self.plan.counts();
        let mut secret = Sampler::secret(&mut party.prg);
        let mut left = Zeroizing::new(vec![0_u64; inner * POLY]);
        let (mut b, mut a) = (Zeroizing::new(vec![0_u64; POLY]), vec![0_u64; POLY]);
        let mut message = Vec::with_capacity(self.answer_words());
        for row in 0..rows {
            for (at, poly) in left.chunks_exact_mut(POLY).enumerate() {
                self.encode(x, row, at, poly);
            }
            for column in self.from..self.to {
                let range = (column - self.from) * inner * POLY..(column - self.from + 1) * inner * POLY;
                dots(&left, [&ciphers.b[range.clone()], &ciphers.a[range]], [&mut b, &mut a]);
                refresh(&mut secret, keys, &mut b, &mut a);
                message.extend_from_slice(&a);
                self.mask(&mut secret, row, column, &b, out, &mut message);
            }
        }
        message
    }

    /// Words of all answers to a slab.
    fn answer_words(&self) -> usize {
        let (plan, rows) = (self.plan, self.plan.counts()[0]);
        let columns = plan.range(2, self.from).start..plan.range(2, self.to - 1).end;
        rows * (self.to - self.from) * POLY + LIMBS * plan.whole[0] * columns.len()
    }

    /// Block `column` of row `row` of the left factor, as values.
    fn encode(&self, x: &[u64], row: usize, column: usize, poly: &mut [u64]) {
        let (plan, width) = (self.plan, self.plan.whole[1]);
        poly.fill(0);
        for (i, from) in plan.range(0, row).enumerate() {
            for (j, at) in plan.range(1, column).enumerate() {
                let place = plan.left(i, j);
                for (limb, table) in tables().iter().enumerate() {
                    poly[limb * N + place] = table.modulus.signed(x[from * width + at]);
                }
            }
        }
        let [rows, width, _] = plan.block;
        forward_sparse(poly, rows, width);
    }

    /// Appends the coefficients of a block's result under masks and noise, one prime after the other; takes the masks
    /// off `out`.
    fn mask(
        &self,
        secret: &mut Sampler,
        row: usize,
        column: usize,
        b: &[u64],
        out: &mut [u64],
        message: &mut Vec<u64>,
    ) {
        let entries: Vec<(usize, usize)> = self.entries(row, column).collect();
        let masks = Zeroizing::new(entries.iter().map(|_| secret.pair()[0]).collect::<Vec<u64>>());
        let noise = Zeroizing::new(entries.iter().map(|_| noise(secret.triple())).collect::<Vec<u128>>());
        for ((_, place), mask) in entries.iter().zip(masks.iter()) {
            out[*place] = out[*place].wrapping_sub(*mask);
        }
        for (residues, table) in b.chunks_exact(N).zip(tables()) {
            for (((coefficient, _), mask), noise) in entries.iter().zip(masks.iter()).zip(noise.iter()) {
                let hidden = table.modulus.add(raised(table, *mask), flood(table, *noise));
                message.push(table.modulus.add(residues[*coefficient], hidden));
            }
        }
    }

    /// The entries of a block of the result: coefficient, and place in the whole result.
    fn entries(&self, row: usize, column: usize) -> impl Iterator<Item = (usize, usize)> {
        let (plan, width) = (*self.plan, self.plan.whole[2]);
        let rows = plan.range(0, row).enumerate();
        rows.flat_map(move |(i, from)| {
            let columns = plan.range(2, column).enumerate();
            columns.map(move |(l, to)| (plan.product(i, l), from * width + to))
        })
    }

    /// Adds what the peer's answers decrypt to. They have the exact length.
    fn decrypt(&self, keys: &Keys, answers: &[u64], out: &mut [u64]) {
        let mut rest = answers;
        let mut poly = Zeroizing::new(vec![0_u64; POLY]);
        for row in 0..self.plan.counts()[0] {
            for column in self.from..self.to {
                let entries: Vec<(usize, usize)> = self.entries(row, column).collect();
                let (a, tail) = rest.split_at(POLY);
                let (b, tail) = tail.split_at(LIMBS * entries.len());
                rest = tail;
                multiply(&mut poly, a, &keys.secret);
                backward(&mut poly);
                for (at, (coefficient, place)) in entries.iter().enumerate() {
                    let residues = std::array::from_fn(|limb| {
                        let modulus = &tables()[limb].modulus;
                        modulus.add(poly[limb * N + coefficient], modulus.reduce(b[limb * entries.len() + at]))
                    });
                    out[*place] = out[*place].wrapping_add(lowered(residues));
                }
            }
        }
    }
}

/// Adds an encryption of zero under the peer's key, so that the second part says nothing of the factor; the first
/// becomes coefficients.
fn refresh(secret: &mut Sampler, keys: &Keys, b: &mut [u64], a: &mut [u64]) {
    let once = secret.ternary();
    let mut error: Poly = Zeroizing::new(vec![0_u64; POLY]);
    secret.add_error(&mut error);
    forward(&mut error);
    add_product(a, &once, &keys.peer_a);
    add(a, &error);
    add_product(b, &once, &keys.peer_b);
    backward(b);
}
