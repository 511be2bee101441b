//! One node's part in a star join: its rows as the engine takes them, the engine's run, and the answer from its groups.

use base_types::{
    OrgId,
    column::Table,
    fault::{Code, Fault},
};
use mpc_core::Context;
use mpc_relational::{Checked, OwnerRows, Rep3, run};
use notary_terms::{Plan, ReadRole, Tier};
use tokio::sync::mpsc;

use crate::{Answer, apart::apart, carrier_rows, connections::Stepping, placement, run::abort_fault, shape, side_rows};

/// A read's rows, prepared by their owner.
pub(crate) fn rows(plan: &Plan, place: usize, table: &Table) -> Result<OwnerRows, Fault> {
    let malformed = |what: &str| Fault::new(Code::Internal, "prepare rows", format!("the plan is malformed: {what}"));
    let read = plan.reads.get(place).ok_or_else(|| malformed("no such read"))?;
    match &read.role {
        ReadRole::Carrier { groups } => Ok(OwnerRows::Carrier(carrier_rows(plan, read, groups, table)?)),
        ReadRole::Side { .. } if place > 0 => Ok(OwnerRows::Side(place - 1, side_rows(plan, read, table)?)),
        _ => Err(malformed("a read without a part in it")),
    }
}

/// Runs the part; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    context: Context,
    rows: Vec<OwnerRows>,
    me: &OrgId,
    stepping: &Stepping<'_>,
) -> Result<Option<Answer>, Fault> {
    let (plan, me, wires) = (plan.clone(), me.clone(), stepping.wires());
    let (tell, mut told) = mpsc::unbounded_channel();
    // The links hear of a step on the engine's thread, before its first frame; who watches may hear a moment later.
    let progress = move |step: &'static str| {
        wires.step(step);
        // A run that nobody watches any more ends by itself.
        let _ = tell.send(step);
    };
    let part = apart("join", move || async move { joined(&plan, context, rows, &me, progress).await });
    let shown = async {
        while let Some(step) = told.recv().await {
            stepping.minutes.progress(step);
        }
    };
    let (answer, ()) = tokio::join!(part, shown);
    answer
}

/// Runs the engine on the shares of the plan's tier.
async fn joined(
    plan: &Plan,
    mut context: Context,
    rows: Vec<OwnerRows>,
    me: &OrgId,
    mut progress: impl FnMut(&'static str) + Send,
) -> Result<Option<Answer>, Fault> {
    let (shape, place) = (shape(plan)?, placement(plan)?);
    let groups = match plan.tier {
        Tier::B => run::<Rep3>(&mut context, &shape, &place, rows, &mut progress).await,
        Tier::BPlus => run::<Checked>(&mut context, &shape, &place, rows, &mut progress).await,
        Tier::A | Tier::C | Tier::D => {
            return Err(Fault::new(Code::Internal, "join", "the plan is malformed: a tier without three shares"));
        }
    };
    let groups = groups.map_err(|abort| abort_fault(plan, me, &abort))?;
    groups.map(|groups| Answer::from_groups(plan, &groups).map_err(|fault| garbled(plan, me, fault))).transpose()
}

/// Blames the owner of the groups for their false names; an owner that receives them itself cannot know which of the
/// two others altered its shares.
fn garbled(plan: &Plan, me: &OrgId, mut fault: Fault) -> Fault {
    match plan.reads.first().map(|read| &read.owner) {
        Some(owner) if owner != me => fault.at(owner),
        _ => {
            let others: Vec<&str> = plan.nodes.iter().filter(|node| *node != me).map(OrgId::as_str).collect();
            fault.detail += &format!("; {} altered its shares", others.join(" or "));
            fault
        }
    }
}
