//! One changed byte anywhere, a shorter or longer file, an entry out of its place: refused, and the link is named.

use std::ops::Range;

use base_wire::Encode;
use notary_evidence::{Bundle, MAGIC, verify};

use crate::{
    ledger::{Ledger, genesis, key},
    story::{By, job, tell, whole},
};

fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    for n in 1..=2 {
        assert_eq!(tell(&mut ledger, &job(n), &whole(), By::Contract), Ok(()));
    }
    ledger
}

/// The file's structures in order, and the link that guards each.
fn structures(bundle: &Bundle) -> Vec<(String, Range<usize>)> {
    let Bundle { genesis, handovers, header, certificate, subject, entries, count_proof } = bundle;
    let mut parts = vec![
        ("file format".to_owned(), MAGIC.len()),
        ("genesis".to_owned(), genesis.to_wire().len()),
        ("file format".to_owned(), handovers.to_wire().len()),
        ("certified header".to_owned(), header.to_wire().len()),
        ("certified header".to_owned(), certificate.to_wire().len()),
        ("number of entries".to_owned(), subject.to_wire().len()),
        ("file format".to_owned(), 4),
    ];
    for (at, entry) in entries.iter().enumerate() {
        let pieces = [entry.transaction.to_wire(), entry.record.to_wire(), entry.proof.to_wire()];
        parts.extend(pieces.map(|piece| (format!("entry {} (", at + 1), piece.len())));
    }
    parts.push(("number of entries".to_owned(), count_proof.to_wire().len()));
    let mut end = 0;
    let range = |(link, len): (String, usize)| {
        end += len;
        (link, end - len..end)
    };
    parts.into_iter().map(range).collect()
}

/// `None` when the changed file is refused at the right link.
fn passes(file: &[u8], at: usize, link: &str) -> Option<String> {
    let mut changed = file.to_vec();
    changed[at] ^= 1 << (at % 8);
    let report = verify(&changed, Some(&genesis().digest()));
    let broken = report.first_broken.unwrap_or_default();
    let signature = broken == "signatures" && link.starts_with("entry ");
    let named = broken == "file format" || broken.starts_with(link) || signature;
    (report.valid || report.summary.is_some() || !named).then(|| format!("byte {at} in '{link}': '{broken}'"))
}

/// Every third byte, and all near the ends of every structure: a whole pass over each byte takes longer than a test may.
#[test]
fn no_changed_byte_holds() {
    let bundle = ledger().bundle(&job(1));
    let file = bundle.to_file();
    let parts = structures(&bundle);
    assert_eq!(parts.last().map(|(_, range)| range.end), Some(file.len()));
    let near = |at: usize, range: &Range<usize>| at < range.start + 4 || at + 4 >= range.end;
    let chosen: Vec<(usize, &str)> = parts
        .iter()
        .flat_map(|(link, range)| range.clone().filter(|at| at % 3 == 0 || near(*at, range)).map(|at| (at, &**link)))
        .collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let (file, chosen) = (&file, &chosen);
        let look = |worker| {
            move || {
                let mine = chosen.iter().skip(worker).step_by(workers);
                mine.filter_map(|(at, link)| passes(file, *at, link)).collect::<Vec<_>>()
            }
        };
        let tasks: Vec<_> = (0..workers).map(|worker| scope.spawn(look(worker))).collect();
        tasks.into_iter().flat_map(|task| task.join().expect("joined")).collect()
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_shorter_or_longer_file_is_refused() {
    let file = ledger().bundle(&job(1)).to_file();
    let pin = genesis().digest();
    let refused = |bytes: &[u8], what: &str| {
        let report = verify(bytes, Some(&pin));
        assert_eq!(report.first_broken.as_deref(), Some("file format"), "{what}");
        assert!(report.genesis.is_empty() && report.summary.is_none());
    };
    for cut in (0..file.len()).step_by(7).chain(file.len() - 40..file.len()) {
        refused(&file[..cut], "cut");
    }
    for more in [&[0][..], &[1; 40], &file] {
        refused(&[&file, more].concat(), "extended");
    }
    refused(&file[1..], "beheaded");
}

#[test]
fn an_entry_out_of_its_place_is_refused() {
    let ledger = ledger();
    let (bundle, other) = (ledger.bundle(&job(1)), ledger.bundle(&job(2)));
    let refused = |what: &str, link: &str, change: &dyn Fn(&mut Bundle)| {
        let mut changed = bundle.clone();
        change(&mut changed);
        let report = verify(&changed.to_file(), Some(&genesis().digest()));
        let broken = report.first_broken.unwrap_or_default();
        assert!(!report.valid && broken.starts_with(link), "{what}: '{broken}'");
    };
    let stranger = key("stranger");
    for at in 0..bundle.entries.len() {
        refused("signed by another", "signatures", &|b| {
            let transaction = &mut b.entries[at].transaction;
            transaction.signature = stranger.sign(&transaction.digest().0);
        });
        refused("left out", "number of entries", &|b| _ = b.entries.remove(at));
        refused("doubled", "number of entries", &|b| b.entries.insert(at, b.entries[at].clone()));
        let entry = format!("entry {} (", at + 1);
        refused("of another job", &entry, &|b| b.entries[at] = other.entries[at].clone());
        refused("another's transaction", &entry, &|b| {
            b.entries[at].transaction = other.entries[at].transaction.clone()
        });
        refused("another's proof", &entry, &|b| b.entries[at].proof = other.entries[at].proof.clone());
        if at > 0 {
            let entry = format!("entry {at} (");
            refused("swapped", &entry, &|b| b.entries.swap(at - 1, at));
            refused("doubled over its neighbour", &entry, &|b| b.entries[at - 1] = b.entries[at].clone());
        }
    }
    refused("all left out", "number of entries", &|b| b.entries.clear());
    refused("the other job's count", "number of entries", &|b| b.count_proof = other.count_proof.clone());
    refused("the other job's name", "number of entries", &|b| b.subject = other.subject);
    refused("one more of the other job", "number of entries", &|b| b.entries.push(other.entries[1].clone()));
    let earlier = ledger_with_less();
    refused("an older header", "certified header", &|b| b.certificate = earlier.certificate.clone());
    refused("an older state", "number of entries", &|b| {
        (b.header, b.certificate) = (earlier.header.clone(), earlier.certificate.clone());
    });
}

/// The same chain at a time when the first job was under way.
fn ledger_with_less() -> Bundle {
    let mut ledger = Ledger::new();
    assert_eq!(tell(&mut ledger, &job(1), &whole()[..6], By::Contract), Ok(()));
    ledger.bundle(&job(1))
}
