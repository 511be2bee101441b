//! Labelled intersection in buckets: what goes with an element is made from its rows, for one bucket at a time.
//!
//! Each bucket is a run of [`crate::labelled`], so only the receiver's memory for one bucket and the sender's for the
//! payloads of one bucket are taken: `payload` and some 250 bytes an element. The receiver alone learns the intersection,
//! and opens what comes with its matches behind the last bucket: between two of them, the moment of its next message would
//! tell the sender how many elements match. A caller that keeps them until then takes `payload` and some 150 bytes a match.
//! A run that is cut off goes on as one without labels does; the sender attaches in every attempt what it attached before.

use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::{Plan, Spill, checkpoint, load, pad, rows_of};
use crate::labelled;
use crate::line::encode_numbers;
use crate::records::Held;
use crate::two::{self, Outputs};

/// A match, whose payload is still sealed.
pub struct Sealed {
    rows: Vec<u64>,
    held: Held,
    payload: usize,
}

impl Sealed {
    /// The rows of this party that have the element, ascending.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// What the sender attached; `None` where its seal is wrong. To be called when the run is over.
    pub fn open(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.held.open(self.payload)
    }
}

/// Forks the session of a whole run.
fn open(ctx: &mut Context, plan: &Plan, payload: usize) -> Result<Context, Abort> {
    if plan.two.outputs != Outputs::Receiver {
        return Err(ctx.name(Abort::local("only the receiver learns an intersection with labels in buckets")));
    }
    if !(1..=labelled::MAX_PAYLOAD).contains(&payload) {
        return Err(ctx.name(Abort::local("payloads of a length that does not exist")));
    }
    Ok(ctx.fork_bound("labelled partitioned psi", &[plan.encode(), encode_numbers(&[payload])].concat()))
}

/// The sender's part over what it has spilled with a [`super::Writer`]: `label` appends the `payload` bytes that go with
/// the element that some rows of this party have. Its error ends the run and is told to this party alone. `finished` is how
/// many buckets, from the first, were finished in earlier attempts; `done` gets the number of each that is from now on.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, when the storage or `label` fails, or the rows do not fit the plan.
pub async fn send<S, L, D>(
    ctx: &mut Context,
    plan: &Plan,
    finished: usize,
    payload: usize,
    spill: &mut S,
    mut label: L,
    mut done: D,
) -> Result<(), Abort>
where
    S: Spill,
    L: FnMut(&[u64], &mut Vec<u8>) -> Result<(), String> + Send,
    D: FnMut(usize) + Send,
{
    let mut fork = open(ctx, plan, payload)?;
    let parameters = labelled::Parameters { two: plan.bucket(), payload };
    for bucket in checkpoint::remaining(&mut fork, plan, finished).await? {
        let (elements, rows) = load(&fork, plan, spill, bucket)?;
        let mut part = fork.fork_bound("bucket", &encode_numbers(&[bucket]));
        let padded = pad(&part, plan, elements.blocks())?;
        let mut payloads = Zeroizing::new(Vec::<u8>::with_capacity(padded.len() * payload));
        for element in 0..elements.blocks().len() {
            let told = label(&rows_of(element, &elements, &rows), &mut payloads);
            told.map_err(|why| part.name(Abort::local(why)))?;
            if payloads.len() != (element + 1) * payload {
                return Err(part.name(Abort::local("a label of another length than agreed")));
            }
        }
        payloads.resize(padded.len() * payload, 0);
        labelled::send(&mut part, &parameters, &padded, &payloads).await?;
        let settled = || {
            done(bucket);
            Ok(())
        };
        checkpoint::delivered(&mut part, plan, settled).await?;
    }
    Ok(())
}

/// The receiver's part: after each bucket `deliver` gets its number and its matches, in no order, in place of those that an
/// earlier attempt gave for it. It only keeps them: all work on a match waits until the run is over. `finished` is how many
/// buckets, from the first, were delivered in earlier attempts.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, when the storage fails, or the rows do not fit the plan.
pub async fn receive<S, D>(
    ctx: &mut Context,
    plan: &Plan,
    finished: usize,
    payload: usize,
    spill: &mut S,
    mut deliver: D,
) -> Result<(), Abort>
where
    S: Spill,
    D: FnMut(usize, Vec<Sealed>) + Send,
{
    if ctx.me() != plan.two.receiver {
        return Err(ctx.name(Abort::local("this party is not the receiver")));
    }
    let mut fork = open(ctx, plan, payload)?;
    for bucket in checkpoint::remaining(&mut fork, plan, finished).await? {
        let (elements, rows) = load(&fork, plan, spill, bucket)?;
        let mut part = fork.fork_bound("bucket", &encode_numbers(&[bucket]));
        let padded = pad(&part, plan, elements.blocks())?;
        let found = two::take_sealed(&mut part, &plan.bucket(), &padded, payload).await?;
        let seal = |held: Held| Sealed { rows: rows_of(held.own as usize, &elements, &rows), held, payload };
        let found: Vec<Sealed> = found.into_iter().map(seal).collect();
        let keep = || {
            deliver(bucket, found);
            Ok(())
        };
        checkpoint::delivered(&mut part, plan, keep).await?;
    }
    Ok(())
}
