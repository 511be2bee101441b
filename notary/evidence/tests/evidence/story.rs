//! The story of a job as a list of steps that a test may change before they are told to the ledger.

use base_gm::{envelope, sm3::sm3};
use base_types::{DatasetId, Digest};
use base_wire::Encode;
use ledger_vm::notary::{Entry, EntryKind as K};
use notary_terms::{
    ApprovalBody, DeliveredBody, Outcome, ProposalBody, ReadBody, ReceiptBody, StartBody, Stream, Tier, TransferBody,
};

use crate::ledger::{Ledger, key, org};

pub const NODES: [&str; 3] = ["civil", "health", "statistics"];

/// An entry to be; a start without a body names the approvals that were told before it.
#[derive(Clone)]
pub struct Step {
    pub who: String,
    pub kind: K,
    pub attempt: u32,
    pub body: Vec<u8>,
    /// Milliseconds that pass before it.
    pub wait: u64,
}

pub fn step(who: &str, kind: K, attempt: u32, body: &impl Encode) -> Step {
    Step { who: who.into(), kind, attempt, body: body.to_wire(), wait: 0 }
}

pub fn dataset(name: &str) -> DatasetId {
    DatasetId::new(name).expect("name")
}

fn salted(what: &str) -> Digest {
    sm3(what.as_bytes())
}

pub fn proposal() -> ProposalBody {
    let keys = NODES.map(|node| key(&format!("{node}/node")).public());
    ProposalBody {
        sealed_plan: envelope::seal_to(&keys, b"heqi/plan", b"the plan").expect("sealed"),
        analyst: "statistics/analyst".parse().expect("name"),
        receiver: org("statistics"),
        nodes: NODES.map(org).to_vec(),
        purpose: "health-statistics".into(),
        datasets: ["statistics/census", "health/visits", "civil/deaths"].map(dataset).to_vec(),
        tier: Tier::B,
    }
}

pub fn approved(who: &str) -> Step {
    let by_rule = who.ends_with("/node");
    step(who, K::Approved, 0, &ApprovalBody { by_rule, rules: salted(who) })
}

pub fn started(attempt: u32) -> Step {
    Step { who: "statistics/node".into(), kind: K::Started, attempt, body: vec![], wait: 0 }
}

pub fn read(who: &str, name: &str) -> Step {
    step(who, K::Read, 1, &ReadBody { dataset: dataset(name), commitment: salted(name) })
}

/// What `me` saw of its streams with both peers.
pub fn streams(me: &str) -> TransferBody {
    let ends = NODES.into_iter().flat_map(|from| NODES.map(|to| (from, to)));
    let mine = ends.filter(|(from, to)| from != to && (*from == me || *to == me));
    let seen = mine.map(|(from, to)| Stream {
        from: org(from),
        to: org(to),
        frames: 12,
        bytes: 4096,
        digest: salted(&format!("{from} to {to}")),
    });
    TransferBody { streams: seen.collect(), later: vec![] }
}

pub fn transferred(me: &str, body: &TransferBody) -> Step {
    step(&format!("{me}/node"), K::Transferred, 1, body)
}

pub fn delivered(who: &str, receiver: &str) -> Step {
    step(who, K::Delivered, 1, &DeliveredBody { receiver: org(receiver), result: salted("result"), bytes: 640 })
}

pub fn receipt(me: &str, outcome: Outcome) -> Step {
    let body = ReceiptBody { outcome, transcript: salted(me), millis: 900, resumed: 0 };
    step(&format!("{me}/node"), K::Receipt, 1, &body)
}

/// From the proposal to the start.
pub fn up_to_start() -> Vec<Step> {
    let approvals = ["health/node", "civil/owner", "statistics/node"].map(approved);
    let mut steps = vec![step("statistics/analyst", K::Proposed, 0, &proposal())];
    steps.extend(approvals);
    steps.push(started(1));
    steps
}

/// The whole story, as planned.
pub fn whole() -> Vec<Step> {
    let mut steps = up_to_start();
    for (node, name) in NODES.into_iter().zip(["civil/deaths", "health/visits", "statistics/census"]) {
        steps.push(read(&format!("{node}/node"), name));
    }
    steps.extend(NODES.map(|node| transferred(node, &streams(node))));
    steps.push(delivered("statistics/node", "statistics"));
    steps.extend(NODES.map(|node| receipt(node, Outcome::Done)));
    steps
}

/// Place of the step of that kind which `who` makes.
pub fn place(steps: &[Step], who: &str, kind: K) -> usize {
    steps.iter().position(|step| step.who == who && step.kind == kind).expect("in the story")
}

/// Whether the contract is asked, or validators conspire against it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Contract,
    Conspiracy,
}

/// Tells a story of `job` to the ledger; the refusal's text when the contract refuses it.
pub fn tell(ledger: &mut Ledger, job: &Digest, steps: &[Step], by: By) -> Result<(), String> {
    let asked = NODES.map(org).to_vec();
    tell_asking(ledger, job, steps, by, asked)
}

pub fn tell_asking(
    ledger: &mut Ledger,
    job: &Digest,
    steps: &[Step],
    by: By,
    asked: Vec<base_types::OrgId>,
) -> Result<(), String> {
    let (mut approvals, expires) = (Vec::new(), ledger.time + 60_000);
    for Step { who, kind, attempt, body, wait } in steps {
        ledger.time += wait;
        let proposed = *kind == K::Proposed;
        let body = if *kind == K::Started && body.is_empty() {
            approvals.sort();
            StartBody { approvals: approvals.clone() }.to_wire()
        } else {
            body.clone()
        };
        let entry = Entry {
            subject: *job,
            kind: *kind,
            attempt: *attempt,
            parties: if proposed { asked.clone() } else { vec![] },
            expires: if proposed { expires } else { 0 },
            body,
        };
        let tx = if by == By::Contract { ledger.write(who, &entry)? } else { ledger.force(who, &entry) };
        if *kind == K::Approved {
            approvals.push(tx);
        }
    }
    Ok(())
}

/// The name of the `n`th job of a test.
pub fn job(n: u8) -> Digest {
    sm3(&[n])
}
