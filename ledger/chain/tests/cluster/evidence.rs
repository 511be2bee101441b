//! Evidence is verified here with the formats of `ledger-light` alone, and no changed byte passes.

use base_gm::sm3::sm3;
use base_types::Digest;
use base_wire::{Decode, Encode};
use ledger_chain::{ChainFault, EvidenceParts, EvidenceRecord};
use ledger_vm::notary::{Entry, EntryKind as K, count_key, record_key};

use crate::{
    count,
    net::{Cluster, entry, genesis, transaction},
};

fn check(holds: bool, what: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(what) }
}

fn verify_record(parts: &EvidenceParts, at: u32, subject: &Digest) -> Result<(), &'static str> {
    let EvidenceRecord { transaction, record, proof } = &parts.records[at as usize];
    let proven = proof.verify(&parts.header.state_root, &record_key(subject, at), Some(&record.to_wire()));
    proven.map_err(|_| "record")?;
    transaction.verify(&parts.genesis.digest()).map_err(|_| "transaction")?;
    check(record.tx == transaction.digest(), "another transaction")?;
    let entry = Entry::from_wire(&transaction.payload).map_err(|_| "entry")?;
    check(entry.subject == *subject && entry.kind == record.kind && sm3(&entry.body) == record.body, "another entry")
}

fn verify(parts: &EvidenceParts, pinned: &Digest, subject: &Digest) -> Result<(), &'static str> {
    check(parts.genesis.digest() == *pinned && parts.header.chain == *pinned, "genesis")?;
    parts.certificate.verify(&parts.header, &parts.genesis.epoch).map_err(|_| "certificate")?;
    let count = u32::try_from(parts.records.len()).map_err(|_| "count")?;
    let proven = parts.count.verify(&parts.header.state_root, &count_key(subject), Some(&count.to_wire()));
    proven.map_err(|_| "count")?;
    (0..count).try_for_each(|at| verify_record(parts, at, subject))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn evidence_verifies_offline_and_no_changed_byte_does() {
    let cluster = Cluster::start(&[0, 1, 2, 3]).await;
    let steps = [
        (3, "analyst", K::Proposed),
        (1, "node", K::Approved),
        (2, "node", K::Approved),
        (1, "node", K::Started),
        (2, "node", K::Receipt),
    ];
    for (nonce, (at, who, kind)) in (0..).zip(steps) {
        let executed = cluster.chain(at).submit(transaction(at, who, nonce, &entry(kind, 9))).await.expect("executed");
        assert_eq!(executed.refusal, None, "{kind:?}");
    }
    let (subject, pinned) = (Digest([9; 32]), genesis().digest());
    let parts = cluster.chain(2).evidence(&subject).await.expect("evidence");
    assert_eq!(parts.records.len(), 5);
    assert_eq!(verify(&parts, &pinned, &subject), Ok(()));
    assert_eq!(verify(&parts, &Digest([1; 32]), &subject), Err("genesis"));
    assert_eq!(verify(&parts, &pinned, &Digest([8; 32])), Err("count"));

    let wire = parts.to_wire();
    assert_eq!(EvidenceParts::from_wire(&wire).as_ref(), Ok(&parts));
    for at in (0..wire.len()).step_by(count(11, 3) as usize) {
        let mut changed = wire.clone();
        changed[at] ^= 0x10;
        let holds = EvidenceParts::from_wire(&changed).is_ok_and(|parts| verify(&parts, &pinned, &subject).is_ok());
        assert!(!holds, "byte {at} of {}", wire.len());
    }
    let mut shorter = parts.clone();
    shorter.records.pop();
    assert_eq!(verify(&shorter, &pinned, &subject), Err("count"), "a record held back is missed");
    let none = cluster.chain(0).evidence(&Digest([77; 32])).await;
    assert!(matches!(none, Err(ChainFault::NotFound(_))));
}
