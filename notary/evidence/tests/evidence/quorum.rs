//! Who holds fewer keys than a quorum certifies nothing, whatever they do with them.

use base_types::Digest;
use ledger_light::{Certificate, Header, VoteKind, vote_bytes};
use notary_evidence::{Bundle, Report, verify};

use crate::{
    ledger::{Ledger, certificate, genesis, key},
    story::{By, job, tell, whole},
};

/// Two of four: civil and health, at places 1 and 2.
const THEIRS: [(u16, &str); 2] = [(1, "civil/node"), (2, "health/node")];

/// A state that the honest validators never had: the attackers' own story.
fn forged() -> Bundle {
    let mut ledger = Ledger::new();
    let mut steps = whole();
    steps.remove(3);
    assert_eq!(tell(&mut ledger, &job(1), &steps, By::Conspiracy), Ok(()));
    ledger.bundle(&job(1))
}

fn checked(bundle: &Bundle) -> Report {
    verify(&bundle.to_file(), Some(&genesis().digest()))
}

fn votes(header: &Header, kind: VoteKind, height: u64, round: u32, block: Option<&Digest>) -> Certificate {
    let message = vote_bytes(&header.chain, kind, height, round, block);
    let sign = |(place, who): (u16, &str)| (place, key(who).sign(&message.0));
    let signatures = [(0, "audit/node"), (1, "civil/node"), (2, "health/node"), (3, "statistics/node")].map(sign);
    Certificate { height: header.height, round: 0, block: header.digest(), signatures: signatures.to_vec() }
}

#[test]
fn three_of_four_certify_and_two_never_do() {
    let bundle = forged();
    let by = |signers: &[(u16, &str)]| Bundle { certificate: certificate(&bundle.header, signers), ..bundle.clone() };
    // With a quorum the header passes and only the story is false: the control of this test.
    assert_eq!(checked(&bundle).first_broken.as_deref(), Some("approvals"));
    let [civil, health] = THEIRS;
    let attempts: [&[(u16, &str)]; 9] = [
        &[],
        &[civil],
        &[civil, health],
        &[civil, civil, health],
        &[civil, health, health],
        &[(0, "civil/node"), civil, health],
        &[civil, health, (3, "health/node")],
        &[civil, health, (4, "stranger")],
        &[(0, "audit/owner"), civil, health],
    ];
    for signers in attempts {
        let report = checked(&by(signers));
        assert_eq!(report.first_broken.as_deref(), Some("certified header"), "{signers:?}");
    }
    let mut backwards = bundle.clone();
    backwards.certificate.signatures.reverse();
    assert_eq!(checked(&backwards).first_broken.as_deref(), Some("certified header"));
}

#[test]
fn honest_votes_for_something_else_certify_nothing() {
    let bundle = forged();
    let header = &bundle.header;
    let mine = header.digest();
    let honest = Header { state_root: Digest([5; 32]), ..header.clone() };
    let replayed = [
        ("prevotes", votes(header, VoteKind::Prevote, header.height, 0, Some(&mine))),
        ("another height", votes(header, VoteKind::Precommit, header.height - 1, 0, Some(&mine))),
        ("another round", votes(header, VoteKind::Precommit, header.height, 1, Some(&mine))),
        ("for nothing", votes(header, VoteKind::Precommit, header.height, 0, None)),
        ("for an honest block", votes(header, VoteKind::Precommit, header.height, 0, Some(&honest.digest()))),
    ];
    for (what, certificate) in replayed {
        let report = checked(&Bundle { certificate, ..bundle.clone() });
        assert_eq!(report.first_broken.as_deref(), Some("certified header"), "{what}");
    }
    let real = votes(&honest, VoteKind::Precommit, honest.height, 0, Some(&honest.digest()));
    assert_eq!(real.verify(&honest, &genesis().epoch), Ok(()));
    let report = checked(&Bundle { certificate: real, ..bundle.clone() });
    assert_eq!(report.first_broken.as_deref(), Some("certified header"), "the honest block's own certificate");
}

#[test]
fn validators_of_their_own_make_another_chain() {
    let mut bundle = forged();
    bundle.genesis.epoch.validators.retain(|v| ["civil", "health"].contains(&v.org.as_str()));
    bundle.header.epoch = bundle.genesis.epoch.digest();
    bundle.certificate = certificate(&bundle.header, &[(0, "civil/node"), (1, "health/node")]);
    assert_eq!(checked(&bundle).first_broken.as_deref(), Some("genesis"));

    // With the true genesis the header's epoch is not the chain's.
    let kept = Bundle { genesis: genesis(), ..bundle };
    assert_eq!(checked(&kept).first_broken.as_deref(), Some("certified header"));
}
