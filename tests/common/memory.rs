//! The runner's local part and the real engine over memory instead of links, for many runs in little time.

use base_types::OrgId;
use mpc_core::{Context, memory};
use mpc_relational::{GroupResult, OwnerRows, Rep3};
use notary_terms::{Plan, ReadRole};
use runner::{Answer, carrier_rows, placement, shape, side_rows};

use super::{
    job::{Start, run_of},
    sources::Sources,
};

/// What a node reads and puts in.
pub async fn inputs(sources: &Sources, plan: &Plan, start: Start, me: &OrgId) -> Vec<OwnerRows> {
    let mut inputs = Vec::new();
    for (place, step) in run_of(plan, start, me).reads {
        let read = step.value().clone();
        let table = sources.connector(&read.dataset).expect("registered").read(step).await;
        let table = table.unwrap_or_else(|fault| panic!("{fault}"));
        inputs.push(match &read.role {
            ReadRole::Carrier { groups } => {
                OwnerRows::Carrier(carrier_rows(plan, &read, groups, &table).expect("in range"))
            }
            ReadRole::Side { .. } => OwnerRows::Side(place - 1, side_rows(plan, &read, &table).expect("in range")),
            _ => panic!("no star join"),
        });
    }
    inputs
}

async fn party(mut context: Context, plan: &Plan, mine: Vec<OwnerRows>) -> Option<Vec<GroupResult>> {
    let (shape, place) = (shape(plan).expect("a shape"), placement(plan).expect("a placement"));
    mpc_relational::run::<Rep3>(&mut context, &shape, &place, mine, &mut |_| ()).await.expect("no abort")
}

/// The receiver's answer.
pub async fn answer(sources: &Sources, plan: &Plan) -> Answer {
    let mut parties = Vec::new();
    for (context, me) in memory::contexts(memory::network(3), [9; 32]).into_iter().zip(&plan.nodes) {
        parties.push((context, inputs(sources, plan, Start::first(), me).await));
    }
    let mut parties = parties.into_iter().map(|(context, mine)| party(context, plan, mine));
    let mut next = || parties.next().expect("three parties");
    let ended = tokio::join!(next(), next(), next());
    let mut answers = [ended.0, ended.1, ended.2].into_iter().flatten();
    let groups = answers.next().expect("somebody receives");
    assert!(answers.next().is_none(), "one party receives the answer");
    Answer::from_groups(plan, &groups).expect("an answer")
}
