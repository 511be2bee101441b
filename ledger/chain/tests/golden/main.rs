//! Data folders of every release: each opens with this version, is proven whole, answers as it did, and its chain goes on.
//!
//! A folder lies at `tests/golden/<version>`: a validator's store as it was when the node was ended, the genesis, and what
//! is in it. Once its version is released it never changes: it stands for the disks of everybody who runs that version.
//! `0.1.0-layout-2` is from before that release, of the state's layout before the one in work.

mod contracts;
mod expected;
mod make;
mod open;
mod prune;
mod world;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tokio::sync::Mutex;

/// The version in work, or the one released last.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// In a version's folder: the store, the genesis, and what they hold.
const DATA: &str = "data";
const GENESIS: &str = "genesis.bin";
const EXPECTED: &str = "expected.txt";

/// Nobody reads a folder that is being written.
static TURN: Mutex<()> = Mutex::const_new(());

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn golden() -> PathBuf {
    root().join("tests/golden")
}

fn updating() -> bool {
    env::var_os("UPDATE").is_some()
}

/// The versions that CHANGELOG.md names, and whether each is released.
fn versions() -> Vec<(String, bool)> {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("a changelog");
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let version = |heading: &str| {
        let (version, state) = heading.split_once(' ').unwrap_or((heading, ""));
        (version.to_owned(), state != "(unreleased)")
    };
    headings.map(version).collect()
}

/// Compares what this version writes with its folder, and with `UPDATE=1` writes the folder where they differ.
async fn renew() {
    let made = make::make().await;
    let (place, text) = (golden().join(VERSION), made.expected.text());
    let written = fs::read_to_string(place.join(EXPECTED)).unwrap_or_default();
    if written == text {
        return;
    }
    let differs: Vec<&str> = text.lines().filter(|line| !written.lines().any(|other| other == *line)).collect();
    let command = "UPDATE=1 cargo test -p ledger-chain --test golden";
    assert!(updating(), "tests/golden/{VERSION} is not what this version writes; `{command}` writes it: {differs:#?}");
    let released = versions().contains(&(VERSION.to_owned(), true));
    assert!(
        !released || !place.exists(),
        "{VERSION} is released, so tests/golden/{VERSION} never changes; raise the version: {differs:#?}"
    );
    made.write(&place);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_folders_of_every_release_open() {
    let _turn = if updating() { Some(TURN.lock().await) } else { None };
    if updating() {
        renew().await;
    }
    for (version, _) in versions() {
        assert!(golden().join(&version).is_dir(), "there is no data folder of {version} in tests/golden");
    }
    let folders = fs::read_dir(golden()).expect("folders").map(|folder| folder.expect("a folder").path());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    for folder in folders {
        open::opens(&folder).await;
    }
}

/// Holds the version in work to its own folder, so that a changed row of the storage is a changed line in a review. With
/// `UPDATE=1` it writes the folder where there is none or another one. That of a released version is refused: if this
/// version stores something else, it needs a number of its own, and the old folder shows that it still reads the old form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make_the_golden_folder_of_this_version() {
    let _turn = if updating() { Some(TURN.lock().await) } else { None };
    renew().await;
}
