//! The evidence of a job of two nodes: whole without a third, and false where a third tells of it.

use ledger_vm::notary::EntryKind as K;
use notary_terms::{Outcome, ProposalBody, Tier, TransferBody};

use crate::{
    ledger::{Ledger, org},
    story::{
        By, Step, approved, dataset, delivered, job, proposal, read, receipt, started, step, streams, tell_asking,
        transferred,
    },
    verdict,
};

pub const PAIR: [&str; 2] = ["health", "statistics"];

/// What one of the two saw of their streams.
pub fn pair_streams(me: &str) -> TransferBody {
    let mut all = streams(me).streams;
    all.retain(|stream| stream.from != org("civil") && stream.to != org("civil"));
    TransferBody { streams: all, later: vec![] }
}

pub fn whole() -> Vec<Step> {
    let body = ProposalBody {
        nodes: PAIR.map(org).to_vec(),
        datasets: ["statistics/census", "health/visits"].map(dataset).to_vec(),
        tier: Tier::C,
        ..proposal()
    };
    let mut steps = vec![step("statistics/analyst", K::Proposed, 0, &body)];
    steps.extend(["health/owner", "statistics/node"].map(approved));
    steps.push(started(1));
    steps.extend([read("health/node", "health/visits"), read("statistics/node", "statistics/census")]);
    steps.extend(PAIR.map(|node| transferred(node, &pair_streams(node))));
    steps.push(delivered("statistics/node", "statistics"));
    steps.extend(PAIR.map(|node| receipt(node, Outcome::Done)));
    steps
}

#[test]
fn a_whole_story_of_two_nodes_holds() {
    let mut ledger = Ledger::new();
    assert_eq!(tell_asking(&mut ledger, &job(1), &whole(), By::Contract, PAIR.map(org).to_vec()), Ok(()));
    let report = verdict(&ledger, &job(1));
    assert!(report.valid && report.anchored, "{report:?}");
    let summary = report.summary.expect("a summary");
    assert_eq!((summary.outcome.as_str(), summary.bytes, summary.datasets.len()), ("done", 2 * 4096, 2));
    assert_eq!(summary.approved_by, PAIR);
}

#[test]
fn a_story_of_two_nodes_is_not_whole_without_one_and_false_with_a_third() {
    let (mut short, mut long) = (whole(), whole());
    let last = short.len() - 2;
    short.remove(last);
    long.push(receipt("civil", Outcome::Done));
    let mut ledger = Ledger::new();
    for (number, steps, valid) in [(1, short, true), (2, long, false)] {
        let told = tell_asking(&mut ledger, &job(number), &steps, By::Conspiracy, PAIR.map(org).to_vec());
        assert_eq!(told, Ok(()));
        let report = verdict(&ledger, &job(number));
        assert_eq!(report.valid, valid, "{report:?}");
        assert_ne!(report.summary.map(|summary| summary.outcome).unwrap_or_default(), "done");
    }
}
