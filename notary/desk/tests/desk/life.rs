//! From approval to order: one start, one order a node, nothing twice, nothing after a restart, nothing too late.

use base_rt::Clock;
use base_types::{Digest, JobId, fault::Code};
use base_wire::Encode;
use ledger_vm::notary::EntryKind as K;
use notary_desk::JobStatus;
use notary_terms::{Outcome, ReadBody, ReceiptBody, StartBody};

use crate::{
    office::{NODES, Office, dataset},
    world::{START, World, org, plain},
};

const OWNERS: [&str; 3] = ["civil/owner", "health/owner", "statistics/owner"];

fn approved(world: &World) -> JobId {
    let job = world.propose(&world.plan());
    for who in OWNERS {
        world.approve(who, job);
    }
    job
}

fn read(world: &World, job: JobId) {
    let body = ReadBody { dataset: dataset("health/health"), commitment: Digest([5; 32]) };
    world.write("health/node", &plain(job, K::Read, 1, body.to_wire())).expect("read");
}

/// Lets the desks read what there is.
async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
}

#[tokio::test]
async fn the_receiver_s_node_starts_once_and_every_node_gets_one_order() {
    let world = World::furnished();
    let mut offices = NODES.map(|name| Office::open(&world, name));
    let plan = world.plan();
    let job = world.propose(&plan);
    let mut starts = Vec::new();
    for (office, own) in offices.iter_mut().zip([2, 1, 0]) {
        let order = office.order().await.map_err(|(_, _, fault)| fault).expect("an order");
        assert_eq!((order.plan, order.attempt, order.approvals.len()), (plan.clone(), 1, 3));
        assert!(order.approvals.is_sorted());
        let reads: Vec<_> = order.reads.iter().map(|(place, read)| (*place, read.job(), read.attempt())).collect();
        assert_eq!(reads, [(own, job, 1)], "each node reads its own data set");
        starts.push(order.start);
    }
    for office in &mut offices {
        office.idle(&world).await;
    }
    let told = world.job(&job);
    assert_eq!(world.count(&job, K::Started), 1);
    assert_eq!(told.starts[0].1.sender.as_str(), "statistics/node");
    assert!(starts.iter().all(|start| *start == told.starts[0].1.transaction) && told.unfounded.is_empty());
}

#[tokio::test]
async fn a_restart_in_a_run_leaves_an_aborted_receipt_and_never_resumes() {
    let world = World::furnished();
    let mut office = Office::open(&world, "health");
    settle().await;
    let job = approved(&world);
    world.start(job);
    assert!(office.order().await.is_ok());
    read(&world, job);
    drop(office);

    let mut office = Office::open(&world, "health");
    world.tick();
    let (cut, attempt, fault) = office.order().await.err().expect("not resumed");
    assert_eq!((cut, attempt, fault.code), (job, 1, Code::PeerGone), "{fault}");
    office.idle(&world).await;
    let outcome = Outcome::aborted(fault.code, fault.party.clone(), &fault.step);
    let receipt = ReceiptBody { outcome, transcript: Digest([8; 32]), millis: 0, resumed: 0 };
    office.desk.append(job, K::Receipt, attempt, receipt.to_wire()).await.expect("told");
    assert_eq!(world.job(&job).status(START), JobStatus::Aborted);
    drop(office);

    let mut office = Office::open(&world, "health");
    office.idle(&world).await;
    assert_eq!((world.count(&job, K::Started), world.count(&job, K::Receipt)), (1, 1));
}

#[tokio::test]
async fn a_run_begun_in_an_earlier_life_is_known_by_its_entries() {
    let world = World::furnished();
    let job = approved(&world);
    // The ledger comes back after the desk does, so the start looks new; the node's own read tells otherwise.
    let mut office = Office::troubled(&world, "health", 0, (0, 0));
    settle().await;
    world.start(job);
    read(&world, job);
    office.pen.sees(u64::MAX);
    world.tick();
    let (_, _, fault) = office.order().await.err().expect("not resumed");
    assert_eq!(fault.code, Code::PeerGone);
}

/// The node's last word stands in a block that it has not seen: it was killed before that came, or its ledger is from a backup.
#[tokio::test]
async fn a_run_that_ended_as_planned_is_not_told_as_broken_off_by_a_node_that_comes_back() {
    for started in [false, true] {
        let world = World::furnished();
        let job = approved(&world);
        let before = world.log().len() as u64;
        world.start(job);
        read(&world, job);
        let receipt = ReceiptBody { outcome: Outcome::Done, transcript: Digest([8; 32]), millis: 5, resumed: 0 };
        world.write("health/node", &plain(job, K::Receipt, 1, receipt.to_wire())).expect("told");
        let mut office = Office::troubled(&world, "health", before + u64::from(started), (0, 0));
        settle().await;
        // First the start comes alone, then the read, then what the node said at last.
        for place in before + 1..before + 4 {
            office.pen.sees(place);
            world.tick();
            office.until(|book| (book.cursor >= place).then_some(())).await;
            settle().await;
        }
        office.pen.sees(u64::MAX);
        office.idle(&world).await;
    }
}

/// The clock was set back between the two lives by more than the time between them.
#[tokio::test]
async fn a_ledger_from_a_backup_begins_no_run_again_whatever_the_clock_says() {
    let world = World::furnished();
    let job = approved(&world);
    let before = world.log().len() as u64;
    world.start(job);
    read(&world, job);
    world.clock.set(world.job(&job).starts[0].1.time - 60_000);
    let mut office = Office::troubled(&world, "health", before, (0, 0));
    // How far the others are is not known yet, then it is.
    *office.pen.forgotten.lock().expect("lock") = u64::MAX;
    settle().await;
    office.pen.sees(before + 1);
    world.tick();
    office.until(|book| (book.cursor > before).then_some(())).await;
    *office.pen.forgotten.lock().expect("lock") = world.height() + 2;
    office.pen.sees(u64::MAX);
    world.tick();
    let (cut, attempt, fault) = office.order().await.err().expect("not begun again");
    assert_eq!((cut, attempt, fault.code, fault.step.as_str()), (job, 1, Code::PeerGone, "restart"), "{fault}");
}

#[tokio::test]
async fn a_clock_that_was_ahead_at_the_start_delays_nothing_once_it_is_set_right() {
    let world = World::furnished();
    let job = approved(&world);
    world.start(job);
    let now = world.clock.now_ms();
    world.clock.set(now + 3_600_000);
    let mut office = Office::open(&world, "health");
    settle().await;
    world.clock.set(now);
    world.tick();
    settle().await;
    world.tick();
    let (cut, attempt, fault) = office.order().await.err().expect("not resumed");
    assert_eq!((cut, attempt, fault.code), (job, 1, Code::PeerGone), "{fault}");
    let next = approved(&world);
    world.start(next);
    let order = office.order().await.map_err(|(_, _, fault)| fault).expect("a run of this process");
    assert_eq!((order.plan.digest(), order.attempt), (next, 1));
}

/// The backup ends before the start or behind it; either way what this node told of the run is with the others only, and comes last.
#[tokio::test]
async fn a_ledger_from_a_backup_begins_no_run_again_and_new_ones_only() {
    for started in [false, true] {
        let world = World::furnished();
        let job = approved(&world);
        let before = world.log().len() as u64;
        world.start(job);
        read(&world, job);
        let kept = before + u64::from(started);
        let mut office = Office::troubled(&world, "health", kept, (0, 0));
        settle().await;
        office.pen.sees(before + 1);
        world.tick();
        office.until(|book| (book.cursor > before).then_some(())).await;
        office.pen.sees(u64::MAX);
        world.tick();
        let (cut, attempt, fault) = office.order().await.err().expect("not begun again");
        assert_eq!((cut, attempt, fault.code, fault.step.as_str()), (job, 1, Code::PeerGone, "restart"), "{fault}");
        office.idle(&world).await;
        let next = approved(&world);
        world.start(next);
        let order = office.order().await.map_err(|(_, _, fault)| fault).expect("a run of this process");
        assert_eq!((order.plan.digest(), order.attempt), (next, 1));
        assert_eq!(world.count(&job, K::Read), 1);
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_at_first_does_not_make_old_runs_new() {
    let world = World::furnished();
    let job = approved(&world);
    world.start(job);
    let mut office = Office::troubled(&world, "health", u64::MAX, (1, 0));
    settle().await;
    world.tick();
    let (_, _, fault) = office.order().await.err().expect("not begun");
    assert_eq!(fault.code, Code::PeerGone);
}

#[tokio::test]
async fn a_vote_that_did_not_reach_the_ledger_is_cast_again() {
    let world = World::furnished();
    let office = Office::troubled(&world, "health", u64::MAX, (0, 1));
    let job = world.propose(&world.plan());
    while office.pen.failing.lock().expect("lock").1 > 0 {
        settle().await;
    }
    assert_eq!(world.count(&job, K::Approved), 0);
    world.tick();
    assert_eq!(office.vote(&job, "health").await, None);
    assert_eq!(world.count(&job, K::Approved), 1);
}

#[tokio::test]
async fn an_expired_proposal_is_neither_approved_nor_started() {
    let world = World::furnished();
    let (waiting, ready) = (world.propose(&world.plan()), approved(&world));
    world.clock.set(START + 3_600_001);
    let mut offices = NODES.map(|name| Office::open(&world, name));
    for office in &mut offices {
        office.idle(&world).await;
    }
    for job in [waiting, ready] {
        assert_eq!(world.job(&job).status(START + 3_600_001), JobStatus::Expired);
        assert_eq!(world.count(&job, K::Started), 0);
    }
    assert_eq!(world.job(&waiting).votes, []);
}

#[tokio::test]
async fn a_rejected_or_cancelled_proposal_is_left_alone() {
    let world = World::furnished();
    let jobs = [approved(&world), world.propose(&world.plan())];
    let reason = notary_terms::CancelBody { reason: "enough".into() }.to_wire();
    world.write("statistics/analyst", &plain(jobs[0], K::Cancelled, 0, reason)).expect("called off");
    let reason = notary_terms::RejectBody { reason: "no".into() }.to_wire();
    world.write("civil/owner", &plain(jobs[1], K::Rejected, 0, reason)).expect("rejected");
    let mut offices = NODES.map(|name| Office::open(&world, name));
    for office in &mut offices {
        office.idle(&world).await;
    }
    assert!(jobs.iter().all(|job| world.count(job, K::Started) == 0));
    assert_eq!(world.job(&jobs[1]).votes.len(), 1);
}

#[tokio::test]
async fn a_start_that_does_not_rest_on_the_approvals_is_not_run() {
    let world = World::furnished();
    let mut office = Office::open(&world, "health");
    settle().await;
    let job = approved(&world);
    let body = StartBody { approvals: vec![Digest([1; 32]); 3] };
    world.write("civil/node", &plain(job, K::Started, 1, body.to_wire())).expect("the contract does not read bodies");
    let (_, _, fault) = office.order().await.err().expect("no order");
    assert_eq!((fault.code, fault.party), (Code::PeerMisbehaved, Some(org("civil"))));
}
