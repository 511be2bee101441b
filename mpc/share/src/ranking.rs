//! The order of rows from answers to "does this one come before that one?": few questions, and few times to ask.
//!
//! Quicksort by samples (Frazer and McKellar, "Samplesort", JACM 17(3), 1970): of a run of rows in random order the first `2^k - 1`,
//! about the square root of its length, are compared pair by pair; they are the pivots of a search tree that every other row of the
//! run goes down, `k` questions each; what lies between two pivots is a shorter run, again in random order. All runs go on at
//! the same time, so a row costs about `log2` of their number and two or three questions more, asked about as often.
//!
//! Whatever the answers are, false ones too, the outcome is a permutation and the number of questions is bounded.

/// Runs of at most so many rows are compared pair by pair.
const FEW: usize = 8;

/// Rows whose order among themselves is not known yet; what comes before and after them all is.
struct Run {
    first: usize,
    len: usize,
}

/// What is asked of the runs next.
#[derive(Clone, Copy)]
enum Step {
    /// Pairs of pivots.
    Pivots,
    /// On this level of the search trees, counted from the leaves: rows and pivots.
    Search(u32),
}

/// Rows on their way into order.
pub struct Ranking {
    /// The rows, place by place.
    order: Vec<u32>,
    /// For every place of a run behind its pivots: how many of them are known to come before the row.
    passed: Vec<u32>,
    runs: Vec<Run>,
    step: Step,
}

impl Run {
    /// Levels of the pivots' search tree; none where all rows are compared with each other.
    fn levels(&self) -> u32 {
        if self.len <= FEW { 0 } else { self.len.ilog2().div_ceil(2) }
    }

    fn pivots(&self) -> usize {
        if self.len <= FEW { self.len } else { (1 << self.levels()) - 1 }
    }

    /// The places behind the pivots.
    fn others(&self) -> std::ops::Range<usize> {
        self.first + self.pivots()..self.first + self.len
    }
}

impl Ranking {
    /// So many rows in random order.
    pub fn new(rows: u32) -> Self {
        let len = rows as usize;
        let runs = if len > 1 { vec![Run { first: 0, len }] } else { Vec::new() };
        Self { order: (0..rows).collect(), passed: vec![0; len], runs, step: Step::Pivots }
    }

    /// The next questions, whether the first row of a pair comes before the second; `None` when the order is known. All are
    /// answered by [`Ranking::told`] before it is asked again.
    pub fn questions(&mut self) -> Option<Vec<[u32; 2]>> {
        while !self.runs.is_empty() {
            let mut pairs = Vec::new();
            self.runs.iter().for_each(|run| self.ask(run, &mut pairs));
            if !pairs.is_empty() {
                return Some(pairs);
            }
            // Runs with one pivot each.
            self.go_on();
        }
        None
    }

    fn ask(&self, run: &Run, pairs: &mut Vec<[u32; 2]>) {
        match self.step {
            Step::Pivots => {
                let pivots = &self.order[run.first..][..run.pivots()];
                for (at, row) in pivots.iter().enumerate() {
                    pairs.extend(pivots[..at].iter().map(|earlier| [*earlier, *row]));
                }
            }
            Step::Search(level) if level < run.levels() => {
                let question = |place: usize| {
                    let pivot = run.first + self.passed[place] as usize + (1 << level) - 1;
                    [self.order[place], self.order[pivot]]
                };
                pairs.extend(run.others().map(question));
            }
            Step::Search(_) => (),
        }
    }

    /// Takes the answers to the last questions, in their order.
    pub fn told(&mut self, mut before: impl Iterator<Item = bool>) {
        match self.step {
            Step::Pivots => {
                for run in &self.runs {
                    sort_pivots(&mut self.order[run.first..][..run.pivots()], &mut before);
                }
            }
            Step::Search(level) => {
                for run in self.runs.iter().filter(|run| level < run.levels()) {
                    for (passed, before) in self.passed[run.others()].iter_mut().zip(&mut before) {
                        *passed += u32::from(!before) << level;
                    }
                }
            }
        }
        self.go_on();
    }

    fn go_on(&mut self) {
        let below = match self.step {
            Step::Pivots => self.runs.iter().map(Run::levels).max().unwrap_or(0),
            Step::Search(level) => level,
        };
        match below.checked_sub(1) {
            Some(level) => self.step = Step::Search(level),
            None => self.part(),
        }
    }

    /// Every row goes between the pivots that it has been told to lie between: shorter runs.
    fn part(&mut self) {
        self.step = Step::Pivots;
        let mut shorter = Vec::new();
        for run in self.runs.iter().filter(|run| run.levels() > 0) {
            let rows = self.order[run.first..][..run.len].to_vec();
            let (pivots, others) = rows.split_at(run.pivots());
            let passed = &mut self.passed[run.others()];
            let mut counts = vec![0; pivots.len() + 1];
            passed.iter().for_each(|passed| counts[*passed as usize] += 1);
            let mut place = run.first;
            let mut places = Vec::with_capacity(counts.len());
            for (at, len) in counts.into_iter().enumerate() {
                places.push(place);
                if len > 1 {
                    shorter.push(Run { first: place, len });
                }
                place += len;
                if let Some(pivot) = pivots.get(at) {
                    self.order[place] = *pivot;
                    place += 1;
                }
            }
            for (row, passed) in others.iter().zip(passed) {
                let place = &mut places[std::mem::take(passed) as usize];
                self.order[*place] = *row;
                *place += 1;
            }
        }
        self.runs = shorter;
    }

    /// For every row its place in the order.
    pub fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.order.len()];
        for (place, row) in (0..).zip(&self.order) {
            places[*row as usize] = place;
        }
        places
    }
}

/// Puts rows, of which every pair was compared, into the order of how many come before each.
fn sort_pivots(rows: &mut [u32], before: &mut impl Iterator<Item = bool>) {
    let mut ranked: Vec<(u32, u32)> = rows.iter().map(|row| (0, *row)).collect();
    for at in 0..rows.len() {
        let (earlier, later) = ranked.split_at_mut(at);
        let Some((rank, _)) = later.first_mut() else { return };
        for ((other, _), before) in earlier.iter_mut().zip(&mut *before) {
            *rank += u32::from(before);
            *other += u32::from(!before);
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    rows.iter_mut().zip(ranked).for_each(|(row, (_, ranked))| *row = ranked);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in an order that is as good as random.
    fn scrambled(rows: u32) -> Vec<u64> {
        (1..=u64::from(rows)).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ row << 40).collect()
    }

    #[test]
    fn rows_come_into_order_with_few_questions_asked_few_times() {
        for rows in [0, 1, 2, 3, 4, 5, 8, 31, 100, 1000, 20_000] {
            let numbers = scrambled(rows);
            let (mut ranking, mut asked, mut times) = (Ranking::new(rows), 0, 0);
            while let Some(pairs) = ranking.questions() {
                (asked, times) = (asked + pairs.len(), times + 1);
                ranking.told(pairs.iter().map(|[one, other]| numbers[*one as usize] < numbers[*other as usize]));
            }
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            let places = ranking.places();
            assert!(numbers.iter().zip(places).all(|(number, place)| sorted[place as usize] == *number), "{rows}");
            let levels = rows.max(1).ilog2() as usize;
            assert!(
                asked <= (levels + 4) * rows as usize && times <= 2 * levels + 10,
                "{rows}: {asked}, {times} times"
            );
        }
    }

    #[test]
    fn false_answers_end_in_a_permutation_too() {
        for answers in [[true, true], [false, false], [true, false]] {
            let mut ranking = Ranking::new(300);
            while let Some(pairs) = ranking.questions() {
                ranking.told((0..pairs.len()).map(|at| answers[at % 2]));
            }
            let mut places = ranking.places();
            places.sort_unstable();
            assert_eq!(places, (0..300).collect::<Vec<u32>>());
        }
    }
}
