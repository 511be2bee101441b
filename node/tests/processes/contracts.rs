//! Contracts, proofs, events and changes of the chain's rules, by the command line at four real nodes.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Consortium, ORGS, People, heqi, items, story::SOON, text, until};

const PEOPLE: [&[&str]; 4] = [
    &["admin=administrator"],
    &["admin=administrator"],
    &["admin=administrator"],
    &["admin=administrator", "dev=developer"],
];
const DEVELOPER: &str = "statistics/dev";
const AUDIT: &str = "audit/admin";
/// Somebody who gets tokens.
const RECEIVER: &str = "0x00000000000000000000000000000000000000aa";
const TRANSFER: &str = "transfer(address,uint256)(bool)";

#[test]
fn contracts_and_rules_live_on_the_command_line_while_engines_change() {
    let mut four = Consortium::found_with(PEOPLE);
    four.start_all();
    let made = deploy(&four);
    let (token, deployed) = (text(&made, "address"), height(&made));
    let sent = transfer(&four, &token, "40");
    history_is_read_on_another_node(&four, &token, &made, &sent);
    proofs_are_verified(&four, &four.genesis, &token, sent);
    events_go_on_from_a_cursor(&four, &token, deployed);
    a_counter_on_webassembly_counts(&four);
    switch(&four, "raft", "Raft", 1);
    // Of the processes that the other tests kill, all run BFT.
    four.kill("health");
    let under_raft = transfer(&four, &token, "2");
    four.start("health");
    until("it has caught up", SOON, || four.chain("health")["height"].as_u64().filter(|height| *height >= under_raft));
    proofs_are_verified(&four, &four.genesis, &token, under_raft);
    switch(&four, "bft", "BFT", 2);
    transfer(&four, &token, "3");
    balance_becomes(&four, &token, "45");
    a_revoked_key_sends_nothing(&four, &token);
}

fn height(told: &Value) -> u64 {
    told["height"].as_u64().expect("a height")
}

fn deploy(four: &People) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/vm/tests/contracts/Token.hex");
    let command = ["contract", "deploy", file.to_str().expect("a path"), "--machine", "evm", "--args"];
    let command = [&command[..], &["constructor(string,string,uint256)", "Coin", "C", "1000"]].concat();
    let refused = four.sign("civil/admin", &command).fault("HQ-5005");
    assert!(text(&refused, "detail").contains("no developer"), "{refused}");
    let made = four.sign(DEVELOPER, &command).good();
    assert!(made["gas"].as_u64().is_some_and(|gas| gas > 21_000), "{made}");
    let shown = four.look(DEVELOPER, &["contract", "show", &text(&made, "address")]).good();
    let fields = ["machine", "deployer", "transaction", "height"].map(|name| text(&shown, name));
    assert_eq!(fields, ["evm".into(), DEVELOPER.into(), text(&made, "transaction"), text(&made, "height")]);
    four.look(DEVELOPER, &["contract", "show", RECEIVER]).fault("HQ-7004");
    made
}

/// The height at which so many tokens were sent.
fn transfer(four: &People, token: &str, amount: &str) -> u64 {
    let sent = four.sign(DEVELOPER, &["contract", "call", token, TRANSFER, RECEIVER, amount]).good();
    assert_eq!((&sent["values"], &sent["events"]), (&json!([true]), &Value::from(1)), "{sent}");
    height(&sent)
}

fn balance(four: &People, token: &str, more: &[&str]) -> Option<Value> {
    let command = [&["contract", "read", token, "balanceOf(address)(uint256)", RECEIVER][..], more].concat();
    let told = four.look(AUDIT, &command);
    (told.code == 0).then(|| told.value["values"].clone())
}

fn balance_becomes(four: &People, token: &str, amount: &str) {
    until("the audit office's node sees it", SOON, || balance(four, token, &[]).filter(|v| *v == json!([amount])));
}

fn history_is_read_on_another_node(four: &People, token: &str, made: &Value, sent: &u64) {
    balance_becomes(four, token, "40");
    assert_eq!(balance(four, token, &["--at", &(sent - 1).to_string()]), Some(json!(["0"])));
    assert_eq!(balance(four, token, &["--at", &sent.to_string()]), Some(json!(["40"])));
    let root = |height: u64| {
        let command = ["chain", "header", &(height + 1).to_string(), "--verify"].map(ToOwned::to_owned);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let header = until("the next header", SOON, || Some(four.look(AUDIT, &command)).filter(|told| told.code == 0));
        text(&header.good(), "state_root")
    };
    assert_eq!(balance(four, token, &["--root", &root(sent - 1)]), Some(json!(["0"])));
    assert_eq!(balance(four, token, &["--root", &root(*sent)]), Some(json!(["40"])));
    four.look(AUDIT, &["contract", "read", token, "name()(string)", "--root", &"00".repeat(32)]).fault("HQ-7004");
    let name = four.look(AUDIT, &["contract", "read", token, "name()(string)"]).good();
    assert_eq!(name["values"], json!(["Coin"]));
    // The whole supply but what was sent is still its maker's.
    let maker = text(made, "from");
    let kept = four.look(AUDIT, &["contract", "read", token, "balanceOf(address)(uint256)", &maker]).good();
    assert_eq!(kept["values"], json!(["960"]));
    let refused = four.sign(DEVELOPER, &["contract", "call", token, TRANSFER, RECEIVER, "5000"]).fault("HQ-5005");
    assert!(text(&refused, "detail").contains("insufficient balance"), "{refused}");
    // A read that the contract refuses fails with its reason, too.
    let refused = four.look(AUDIT, &["contract", "read", token, TRANSFER, RECEIVER, "5000"]).fault("HQ-5005");
    assert!(text(&refused, "detail").contains("insufficient balance"), "{refused}");
    four.look(AUDIT, &["contract", "read", token, TRANSFER, RECEIVER]).fault("HQ-7003");
}

/// A light client on the command line believes the genesis hash alone.
fn proofs_are_verified(four: &People, genesis: &str, token: &str, at: u64) {
    let key = format!("{}{}", hex::encode("contract/"), token.trim_start_matches("0x"));
    let at = at.to_string();
    let ask = |key: &str, more: &[&str]| {
        let command = [&["chain", "state", key, "--hex", "--at", &at, "--proof"][..], more].concat();
        until("the header of the state", SOON, || Some(four.look(AUDIT, &command)).filter(|t| !is_missing(&t.value)))
    };
    let proven = ask(&key, &["--genesis", genesis]).good();
    assert_eq!(
        (&proven["verified"]["anchored"], &proven["value"].is_string()),
        (&Value::Bool(true), &true),
        "{proven}"
    );
    assert!(items(&proven["verified"], "signers").len() >= 3, "{proven}");
    let proven = ask(&key, &[]).good();
    assert_eq!(proven["verified"]["anchored"], false, "{proven}");
    let absent = ask(&hex::encode("contract/nothing"), &["--genesis", genesis]).good();
    assert_eq!((&absent["verified"]["anchored"], &absent["value"]), (&Value::Bool(true), &Value::Null), "{absent}");
    let other = format!("{}{}", if genesis.starts_with('0') { '1' } else { '0' }, &genesis[1..]);
    assert_eq!(text(&ask(&key, &["--genesis", &other]).fault("HQ-6001"), "step"), "link 'genesis'");
    let header = four.look(AUDIT, &["chain", "header", &at, "--genesis", genesis]).good();
    assert_eq!(header["verified"]["anchored"], true, "{header}");
}

/// The header after a state may still be on its way.
fn is_missing(told: &Value) -> bool {
    text(told, "number") == "HQ-7004"
}

/// The lines of `heqi events`.
fn events(four: &People, more: &[&str]) -> Vec<Value> {
    let mut command = heqi();
    command.arg("events").arg("--dir").arg(four.dir("civil")).args(more);
    let output = command.output().expect("heqi runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("one JSON value a line")).collect()
}

fn events_go_on_from_a_cursor(four: &People, token: &str, deployed: u64) {
    let found = || Some(events(four, &["--contract", token])).filter(|found| found.len() == 2);
    let told = until("the civil node has both", SOON, found);
    assert_eq!(height(&told[0]), deployed, "{}", told[0]);
    assert!(told.iter().all(|t| items(t, "events").iter().all(|event| event["contract"] == token)), "{told:?}");
    assert_eq!(items(&told[1], "events")[0]["data"], format!("{:064x}", 40));
    let cursor = format!("{}:{}", text(&told[0], "height"), text(&told[0], "index"));
    let rest = events(four, &["--contract", token, "--after", &cursor]);
    assert_eq!(rest, told[1..], "what follows the cursor, and nothing twice");
    // Without a contract's name the refused ones are there, too.
    let all = until("the refused transfer", SOON, || {
        let all = events(four, &[]);
        all.iter().any(|t| text(t, "refusal").contains("insufficient balance")).then_some(all)
    });
    let mut sorted = all.clone();
    sorted.sort_by_key(|t| (height(t), t["index"].as_u64()));
    assert!(all == sorted && all.len() >= 4, "{all:?}");
}

fn a_counter_on_webassembly_counts(four: &People) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/vm/tests/contracts/counter.wasm");
    let deploy = ["contract", "deploy", file.to_str().expect("a path"), "--machine", "wasm"];
    let counter = text(&four.sign(DEVELOPER, &deploy).good(), "address");
    let shown = four.look(DEVELOPER, &["contract", "show", &counter]).good();
    assert_eq!(text(&shown, "machine"), "wasm");
    let number = |count: u64| format!("0x{}", hex::encode(count.to_le_bytes()));
    for count in 1..=2 {
        let called = four.sign(DEVELOPER, &["contract", "call", &counter, "--data", "0x"]).good();
        assert_eq!(text(&called, "output"), number(count));
        assert!(called["gas"].as_u64().is_some_and(|gas| gas > 1000), "{called}");
    }
    // A read runs the same code on another node and leaves nothing behind.
    let read = || {
        let told = four.look(AUDIT, &["contract", "read", &counter, "--data", "0x"]);
        (told.code == 0 && text(&told.value, "output") == number(3)).then_some(())
    };
    until("the audit office's node has both calls", SOON, read);
    assert_eq!(read(), Some(()), "the read counted nothing");
}

/// Three of four administrators change the engine.
fn switch(four: &People, word: &str, name: &str, epoch: u64) {
    let proposed = four.sign(AUDIT, &["chain", "propose", "--engine", word]).good();
    let change = text(&proposed, "change");
    assert_eq!((text(&proposed, "engine").as_str(), items(&proposed, "validators").len()), (name, 4), "{proposed}");
    four.sign(DEVELOPER, &["chain", "vote", &change]).fault("HQ-5005");
    four.sign("civil/admin", &["chain", "vote", &change]).good();
    let again = four.sign("civil/admin", &["chain", "vote", &change, "--against"]).fault("HQ-5005");
    assert!(text(&again, "detail").contains("voted already"), "{again}");
    four.sign("health/admin", &["chain", "vote", &change]).good();
    for org in ORGS {
        until("every node is in the new epoch", SOON, || (four.chain(org)["epoch"] == epoch).then_some(()));
        assert_eq!(text(&four.chain(org), "engine"), name);
    }
    let changes = four.look(AUDIT, &["chain", "changes"]).good();
    let newest = items(&changes, "changes").last().expect("a change");
    assert_eq!((text(newest, "change"), text(newest, "status").as_str()), (change, "scheduled"), "{newest}");
    assert_eq!((items(newest, "yes").len(), items(newest, "ready").len() >= 3), (3, true), "{newest}");
}

fn a_revoked_key_sends_nothing(four: &People, token: &str) {
    let revoke = ["chain", "revoke", "--person", DEVELOPER];
    let foreign = four.sign(AUDIT, &revoke).fault("HQ-5005");
    assert!(text(&foreign, "detail").contains("its own organisation only"), "{foreign}");
    let revoked = four.sign("statistics/admin", &revoke).good();
    let from = revoked["from"].as_u64().expect("a height");
    assert!((height(&revoked) + 1..=height(&revoked) + 2).contains(&from), "{revoked}");
    let refused = until("the height from which it holds", SOON, || {
        let told = four.sign(DEVELOPER, &["contract", "call", token, TRANSFER, RECEIVER, "0"]);
        (told.code != 0).then_some(told)
    });
    let refused = refused.fault("HQ-5005");
    assert!(text(&refused, "detail").contains("was revoked"), "{refused}");
    assert!(four.sign("statistics/admin", &["chain", "revoke"]).code != 0, "something has to be named");
}
