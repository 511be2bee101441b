//! Stories that are false although every signature, record and proof holds: each is refused at the link that it breaks.

use base_types::Digest;
use base_wire::Encode;
use ledger_vm::notary::EntryKind as K;
use notary_terms::{CancelBody, Outcome, ProposalBody, RejectBody, StartBody};

use crate::{
    ledger::{Ledger, org},
    story::{self, By, Step, job, place, proposal, receipt, step, streams, tell, tell_asking, whole},
    verdict,
};

type Change = fn(&mut Vec<Step>);

fn remove(steps: &mut Vec<Step>, who: &str, kind: K) {
    steps.remove(place(steps, who, kind));
}

/// The step moves to the end.
fn late(steps: &mut Vec<Step>, who: &str, kind: K) {
    let step = steps.remove(place(steps, who, kind));
    steps.push(step);
}

fn after_start(steps: &mut Vec<Step>, step: Step) {
    steps.insert(place(steps, "statistics/node", K::Started) + 1, step);
}

fn before_start(steps: &mut Vec<Step>, step: Step) {
    steps.insert(place(steps, "statistics/node", K::Started), step);
}

fn replace(steps: &mut [Step], who: &str, kind: K, body: &impl Encode) {
    steps[place(steps, who, kind)].body = body.to_wire();
}

/// The health node tells of its first stream otherwise.
fn other_stream(steps: &mut [Step], change: fn(&mut notary_terms::TransferBody)) {
    let mut body = streams("health");
    change(&mut body);
    replace(steps, "health/node", K::Transferred, &body);
}

const CONSENT: &[(&str, Change, &str)] = &[
    ("no proposal", |s| remove(s, "statistics/analyst", K::Proposed), "proposal"),
    ("a second proposal", |s| s.push(s[0].clone()), "proposal"),
    ("another's proposal", |s| s[0].who = "civil/analyst".into(), "proposal"),
    ("an unreadable proposal", |s| s[0].body.truncate(9), "proposal"),
    ("an approval is missing", |s| remove(s, "civil/owner", K::Approved), "approvals"),
    ("started before all approved", |s| late(s, "civil/owner", K::Approved), "approvals"),
    ("one approves for two", |s| s[2].who = "health/owner".into(), "approvals"),
    ("approved unasked", |s| before_start(s, story::approved("audit/node")), "approvals"),
    ("an unreadable approval", |s| s[1].body.clear(), "approvals"),
    (
        "started against a rejection",
        |s| before_start(s, step("civil/node", K::Rejected, 0, &RejectBody { reason: "no".into() })),
        "approvals",
    ),
    (
        "started after it was called off",
        |s| before_start(s, step("statistics/analyst", K::Cancelled, 0, &CancelBody { reason: "no".into() })),
        "approvals",
    ),
    (
        "started on other approvals",
        |s| replace(s, "statistics/node", K::Started, &StartBody { approvals: vec![Digest([1; 32]); 3] }),
        "start",
    ),
    ("the second attempt first", |s| s[4].attempt = 2, "start"),
    ("attempt 0", |s| s[4].attempt = 0, "start"),
    ("never started", |s| remove(s, "statistics/node", K::Started), "start"),
    ("started twice", |s| after_start(s, story::started(1)), "start"),
    ("read before the start", |s| before_start(s, story::read("health/node", "health/visits")), "start"),
];

const RUN: &[(&str, Change, &str)] = &[
    ("read twice", |s| after_start(s, story::read("health/node", "health/visits")), "reads"),
    ("read outside the plan", |s| after_start(s, story::read("health/node", "health/other")), "reads"),
    ("another's data read", |s| s[6].who = "civil/node".into(), "reads"),
    ("a stranger reads", |s| after_start(s, story::read("audit/node", "audit/books")), "reads"),
    ("done without a read", |s| remove(s, "health/node", K::Read), "reads"),
    ("the ends' digests differ", |s| other_stream(s, |b| b.streams[0].digest = Digest([3; 32])), "transfers"),
    ("the ends' bytes differ", |s| other_stream(s, |b| b.streams[0].bytes += 1), "transfers"),
    ("the ends' frames differ", |s| other_stream(s, |b| b.streams[3].frames += 1), "transfers"),
    ("a stream untold", |s| other_stream(s, |b| _ = b.streams.pop()), "transfers"),
    ("a stream told twice", |s| other_stream(s, |b| b.streams.push(b.streams[0].clone())), "transfers"),
    ("another's stream", |s| other_stream(s, |b| b.streams[0].to = org("statistics")), "transfers"),
    ("a stream to oneself", |s| other_stream(s, |b| b.streams[0].from = org("health")), "transfers"),
    ("a stream to a stranger", |s| other_stream(s, |b| b.streams[1].to = org("audit")), "transfers"),
    ("no account of streams", |s| remove(s, "civil/node", K::Transferred), "transfers"),
    ("delivered to another", |s| s.push(story::delivered("health/node", "health")), "delivery"),
    ("another delivers", |s| s.push(story::delivered("health/node", "statistics")), "delivery"),
    ("delivered twice", |s| s.push(story::delivered("statistics/node", "statistics")), "delivery"),
    ("not delivered", |s| remove(s, "statistics/node", K::Delivered), "delivery"),
    ("a stranger's receipt", |s| s.push(receipt("audit", Outcome::Done)), "receipts"),
    ("an unreadable receipt", |s| s[12].body.push(0), "receipts"),
];

#[test]
fn a_false_story_is_refused_at_the_link_it_breaks() {
    let mut ledger = Ledger::new();
    assert_eq!(tell(&mut ledger, &job(0), &whole(), By::Conspiracy), Ok(()));
    assert!(verdict(&ledger, &job(0)).valid, "the unchanged story holds");
    for (n, (what, change, link)) in (1..).zip(CONSENT.iter().chain(RUN)) {
        let mut steps = whole();
        change(&mut steps);
        assert_eq!(tell(&mut ledger, &job(n), &steps, By::Conspiracy), Ok(()));
        let report = verdict(&ledger, &job(n));
        assert_eq!(report.first_broken.as_deref(), Some(*link), "{what}: {report:?}");
        assert!(!report.valid && report.summary.is_none(), "{what}");
    }
}

#[test]
fn an_earlier_attempt_s_false_story_spoils_the_whole() {
    let mut ledger = Ledger::new();
    let mut steps = whole();
    after_start(&mut steps, story::read("health/node", "health/other"));
    steps.push(story::started(2));
    assert_eq!(tell(&mut ledger, &job(1), &steps, By::Conspiracy), Ok(()));
    assert_eq!(verdict(&ledger, &job(1)).first_broken.as_deref(), Some("reads"));
}

#[test]
fn whoever_takes_part_must_have_been_asked() {
    let mut ledger = Ledger::new();
    let mut steps = whole();
    remove(&mut steps, "civil/owner", K::Approved);
    let asked = vec![org("health"), org("statistics")];
    assert_eq!(tell_asking(&mut ledger, &job(1), &steps, By::Conspiracy, asked), Ok(()));
    assert_eq!(verdict(&ledger, &job(1)).first_broken.as_deref(), Some("approvals"));

    let moved = ProposalBody { nodes: ["audit", "health", "statistics"].map(org).to_vec(), ..proposal() };
    let mut steps = whole();
    steps[0].body = moved.to_wire();
    assert_eq!(tell(&mut ledger, &job(2), &steps, By::Conspiracy), Ok(()));
    assert_eq!(verdict(&ledger, &job(2)).first_broken.as_deref(), Some("approvals"));
}

#[test]
fn what_comes_after_the_last_moment_is_refused() {
    for (n, (at, link)) in (1..).zip([(3, "approvals"), (4, "start")]) {
        let mut ledger = Ledger::new();
        let mut steps = whole();
        steps[at].wait = 60_000;
        assert_eq!(tell(&mut ledger, &job(n), &steps, By::Conspiracy), Ok(()));
        assert_eq!(verdict(&ledger, &job(n)).first_broken.as_deref(), Some(link));
        let refused = tell(&mut ledger, &job(n + 2), &steps, By::Contract);
        assert!(refused.is_err_and(|why| why.contains("expired")), "{link}");
    }
}

#[test]
fn the_contract_itself_refuses_a_start_without_all_approvals() {
    let mut ledger = Ledger::new();
    for (n, at) in (1..).zip([4, 5, 7, 9]) {
        let (what, change, _) = CONSENT[at];
        let mut steps = whole();
        change(&mut steps);
        assert!(tell(&mut ledger, &job(n), &steps, By::Contract).is_err(), "{what}");
    }
}
