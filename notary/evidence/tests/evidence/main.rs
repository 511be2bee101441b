//! Evidence of a whole job: it holds, no changed byte does, no false story does, no minority certifies another.

mod false_stories;
mod ledger;
mod pairs;
mod quorum;
mod resumed;
mod story;
mod tampered;

use base_types::Digest;
use base_wire::Encode;
use ledger::{Ledger, genesis, org};
use ledger_vm::notary::EntryKind as K;
use notary_evidence::{Report, verify};
use notary_terms::{Outcome, RejectBody};
use story::{By, job, receipt, step, tell, up_to_start, whole};

/// The verdict on a job by one who pinned the chain.
pub fn verdict(ledger: &Ledger, job: &Digest) -> Report {
    verify(&ledger.bundle(job).to_file(), Some(&genesis().digest()))
}

#[test]
fn a_whole_story_holds_and_is_summed_up() {
    let mut ledger = Ledger::new();
    assert_eq!(tell(&mut ledger, &job(1), &whole(), By::Contract), Ok(()));
    let file = ledger.bundle(&job(1)).to_file();
    let report = verify(&file, Some(&genesis().digest()));
    assert!(report.valid && report.anchored && report.steps.iter().all(|s| s.ok), "{report:?}");
    assert_eq!((report.first_broken, report.genesis), (None, genesis().digest().to_string()));
    let names: Vec<_> = report.steps.iter().map(|s| s.name.as_str()).filter(|n| !n.starts_with("entry ")).collect();
    let bound = ["file format", "genesis", "certified header", "number of entries", "signatures"];
    let story = ["proposal", "approvals", "start", "reads", "transfers", "delivery", "receipts"];
    assert_eq!(names, [&bound[..], &story].concat());
    assert!(report.steps.iter().all(|s| !s.name_zh.is_ascii()), "every link has its Chinese name");
    let summary = report.summary.expect("a summary");
    assert_eq!((summary.outcome.as_str(), summary.bytes), ("done", 6 * 4096));
    assert_eq!((summary.receiver.as_str(), summary.analyst.as_str()), ("statistics", "statistics/analyst"));
    assert_eq!(summary.approved_by, ["health", "civil", "statistics"]);
    assert_eq!(summary.datasets.len(), 3);
}

#[test]
fn without_a_pin_it_is_unanchored_and_a_wrong_pin_is_refused() {
    let mut ledger = Ledger::new();
    assert_eq!(tell(&mut ledger, &job(1), &whole(), By::Contract), Ok(()));
    let file = ledger.bundle(&job(1)).to_file();
    let loose = verify(&file, None);
    assert!(loose.valid && !loose.anchored);
    assert!(loose.steps.iter().any(|s| s.name == "genesis" && s.detail.contains("unanchored")));
    let other = verify(&file, Some(&Digest([1; 32])));
    assert_eq!((other.valid, other.first_broken.as_deref()), (false, Some("genesis")));
    assert_eq!(other.summary, None);
}

#[test]
fn an_aborted_job_verifies_and_says_who_reports_what() {
    let mut ledger = Ledger::new();
    let gone = |code: &str, blamed, step: &str| Outcome::Aborted {
        code: code.into(),
        blamed: Some(org(blamed)),
        step: step.into(),
    };
    let mut steps = up_to_start();
    steps.push(story::read("health/node", "health/visits"));
    // What was under way when a run broke off may be seen by one end only.
    let mut cut = story::streams("health");
    cut.streams[0].bytes -= 9;
    steps.push(story::transferred("health", &cut));
    steps.push(story::transferred("civil", &story::streams("civil")));
    steps.push(receipt("health", gone("HQ-4002", "civil", "join")));
    steps.push(receipt("statistics", gone("HQ-4001", "health", "join\u{1b}[2J")));
    assert_eq!(tell(&mut ledger, &job(1), &steps, By::Contract), Ok(()));
    let report = verdict(&ledger, &job(1));
    assert!(report.valid, "{report:?}");
    let outcome = report.summary.expect("a summary").outcome;
    assert!(outcome.starts_with("aborted: health reports HQ-4002 at 'join', blaming civil"), "{outcome}");
    assert!(outcome.contains("statistics reports HQ-4001") && !outcome.contains('\u{1b}'), "{outcome}");
}

#[test]
fn a_job_is_told_as_far_as_it_came() {
    let mut ledger = Ledger::new();
    let asked = up_to_start();
    let rejected = step("civil/owner", K::Rejected, 0, &RejectBody { reason: "no".into() });
    let mut running = whole();
    running.truncate(12);
    let cases = [
        (asked[..2].to_vec(), "not started"),
        ([&asked[..2], &[rejected]].concat(), "rejected by civil"),
        (asked, "running"),
        (running, "running"),
    ];
    for (n, (steps, outcome)) in (0..).zip(cases) {
        assert_eq!(tell(&mut ledger, &job(n), &steps, By::Contract), Ok(()));
        let report = verdict(&ledger, &job(n));
        assert!(report.valid, "{outcome}: {report:?}");
        assert_eq!(report.summary.expect("a summary").outcome, outcome);
    }
}

#[test]
fn a_second_attempt_is_told_beside_the_first() {
    let mut ledger = Ledger::new();
    let mut steps = up_to_start();
    let lost = Outcome::Aborted { code: "HQ-4002".into(), blamed: None, step: "join".into() };
    steps.extend(story::NODES.map(|node| receipt(node, lost.clone())));
    steps.push(story::started(2));
    let again = whole().into_iter().skip(5).map(|step| story::Step { attempt: 2, ..step });
    steps.extend(again);
    assert_eq!(tell(&mut ledger, &job(1), &steps, By::Contract), Ok(()));
    let report = verdict(&ledger, &job(1));
    assert!(report.valid, "{report:?}");
    assert_eq!(report.summary.map(|s| (s.outcome, s.bytes)), Some(("done".into(), 6 * 4096)));
}

#[test]
fn a_data_set_s_entries_are_no_job() {
    let mut ledger = Ledger::new();
    let entry = step("health/owner", K::SourceRegistered, 0, &"words".to_owned().to_wire());
    assert_eq!(tell(&mut ledger, &job(1), &[entry], By::Contract), Ok(()));
    assert_eq!(verdict(&ledger, &job(1)).first_broken.as_deref(), Some("proposal"));
}
