//! One node's part in an intersection that runs in buckets: its keys lie in storage, and one bucket's are in memory at a time.
//!
//! Keys are dealt out under the first session's identifier, which nobody knew when the rows were read: so nobody could choose
//! keys that fill one bucket. The storage therefore serves one run, and is gone with it. A link that breaks while buckets are
//! compared is opened again, and the run goes on with those that are missing, each under a fresh session; one that breaks while
//! keys are dealt out ends it.

use base_types::fault::Fault;
use mpc_core::{Abort, Context};
use mpc_psi::{
    partitioned::{
        self, Plan, Spill,
        labelled::{self, Sealed},
    },
    two,
};
use notary_terms::{KeyPart, Label};
use zeroize::Zeroizing;

mod held;
#[cfg(test)]
mod tests;

use crate::{
    Answer,
    beats::{self, Beating, Over},
    intersect::Side,
    keys,
    matching::{Matching, malformed},
};
use held::Held;

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
    /// Why the work before the first message is for nothing.
    over: Over,
}

impl Storage {
    fn go_on(&self) -> Result<(), String> {
        self.over.why().map_or(Ok(()), |abort| Err(abort.why.clone()))
    }
}

impl Spill for Storage {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), String> {
        self.go_on()?;
        let appended = self.scratch.append(bucket, bytes);
        appended.map_err(|fault| noted(&mut self.fault, fault))
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, String> {
        self.go_on()?;
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

/// The rows of one element as the engine names them.
fn places(rows: &[u64]) -> impl ExactSizeIterator<Item = usize> {
    rows.iter().map(|row| *row as usize)
}

/// A side whose keys lie in buckets.
pub(crate) struct Buckets<'a> {
    matching: Matching<'a>,
    plan: Plan,
    storage: Storage,
    /// How many buckets are compared, from the first.
    finished: usize,
    /// What matches in them, at the receiver.
    held: Held,
}

impl<'a> Buckets<'a> {
    /// Deals the side's keys out, `bucket_keys` of the larger bound to each bucket, and waits until the other side has dealt out
    /// its own. That may take minutes, in which each hears from the other that it goes on.
    pub(crate) async fn fill(
        (job, label, side): (&'a notary_terms::Plan, &'a Label, &'a Side),
        (parameters, bucket_keys): (two::Parameters, u32),
        context: &mut Context,
        scratch: Box<dyn Scratch>,
    ) -> Result<Self, Fault> {
        let plan = Plan::new(context.session(), parameters, bucket_keys as usize);
        let plan = plan.ok_or_else(|| malformed("buckets that no plan has"))?;
        let (two::Parameters { sender, receiver, .. }, me) = (parameters, context.me());
        let peer = if me == sender { receiver } else { sender };
        let mut fork = context.fork("buckets");
        fork.enter("deal out keys");
        let beating = Beating::start(fork, peer, 0);
        let storage = Storage { scratch, fault: None, over: beating.over() };
        let (matching, keys) = Matching::of(job, label, side)?;
        let mut buckets = Self { matching, plan, storage, finished: 0, held: Held::new() };
        buckets.deal(keys)?;
        buckets.look(context, me == sender)?;
        let met = async {
            let mut fork = beating.end().await?;
            beats::tell(&mut fork, peer, &[]).await?;
            beats::hear(&mut fork, peer, 0).await
        };
        met.await.map_err(|abort| buckets.matching.fault(&abort))?;
        Ok(buckets)
    }

    /// Deals the keys out.
    fn deal(&mut self, keys: &[KeyPart]) -> Result<(), Fault> {
        let Self { matching, plan, storage, .. } = self;
        let dealt = keys::deal(&matching.rows, keys, &matching.kept, plan, storage);
        dealt.map_err(|fault| self.cause().unwrap_or(fault))
    }

    /// Reads all keys before the first leaves: the bucket that a run ends at would tell of the key that ended it. A sender tries
    /// what goes with each; a receiver looks only where its rows leave it open whether its keys are as few as the plan says.
    fn look(&mut self, context: &Context, sends: bool) -> Result<(), Fault> {
        let bound = self.matching.rows.read.rows_bound as usize;
        let many = self.matching.kept.len() > bound;
        if !sends && !many {
            return Ok(());
        }
        let Self { matching, plan, storage, .. } = self;
        let (mut found, mut broken, mut tried) = (0, None, Zeroizing::new(Vec::<u8>::new()));
        let seen = partitioned::visit(context, plan, storage, |rows| {
            found += 1;
            if !sends {
                return Ok(());
            }
            tried.clear();
            matching.attach(places(rows), &mut tried).map_err(|fault| noted(&mut broken, fault))
        });
        let cause = broken.or_else(|| self.cause());
        match (cause, seen) {
            (Some(fault), _) => Err(fault),
            // Of so many rows a bucket may have more keys than one of the plan's.
            (None, seen) if many && (seen.is_err() || found > bound) => Err(self.matching.too_many_keys()),
            (None, seen) => seen.map_err(|abort| self.matching.fault(&abort)),
        }
    }

    /// What ended work of this side's own: the storage, or that it is for nothing.
    fn cause(&mut self) -> Option<Fault> {
        let over = self.storage.over.why().map(|abort| self.matching.fault(abort));
        self.storage.fault.take().or(over)
    }

    /// Compares the buckets that are missing, and keeps what matches.
    pub(crate) async fn receive(&mut self, context: &mut Context) -> Result<(), Fault> {
        let Self { matching, plan, storage, finished, held } = self;
        let from = *finished;
        let outcome = match matching.payload() {
            None => {
                let deliver = |bucket: usize, rows: Option<Vec<u64>>| {
                    held.add_bare(bucket, rows.unwrap_or_default());
                    *finished = bucket + 1;
                    Ok(())
                };
                partitioned::run(context, plan, from, storage, deliver).await
            }
            Some(payload) => {
                let deliver = |bucket: usize, found: Vec<Sealed>| {
                    held.add(bucket, found);
                    *finished = bucket + 1;
                };
                labelled::receive(context, plan, from, payload, storage, deliver).await
            }
        };
        ended(matching, storage, outcome, None)
    }

    /// Puts together the rows that match. To be called when all buckets are compared.
    pub(crate) fn answer(self) -> Result<Answer, Fault> {
        self.held.answer(&self.matching)
    }

    /// Lets the receiver compare the buckets that are missing, and gives it what goes with the keys that it has.
    pub(crate) async fn send(&mut self, context: &mut Context) -> Result<(), Fault> {
        let Self { matching, plan, storage, finished, held: _ } = self;
        let (from, mut broken) = (*finished, None);
        let outcome = match matching.payload() {
            None => {
                let deliver = |bucket: usize, _: Option<Vec<u64>>| {
                    *finished = bucket + 1;
                    Ok(())
                };
                partitioned::run(context, plan, from, storage, deliver).await
            }
            Some(payload) => {
                let label = |rows: &[u64], out: &mut Vec<u8>| {
                    matching.attach(places(rows), out).map_err(|fault| noted(&mut broken, fault))
                };
                let done = |bucket: usize| *finished = bucket + 1;
                labelled::send(context, plan, from, payload, storage, label, done).await
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
