//! Freezes the formats that outlive a release: SM3 of the encoding of one fixed sample each, in `tests/formats.txt`.
//!
//! A changed line there is a changed format, and is reviewed as one. `UPDATE=1` rewrites the file.

#[path = "formats/chain.rs"]
mod chain;
#[path = "formats/plans.rs"]
mod plans;
#[path = "formats/samples.rs"]
mod samples;

use std::{env, fs};

use base_gm::sm3::sm3;
use heqi_tests::tree::{root, text};

use samples::{Sample, digests, samples};

const FILE: &str = "tests/formats.txt";

const HEAD: &str = "\
# Formats frozen by hash, checked by tests/formats.rs. `UPDATE=1 cargo test --workspace --test formats` rewrites this
# file. A line that changes is a format that changes: raise its version, and say in CHANGELOG.md what reads the old one.
";

fn listed() -> String {
    let encodings = samples().into_iter().map(|Sample { name, bytes, .. }| (name, bytes.len(), sm3(&bytes)));
    let lines = encodings.map(|(name, len, digest)| format!("{name} = {digest} ({len} bytes)\n"));
    let names = digests().into_iter().map(|(name, digest)| format!("digest of {name} = {digest}\n"));
    lines.chain(names).collect()
}

#[test]
fn every_format_has_the_encoding_that_is_written_down() {
    let wanted = format!("{HEAD}{}", listed());
    if env::var_os("UPDATE").is_some() {
        return fs::write(root().join(FILE), wanted).expect("the file is written");
    }
    let found = text(FILE);
    let changed: Vec<&str> = wanted.lines().filter(|line| !found.lines().any(|l| l == *line)).collect();
    let gone: Vec<&str> = found.lines().filter(|line| !wanted.lines().any(|l| l == *line)).collect();
    assert!(
        changed.is_empty() && gone.is_empty(),
        "formats differ from {FILE}; if that is meant, run `UPDATE=1 cargo test --workspace --test formats`\n\
         now: {changed:#?}\nwritten down: {gone:#?}"
    );
}

#[test]
fn every_format_comes_back_and_no_cut_of_it_does() {
    for Sample { name, bytes, again } in samples() {
        assert_eq!(again(&bytes).as_deref(), Some(&bytes[..]), "{name} does not come back");
        for cut in 0..bytes.len() {
            assert!(again(&bytes[..cut]).is_none(), "{name} cut at {cut} is taken");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(again(&longer).is_none(), "{name} with a byte too many is taken");
    }
}

#[test]
fn no_two_samples_are_equal() {
    let mut all: Vec<_> = samples().into_iter().map(|s| s.bytes).collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "two samples have one encoding, so one of them tests nothing");
}
