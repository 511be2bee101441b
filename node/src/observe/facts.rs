//! Facts for alarms: what two looks at the chain, the disk and the clock tell together.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use base_types::{Height, OrgId, TimeMs, fault::Fault};
use ledger_chain::{Chain, ChainFault};

use super::alarms::{Disk, Facts};

/// The chain as one look finds it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Newest height.
    pub height: Height,
    /// Its block's time.
    pub time: TimeMs,
    /// Transactions that wait.
    pub waiting: usize,
    /// Number of the epoch in force.
    pub epoch: u64,
    /// Time between blocks while there is work, in milliseconds.
    pub interval_ms: u64,
    /// Organisations that validate.
    pub validators: Vec<OrgId>,
    /// So many of them may be missing before no block can be made.
    pub spare: usize,
    /// Peers, the height each told, and when.
    pub peers: Vec<(OrgId, Height, TimeMs)>,
    /// Why the chain no longer runs.
    pub fault: Option<Fault>,
    /// Blocks that peers gave, since the start.
    pub synced: u64,
    /// Blocks not decided in their first round, since the start.
    pub late_rounds: u64,
    /// Offences, since the start.
    pub misbehaviour: u64,
    /// When everything stored was last found whole, since the start.
    pub scrubbed: Option<TimeMs>,
}

impl Seen {
    /// Looks at the chain. Where its storage cannot be read, the rest is as it was `before`.
    pub fn of(chain: &Chain, before: &Self) -> Self {
        let counters = chain.counters();
        let (synced, late_rounds) = (counters.synced.get(), counters.late_rounds.get());
        let misbehaviour = counters.misbehaviour.get();
        let told = |fault: &ChainFault| fault.fault("run the ledger");
        let status = match chain.status() {
            Ok(status) => status,
            Err(why) => return Self { fault: Some(told(&why)), synced, late_rounds, misbehaviour, ..before.clone() },
        };
        let epoch = &status.epoch;
        Self {
            height: status.height,
            time: status.time,
            waiting: status.waiting,
            epoch: epoch.number,
            interval_ms: u64::from(epoch.interval_ms),
            validators: epoch.validators.iter().map(|validator| validator.org.clone()).collect(),
            spare: epoch.validators.len().saturating_sub(epoch.quorum()),
            // A chain that was told to stop is nothing to be alarmed about.
            fault: status.fault.as_ref().filter(|fault| **fault != ChainFault::Stopped).map(told),
            peers: status.peers,
            synced,
            late_rounds,
            misbehaviour,
            scrubbed: status.scrubbed,
        }
    }
}

/// Space on the disk of a folder; `None` when it cannot be told.
pub fn disk(folder: &Path) -> Option<Disk> {
    let volume = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(volume.f_frsize);
    Some(Disk { free: bytes(volume.f_bavail), total: bytes(volume.f_blocks) })
}

/// What is remembered from look to look. Durations are measured by [`Instant`], so a clock that jumps raises nothing but
/// the alarm about itself.
pub struct Tracker {
    me: OrgId,
    certificates: Vec<(&'static str, TimeMs)>,
    before: Option<Seen>,
    /// When there last was a new block or nothing to do.
    moved_at: Instant,
    /// What each validator's newest status was stamped with, and when that stamp was first seen.
    heard: BTreeMap<OrgId, (TimeMs, Instant)>,
    skew_ms: Option<i64>,
    offended_at: Option<Instant>,
}

impl Tracker {
    /// Begins at `at`, for this organisation and with its certificates' last moments.
    pub fn new(me: OrgId, certificates: Vec<(&'static str, TimeMs)>, at: Instant) -> Self {
        let (heard, skew_ms, offended_at) = (BTreeMap::new(), None, None);
        Self { me, certificates, before: None, moved_at: at, heard, skew_ms, offended_at }
    }

    /// What the last look found.
    pub fn last(&self) -> Seen {
        self.before.clone().unwrap_or_default()
    }

    /// Takes in a look: `now` is this machine's time, `at` the same moment by the clock that nobody sets.
    pub fn look(&mut self, seen: Seen, disk: Option<Disk>, now: TimeMs, at: Instant) -> Facts {
        let moved = self.before.as_ref().is_none_or(|before| before.height != seen.height);
        if moved || seen.waiting == 0 {
            self.moved_at = at;
        }
        if moved && seen.height > 0 {
            self.compare_clocks(&seen, now);
        }
        if seen.misbehaviour > self.before.as_ref().map_or(0, |before| before.misbehaviour) {
            self.offended_at = Some(at);
        }
        let peers = self.listen(&seen, at);
        let facts = Facts {
            now,
            fault: seen.fault.clone(),
            height: seen.height,
            waiting: seen.waiting,
            stalled_ms: since(self.moved_at, at),
            interval_ms: seen.interval_ms,
            peers,
            spare: seen.spare,
            disk,
            skew_ms: self.skew_ms,
            certificates: self.certificates.clone(),
            misbehaviour: self.offended_at.map(|offended| (seen.misbehaviour, since(offended, at))),
        };
        self.before = Some(seen);
        facts
    }

    /// A block ahead of this clock shows a difference always. A block behind it does so only when it was just made: not
    /// when it was caught up with, and not when it took several rounds.
    fn compare_clocks(&mut self, seen: &Seen, now: TimeMs) {
        let (ahead, behind) = (seen.time.saturating_sub(now), now.saturating_sub(seen.time));
        let same = |before: &Seen| before.synced == seen.synced && before.late_rounds == seen.late_rounds;
        let fresh = self.before.as_ref().is_some_and(same);
        if ahead > 0 {
            self.skew_ms = Some(i64::try_from(ahead).unwrap_or(i64::MAX));
        } else if fresh {
            self.skew_ms = Some(i64::try_from(behind).map_or(i64::MIN, |behind| -behind));
        }
    }

    /// How long each of the other validators has been silent.
    fn listen(&mut self, seen: &Seen, at: Instant) -> Vec<(OrgId, u64)> {
        let others: Vec<_> = seen.validators.iter().filter(|org| **org != self.me).collect();
        self.heard.retain(|org, _| others.contains(&org));
        let mut silent = Vec::new();
        for org in others {
            let stamp = seen.peers.iter().find(|peer| peer.0 == *org).map_or(0, |peer| peer.2);
            let heard = self.heard.entry(org.clone()).or_insert((stamp, at));
            if heard.0 != stamp {
                *heard = (stamp, at);
            }
            silent.push((org.clone(), since(heard.1, at)));
        }
        silent
    }
}

fn since(then: Instant, now: Instant) -> u64 {
    let passed: Duration = now.saturating_duration_since(then);
    u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimeMs = 1_800_000_000_000;

    fn org(name: &str) -> OrgId {
        OrgId::new(name).unwrap()
    }

    fn tracker(at: Instant) -> Tracker {
        Tracker::new(org("audit"), vec![("node", NOW)], at)
    }

    fn seen(height: Height, time: TimeMs) -> Seen {
        Seen { height, time, validators: vec![org("audit"), org("civil")], ..Seen::default() }
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_height_stalls_from_the_last_block_or_the_first_transaction_that_waits() {
        let start = Instant::now();
        let mut tracker = tracker(start);
        let mut stalled = |second, height, waiting| {
            let seen = Seen { waiting, ..seen(height, NOW) };
            tracker.look(seen, None, NOW, after(start, second)).stalled_ms
        };
        assert_eq!(stalled(0, 5, 0), 0);
        assert_eq!(stalled(50, 5, 0), 0, "an idle chain does not stall");
        assert_eq!(stalled(52, 5, 1), 2_000);
        assert_eq!(stalled(60, 5, 2), 10_000);
        assert_eq!(stalled(62, 6, 2), 0, "a block came");
        assert_eq!(stalled(64, 6, 2), 2_000);
    }

    #[test]
    fn a_peer_is_silent_since_its_newest_status_whatever_the_clock_does() {
        let start = Instant::now();
        let mut tracker = tracker(start);
        let mut silent = |second, stamp: Option<TimeMs>, now| {
            let peers = stamp.map(|at| (org("civil"), 1, at)).into_iter().collect();
            tracker.look(Seen { peers, ..seen(1, 1) }, None, now, after(start, second)).peers
        };
        assert_eq!(silent(0, None, NOW), [(org("civil"), 0)], "this node itself is not listed");
        assert_eq!(silent(4, None, NOW), [(org("civil"), 4_000)], "never heard of since the start");
        assert_eq!(silent(6, Some(NOW), NOW), [(org("civil"), 0)]);
        assert_eq!(silent(8, Some(NOW), NOW + 3_600_000), [(org("civil"), 2_000)]);
        assert_eq!(silent(9, Some(NOW - 5), NOW), [(org("civil"), 0)]);
    }

    #[test]
    fn only_a_block_that_was_just_made_shows_that_this_clock_is_ahead() {
        let start = Instant::now();
        let mut tracker = tracker(start);
        let mut skew = |height, time, synced, late_rounds| {
            let seen = Seen { synced, late_rounds, ..seen(height, time) };
            tracker.look(seen, None, NOW, start).skew_ms
        };
        assert_eq!(skew(1, NOW - 9_000, 0, 0), None, "who has just started does not know how old it is");
        assert_eq!(skew(1, NOW - 9_000, 0, 0), None);
        assert_eq!(skew(2, NOW - 9_000, 1, 0), None, "it was caught up with");
        assert_eq!(skew(3, NOW - 9_000, 1, 1), None, "it took several rounds");
        assert_eq!(skew(4, NOW - 300, 1, 1), Some(-300));
        assert_eq!(skew(5, NOW + 3_000, 2, 1), Some(3_000), "a block of the future shows it always");
        assert_eq!(skew(5, NOW + 3_000, 2, 1), Some(3_000));
    }

    #[test]
    fn an_offence_has_the_age_of_the_newest() {
        let start = Instant::now();
        let mut tracker = tracker(start);
        let mut offence = |second, misbehaviour| {
            let seen = Seen { misbehaviour, ..seen(1, 1) };
            tracker.look(seen, None, NOW, after(start, second)).misbehaviour
        };
        assert_eq!(offence(0, 0), None);
        assert_eq!(offence(2, 1), Some((1, 0)));
        assert_eq!(offence(4, 1), Some((1, 2_000)));
        assert_eq!(offence(6, 3), Some((3, 0)));
    }

    #[test]
    fn the_disk_of_a_folder_has_free_space_and_a_missing_folder_none() {
        let folder = tempfile::tempdir().unwrap();
        let Disk { free, total } = disk(folder.path()).unwrap();
        assert!(total > 0 && free <= total);
        assert_eq!(disk(&folder.path().join("missing")), None);
    }
}
