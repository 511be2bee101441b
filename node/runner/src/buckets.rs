//! One node's part in an intersection that runs in buckets: its keys lie in storage, and one bucket's are in memory at a time.
//!
//! Keys are dealt out under the session's identifier, which nobody knew when the rows were read: so nobody could choose keys
//! that fill one bucket. The storage therefore serves one session, and is gone with it. The engine can go on with the buckets
//! that are missing; a run does not: a link that breaks ends it with a receipt, like any other run.

use base_types::fault::Fault;
use mpc_core::{Abort, Context};
use mpc_psi::{
    partitioned::{self, Plan, Spill, labelled},
    two,
};
use notary_terms::KeyPart;
use zeroize::Zeroizing;

use crate::{
    Answer, keys,
    matching::{Collected, Matching, malformed},
};

/// Storage of one run, in which each bucket has a run of bytes; dropping it removes them all.
pub trait Scratch: Send {
    /// Appends to the bytes of a bucket.
    ///
    /// # Errors
    /// Such as [`base_types::fault::Code::DiskFull`]; the fault does not tell where the storage lies.
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), Fault>;

    /// All bytes of a bucket as they were appended; none where nothing was.
    ///
    /// # Errors
    /// Such as [`base_types::fault::Code::StorageDamaged`].
    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, Fault>;
}

/// The engine's view of the storage. The engine takes texts for faults; the first fault itself is kept here.
struct Storage {
    scratch: Box<dyn Scratch>,
    fault: Option<Fault>,
}

impl Spill for Storage {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), String> {
        let appended = self.scratch.append(bucket, bytes);
        appended.map_err(|fault| noted(&mut self.fault, fault))
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, String> {
        let loaded = self.scratch.load(bucket);
        loaded.map_err(|fault| noted(&mut self.fault, fault))
    }
}

/// Keeps a fault that the engine is told as a text.
fn noted(kept: &mut Option<Fault>, fault: Fault) -> String {
    let why = fault.detail.clone();
    if kept.is_none() {
        *kept = Some(fault);
    }
    why
}

/// Adds what came of a bucket unless something before it could not be added. That ends nothing before the last bucket: the
/// other owner sees how far a run came, and which of its keys lie in the bucket where it ends.
fn held(kept: &mut Option<Fault>, add: impl FnOnce() -> Result<(), Fault>) {
    if kept.is_none() {
        *kept = add().err();
    }
}

/// The rows of one element as the engine names them.
fn places(rows: &[u64]) -> impl ExactSizeIterator<Item = usize> {
    rows.iter().map(|row| *row as usize)
}

/// A side whose keys lie in buckets.
pub(crate) struct Buckets<'a> {
    matching: Matching<'a>,
    plan: Plan,
    storage: Storage,
}

impl<'a> Buckets<'a> {
    /// Deals the side's keys out, `bucket_keys` of the larger bound to each bucket.
    pub(crate) fn fill(
        (matching, keys): (Matching<'a>, &[KeyPart]),
        (parameters, bucket_keys): (two::Parameters, u32),
        context: &Context,
        scratch: Box<dyn Scratch>,
    ) -> Result<Self, Fault> {
        let plan = Plan::new(context.session(), parameters, bucket_keys as usize);
        let plan = plan.ok_or_else(|| malformed("buckets that no plan has"))?;
        let mut storage = Storage { scratch, fault: None };
        let dealt = keys::deal(&matching.rows, keys, &matching.kept, &plan, &mut storage);
        if let Some(fault) = storage.fault.take() {
            return Err(fault);
        }
        dealt?;
        Ok(Self { matching, plan, storage })
    }

    /// Compares bucket by bucket, and puts together the rows that match. Rows that make no answer end the run behind the last.
    pub(crate) async fn receive(&mut self, context: &mut Context) -> Result<Answer, Fault> {
        let (matching, plan, storage) = (&self.matching, &self.plan, &mut self.storage);
        let (mut collected, mut broken) = (Collected::of(matching)?, None);
        let outcome = match matching.payload() {
            None => {
                let deliver = |_: usize, rows: Option<Vec<u64>>| {
                    let rows = rows.unwrap_or_default();
                    held(&mut broken, || collected.add_bare(places(&rows)));
                    Ok(())
                };
                partitioned::run(context, plan, &[], storage, deliver).await
            }
            Some(payload) => {
                let deliver = |rows: &[u64], told: Option<&[u8]>| {
                    held(&mut broken, || collected.add(places(rows), told));
                    Ok(())
                };
                labelled::receive(context, plan, payload, storage, deliver).await
            }
        };
        ended(matching, storage, outcome, broken)?;
        Ok(collected.answer())
    }

    /// Lets the receiver compare, and gives it what goes with the keys that it has.
    pub(crate) async fn send(&mut self, context: &mut Context) -> Result<(), Fault> {
        let (matching, plan, storage) = (&self.matching, &self.plan, &mut self.storage);
        let (mut broken, mut tried) = (None, Zeroizing::new(Vec::<u8>::new()));
        // All keys before the first leaves: the bucket that a run ends at would tell of the key that ended it.
        let seen = partitioned::visit(context, plan, storage, |rows| {
            tried.clear();
            matching.attach(places(rows), &mut tried).map_err(|fault| noted(&mut broken, fault))
        });
        let outcome = match (seen, matching.payload()) {
            (Err(abort), _) => Err(abort),
            (Ok(()), None) => partitioned::run(context, plan, &[], storage, |_, _| Ok(())).await,
            (Ok(()), Some(payload)) => {
                let label = |rows: &[u64], out: &mut Vec<u8>| {
                    matching.attach(places(rows), out).map_err(|fault| noted(&mut broken, fault))
                };
                labelled::send(context, plan, payload, storage, label).await
            }
        };
        ended(matching, storage, outcome, broken)
    }
}

/// How a run ended: by this side's own fault, where there is one.
fn ended(
    matching: &Matching<'_>,
    storage: &mut Storage,
    outcome: Result<(), Abort>,
    broken: Option<Fault>,
) -> Result<(), Fault> {
    match broken.or_else(|| storage.fault.take()) {
        Some(fault) => Err(fault),
        None => outcome.map_err(|abort| matching.fault(&abort)),
    }
}

#[cfg(test)]
mod tests {
    use base_types::fault::Code;

    use super::*;

    /// Storage that is full after so many bytes.
    struct Small(usize);

    impl Scratch for Small {
        fn append(&mut self, _: usize, bytes: &[u8]) -> Result<(), Fault> {
            let left = self.0.checked_sub(bytes.len());
            self.0 = left.ok_or_else(|| Fault::new(Code::DiskFull, "keep keys", "no room"))?;
            Ok(())
        }

        fn load(&mut self, _: usize) -> Result<Vec<u8>, Fault> {
            Err(Fault::new(Code::StorageDamaged, "keep keys", "torn"))
        }
    }

    #[test]
    fn the_first_fault_of_the_storage_is_the_one_that_is_told() {
        let mut storage = Storage { scratch: Box::new(Small(5)), fault: None };
        assert_eq!(storage.append(0, &[1; 5]), Ok(()));
        assert_eq!(storage.append(0, &[1]), Err("no room".to_owned()));
        assert_eq!(storage.load(0), Err("torn".to_owned()));
        assert_eq!(storage.fault.map(|fault| fault.code), Some(Code::DiskFull));
    }

    #[test]
    fn rows_that_make_no_answer_are_kept_for_the_end_and_nothing_is_added_behind_them() {
        let (mut kept, mut added) = (None, 0);
        for (number, code) in [(0, None), (1, Some(Code::QueryUnsupported)), (2, None), (3, Some(Code::Internal))] {
            held(&mut kept, || {
                added += 1;
                code.map_or(Ok(()), |code| Err(Fault::new(code, "match keys", format!("{number}"))))
            });
        }
        assert_eq!((added, kept.map(|fault| fault.code)), (2, Some(Code::QueryUnsupported)));
    }
}
