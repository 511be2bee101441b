//! What passed between this node and the others while a step was under way, counted over all jobs since the start.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use base_types::OrgId;

/// Where bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

/// What one counter counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// The step of the run, such as `join`, or the phase of its engine, such as `evaluate keys`.
    pub step: String,
    /// The node at the other end.
    pub peer: OrgId,
    /// Which way.
    pub direction: Direction,
}

/// Frames and their bytes.
#[derive(Debug, Default)]
pub struct Count {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    pub(crate) fn add(&self, bytes: usize) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Bytes of these frames.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// All counters. Steps and phases have fixed names, so there are few.
#[derive(Default)]
pub struct Flows(Mutex<BTreeMap<Flow, Arc<Count>>>);

impl Flows {
    /// The counter of a step, peer and direction.
    pub(crate) fn count(&self, step: &str, peer: &OrgId, direction: Direction) -> Arc<Count> {
        let flow = Flow { step: step.to_owned(), peer: peer.clone(), direction };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(flow).or_default().clone()
    }

    /// Every counter that has counted something.
    pub fn all(&self) -> Vec<(Flow, Arc<Count>)> {
        let flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = flows.iter().filter(|(_, count)| count.frames() > 0);
        counted.map(|(flow, count)| (flow.clone(), count.clone())).collect()
    }
}
