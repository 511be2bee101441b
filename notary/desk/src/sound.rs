//! Whether a proposal is what it says it is: its public part, sender, times and catalogue against the sealed plan.

use base_types::{
    TimeMs,
    fault::{Code, Fault},
};
use notary_terms::{Plan, ProposalBody};

use crate::{Book, Job};

/// Longest time from a proposal's block to its last moment: 30 days.
pub const LONGEST_LIFE_MS: TimeMs = 30 * 24 * 3_600_000;

const STEP: &str = "check proposal";

/// Everything about a proposal that needs no derivation.
///
/// # Errors
/// [`Code::ProposalChanged`] where the public part or the catalogue is another than the plan's, [`Code::NotAllowed`] for
/// a sender who may not ask this, [`Code::BadRequest`] for a life that is too long.
pub(crate) fn check(book: &Book, job: &Job, plan: &Plan) -> Result<(), Fault> {
    same(job, plan)?;
    let (request, proposed) = (&plan.request, &job.proposed);
    if request.analyst != proposed.sender || request.analyst.org() != request.receiver {
        let why = format!("{} asked, {} sent it, {} receives", request.analyst, proposed.sender, request.receiver);
        return Err(Fault::new(Code::NotAllowed, STEP, why));
    }
    if request.expires <= proposed.time || request.expires - proposed.time > LONGEST_LIFE_MS {
        return Err(Fault::new(Code::BadRequest, STEP, "a proposal ends after its block and within 30 days"));
    }
    fresh(book, job, plan)
}

/// What everybody reads of the proposal is what the parties read in the sealed plan.
fn same(job: &Job, plan: &Plan) -> Result<(), Fault> {
    let ProposalBody { sealed_plan: _, analyst, receiver, nodes, purpose, datasets, tier } = &job.proposal;
    let checks = [
        ("analyst", *analyst == plan.request.analyst),
        ("receiver", *receiver == plan.request.receiver),
        ("purpose", *purpose == plan.request.purpose),
        ("nodes", *nodes == plan.nodes),
        ("data sets", datasets.iter().eq(plan.reads.iter().map(|read| &read.dataset))),
        ("tier", *tier == plan.tier),
        ("last moment", job.expires == plan.request.expires),
        ("approvers", job.approvers == plan.parties()),
    ];
    match checks.iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((what, _)) => changed(format!("the proposal's {what} and the sealed plan's differ")),
    }
}

/// The plan rests on registrations that are still the newest: nobody may pick an older, looser catalogue. Rules need no
/// such check, because the decision takes the newest.
fn fresh(book: &Book, job: &Job, plan: &Plan) -> Result<(), Fault> {
    if plan.catalogue_height >= job.proposed.height {
        return changed("the plan names a catalogue that was not there when it was proposed".into());
    }
    for read in &plan.reads {
        if !book.newest_since(&read.dataset, plan.catalogue_height) {
            let why = format!("{} was registered anew after height {}", read.dataset, plan.catalogue_height);
            return changed(why);
        }
    }
    Ok(())
}

fn changed(why: String) -> Result<(), Fault> {
    Err(Fault::new(Code::ProposalChanged, STEP, why))
}
