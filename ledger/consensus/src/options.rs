//! How long a validator waits, and how much it reads.

use crate::TimerKind;

/// Waiting times in milliseconds and bounds. Every wait grows with the round, so that rounds become long enough for any
/// network that delivers at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Wait for a proposal in round 0.
    pub propose_ms: u64,
    /// More of it in each further round.
    pub propose_delta_ms: u64,
    /// Wait for more prevotes once a quorum has voted without agreement.
    pub prevote_ms: u64,
    /// More of it in each further round.
    pub prevote_delta_ms: u64,
    /// Wait for more precommits once a quorum has voted without agreement.
    pub precommit_ms: u64,
    /// More of it in each further round.
    pub precommit_delta_ms: u64,
    /// Silence after which own votes are sent again.
    pub rebroadcast_ms: u64,
    /// More of it in each further round.
    pub rebroadcast_delta_ms: u64,
    /// Raft: its unit of time.
    pub tick_ms: u64,
    /// Raft: a leader is heard so often, in ticks.
    pub heartbeat_ticks: u16,
    /// Raft: a leader is missed after so many ticks, up to twice as many; more than `heartbeat_ticks`.
    pub election_ticks: u16,
    /// No wait is longer than this.
    pub max_wait_ms: u64,
    /// Longest message that is read, in bytes; a proposal carries its block.
    pub max_message: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            propose_ms: 1500,
            propose_delta_ms: 500,
            prevote_ms: 500,
            prevote_delta_ms: 250,
            precommit_ms: 500,
            precommit_delta_ms: 250,
            rebroadcast_ms: 1000,
            rebroadcast_delta_ms: 250,
            tick_ms: 50,
            heartbeat_ticks: 2,
            election_ticks: 10,
            max_wait_ms: 30_000,
            max_message: 16 << 20,
        }
    }
}

impl Options {
    /// How long a timer of this kind runs in this round.
    pub fn wait_ms(&self, kind: TimerKind, round: u32) -> u64 {
        let (base, delta) = match kind {
            TimerKind::Start => return 0,
            TimerKind::Tick => return self.tick_ms,
            TimerKind::Propose => (self.propose_ms, self.propose_delta_ms),
            TimerKind::Prevote => (self.prevote_ms, self.prevote_delta_ms),
            TimerKind::Precommit => (self.precommit_ms, self.precommit_delta_ms),
            TimerKind::Rebroadcast => (self.rebroadcast_ms, self.rebroadcast_delta_ms),
        };
        base.saturating_add(delta.saturating_mul(round.into())).min(self.max_wait_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_the_round_and_stop_growing() {
        let options = Options::default();
        assert_eq!(options.wait_ms(TimerKind::Propose, 0), 1500);
        assert_eq!(options.wait_ms(TimerKind::Propose, 3), 3000);
        assert_eq!(options.wait_ms(TimerKind::Precommit, u32::MAX), options.max_wait_ms);
        assert_eq!(options.wait_ms(TimerKind::Start, 9), 0);
        assert_eq!(options.wait_ms(TimerKind::Tick, 9), 50);
    }
}
