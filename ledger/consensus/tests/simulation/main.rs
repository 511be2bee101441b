//! Whole clusters under one seed, of either engine: a network that delays, loses, repeats and splits; crashes at any
//! output; twins.
//!
//! Every run asserts that no two blocks are decided at a height, that every certificate holds for a light client, that
//! no honest validator ever says two different things, and that the cluster moves on once the network is well.

mod agreement;
mod byzantine;
mod cluster;
mod crash;
mod epochs;
mod hostile;
mod node;
mod oracle;
mod plan;
mod raft_hostile;
mod raft_lost;
mod raft_runs;
mod rng;

/// Seeds of runs: so many daily, and so many in a long run.
fn seeds(from: u64, daily: u64, long: u64) -> std::ops::Range<u64> {
    from..from + if std::env::var_os("HEQI_LONG").is_some() { long } else { daily }
}
