//! A proposal over which the planner takes long holds up neither the node nor what other organisations propose.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use base_types::{
    JobId, OrgId,
    fault::{Code, Fault},
};
use notary_desk::Deriver;
use notary_terms::{Catalogue, Plan, Request};

use crate::{
    office::{Office, sealed},
    rules::started,
    world::{World, org},
};

/// A planner that is not done with what one organisation asks before it is told to go on.
struct Slow {
    with: OrgId,
    go_on: Mutex<Receiver<()>>,
}

impl Deriver for Slow {
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
        if request.receiver == self.with {
            let told = self.go_on.lock().expect("lock").recv_timeout(Duration::from_secs(15));
            told.expect("another proposal is decided on meanwhile");
        }
        planner::plan(request, catalogue, nodes)
    }
}

#[tokio::test]
async fn a_plan_that_takes_long_to_derive_holds_up_neither_the_node_nor_others_proposals() {
    let world = World::furnished();
    let (tell, go_on) = channel();
    let planner = Arc::new(Slow { with: org("civil"), go_on: Mutex::new(go_on) });
    let office = Office::deriving(&world, "health", planner);
    let analyst = "civil/analyst".parse().expect("name");
    let asked = Request { analyst, receiver: org("civil"), ..world.request() };
    let plan = world.plan_at(world.height(), &asked);
    let slow = world.send(&plan, &sealed(&plan));
    let quick = world.propose(&world.plan());
    // The test, the desk and all that it spawns share one thread.
    assert_eq!(office.vote(&quick, "health").await, None);
    tell.send(()).expect("it waits");
    let reason = office.vote(&slow, "health").await.expect("rejected");
    assert!(reason.starts_with("HQ-3001"), "the rules grant nothing to this one: {reason}");
}

#[tokio::test]
async fn a_further_start_while_a_run_waits_for_its_plan_does_not_undo_the_first() {
    let world = World::furnished();
    let (tell, go_on) = channel();
    let planner = Arc::new(Slow { with: org("statistics"), go_on: Mutex::new(go_on) });
    let mut office = Office::deriving(&world, "health", planner);
    tokio::time::sleep(Duration::from_millis(10)).await;
    let jobs = [(); 2].map(|()| {
        let job = world.propose(&world.plan());
        for who in ["civil/owner", "health/owner", "statistics/owner"] {
            world.approve(who, job);
        }
        world.start(job);
        job
    });
    office.until(|book| book.job(&jobs[1])?.run_attempt()).await;
    started(&world, jobs[1], 2, true);
    office.until(|book| (book.job(&jobs[1])?.starts.len() == 2).then_some(())).await;
    jobs.iter().for_each(|_| tell.send(()).expect("it waits"));
    // What is not approved needs no plan, and so may be told of earlier.
    let orders = [office.order().await, office.order().await, office.order().await];
    let run = |job: &JobId| orders.iter().flatten().any(|order| (order.plan.digest(), order.attempt) == (*job, 1));
    assert!(jobs.iter().all(run), "the runs that were approved");
    let refused: Vec<_> = orders.iter().filter_map(|order| order.as_ref().err()).collect();
    assert_eq!(refused.len(), 1);
    let (job, attempt, fault) = refused[0];
    assert_eq!(
        (*job, *attempt, fault.code),
        (jobs[1], 2, Code::ApprovalMissing),
        "{fault}: the approvals were for one run"
    );
}
