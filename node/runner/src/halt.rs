//! Whether a run has been called off, for every place at which it waits.

use std::sync::OnceLock;

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use tokio::sync::Notify;

use crate::Minutes;

/// One run's ear for its being called off.
#[derive(Default)]
pub struct Halt {
    by: OnceLock<OrgId>,
    told: Notify,
}

impl Halt {
    /// Ends the run at the next place where it waits; only the first to call it off is kept.
    pub fn call_off(&self, by: OrgId) {
        if self.by.set(by).is_ok() {
            self.told.notify_waiters();
        }
    }

    /// Who has called it off.
    pub(crate) fn by(&self) -> Option<&OrgId> {
        self.by.get()
    }

    /// Waits until it is called off, and says by whom.
    pub(crate) async fn called_off(&self) -> &OrgId {
        loop {
            let told = self.told.notified();
            if let Some(by) = self.by() {
                return by;
            }
            told.await;
        }
    }

    /// The fault of a run that has been called off, at the step where it was.
    pub(crate) fn fault(&self, step: &str) -> Option<Fault> {
        self.by().map(|by| fault(by, step))
    }

    /// Why an attempt ended. A peer that leaves may have heard before this node that the job is called off; by now the streams of
    /// this node are on the ledger, behind that entry.
    pub(crate) async fn reason(&self, fault: Fault, minutes: &dyn Minutes) -> Fault {
        if fault.code == Code::PeerGone
            && self.by().is_none()
            && let Some(by) = minutes.called_off().await
        {
            self.call_off(by);
        }
        self.fault(&fault.step).unwrap_or(fault)
    }

    /// Does `work` unless the run is called off before it is done.
    pub(crate) async fn unless<T>(&self, step: &str, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            by = self.called_off() => Err(fault(by, step)),
            done = work => done,
        }
    }
}

fn fault(by: &OrgId, step: &str) -> Fault {
    Fault::new(Code::Cancelled, step, format!("{by} called it off")).at(by)
}
