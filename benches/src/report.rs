//! Figures: what several runs gave, printed as one JSON line each.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::wire::Work;

/// What several runs gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median, or what stands for all runs.
    pub value: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// How many runs.
    pub runs: usize,
}

impl Spread {
    /// Median, lowest and highest; all zero without runs.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
        let runs = sorted.len();
        let value = (at(runs.saturating_sub(1) / 2) + at(runs / 2)) / 2.0;
        Self { value, min: at(0), max: at(runs.saturating_sub(1)), runs }
    }

    /// Each of them times a factor.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let Self { value, min, max, runs } = self;
        Self { value: value * factor, min: min * factor, max: max * factor, runs }
    }

    /// One long run, with the lowest and highest of its parts.
    pub fn whole(value: f64, parts: &[f64]) -> Self {
        let own = [value];
        let Self { min, max, .. } = Self::of(if parts.is_empty() { &own[..] } else { parts });
        Self { value, min, max, runs: 1 }
    }
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    bench: &'static str,
    case: String,
    n: u64,
    network: &'static str,
    value: f64,
    unit: &'static str,
    better: &'static str,
    runs: usize,
    min: f64,
    max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rounds: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    party_bytes: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    party_rounds: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_value: Option<f64>,
}

/// More digits than any of these measurements has.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

impl Figure {
    /// A figure of which more is better, measured without a network.
    pub fn new(bench: &'static str, case: impl Into<String>, n: u64, unit: &'static str, spread: Spread) -> Self {
        let Spread { value, min, max, runs } = spread;
        Self {
            bench,
            case: case.into(),
            n,
            network: "none",
            value: rounded(value),
            unit,
            better: "higher",
            runs,
            min: rounded(min),
            max: rounded(max),
            bytes: None,
            rounds: None,
            party_bytes: Vec::new(),
            party_rounds: Vec::new(),
            peer: None,
            peer_value: None,
        }
    }

    /// Of which less is better.
    #[must_use]
    pub fn lower(mut self) -> Self {
        self.better = "lower";
        self
    }

    /// Measured on this machine's loopback, over TLS where the benchmark's file says nothing else.
    #[must_use]
    pub fn loopback(self) -> Self {
        self.over("loopback")
    }

    /// Measured over the network of that name.
    #[must_use]
    pub fn over(mut self, network: &'static str) -> Self {
        self.network = network;
        self
    }

    /// With the bytes that one of its units takes.
    #[must_use]
    pub fn bytes(mut self, bytes: f64) -> Self {
        self.bytes = Some(rounded(bytes));
        self
    }

    /// With what the parties moved in one run, in their order: the bytes that they send, all together and each, and the
    /// rounds, the most and each party's.
    #[must_use]
    pub fn moved(mut self, parties: &[Work]) -> Self {
        let Work { bytes, rounds, .. } = Work::all(parties.iter().copied());
        (self.bytes, self.rounds) = (Some(bytes as f64), Some(rounds));
        self.party_bytes = parties.iter().map(|work| work.bytes).collect();
        self.party_rounds = parties.iter().map(|work| work.rounds).collect();
        self
    }

    /// With another program's figure, or a limit of the machine, of the same run.
    #[must_use]
    pub fn peer(mut self, name: impl Into<String>, value: f64) -> Self {
        (self.peer, self.peer_value) = (Some(name.into()), Some(rounded(value)));
        self
    }

    /// Prints the line.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn print(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(self)?)?;
        Ok(out.flush()?)
    }
}

/// Pieces of work between two looks at the clock.
const BATCH: usize = 64;

/// How often a piece of work is done in a second, over about `time`; the piece is given its number.
///
/// # Errors
/// The work's.
pub fn per_second(time: Duration, work: &mut dyn FnMut(usize) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (began, mut done) = (Instant::now(), 0);
    loop {
        for _ in 0..BATCH {
            work(done)?;
            done += 1;
        }
        let took = began.elapsed();
        if took >= time {
            return Ok(done as f64 / took.as_secs_f64());
        }
    }
}

/// As [`per_second`], several times.
///
/// # Errors
/// The work's.
pub fn runs(count: usize, time: Duration, mut work: impl FnMut(usize) -> anyhow::Result<()>) -> anyhow::Result<Spread> {
    let values = (0..count).map(|_| per_second(time, &mut work)).collect::<anyhow::Result<Vec<f64>>>()?;
    Ok(Spread::of(&values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_runs_lies_between_the_middle_two() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Spread { value: 2.0, min: 1.0, max: 3.0, runs: 3 });
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 8.0]).value, 3.0);
        assert_eq!(Spread::of(&[]), Spread { value: 0.0, min: 0.0, max: 0.0, runs: 0 });
    }

    #[test]
    fn a_line_has_the_fields_that_were_agreed() {
        let spread = Spread { value: 1.25, min: 1.2, max: 1.3, runs: 5 };
        let figure = Figure::new("sm2", "sign", 1, "1/s", spread).peer("libsm", 2.0);
        let line = serde_json::to_string(&figure).expect("a line");
        let wanted = concat!(
            r#"{"bench":"sm2","case":"sign","n":1,"network":"none","value":1.25,"unit":"1/s","better":"higher","#,
            r#""runs":5,"min":1.2,"max":1.3,"peer":"libsm","peer_value":2.0}"#
        );
        assert_eq!(line, wanted);
        let work = |bytes, rounds| Work { took: Duration::from_secs(1), bytes, rounds };
        let figure = Figure::new("ot", "silent", 1, "1/s", spread).moved(&[work(7, 2), work(5, 3)]);
        let line = serde_json::to_string(&figure).expect("a line");
        assert!(line.ends_with(r#","bytes":12.0,"rounds":3,"party_bytes":[7,5],"party_rounds":[2,3]}"#), "{line}");
    }
}
