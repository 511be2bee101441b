//! The book is a fold over the ledger: the same for everybody, and deaf to what is unreadable or not one's to say.

use base_types::Digest;
use base_wire::Encode;
use ledger_vm::notary::EntryKind as K;
use notary_desk::{Book, JobStatus};
use notary_terms::{DeliveredBody, Outcome, ReadBody, ReceiptBody, RevokeBody, RuleSet, Stream, TransferBody};

use crate::{
    office::{NODES, Office, about, dataset, health, rules, source},
    world::{START, World, fold, org, plain},
};

fn approved(world: &World) -> Digest {
    let job = world.propose(&world.plan());
    for who in ["civil/owner", "health/owner", "statistics/owner"] {
        world.approve(who, job);
    }
    job
}

fn receipt(outcome: Outcome) -> Vec<u8> {
    ReceiptBody { outcome, transcript: Digest([4; 32]), millis: 5, resumed: 0 }.to_wire()
}

fn stream(from: &str, to: &str) -> Vec<u8> {
    let stream = Stream { from: org(from), to: org(to), frames: 1, bytes: 9, digest: Digest([6; 32]) };
    TransferBody { streams: vec![stream], later: vec![] }.to_wire()
}

fn told(book: &Book) -> String {
    format!("{book:?}")
}

#[tokio::test]
async fn the_same_entries_make_the_same_book() {
    let world = World::furnished();
    let early = Office::open(&world, "health");
    let job = approved(&world);
    world.start(job);
    world.write("health/node", &plain(job, K::Receipt, 1, receipt(Outcome::Done))).expect("told");
    let late = Office::open(&world, "audit");
    let log = world.log();
    for office in [&early, &late] {
        office.until(|book| (book.cursor >= log.len() as u64).then_some(())).await;
    }
    let end = world.log();
    early.until(|book| (book.cursor >= end.len() as u64).then_some(())).await;
    let prefix = |office: &Office| office.desk.book(|book| book.cursor as usize).expect("book");
    for office in [&early, &late] {
        assert_eq!(office.desk.book(told), Ok(told(&fold(&end[..prefix(office)]))));
    }
    assert_eq!(world.job(&job).status(START), JobStatus::Running);
}

#[test]
fn a_job_s_status_follows_its_entries() {
    let world = World::furnished();
    let status = |job| world.job(job).status(START);
    let job = approved(&world);
    assert_eq!((status(&job), world.job(&job).status(u64::MAX)), (JobStatus::Running, JobStatus::Expired));
    world.start(job);
    for (left, node) in NODES.iter().enumerate() {
        assert_eq!(status(&job), JobStatus::Running, "after {left} receipts");
        let who = format!("{node}/node");
        world.write(&who, &plain(job, K::Receipt, 1, receipt(Outcome::Done))).expect("told");
    }
    assert_eq!(status(&job), JobStatus::Done);
    assert_eq!(world.job(&job).status(u64::MAX), JobStatus::Done, "what has ended does not expire");
    let lost = Outcome::Aborted { code: "HQ-4002".into(), blamed: Some(org("civil")), step: "join".into() };
    world.write("health/node", &plain(job, K::Receipt, 1, receipt(lost))).expect("told");
    assert_eq!(status(&job), JobStatus::Aborted, "one abort outweighs");

    let done = approved(&world);
    world.start(done);
    for node in NODES {
        world.write(&format!("{node}/node"), &plain(done, K::Receipt, 1, receipt(Outcome::Done))).expect("told");
    }
    let late = notary_terms::CancelBody { reason: "too late".into() }.to_wire();
    world.write("civil/owner", &plain(done, K::Cancelled, 0, late)).expect("the ledger takes it");
    assert_eq!(status(&done), JobStatus::Done, "what has ended is not called off any more");

    let running = approved(&world);
    world.start(running);
    let why = notary_terms::CancelBody { reason: "it reads too much".into() }.to_wire();
    world.write("civil/owner", &plain(running, K::Cancelled, 0, why)).expect("called off");
    let off = Outcome::Aborted { code: "HQ-3006".into(), blamed: Some(org("civil")), step: "join".into() };
    world.write("health/node", &plain(running, K::Receipt, 1, receipt(off))).expect("told after the end");
    assert_eq!(status(&running), JobStatus::Cancelled);
    let told = world.job(&running).cancelled.expect("called off");
    assert_eq!((told.reason.as_str(), told.mark.sender.org()), ("it reads too much", org("civil")));

    let other = world.propose(&world.plan());
    assert_eq!(status(&other), JobStatus::Waiting);
    let reason = notary_terms::CancelBody { reason: "no longer needed".into() }.to_wire();
    world.write("statistics/analyst", &plain(other, K::Cancelled, 0, reason)).expect("called off");
    assert_eq!(status(&other), JobStatus::Cancelled);
}

#[test]
fn a_party_is_without_room_by_its_own_word_on_that_attempt_alone() {
    // No room at the time, and none ever, in a node that was given less since it approved.
    for without_room in ["HQ-4006", "HQ-5007"] {
        let world = World::furnished();
        let job = approved(&world);
        world.start(job);
        let without = |attempt| world.job(&job).without_room(attempt).cloned();
        let told = |node: &str, code: &str, blamed: &str| {
            let (code, step) = (code.to_owned(), "wait for room".to_owned());
            let outcome = Outcome::Aborted { code, blamed: Some(org(blamed)), step };
            world.write(&format!("{node}/node"), &plain(job, K::Receipt, 1, receipt(outcome))).expect("told");
        };
        told("health", without_room, "civil");
        told("civil", "HQ-4002", "civil");
        assert_eq!(without(1), None);
        told("statistics", without_room, "statistics");
        assert_eq!((without(1), without(2)), (Some(org("statistics")), None));
    }
}

#[test]
fn unreadable_bodies_count_for_nothing() {
    let world = World::furnished();
    let garbage = vec![0xff; 5];
    let before = world.book();
    for kind in [K::SourceRegistered, K::RuleSet, K::RuleRevoked] {
        let mut entry = about("health/health", kind, &0u8);
        entry.body = garbage.clone();
        world.write("health/owner", &entry).expect("the contract does not read bodies");
    }
    world.write("health/node", &plain(Digest([1; 32]), K::Refused, 0, garbage.clone())).expect("written");
    let after = world.book();
    assert_eq!((before.unreadable, after.unreadable), (0, 4));
    assert_eq!(after.catalogue_at(9), before.catalogue_at(9));
    assert_eq!(after.rules_transaction(&dataset("health/health")), before.rules_transaction(&dataset("health/health")));

    let job = world.propose(&world.plan());
    world.write("health/owner", &plain(job, K::Approved, 0, garbage.clone())).expect("written");
    for who in ["civil/owner", "statistics/owner"] {
        world.approve(who, job);
    }
    let read = world.job(&job);
    assert!(
        !read.approved() && read.votes.len() == 2 && read.entries.len() == 4,
        "the contract counts it, nobody else"
    );
    world.start(job);
    for kind in [K::Read, K::Transferred, K::Delivered, K::Receipt] {
        world.write("health/node", &plain(job, kind, 1, garbage.clone())).expect("written");
    }
    let read = world.job(&job);
    assert!(read.reads.is_empty() && read.streams.is_empty() && read.delivered.is_none() && read.receipts.is_empty());
    assert_eq!(world.book().unreadable, 9);
}

#[test]
fn only_the_owner_speaks_for_a_data_set() {
    let world = World::furnished();
    let before = world.book().catalogue_at(u64::MAX);
    let loose = source("health/health", &[("person_id", 1)]);
    let rules = RuleSet { min_group: 1, ..rules("health/health") };
    let revoked = RevokeBody { dataset: dataset("health/health") };
    let entries = [
        about("health/health", K::SourceRegistered, &loose),
        about("health/health", K::RuleSet, &rules),
        about("health/health", K::RuleRevoked, &revoked),
    ];
    for (told, entry) in (1..).zip(&entries) {
        world.write("civil/owner", entry).expect("the contract knows no owners");
        assert_eq!((world.book().unreadable, world.book().catalogue_at(u64::MAX)), (told, before.clone()));
    }
    for entry in &entries {
        world.write("health/owner", entry).expect("written");
    }
    let after = world.book().catalogue_at(u64::MAX);
    assert_eq!((world.book().unreadable, &after.sources[&dataset("health/health")]), (3, &loose));
    assert_eq!(after.rules.get(&dataset("health/health")), None, "revoked");
    assert_eq!(world.book().catalogue_at(before.rules.len() as u64 * 2).sources[&dataset("health/health")], health());
}

#[test]
fn a_party_tells_of_its_own_part_only() {
    let world = World::furnished();
    let job = approved(&world);
    world.start(job);
    let read = ReadBody { dataset: dataset("health/health"), commitment: Digest([5; 32]) }.to_wire();
    let delivered = |to: &str| DeliveredBody { receiver: org(to), result: Digest([7; 32]), bytes: 9 }.to_wire();
    let untrue = [
        (K::Read, read.clone()),
        (K::Transferred, stream("health", "statistics")),
        (K::Transferred, stream("civil", "civil")),
        (K::Delivered, delivered("civil")),
        (K::Delivered, delivered("statistics")),
    ];
    for (kind, body) in untrue {
        world.write("civil/node", &plain(job, kind, 1, body)).expect("written");
    }
    let book = world.job(&job);
    assert!(book.reads.is_empty() && book.streams.is_empty() && book.delivered.is_none());
    assert_eq!(world.book().unreadable, 5);
    let true_ones = [
        ("health/node", K::Read, read),
        ("civil/node", K::Transferred, stream("health", "civil")),
        ("statistics/node", K::Delivered, delivered("statistics")),
    ];
    for (who, kind, body) in true_ones {
        world.write(who, &plain(job, kind, 1, body)).expect("written");
    }
    let book = world.job(&job);
    assert!(book.reads.len() == 1 && book.streams.len() == 1 && book.delivered.is_some());
    assert!(book.took_part(1, &org("health")) && book.took_part(1, &org("civil")) && !book.took_part(2, &org("civil")));
}
