//! How an honest party must end when another cheats.

use base_types::fault::{Code, Fault};
use notary_terms::Outcome;
use runner::Note;

use crate::{
    common::cluster::Ended,
    stage::{Case, Stage},
};

/// A fault of the peers' kind, with party and step, noted in a receipt that says the same; nothing is kept or delivered.
pub fn fault(party: &Ended) -> Fault {
    let fault = match &party.result {
        Err(fault) => fault.clone(),
        Ok(answer) => panic!("{} ended well, with {answer:?}", party.org),
    };
    let codes = [Code::PeerSilent, Code::PeerGone, Code::PeerMisbehaved];
    assert!(codes.contains(&fault.code), "{}: {fault}", party.org);
    match &fault.party {
        Some(blamed) => assert_ne!(*blamed, party.org, "{fault}"),
        // Nobody can tell which of two parties altered a word; then both are named.
        None => assert!(fault.step == "answer" && fault.detail.contains(" or "), "{}: {fault}", party.org),
    }
    assert!(!fault.step.is_empty() && !fault.detail.is_empty(), "{}: {fault}", party.org);
    noted(party, &fault);
    fault
}

/// The receipt says what the fault says; there is no answer, and nothing was delivered.
pub fn noted(party: &Ended, fault: &Fault) {
    let told = Outcome::Aborted {
        code: fault.code.number().to_owned(),
        blamed: fault.party.clone(),
        step: fault.step.clone(),
    };
    assert_eq!(party.receipt(), told, "{}", party.org);
    assert_eq!(party.records.kept(), None, "{}", party.org);
    assert!(!party.records.notes().iter().any(|note| matches!(note, Note::Delivered(_))), "{}", party.org);
}

/// What holds for every cheat: the victim ends with a fault; so does the other, unless all it had to do was done.
pub fn broken_off(stage: &Stage, case: &Case, ended: &[Ended]) {
    for party in ended {
        let others_part_done = case.last && party.org != case.victim && party.org != stage.plan.request.receiver;
        if party.result == Ok(None) && others_part_done {
            assert_eq!(party.receipt(), Outcome::Done);
            assert_eq!(party.records.kept(), None);
        } else {
            let fault = fault(party);
            assert!(fault.step.starts_with("star/") || fault.step == "answer", "{fault}");
            // What had crossed by then is notarised too.
            assert!(party.streams().streams.len() == 4, "{case:?}");
        }
    }
}

/// The victim's fault.
pub fn victims(case: &Case, ended: &[Ended]) -> Fault {
    fault(ended.iter().find(|party| party.org == case.victim).expect("the victim is honest"))
}

/// The victim says that the cheat sent what the protocol does not allow.
pub fn misbehaved(case: &Case, ended: &[Ended]) {
    let fault = victims(case, ended);
    assert_eq!((fault.code, fault.party.as_ref()), (Code::PeerMisbehaved, Some(&case.cheat)), "{case:?}: {fault}");
}
