//! Machines that are lost, for good or with their disk alone: what the chain does for one that has forgotten what it said.

use base_types::Height;

use super::{Cluster, Event};

/// A machine that came back asks for blocks so often, in milliseconds.
const ASK_MS: u64 = 50;
/// Another one is lost so long after it takes part again, in milliseconds.
const LEAVE_MS: [u64; 2] = [200, 600];

impl Cluster {
    /// One machine is lost for good.
    pub(super) fn leave(&mut self, node: usize) {
        self.nodes[node].engine = None;
        self.nodes[node].life += 1;
        self.plan.silent.insert(node);
    }

    /// An honest validator that was not the last to beat as a leader.
    pub(super) fn follower(&mut self, but: Option<usize>) -> usize {
        let leads = |node: usize| self.oracle.leader.as_ref() == Some(&self.nodes[node].org);
        let all = 0..self.plan.validators;
        let may: Vec<usize> = all.filter(|node| Some(*node) != but && self.honest(*node) && !leads(*node)).collect();
        let at = self.rng.below(may.len() as u64) as usize;
        may[at]
    }

    /// A machine loses its disk.
    pub(super) fn forget(&mut self) {
        let node = self.follower(None);
        let n = &mut self.nodes[node];
        n.engine = None;
        n.dies_in = None;
        n.life += 1;
        n.timers.clear();
        n.early.clear();
        n.log.clear();
        n.kept.clear();
        n.blocks.clear();
        let after = self.rng.between(50, 300);
        self.at(after, Event::Back { node, silent: None, up: false });
    }

    /// The last height of silence: two above all that a quorum of the others tells, here those that are lowest.
    fn may_have_spoken(&self, node: usize) -> Height {
        let others = (0..self.plan.validators).filter(|other| *other != node);
        let mut told: Vec<Height> = others.map(|other| self.nodes[other].blocks.len() as Height).collect();
        told.sort_unstable();
        let quorum = self.epoch_at(1).quorum().min(told.len());
        told[quorum - 1] + 2
    }

    /// A machine without a log follows by asking for blocks, and takes part once it is past every height at which it may
    /// have spoken.
    pub(super) fn back(&mut self, node: usize, silent: Option<Height>, up: bool) {
        let silent = silent.unwrap_or_else(|| self.may_have_spoken(node));
        if !up || self.nodes[node].engine.is_some() {
            self.follow(node);
        }
        let begins = !up && self.nodes[node].next_height() > silent;
        if begins {
            self.oracle.terms.clear();
            self.start(node);
            let [least, most] = LEAVE_MS;
            let after = self.rng.between(least, most);
            self.at(after, Event::Leave { but: node });
        }
        self.at(ASK_MS, Event::Back { node, silent: Some(silent), up: up || begins });
    }

    /// Takes what the machine that is furthest has more, among those that are within reach.
    fn follow(&mut self, node: usize) {
        let side = |machine: usize| (self.sides >> machine) & 1;
        let reached = |other: &usize| self.now >= self.plan.well_at || side(node) == side(*other);
        let reachable = (0..self.plan.machines).filter(|other| self.honest(*other) && reached(other));
        let Some(best) = reachable.max_by_key(|other| self.nodes[*other].blocks.len()) else { return };
        let have = self.nodes[node].blocks.len();
        let missed: Vec<_> = self.nodes[best].blocks.iter().skip(have).cloned().collect();
        for (block, certificate) in missed {
            self.adopt(node, block, certificate);
        }
    }
}
