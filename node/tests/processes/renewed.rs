//! A node that lost its ledger comes back with a fresh key, and people come and go: by the command line at real nodes.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Consortium, ORGS, Told, heqi, items, run, story::SOON, text, until};

const PEOPLE: [&[&str]; 4] = [&["admin=administrator"]; 4];
const LOST: &str = "audit";

/// A command that a person signs at another organisation's node, as the own one is down.
fn sign_at(four: &Consortium, org: &str, person: &str, arguments: &[&str]) -> Told {
    let mut command = heqi();
    command.args(arguments).arg("--dir").arg(four.dir(org));
    command.arg("--key").arg(four.path("people").join(format!("{}.key.json", person.replace('/', "-"))));
    run(command.arg("--password-file").arg(four.people_password()))
}

fn renew(four: &Consortium, more: &[&str]) -> Told {
    let mut command = heqi();
    command.args(["init", "renew", "--dir"]).arg(four.dir(LOST)).arg("--password-file").arg(four.password());
    run(command.args(more))
}

/// A new key and certificate, made with a CA key that is kept elsewhere; the old ones are aside.
fn fresh_key(four: &Consortium) -> String {
    let (dir, elsewhere) = (four.dir(LOST), four.path("ca.key.json"));
    let read = |name: &str| fs::read_to_string(dir.join(name)).expect("a file");
    let old = [read("keys/node.key.json"), read("node.pem")];
    fs::rename(dir.join("keys/ca.key.json"), &elsewhere).expect("moved");
    renew(four, &[]).fault("HQ-7004");
    // Another organisation's CA is no use, and changes nothing.
    let foreign = four.dir("civil").join("keys/ca.key.json");
    renew(four, &["--ca-key", foreign.to_str().expect("a path")]).fault("HQ-4004");
    assert_eq!([read("keys/node.key.json"), read("node.pem")], old);

    let renewed = renew(four, &["--ca-key", elsewhere.to_str().expect("a path")]).good();
    assert_eq!([read("keys/node.key.old-1.json"), read("node.old-1.pem")], old);
    assert_ne!([read("keys/node.key.json"), read("node.pem")], old);
    let (key, card): (String, Value) =
        (text(&renewed, "key"), serde_json::from_str(&read("organisation.json")).expect("a card"));
    assert_eq!((text(&card, "node_key"), text(&renewed, "member")), (key.clone(), "audit/node".into()));
    key
}

/// Nobody votes on a key that its organisation has not registered, and nobody else registers one: asked while all four run,
/// since every refusal is a block.
fn not_without_its_organisation(four: &Consortium, key: &str) {
    let replace = format!("{LOST}={key}");
    let early = four.sign("civil/admin", &["chain", "propose", "--replace-key", &replace]).fault("HQ-5005");
    assert!(text(&early, "detail").contains("is not its node's"), "{early}");
    let register = ["chain", "member", "audit/node", "--public-key", key, "--role", "node"];
    let foreign = four.sign("civil/admin", &register).fault("HQ-5005");
    assert!(text(&foreign, "detail").contains("does not vouch"), "{foreign}");
}

/// The others register the key and vote for it, while the node is down.
fn voted_in(four: &Consortium, key: &str) {
    let replace = format!("{LOST}={key}");
    let propose = ["chain", "propose", "--replace-key", &replace];
    let member = ["chain", "member", "audit/node", "--public-key", key];
    let register = [&member[..], &["--role", "node"]].concat();
    sign_at(four, "civil", "audit/admin", &member).fault("HQ-7004");
    let registered = sign_at(four, "civil", "audit/admin", &register).good();
    assert_eq!((text(&registered, "key"), &registered["roles"]), (key.to_owned(), &json!(["node"])));

    let change = text(&four.sign("civil/admin", &propose).good(), "change");
    four.vote(&change, &["health/admin", "statistics/admin"]);
    // Who validates with another key has to say Ready itself.
    assert_eq!(four.chain("civil")["epoch"], 0);
}

/// Whose signatures certify a header, as a light client verifies it.
fn signers(four: &Consortium, height: u64) -> Option<Vec<Value>> {
    let height = height.to_string();
    let told = four.look("civil/admin", &["chain", "header", &height, "--verify"]);
    (told.code == 0).then(|| items(&told.value["verified"], "signers").to_vec())
}

/// Makes a block, in which a person is registered once more; its height.
fn block(four: &Consortium, clerk: &str) -> u64 {
    let register = ["chain", "member", "civil/clerk", "--public-key", clerk, "--role", "auditor"];
    four.sign("civil/admin", &register).good()["height"].as_u64().expect("a height")
}

fn new_person(four: &Consortium, person: &str) -> Value {
    let mut command = heqi();
    command.args(["init", "person", person, "--people-dir"]).arg(four.path("people"));
    run(command.arg("--people-password-file").arg(four.people_password())).good()
}

#[test]
fn a_node_that_lost_its_ledger_comes_back_with_a_fresh_key_and_signs() {
    let mut four = Consortium::found_with(PEOPLE);
    four.start_all();
    let clerk = text(&new_person(&four, "civil/clerk"), "key");
    not_without_its_organisation(&four, &clerk);
    four.kill(LOST);
    run(heqi().args(["chain", "repair", "--dir"]).arg(four.dir(LOST))).good();
    let key = fresh_key(&four);
    voted_in(&four, &key);

    four.start(LOST);
    for org in ORGS {
        until("the epoch with its new key", SOON, || (four.chain(org)["epoch"] == 1).then_some(()));
    }
    until("its signature under a block", SOON, || {
        signers(&four, block(&four, &clerk)).filter(|signers| signers.iter().any(|org| org == LOST))
    });
    // With another one gone nothing is decided without it: it has to say Ready by itself, and to sign every block.
    four.kill("statistics");
    let change = text(&four.sign("audit/admin", &["chain", "propose", "--interval", "150"]).good(), "change");
    four.vote(&change, &["civil/admin", "health/admin"]);
    for org in [LOST, "civil", "health"] {
        until("the next epoch", SOON, || (four.chain(org)["epoch"] == 2).then_some(()));
    }
    let changes = four.look("civil/admin", &["chain", "changes"]).good();
    let newest = items(&changes, "changes").last().expect("a change");
    let mut ready: Vec<_> = items(newest, "ready").iter().filter_map(Value::as_str).collect();
    ready.sort_unstable();
    assert_eq!(ready, [LOST, "civil", "health"]);

    // The old certificate ends with its key; the node goes on under the new one.
    let old = four.dir(LOST).join("node.old-1.pem");
    let ended = four.sign("audit/admin", &["chain", "revoke", "--certificate", old.to_str().expect("a path")]).good();
    assert!(ended["key"].is_string(), "{ended}");
    let from = ended["from"].as_u64().expect("a height");
    until("blocks under the new key alone", SOON, || (block(&four, &clerk) > from).then_some(()));
}

#[test]
fn who_is_registered_later_is_known_and_who_is_removed_is_not() {
    let mut four = Consortium::found_with(PEOPLE);
    four.start_all();
    let clerk = "health/clerk";
    let look = |four: &Consortium| four.look(clerk, &["chain", "status"]).code;
    let key = text(&new_person(&four, clerk), "key");
    assert_ne!(look(&four), 0, "nobody knows the clerk yet");
    let member = ["chain", "member", clerk, "--public-key", &key];
    four.sign("health/admin", &[&member[..], &["--role", "wizard"]].concat()).fault("HQ-7003");
    four.sign("health/admin", &[&member[..], &["--role", "developer,auditor"]].concat()).good();
    assert_eq!(look(&four), 0);
    // The ledger takes what the clerk signs, as far as the roles reach.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/vm/tests/contracts/counter.wasm");
    let deploy = ["contract", "deploy", file.to_str().expect("a path"), "--machine", "wasm"];
    four.sign(clerk, &deploy).good();
    four.sign("health/admin", &[&member[..], &["--role", "auditor"]].concat()).good();
    four.sign(clerk, &deploy).fault("HQ-5005");
    four.sign("health/admin", &member).good();
    assert_ne!(look(&four), 0, "the clerk is removed");
    let refused = four.sign(clerk, &deploy);
    assert_ne!(refused.code, 0, "{refused:?}");
}
