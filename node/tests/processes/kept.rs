//! A node's ledger is backed up while it serves, proven, brought back, and fetched again after damage: by the command line.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Consortium, Told, heqi, items, run, story::SOON, text, until};

const PEOPLE: [&[&str]; 4] = [&["admin=administrator"]; 4];

/// `heqi chain WORD [PATH] --dir FOLDER`.
fn chain(word: &str, path: Option<&Path>, dir: &Path) -> Told {
    let mut command = heqi();
    command.args(["chain", word]);
    if let Some(path) = path {
        command.arg(path);
    }
    run(command.arg("--dir").arg(dir))
}

fn height(consortium: &Consortium, org: &str) -> u64 {
    consortium.chain(org)["height"].as_u64().expect("a height")
}

/// Makes a block with a transaction: somebody proposes a change that nobody votes for, or hears that one is under way.
fn propose(consortium: &Consortium, who: &str, interval: &str) {
    let told = consortium.sign(who, &["chain", "propose", "--interval", interval]);
    assert!(told.code == 0 || text(&told.value, "number") == "HQ-5005", "{told:?}");
}

fn caught_up(consortium: &Consortium, org: &str) {
    let newest = height(consortium, "civil");
    until("the node has caught up", SOON, || (height(consortium, org) >= newest).then_some(()));
}

#[test]
fn a_backup_is_made_while_serving_proven_and_brought_back_and_a_damaged_ledger_is_fetched_again() {
    let mut consortium = Consortium::found_with(PEOPLE);
    consortium.start_all();
    let dir = consortium.dir("audit");
    propose(&consortium, "audit/admin", "150");
    let place = consortium.path("backup");
    let about = chain("backup", Some(&place), &dir).good();
    assert_eq!(text(&about, "genesis"), consortium.genesis);
    assert!(about["height"].as_u64().is_some_and(|height| height > 0), "{about}");
    chain("backup", Some(&place), &dir).fault("HQ-7003");
    // Another token than the node's is refused.
    let token = dir.join("data/local.token");
    let known = fs::read(&token).expect("a token");
    fs::write(&token, "0".repeat(64)).expect("written");
    chain("backup", Some(&consortium.path("other")), &dir).fault("HQ-7002");
    fs::write(&token, known).expect("written");
    chain("verify", None, &dir).fault("HQ-5002");

    propose(&consortium, "civil/admin", "160");
    consortium.kill("audit");
    let proven: Value = chain("verify", None, &dir).good();
    assert_eq!(text(&proven, "verdict"), "root proven equal");
    chain("restore", Some(&place), &dir).fault("HQ-7003");
    let moved = text(&chain("repair", None, &dir).good(), "moved_to");
    assert!(Path::new(&moved).join("CURRENT").exists(), "{moved}");
    fs::remove_dir_all(dir.join("data/ledger")).expect("removed");
    let restored = chain("restore", Some(&place), &dir).good();
    assert_eq!((&restored["height"], &restored["state_root"]), (&about["height"], &about["state_root"]));
    consortium.start("audit");
    caught_up(&consortium, "audit");

    // A backup that was changed is refused, and nothing of it stays.
    consortium.kill("audit");
    fs::remove_dir_all(dir.join("data/ledger")).expect("removed");
    let written = fs::read_to_string(place.join("backup.json")).expect("read");
    let other = written.replace(&text(&about, "state_root"), &"0".repeat(64));
    fs::write(place.join("backup.json"), other).expect("written");
    chain("restore", Some(&place), &dir).fault("HQ-6001");
    assert!(!dir.join("data/ledger").exists() && !dir.join("data/ledger.restoring").exists());

    // With nothing but what `repair` leaves, everything comes from the peers.
    fs::rename(&moved, dir.join("data/ledger")).expect("moved back");
    chain("repair", None, &dir).good();
    consortium.start("audit");
    caught_up(&consortium, "audit");
    propose(&consortium, "audit/admin", "170");
}

/// `heqi chain add-disk FOLDER --gib 1 --dir DIR`, run in a folder.
fn add_disk(folder: &str, within: &Path, dir: &Path) -> Told {
    let mut command = heqi();
    command.args(["chain", "add-disk", folder, "--gib", "1", "--dir"]).arg(dir);
    run(command.current_dir(within))
}

/// Whether these are the further disks, in their order.
fn has_disks(told: &Value, names: &[&str]) -> bool {
    let disks = items(told, "disks");
    let is = |(disk, name): (&Value, &&str)| Path::new(&text(disk, "folder")).ends_with(name) && disk["gib"] == 1;
    disks.len() == names.len() && disks.iter().zip(names).all(is)
}

#[test]
fn a_disk_is_added_while_the_node_serves_and_found_again_and_backup_and_repair_know_of_it() {
    let mut consortium = Consortium::found_with(PEOPLE);
    consortium.start_all();
    let (dir, within, place) = (consortium.dir("audit"), consortium.path("disks"), consortium.path("backup"));
    fs::create_dir(&within).expect("made");
    std::thread::scope(|scope| {
        let some = if std::env::var_os("HEQI_LONG").is_some() { 200..206 } else { 200..203 };
        scope.spawn(|| some.for_each(|n| propose(&consortium, "audit/admin", &n.to_string())));
        let told = add_disk("first", &within, &dir).good();
        assert!(has_disks(&told, &["first"]), "{told}");
    });
    add_disk(dir.to_str().expect("text"), &within, &dir).fault("HQ-7003");
    let before = height(&consortium, "audit");
    propose(&consortium, "audit/admin", "210");
    assert!(height(&consortium, "audit") > before, "it goes on");

    consortium.kill("audit");
    let (first, away) = (within.join("first"), within.join("away"));
    fs::rename(&first, &away).expect("unmounted");
    let refused = chain("verify", None, &dir).fault("HQ-5003");
    assert!(refused.to_string().contains("mounted"), "{refused}");
    fs::rename(&away, &first).expect("mounted");
    chain("verify", None, &dir).good();
    propose(&consortium, "civil/admin", "220");
    consortium.start("audit");
    caught_up(&consortium, "audit");
    let told = add_disk("second", &within, &dir).good();
    assert!(has_disks(&told, &["first", "second"]), "the first is known since before the restart: {told}");

    chain("backup", Some(&place), &dir).good();
    consortium.kill("audit");
    let repaired = chain("repair", None, &dir).good();
    assert_eq!(items(&repaired, "disks_left").len(), 2, "{repaired}");
    fs::remove_dir_all(dir.join("data/ledger")).expect("removed");
    // A copy of a ledger that lies on several disks is no backup.
    let list = place.join("ledger/paths");
    fs::write(&list, format!("1 {}\n", first.display())).expect("written");
    chain("restore", Some(&place), &dir).fault("HQ-7003");
    fs::remove_file(list).expect("removed");
    chain("restore", Some(&place), &dir).good();
    consortium.start("audit");
    caught_up(&consortium, "audit");
    // The folders are those of the ledger that was moved.
    add_disk("first", &within, &dir).fault("HQ-7003");
    let told = add_disk("third", &within, &dir).good();
    assert!(has_disks(&told, &["third"]), "{told}");
}

#[test]
fn a_node_that_prunes_says_what_it_does_not_do_and_one_that_computes_may_not() {
    let mut consortium = Consortium::found();
    let set = |org: &str| {
        let path = consortium.dir(org).join("node.toml");
        let config = fs::read_to_string(&path).expect("node.toml");
        fs::write(path, format!("history = \"pruned:5000\"\n{config}")).expect("written");
    };
    set("audit");
    set("civil");
    let told = consortium.doctor("audit").good();
    assert!(text(&told, "note").contains("no notary"), "{told}");
    consortium.start("audit");
    assert_eq!(height(&consortium, "audit"), 0);
    consortium.spawn("civil", &mut consortium.node_command("civil")).refused("HQ-7003");
}
