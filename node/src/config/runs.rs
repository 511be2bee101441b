//! What `node.toml` gives to runs of jobs: so much memory, and so many at a time.

use std::{ops::RangeInclusive, time::Duration};

use base_types::fault::{Code, Fault};
use runner::Limits;

use super::Config;

/// Unless told otherwise, and what may be told.
const MEMORY_MIB: u32 = 4096;
const MEMORIES: RangeInclusive<u32> = 1..=1 << 20;
const AT_ONCE: u32 = 8;
const PLACES: RangeInclusive<u32> = 1..=1024;
/// How long a run waits until there is room for it at all its nodes. It is the same at all: who waits longer is not waited for.
const WAIT: Duration = Duration::from_secs(300);

impl Config {
    /// What this node gives to runs.
    ///
    /// # Errors
    /// [`Code::BadRequest`] naming the setting that is out of its range.
    pub fn runs(&self) -> Result<Limits, Fault> {
        let memory = within("runs_memory_mib", self.runs_memory_mib.unwrap_or(MEMORY_MIB), &MEMORIES)?;
        let runs = within("runs_at_once", self.runs_at_once.unwrap_or(AT_ONCE), &PLACES)?;
        Ok(Limits { memory: u64::from(memory) << 20, runs: runs as usize, wait: WAIT })
    }
}

fn within(name: &str, told: u32, range: &RangeInclusive<u32>) -> Result<u32, Fault> {
    if range.contains(&told) {
        return Ok(told);
    }
    let why = format!("{name} = {told} is not between {} and {}", range.start(), range.end());
    Err(Fault::new(Code::BadRequest, "read node.toml", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(lines: &str) -> Result<Limits, Fault> {
        let rest = "org = 'audit'\ncontrol = ''\ndata = ''\nportal = ''\ncompute = []\npurposes = []\n[peers]\n";
        toml::from_str::<Config>(&format!("{lines}\n{rest}")).expect("read").runs()
    }

    #[test]
    fn runs_have_what_is_told_within_its_range_and_their_defaults() {
        let given = |lines| limits(lines).map(|limits| (limits.memory, limits.runs));
        assert_eq!(given(""), Ok((4 << 30, 8)));
        assert_eq!(given("runs_memory_mib = 512\nruns_at_once = 3"), Ok((512 << 20, 3)));
        for line in ["runs_memory_mib = 0", "runs_memory_mib = 1048577", "runs_at_once = 0", "runs_at_once = 1025"] {
            let fault = limits(line).expect_err("refused");
            assert!(fault.code == Code::BadRequest && fault.detail.contains(line), "{fault:?}");
        }
    }
}
