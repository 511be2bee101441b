//! The counts of use: data sets, jobs by status, who used what for which purpose, refusals, columns by class.

use base_types::{Digest, fault::Code};
use base_wire::Encode;
use ledger_vm::notary::EntryKind as K;
use notary_desk::{Stats, UseCount};
use notary_terms::{Outcome, ReceiptBody, RefusedBody};

use crate::{
    office::{NODES, PURPOSE, dataset, source},
    world::{START, World, org, plain},
};

fn run(world: &World, outcome: &Outcome) {
    let job = world.propose(&world.plan());
    for node in NODES {
        world.approve(&format!("{node}/owner"), job);
    }
    world.start(job);
    for node in NODES {
        let body = ReceiptBody { outcome: outcome.clone(), transcript: Digest([4; 32]), millis: 5, resumed: 0 };
        world.write(&format!("{node}/node"), &plain(job, K::Receipt, 1, body.to_wire())).expect("told");
    }
}

#[test]
fn use_is_counted_as_the_ledger_tells_it() {
    let world = World::furnished();
    world.register(&source("civil/moves", &[("person_id", 9), ("year", 9)]));
    run(&world, &Outcome::Done);
    run(&world, &Outcome::aborted(Code::PeerGone, None, "join"));
    world.propose(&world.plan());
    let refused = |code: Code| {
        let body = RefusedBody {
            analyst: "statistics/analyst".parse().expect("name"),
            purpose: PURPOSE.into(),
            code: code.number().into(),
            datasets: vec![dataset("health/health")],
        };
        plain(Digest([9; 32]), K::Refused, 0, body.to_wire())
    };
    for code in [Code::RuleForbids, Code::RuleForbids, Code::QuerySyntax] {
        world.write("statistics/node", &refused(code)).expect("noted");
    }
    let stats = Stats::of(&world.book(), START);
    let owners: Vec<_> = stats.datasets.iter().map(|(owner, n)| (owner.as_str(), *n)).collect();
    assert_eq!(owners, [("civil", 2), ("health", 1), ("statistics", 1)]);
    assert_eq!(stats.jobs.into_iter().collect::<Vec<_>>(), [("aborted", 1), ("done", 1), ("waiting", 1)]);
    let used =
        |name: &str| UseCount { receiver: org("statistics"), dataset: dataset(name), purpose: PURPOSE.into(), runs: 2 };
    assert_eq!(stats.uses, ["civil/deaths", "health/health", "statistics/census"].map(used), "a proposal is no use");
    let codes: Vec<_> = stats.refused.iter().map(|(code, n)| (code.as_str(), *n)).collect();
    assert_eq!(codes, [("HQ-2001", 1), ("HQ-3001", 2)]);
    let columns: Vec<_> = stats.columns.iter().map(|((class, grade), n)| (class.as_str(), *grade, *n)).collect();
    assert_eq!(columns, [("civil", 2, 4), ("unclassified", 0, 4)]);
    assert_eq!(Stats::of(&world.book(), u64::MAX).jobs.get("expired"), Some(&1));
}
