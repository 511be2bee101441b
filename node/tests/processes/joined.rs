//! A fifth organisation joins a running chain by vote, validates, and leaves again: by the command line at real nodes.

use serde_json::Value;

use crate::support::{Consortium, ORGS, items, story::SOON, text, until};

const PEOPLE: [&[&str]; 4] = [&["admin=administrator"]; 4];
const NEW: &str = "tax";

/// Proposes, lets the others vote, and waits until these nodes are in the epoch.
fn change(chain: &Consortium, more: &[&str], epoch: u64, nodes: &[&str]) -> Value {
    let command = [&["chain", "propose"][..], more].concat();
    let proposed = chain.sign("audit/admin", &command).good();
    let id = text(&proposed, "change");
    chain.vote(&id, &["civil/admin", "health/admin"]);
    proposed_is_in_force(chain, epoch, nodes);
    proposed
}

fn proposed_is_in_force(chain: &Consortium, epoch: u64, nodes: &[&str]) {
    for org in nodes {
        until("every node is in the new epoch", SOON, || (chain.chain(org)["epoch"] == epoch).then_some(()));
    }
}

#[test]
fn an_organisation_joins_by_vote_validates_and_leaves_while_the_chain_goes_on() {
    let mut chain = Consortium::found_with(PEOPLE);
    chain.start_all();
    chain.newcomer(NEW);
    // Nobody knows it yet: it hears nothing.
    chain.start(NEW);
    assert_eq!(chain.chain(NEW)["height"], 0);

    let card = chain.dir(NEW).join("organisation.json");
    let all = [&ORGS[..], &[NEW]].concat();
    change(&chain, &["--join", card.to_str().expect("a path")], 1, &all);
    assert_eq!(items(&chain.chain(NEW), "validators").len(), 5);

    // With one founder gone, four of five have to sign: the newcomer is one of them.
    chain.kill("statistics");
    let voted = chain.sign("tax/admin", &["chain", "propose", "--leave", "statistics"]).good();
    let id = text(&voted, "change");
    chain.vote(&id, &["audit/admin", "civil/admin", "health/admin"]);
    proposed_is_in_force(&chain, 2, &["audit", "civil", "health", NEW]);
    assert_eq!(items(&chain.chain("audit"), "validators").len(), 4);

    // Who left follows still; who joined may leave.
    chain.start("statistics");
    proposed_is_in_force(&chain, 2, &["statistics"]);
    change(&chain, &["--leave", NEW], 3, &["audit", "civil", "health", "statistics"]);
    assert_eq!(items(&chain.chain("statistics"), "validators").len(), 3);
}
