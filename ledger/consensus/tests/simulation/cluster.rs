//! The cluster: an event queue in virtual time, a network with faults, and the checks that every run makes.

mod loss;

use std::collections::{BTreeMap, BTreeSet};

use base_gm::sm3;
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_consensus::{Input, Output, TimerId, WalRecord, message_height};
use ledger_light::{Block, Certificate, Epoch, RAFT};

use crate::{
    node::{Node, engine},
    oracle::Oracle,
    plan::{Plan, epoch},
    rng::Rng,
};

enum Event {
    Deliver { from: usize, to: usize, bytes: Vec<u8> },
    Timer { node: usize, life: u32, id: TimerId, number: u64 },
    Answer { node: usize, life: u32, input: Input },
    Start { node: usize, life: u32 },
    NextHeight { node: usize, life: u32 },
    Crash { node: usize },
    Split,
    Sync { node: usize },
    Forget,
    Back { node: usize, silent: Option<Height>, up: bool },
    Leave { but: usize },
}

pub struct Cluster {
    pub plan: Plan,
    pub now: u64,
    pub nodes: Vec<Node>,
    pub decided: BTreeMap<Height, Digest>,
    /// Who was reported, and for what.
    pub blamed: BTreeSet<(OrgId, String)>,
    /// Records replayed after crashes.
    pub replayed: u64,
    chain: Digest,
    epochs: [Epoch; 2],
    rng: Rng,
    queue: BTreeMap<(u64, u64), Event>,
    number: u64,
    pub oracle: Oracle,
    /// Two machines hear each other when their bits are equal.
    sides: u64,
}

impl Cluster {
    pub fn new(plan: Plan) -> Self {
        let mut nodes: Vec<_> = (0..plan.machines).map(Node::new).collect();
        nodes.extend(plan.twin_of.map(Node::new));
        let n = plan.validators;
        let rotate_at = plan.rotate_at.unwrap_or(u64::MAX);
        let epochs = [epoch(0, plan.engine, 1, 0..n), epoch(1, plan.engine, rotate_at, 1..n + 1)];
        let mut cluster = Self {
            now: 0,
            nodes,
            decided: BTreeMap::new(),
            blamed: BTreeSet::new(),
            replayed: 0,
            chain: sm3::sm3(b"the genesis"),
            epochs,
            rng: Rng(plan.seed),
            queue: BTreeMap::new(),
            number: 0,
            oracle: Oracle::default(),
            sides: 0,
            plan,
        };
        cluster.schedule();
        cluster
    }

    fn schedule(&mut self) {
        for node in 0..self.nodes.len() {
            if !self.plan.silent.contains(&node) {
                let at = if self.plan.late == Some(node) { self.plan.well_at } else { self.rng.below(50) };
                self.at(at, Event::Start { node, life: 0 });
                let at = 1000 + self.rng.below(1000);
                self.at(at, Event::Sync { node });
            }
        }
        for _ in 0..self.plan.crashes {
            let at = self.rng.below(self.plan.well_at);
            let node = self.rng.below(self.plan.machines as u64) as usize;
            self.at(at, Event::Crash { node });
        }
        if let Some(at) = self.plan.forgets {
            self.at(at, Event::Forget);
        }
        if self.plan.splits {
            self.at(500, Event::Split);
        }
    }

    fn at(&mut self, after: u64, event: Event) {
        self.number += 1;
        self.queue.insert((self.now + after, self.number), event);
    }

    /// Whether the machine runs an honest validator or follower.
    pub fn honest(&self, node: usize) -> bool {
        let twin = self.plan.twin_of.is_some_and(|i| self.nodes[i].org == self.nodes[node].org);
        !twin && !self.plan.silent.contains(&node)
    }

    pub fn epoch_at(&self, height: Height) -> &Epoch {
        &self.epochs[usize::from(height >= self.epochs[1].first_height)]
    }

    fn lowest(&self) -> Height {
        let heights = (0..self.nodes.len()).filter(|i| self.honest(*i)).map(|i| self.nodes[i].blocks.len() as u64);
        heights.min().expect("somebody is honest")
    }

    /// Runs until every honest machine has decided enough, and fails when it takes too long.
    pub fn run(&mut self) {
        let (mut target, mut healed) = (Height::MAX, false);
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = at;
            if !healed && at >= self.plan.well_at {
                healed = true;
                self.sides = 0;
                if let Some(node) = self.plan.leaves {
                    self.leave(node);
                }
                target = self.decided.keys().last().copied().unwrap_or(0) + self.plan.further;
            }
            self.handle(event);
            if self.lowest() >= target {
                return;
            }
            if self.plan.may_halt.is_some_and(|ms| at >= self.plan.well_at + ms) {
                return;
            }
            let heights: Vec<_> = self.nodes.iter().map(|n| n.blocks.len()).collect();
            assert!(at < self.plan.well_at + 120_000, "seed {}: stuck at {heights:?}", self.plan.seed);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, bytes } => {
                let from = self.nodes[from].org.clone();
                self.deliver(to, from, bytes);
            }
            Event::Timer { node, life, id, number } => {
                let n = &mut self.nodes[node];
                if n.life == life && n.timers.get(&id) == Some(&number) {
                    n.timers.remove(&id);
                    self.give(node, Input::Timer(id));
                }
            }
            Event::Answer { node, life, input } if self.nodes[node].life == life => self.give(node, input),
            Event::Start { node, life } if self.nodes[node].life == life => self.start(node),
            Event::NextHeight { node, life } if self.nodes[node].life == life => self.next_height(node),
            Event::Crash { node } if self.nodes[node].engine.is_some() && self.honest(node) => {
                self.nodes[node].dies_in = Some(self.rng.below(5));
            }
            Event::Split if self.now < self.plan.well_at => {
                self.sides = if self.rng.chance(40) { 0 } else { self.rng.next() };
                let after = self.rng.between(300, 1500);
                self.at(after, Event::Split);
            }
            Event::Sync { node } => {
                self.sync(node);
                let after = self.rng.between(800, 1600);
                self.at(after, Event::Sync { node });
            }
            Event::Forget => self.forget(),
            Event::Back { node, silent, up } => self.back(node, silent, up),
            Event::Leave { but } => {
                let node = self.follower(Some(but));
                self.leave(node);
            }
            _ => {}
        }
    }

    fn start(&mut self, node: usize) {
        let kind = self.plan.engine;
        let height = self.nodes[node].next_height();
        let epoch = self.epoch_at(height).clone();
        let n = &mut self.nodes[node];
        n.engine = Some(engine(kind, self.chain, &n.org, &n.key));
        n.epoch = epoch.number;
        let log: Vec<_> = n.kept.iter().chain(&n.log).cloned().collect();
        self.replayed += log.len() as u64;
        self.give(node, Input::StartHeight { height, epoch });
        for record in log {
            // Through the disk's form.
            let record = WalRecord::from_wire(&record.to_wire()).expect("a record");
            self.give(node, Input::Replay(record));
        }
        self.give_early(node);
    }

    fn next_height(&mut self, node: usize) {
        let height = self.nodes[node].next_height();
        let epoch = self.epoch_at(height).clone();
        if !self.nodes[node].engine.as_ref().is_some_and(|engine| engine.height() < height) {
            return;
        }
        if self.plan.engine == RAFT && self.nodes[node].epoch != epoch.number {
            // A Raft group does not outlive its epoch.
            return self.start(node);
        }
        self.give(node, Input::StartHeight { height, epoch });
        self.give_early(node);
    }

    /// What the chain does with messages: they reach the engine while it runs their height, and wait for it before.
    fn deliver(&mut self, to: usize, from: OrgId, bytes: Vec<u8>) {
        if self.plan.engine != RAFT {
            return self.give(to, Input::Message { from, bytes });
        }
        let n = &mut self.nodes[to];
        let (next, height) = (n.next_height(), message_height(&bytes).expect("a height"));
        let runs = n.engine.as_ref().is_some_and(|engine| engine.height() == next);
        if height == next && runs {
            self.give(to, Input::Message { from, bytes });
        } else if n.engine.is_some() && (next..=next + 2).contains(&height) && n.early.len() < 256 {
            n.early.push((from, bytes));
        }
    }

    fn give_early(&mut self, node: usize) {
        let n = &mut self.nodes[node];
        let next = n.next_height();
        n.early.retain(|(_, bytes)| message_height(bytes).is_some_and(|height| height >= next));
        let now: Vec<_> = n.early.extract_if(.., |(_, bytes)| message_height(bytes) == Some(next)).collect();
        for (from, bytes) in now {
            self.deliver(node, from, bytes);
        }
    }

    fn give(&mut self, node: usize, input: Input) {
        let Some(engine) = self.nodes[node].engine.as_mut() else { return };
        for output in engine.handle(input) {
            if self.nodes[node].dies_in == Some(0) {
                return self.die(node);
            }
            self.carry_out(node, output);
            self.nodes[node].dies_in = self.nodes[node].dies_in.map(|n| n - 1);
        }
    }

    fn die(&mut self, node: usize) {
        let n = &mut self.nodes[node];
        n.engine = None;
        n.dies_in = None;
        n.life += 1;
        n.timers.clear();
        n.early.clear();
        let life = n.life;
        let after = self.rng.between(50, 1500);
        self.at(after, Event::Start { node, life });
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        let life = self.nodes[node].life;
        match output {
            Output::Broadcast(bytes) => self.broadcast(node, &bytes),
            Output::Send { to, bytes } => self.send(node, &to, &bytes),
            Output::Persist(record) if record.height() == WalRecord::KEPT => self.nodes[node].kept.push(record),
            Output::Persist(record) => self.nodes[node].log.push(record),
            Output::Keep(records) => self.nodes[node].kept = records,
            Output::SetTimer { id, after_ms } => {
                let number = self.number;
                self.nodes[node].timers.insert(id, number);
                self.at(after_ms, Event::Timer { node, life, id, number });
            }
            Output::CancelTimer(id) => {
                self.nodes[node].timers.remove(&id);
            }
            Output::Build { height, round, deadline_ms } => {
                assert!(deadline_ms > 0);
                let salt = self.rng.below(1000);
                let (epoch, next) = (self.epoch_at(height), self.epoch_at(height + 1));
                let block = self.nodes[node].build(self.chain, epoch, next, salt);
                let after = self.rng.between(1, 20);
                self.at(after, Event::Answer { node, life, input: Input::Built { height, round, block } });
            }
            Output::Check { height, round, block } => {
                let valid = block.header.parent == self.nodes[node].parent(self.chain).0;
                let input = Input::Checked { height, round, block: block.header.digest(), valid };
                let after = self.rng.between(1, 20);
                self.at(after, Event::Answer { node, life, input });
            }
            Output::Decided { block, certificate } => self.decide(node, block, certificate),
            Output::Misbehaved { by, what } if self.honest(node) => {
                self.blamed.insert((by, what));
            }
            Output::Misbehaved { .. } => {}
        }
    }

    fn broadcast(&mut self, from: usize, bytes: &[u8]) {
        if self.honest(from) {
            self.oracle.watch(&self.nodes[from].org, bytes);
        }
        for to in 0..self.nodes.len() {
            if to != from {
                self.carry(from, to, bytes);
            }
        }
    }

    fn send(&mut self, from: usize, to: &OrgId, bytes: &[u8]) {
        if self.honest(from) {
            let n = &self.nodes[from];
            self.oracle.watch_one(&n.org, to, n.epoch, bytes);
        }
        for machine in 0..self.nodes.len() {
            if machine != from && self.nodes[machine].org == *to {
                self.carry(from, machine, bytes);
            }
        }
    }

    fn carry(&mut self, from: usize, to: usize, bytes: &[u8]) {
        for _ in 0..self.copies(from, to) {
            let after = self.rng.between(1, if self.now < self.plan.well_at { self.plan.delay } else { 20 });
            self.at(after, Event::Deliver { from, to, bytes: bytes.to_vec() });
        }
    }

    fn copies(&mut self, from: usize, to: usize) -> u64 {
        // Twins: each speaks mostly to its own half, and now and then to the other, which finds them out.
        let twin = self.plan.twin_of.is_some() && !self.honest(from);
        if twin && to % 2 != from % 2 && !self.rng.chance(40) {
            return 0;
        }
        if self.now >= self.plan.well_at {
            return 1;
        }
        let apart = (self.sides >> from) & 1 != (self.sides >> to) & 1;
        if apart || self.rng.chance(self.plan.loss) {
            return 0;
        }
        1 + u64::from(self.rng.chance(self.plan.repeat))
    }

    fn decide(&mut self, node: usize, block: Block, certificate: Certificate) {
        let (height, id) = (block.header.height, block.header.digest());
        assert_eq!(certificate.verify(&block.header, self.epoch_at(height)), Ok(()), "seed {}", self.plan.seed);
        if self.honest(node) {
            let agreed = *self.decided.entry(height).or_insert(id);
            assert_eq!(agreed, id, "seed {}: two blocks at height {height}", self.plan.seed);
        }
        // The engine may decide what has just been taken from another machine.
        if height == self.nodes[node].next_height() {
            self.adopt(node, block, certificate);
        }
    }

    fn adopt(&mut self, node: usize, block: Block, certificate: Certificate) {
        let n = &mut self.nodes[node];
        n.blocks.push((block, certificate));
        n.log.clear();
        let life = n.life;
        let after = self.rng.between(1, 100);
        self.at(after, Event::NextHeight { node, life });
    }

    /// What the chain does beside consensus: a machine that is behind takes all the certified blocks that another
    /// has; the chain takes them 128 at a time, one time after the other.
    fn sync(&mut self, node: usize) {
        let machines = self.nodes.len() as u64;
        let other = ((node as u64 + 1 + self.rng.below(machines.saturating_sub(1).max(1))) % machines) as usize;
        let apart = self.now < self.plan.well_at && (self.sides >> node) & 1 != (self.sides >> other) & 1;
        if self.nodes[node].engine.is_none() || !self.honest(other) || apart {
            return;
        }
        let height = self.nodes[node].next_height();
        let missed: Vec<_> = self.nodes[other].blocks.iter().skip(height as usize - 1).cloned().collect();
        for (block, certificate) in missed {
            assert_eq!(certificate.verify(&block.header, self.epoch_at(block.header.height)), Ok(()));
            self.adopt(node, block, certificate);
        }
    }
}
