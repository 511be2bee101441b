//! What is remembered of products and shuffles until they are verified.
//!
//! A product is a relation of three, one a party: `z_i = x_i y_i + x_i y_{i+1} + x_{i+1} y_i + f_i - f_{i+1}`, where `f_i`
//! comes from the stream that parties `i-1` and `i` have in common. Party `i`, which sent `z_i`, proves
//! `x_i y_{i+1} + x_{i+1} y_i = w_i + f_{i+1}` with `w_i = z_i - f_i - x_i y_i`, which it shares with the party before, to the
//! party after, which knows `f_{i+1}`.
//!
//! Factors are copied, for whoever multiplied them may drop them; unless a check is due before the product's call ends: then they
//! are lent, and the check reads them where they lie.

use mpc_block::Block;

use crate::wiped::{reserve, wipe};

/// Both components, `[own, next]`, of the first and of the second factors of a term, relation by relation.
pub(crate) type Term<'a> = [[&'a [u64]; 2]; 2];

/// Relations that were recorded together.
pub(crate) enum Job {
    /// `relations` sums, each of `terms` products; the products stand term by term among the recorded factors, or as `terms` of the
    /// lent ones.
    Products { relations: usize, terms: usize, lent: bool },
    /// A hop of a shuffle: a relation a row and column.
    Hop(Hop),
}

/// A hop of a shuffle, as one party knows it. The two movers know where each row went; `side` says which of the three this
/// party is, and the moved rows are a sum of two components of the source.
pub(crate) struct Hop {
    /// This party's components of the source, column after column.
    pub(crate) source: [Vec<u64>; 2],
    /// Where each row went; nothing at the party that does not know.
    pub(crate) to: Vec<u32>,
    /// 0 and 1 are the movers, 2 is the party that receives.
    pub(crate) side: usize,
    /// Rows a column.
    pub(crate) rows: usize,
}

/// Relations over one ring that are still to be verified, as one party knows them: `[own, next]` components. Their memory serves the
/// whole session and is wiped at its end, not at every check.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) jobs: Vec<Job>,
    /// First factors of all products but the lent ones.
    pub(crate) x: [Vec<u64>; 2],
    /// Second factors.
    pub(crate) y: [Vec<u64>; 2],
    /// `w_i` and `w_{i+1}` of every relation; of bits the second alone, since the first is in no check.
    pub(crate) w: [Vec<u64>; 2],
    /// `f_i` of every relation.
    pub(crate) f: Vec<u64>,
    /// Products of lent factors.
    lent: usize,
    /// Words that hops hold.
    moved: usize,
    /// Empty vectors whose memory the next proof's vectors of GF(2^128) take, as they took the last time.
    pub(crate) room: [[Vec<Block>; 2]; 2],
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.source.iter_mut().for_each(wipe);
        wipe(&mut self.to);
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.vectors().for_each(wipe);
        self.room.iter_mut().flatten().for_each(wipe);
    }
}

impl Records {
    fn vectors(&mut self) -> impl Iterator<Item = &mut Vec<u64>> {
        self.x.iter_mut().chain(&mut self.y).chain(&mut self.w).chain([&mut self.f])
    }

    /// Takes all records away; the memory stays for what is recorded next.
    pub(crate) fn clear(&mut self) {
        self.vectors().for_each(Vec::clear);
        self.jobs.clear();
        (self.lent, self.moved) = (0, 0);
    }

    /// How many relations there are.
    pub(crate) fn relations(&self) -> usize {
        self.f.len()
    }

    /// Entries that the proof's vectors will have.
    pub(crate) fn entries(&self) -> usize {
        self.x[0].len() + self.lent + self.moved
    }

    /// What all parties know of the records: the shapes of all jobs.
    pub(crate) fn shapes(&self) -> Vec<u8> {
        let shape = |job: &Job| match job {
            Job::Products { relations, terms, .. } => [*relations as u64, *terms as u64, 0],
            Job::Hop(hop) => [hop.rows as u64, hop.source[0].len() as u64, 1],
        };
        self.jobs.iter().flat_map(shape).flat_map(u64::to_le_bytes).collect()
    }

    /// Begins `relations` sums of `terms` products each. The same call again makes the job before longer, where a relation
    /// has one product.
    pub(crate) fn products(&mut self, relations: usize, terms: usize) {
        match self.jobs.last_mut() {
            Some(Job::Products { relations: before, terms: 1, lent: false }) if terms == 1 => *before += relations,
            _ => self.jobs.push(Job::Products { relations, terms, lent: false }),
        }
    }

    /// As [`Records::products`], of factors that the check will be given and that must be verified next.
    pub(crate) fn lend(&mut self, relations: usize, terms: usize) {
        self.lent += relations * terms;
        self.jobs.push(Job::Products { relations, terms, lent: true });
    }

    /// Adds the factors of one term of the job begun last.
    pub(crate) fn term(&mut self, x: [&[u64]; 2], y: [&[u64]; 2]) {
        for (to, from) in self.x.iter_mut().chain(&mut self.y).zip(x.into_iter().chain(y)) {
            reserve(to, from.len());
            to.extend_from_slice(from);
        }
    }

    /// Makes room in `w` and `f` for as many relations, which are appended strip by strip; of `bits` not in what is never kept.
    pub(crate) fn relate(&mut self, relations: usize, bits: bool) {
        let kept = self.w.iter_mut().skip(usize::from(bits));
        kept.chain([&mut self.f]).for_each(|words| reserve(words, relations));
    }

    /// Adds a hop, whose relations stand in `w` and `f` already.
    pub(crate) fn hop(&mut self, hop: Hop) {
        self.moved += hop.source[0].len();
        self.jobs.push(Job::Hop(hop));
    }
}

/// Lent factors of products of bits on their way into the records.
pub(crate) struct Queue<'a> {
    terms: &'a [Term<'a>],
    from: usize,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(terms: &'a [Term<'a>]) -> Self {
        Self { terms, from: 0 }
    }

    /// Appends the next words of all components until there are `len`, for which there is room: zeros once no more are lent.
    pub(crate) fn fill(&mut self, x: &mut [Vec<u64>; 2], y: &mut [Vec<u64>; 2], len: usize) {
        while x[0].len() < len {
            let missing = len - x[0].len();
            let all = x.iter_mut().chain(&mut *y);
            let Some((first, rest)) = self.terms.split_first() else {
                return all.for_each(|words| words.resize(len, 0));
            };
            let left = first[0][0].len() - self.from;
            let range = self.from..self.from + missing.min(left);
            all.zip(first.iter().flatten()).for_each(|(to, words)| to.extend_from_slice(&words[range.clone()]));
            (self.terms, self.from) = if missing < left { (self.terms, range.end) } else { (rest, 0) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lent_words_come_in_order_in_whatever_pieces_they_are_asked_for_and_zeros_behind_them() {
        let words: Vec<u64> = (1..=40).collect();
        let term = |from: usize, to: usize| [[&words[from..to]; 2], [&words[from + 1..to + 1]; 2]];
        let lent = [term(5, 8), term(8, 20), term(20, 21)];
        for step in [1, 2, 7, 30] {
            let (mut x, mut y) = ([(); 2].map(|()| words[..5].to_vec()), [(); 2].map(|()| words[1..6].to_vec()));
            let mut queue = Queue::new(&lent);
            (1..=30_usize.div_ceil(step)).for_each(|piece| queue.fill(&mut x, &mut y, piece * step));
            let due = |from: usize| words[from..from + 21].iter().copied().chain([0; 30]).take(x[0].len());
            assert!(x.iter().all(|x| x.iter().copied().eq(due(0))), "{step}");
            assert!(y.iter().all(|y| y.len() == x[0].len() && y.iter().copied().eq(due(1))), "{step}");
        }
    }

    #[test]
    fn lent_products_count_and_are_never_joined_to_recorded_ones() {
        let mut records = Records::default();
        records.products(3, 1);
        records.products(2, 1);
        records.lend(4, 2);
        records.products(1, 1);
        let jobs: Vec<[usize; 3]> = records.jobs.iter().map(shape).collect();
        assert_eq!((jobs, records.entries()), (vec![[5, 1, 0], [4, 2, 1], [1, 1, 0]], 8));
        records.clear();
        assert!(records.jobs.is_empty() && records.entries() == 0);
    }

    fn shape(job: &Job) -> [usize; 3] {
        match job {
            Job::Products { relations, terms, lent } => [*relations, *terms, usize::from(*lent)],
            Job::Hop(hop) => [hop.rows, 0, 0],
        }
    }
}
