//! Pieces of work on secret shares: their inputs, what an engine does with them, and whether what was revealed is right.
//!
//! Set-up and inputs are not in the time; a session's first run is not counted. Fixed-point numbers have [`FRAC`] bits behind
//! the point and the ranges of the peer's script.

pub mod checked;
pub mod rep3;
pub mod two;

use anyhow::ensure;
use mpc_core::{Abort, Context, Prg};
use mpc_share::interval::Range;

use crate::wire::{Begun, Work};

/// Bits behind the point.
pub const FRAC: u32 = 18;
/// One, as a fixed-point number.
const ONE: i64 = 1 << FRAC;

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Products of integers modulo 2^64.
    Mul,
    /// Products of fixed-point numbers between -100 and 100.
    FixedMul,
    /// Comparisons of signed integers of 62 bits.
    Less,
    /// The product of two square matrices of integers modulo 2^64.
    Dot,
    /// The product of two square matrices of fixed-point numbers between -1 and 1.
    FixedDot,
    /// Signed integers of 64 bits in ascending order.
    Sort,
    /// The logistic function of fixed-point numbers between -8 and 8.
    Sigmoid,
}

/// A piece of work: party 0 inputs the one vector, party 1 the other.
pub struct Task {
    /// What is computed.
    pub operation: Operation,
    /// How many elements; of a matrix, how many rows and columns.
    pub n: usize,
    /// How often it is timed.
    pub runs: usize,
    inputs: [Vec<u64>; 2],
}

/// What a party ends with.
pub struct Ended {
    /// One entry a run.
    pub works: Vec<Work>,
    /// The last run's result, at party 0.
    pub revealed: Option<Vec<u64>>,
}

impl Operation {
    /// The largest magnitude of an input that is fixed point.
    const fn bound(self) -> i64 {
        match self {
            Self::FixedMul => 100 * ONE,
            Self::Sigmoid => 8 * ONE,
            _ => ONE,
        }
    }

    /// One input from a random word.
    fn input(self, word: u64) -> u64 {
        match self {
            Self::Mul | Self::Dot | Self::Sort => word,
            Self::Less => ((word as i64) >> 2) as u64,
            Self::FixedMul | Self::FixedDot | Self::Sigmoid => {
                let values = 2 * self.bound() as u64 + 1;
                (word % values).wrapping_sub(self.bound() as u64)
            }
        }
    }
}

impl Task {
    /// With inputs that are as good as random and the same in every run of the program.
    pub fn new(operation: Operation, n: usize, runs: usize) -> Self {
        let lens = match operation {
            Operation::Mul | Operation::FixedMul | Operation::Less => [n, n],
            Operation::Dot | Operation::FixedDot => [n * n, n * n],
            Operation::Sort | Operation::Sigmoid => [n, 0],
        };
        let words = |party: u8, len| Prg::new(&[party + 1; 32]).words(len).into_iter();
        let input = |party: u8| words(party, lens[party as usize]).map(|word| operation.input(word)).collect();
        Self { operation, n, runs, inputs: [input(0), input(1)] }
    }

    /// How many words party 0, 1 and 2 input.
    fn counts(&self) -> [usize; 3] {
        [self.inputs[0].len(), self.inputs[1].len(), 0]
    }

    /// The words that a party inputs.
    fn input(&self, party: usize) -> &[u64] {
        self.inputs.get(party).map_or(&[], Vec::as_slice)
    }

    /// What fixed-point inputs may be.
    fn range(&self) -> anyhow::Result<Range> {
        Ok(Range::new(-self.operation.bound(), self.operation.bound())?)
    }

    /// The result in the clear; of fixed-point numbers before their places are cut off.
    fn due(&self) -> Vec<u64> {
        let [x, y] = &self.inputs;
        let pairs = x.iter().zip(y);
        match self.operation {
            Operation::Mul | Operation::FixedMul => pairs.map(|(x, y)| x.wrapping_mul(*y)).collect(),
            Operation::Less => pairs.map(|(x, y)| u64::from((*x as i64) < *y as i64)).collect(),
            Operation::Dot | Operation::FixedDot => product(x, y, self.n),
            Operation::Sort => {
                let mut sorted = x.clone();
                sorted.sort_unstable_by_key(|word| *word as i64);
                sorted
            }
            Operation::Sigmoid => x.iter().map(|word| sigmoid(*word)).collect(),
        }
    }

    /// Compares what was revealed with what is due: exactly, with one unit of the last place or, of the logistic function, with two.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn check(&self, revealed: &[u64]) -> anyhow::Result<()> {
        let due = self.due();
        ensure!(revealed.len() == due.len(), "{} results where {} are due", revealed.len(), due.len());
        let fixed = matches!(self.operation, Operation::FixedMul | Operation::FixedDot);
        for (at, (revealed, due)) in revealed.iter().zip(due).enumerate() {
            let off = (i128::from(*revealed as i64) << FRAC) - i128::from(due as i64);
            let right = match self.operation {
                _ if fixed => off.abs() <= i128::from(ONE),
                Operation::Sigmoid => (*revealed as i64).abs_diff(due as i64) <= 2,
                _ => *revealed == due,
            };
            ensure!(right, "{:?}: result {at} is {revealed}, {due} is due", self.operation);
        }
        Ok(())
    }
}

/// The logistic function of a fixed-point number, rounded to the nearest.
fn sigmoid(word: u64) -> u64 {
    let one = ONE as f64;
    let x = word as i64 as f64 / one;
    (one / (1.0 + (-x).exp())).round() as u64
}

/// The product of two square matrices with `n` rows.
fn product(x: &[u64], y: &[u64], n: usize) -> Vec<u64> {
    let mut out = vec![0_u64; n * n];
    for (out, x) in out.chunks_mut(n.max(1)).zip(x.chunks(n.max(1))) {
        for (x, y) in x.iter().zip(y.chunks(n.max(1))) {
            out.iter_mut().zip(y).for_each(|(out, y)| *out = out.wrapping_add(x.wrapping_mul(*y)));
        }
    }
    out
}

/// Works once, then as often as is timed; all parties begin a run together. Also returns the last result.
async fn timed<T>(
    ctx: &mut Context,
    runs: usize,
    mut work: impl AsyncFnMut() -> Result<T, Abort>,
) -> anyhow::Result<(Vec<Work>, T)> {
    let (mut works, mut last) = (Vec::with_capacity(runs), work().await?);
    for _ in 0..runs {
        let begun = Begun::together(ctx).await?;
        let made = work().await?;
        works.push(begun.ended(ctx));
        last = made;
    }
    Ok((works, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Network, parties};

    const ALL: [Operation; 7] = [
        Operation::Mul,
        Operation::FixedMul,
        Operation::Less,
        Operation::Dot,
        Operation::FixedDot,
        Operation::Sort,
        Operation::Sigmoid,
    ];

    fn right(task: &Task, ended: Vec<Ended>) {
        assert!(ended.iter().all(|ended| ended.works.len() == task.runs));
        let revealed: Vec<_> = ended.into_iter().filter_map(|ended| ended.revealed).collect();
        let [revealed] = &revealed[..] else { panic!("party 0 alone has the result") };
        task.check(revealed).expect("the right result");
        let mut wrong = revealed.clone();
        wrong[0] = wrong[0].wrapping_add(5);
        assert!(task.check(&wrong).is_err() && task.check(&wrong[1..]).is_err());
    }

    #[test]
    fn every_engine_computes_what_is_due() {
        for operation in ALL {
            let task = Task::new(operation, 20, 2);
            right(&task, parties(3, Network::Plain, |ctx| rep3::party(ctx, &task)).expect("three parties"));
            if matches!(operation, Operation::Mul | Operation::Less) {
                right(&task, parties(3, Network::Plain, |ctx| checked::party(ctx, &task)).expect("three parties"));
            }
            if operation != Operation::Sigmoid {
                let run = |ctx| two::party(ctx, &task, mpc_two::Parameters::default());
                right(&task, parties(2, Network::Plain, run).expect("two parties"));
            }
        }
    }

    #[test]
    fn inputs_keep_their_ranges() {
        let most = [
            (Operation::Less, 1 << 61),
            (Operation::FixedMul, 100 * ONE),
            (Operation::FixedDot, ONE),
            (Operation::Sigmoid, 8 * ONE),
        ];
        for (operation, most) in most {
            let task = Task::new(operation, 40, 1);
            let within = |word: &u64| (-most..=most).contains(&(*word as i64));
            assert!(task.inputs.iter().flatten().all(within) && task.input(0) != task.input(1));
            assert!(task.inputs.iter().flatten().any(|word| (*word as i64) < 0));
        }
        let half = [0, 8 * ONE, -8 * ONE].map(|word| sigmoid(word as u64));
        assert_eq!(half, [ONE as u64 / 2, 262_056, 88]);
        assert_eq!(product(&[1, 2, 3, 4], &[5, 6, 7, 8], 2), [19, 22, 43, 50]);
    }
}
