//! What a run of the load showed: how many succeeded, how fast, after how long, and whether it stayed so.

use std::time::Duration;

use base_types::Digest;

use crate::{
    load::{End, Pace, Sample},
    world::INTERVAL_MS,
};

/// The answer to the last transaction may take so long without counting against the rate.
const ANSWER: Duration = Duration::from_millis(2 * INTERVAL_MS as u64);
/// The beginning and the end of a run that are compared.
const PART: Duration = Duration::from_secs(30);

/// What a share of some times did not exceed; zero without any.
pub(crate) fn quantile(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    let place = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1));
    times.get(place - 1).copied().unwrap_or_default()
}

/// A run of the load, its transactions in the order in which they were due.
pub struct Run {
    /// How they were sent.
    pub pace: Pace,
    /// All of them.
    pub samples: Vec<Sample>,
}

impl Run {
    /// A run of these transactions.
    pub fn new(pace: Pace, mut samples: Vec<Sample>) -> Self {
        samples.sort_by_key(|sample| sample.due);
        Self { pace, samples }
    }

    fn executed(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| matches!(sample.end, End::Executed(_)))
    }

    /// Transactions that were executed and not refused.
    pub fn acknowledged(&self) -> Vec<Digest> {
        self.executed().map(|sample| sample.digest).collect()
    }

    /// Transactions that were executed and not refused, in per cent of all.
    pub fn success_percent(&self) -> f64 {
        100.0 * self.executed().count() as f64 / self.samples.len().max(1) as f64
    }

    /// How long transactions were sent.
    pub fn length(&self) -> Duration {
        match self.pace {
            Pace::PerSecond(rate) => Duration::from_secs_f64(self.samples.len() as f64 / f64::from(rate.max(1))),
            Pace::UnderWay(_) => self.samples.iter().map(|sample| sample.done).max().unwrap_or_default(),
        }
    }

    /// Executed transactions a second, from the first one's time to the last one's answer, of which two intervals are
    /// allowed for.
    pub fn per_second(&self) -> f64 {
        let last = self.samples.iter().map(|sample| sample.done).max().unwrap_or_default();
        let took = self.length().max(last.saturating_sub(ANSWER));
        self.executed().count() as f64 / took.as_secs_f64().max(0.001)
    }

    /// Executed transactions a second among those answered between two moments.
    pub fn per_second_between(&self, from: Duration, to: Duration) -> f64 {
        let count = self.executed().filter(|sample| sample.done >= from && sample.done < to).count();
        count as f64 / to.saturating_sub(from).as_secs_f64().max(0.001)
    }

    /// Executed transactions a second in each whole part of this length.
    pub fn parts(&self, length: Duration) -> Vec<f64> {
        let mut parts = Vec::new();
        let mut from = ANSWER;
        while from + length <= self.length() {
            parts.push(self.per_second_between(from, from + length));
            from += length;
        }
        parts
    }

    /// The time from when a transaction was due to its answer, in intervals, that a share of those due between two moments
    /// did not exceed; what failed counts with the time until it did.
    pub fn intervals_between(&self, share: f64, from: Duration, to: Duration) -> f64 {
        let due = self.samples.iter().filter(|sample| sample.due >= from && sample.due < to);
        let time = quantile(due.map(|sample| sample.done.saturating_sub(sample.due)).collect(), share);
        time.as_secs_f64() * 1000.0 / f64::from(INTERVAL_MS)
    }

    /// As [`Run::intervals_between`], of the whole run.
    pub fn intervals(&self, share: f64) -> f64 {
        self.intervals_between(share, Duration::ZERO, Duration::MAX)
    }

    /// Whether the end of the run was as fast as its beginning, up to one block and one per cent.
    fn steady(&self, rate: u32) -> bool {
        let length = PART.min(self.length() / 3);
        let first = self.per_second_between(ANSWER, ANSWER + length);
        let last = self.per_second_between(self.length().saturating_sub(length), self.length());
        let block = f64::from(rate) * f64::from(INTERVAL_MS) / 1000.0 / length.as_secs_f64().max(0.001);
        last >= first * 0.99 - block
    }

    /// Whether an offered rate was carried: of all transactions 99.9 % succeeded, at 99 % of the rate or more over the
    /// whole run, and at the end as fast as in the beginning.
    pub fn holds(&self) -> bool {
        match self.pace {
            Pace::PerSecond(rate) => {
                self.success_percent() >= 99.9 && self.per_second() >= 0.99 * f64::from(rate) && self.steady(rate)
            }
            Pace::UnderWay(_) => self.success_percent() >= 99.9,
        }
    }

    /// Tells the run in one line on standard error.
    pub fn tell(&self, what: &str) {
        let (success, rate) = (self.success_percent(), self.per_second());
        let (p50, p99) = (self.intervals(0.5), self.intervals(0.99));
        let parts: Vec<u64> = self.parts(PART.min(self.length() / 3)).iter().map(|part| *part as u64).collect();
        let (pace, holds, length) = (self.pace, self.holds(), self.length().as_secs_f64());
        eprintln!(
            "{what}: {pace:?} for {length:.0} s: {rate:.0}/s, success {success:.3} %, p50 {p50:.2} and p99 {p99:.2} \
             intervals, parts {parts:?}, holds: {holds}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of 100 a second in which a transaction is answered after so many milliseconds.
    fn answered(count: u64, after: impl Fn(u64) -> u64, end: impl Fn(u64) -> End) -> Run {
        let sample = |at: u64| {
            let due = Duration::from_millis(at * 10);
            let done = due + Duration::from_millis(after(at));
            Sample { digest: Digest([at as u8; 32]), to: 0, due, done, end: end(at) }
        };
        Run::new(Pace::PerSecond(100), (0..count).map(sample).collect())
    }

    #[test]
    fn a_steady_run_holds_and_one_that_falls_behind_or_fails_does_not() {
        let good = answered(9000, |_| 400, |_| End::Executed(1));
        assert!(good.holds());
        assert_eq!((good.success_percent(), good.intervals(0.5)), (100.0, 0.8));
        assert!((good.per_second() - 100.0).abs() < 0.5);
        let behind = answered(9000, |at| 400 + at, |_| End::Executed(1));
        assert!(!behind.holds());
        let failing = answered(9000, |_| 400, |at| if at % 500 == 0 { End::Failed } else { End::Executed(1) });
        assert!(!failing.holds());
        let refused = answered(9000, |_| 400, |at| if at % 500 == 0 { End::Refused } else { End::Executed(1) });
        assert!(!refused.holds());
    }

    #[test]
    fn quantiles_are_of_those_that_were_due_in_the_time() {
        let run = answered(1000, |at| if at < 500 { 500 } else { 1000 }, |_| End::Executed(1));
        assert_eq!(run.intervals_between(0.99, Duration::ZERO, Duration::from_secs(5)), 1.0);
        assert_eq!(run.intervals_between(0.01, Duration::from_secs(5), Duration::MAX), 2.0);
        assert_eq!(run.intervals(0.5), 1.0);
        assert_eq!(run.intervals(0.51), 2.0);
    }
}
