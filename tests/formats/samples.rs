//! The fixed samples: every field filled, every optional thing there, every list with something in it.

use base_gm::{
    envelope::Sealed,
    sm2::{PublicKey, SecretKey, Signature},
};
use base_types::{
    Digest, OrgId, PersonId,
    column::{Column, ColumnMeta, ColumnType},
};
use base_wire::{Decode, Encode};
use ledger_light::{
    Block, Certificate, Epoch, Genesis, Handover, Header, Member, MerklePath, MerkleStep, Organisation, Role,
    Transaction, Validator, VoteKind, merkle_root,
    state::{ProofEnd, StateProof, inner_hash, leaf_hash},
    vote_bytes,
};
use ledger_vm::notary::{Entry, EntryKind, Job, Record};
use notary_evidence::{Bundle, EvidenceEntry};
use notary_terms::{
    ApprovalBody, ApprovalMode, CancelBody, ColumnClass, Connection, DeliveredBody, Outcome, Plan, ProposalBody,
    ReadBody, ReceiptBody, RefusedBody, RejectBody, RevokeBody, Rule, RuleSet, Source, StartBody, Stream, Tier,
    TransferBody, Use, dataset_subject,
};

use crate::plans;

/// One format's sample.
pub struct Sample {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// Decodes and encodes again; `None` when the bytes are refused.
    pub again: fn(&[u8]) -> Option<Vec<u8>>,
}

pub fn sample<T: Encode + Decode>(name: &'static str, value: &T) -> Sample {
    Sample { name, bytes: value.to_wire(), again: |bytes| T::from_wire(bytes).ok().map(|value| value.to_wire()) }
}

pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an identifier")
}

pub fn org(text: &str) -> OrgId {
    id(text)
}

pub fn person(text: &str) -> PersonId {
    id(text)
}

pub fn key(name: &str) -> PublicKey {
    SecretKey::from_seed(name.as_bytes()).public()
}

fn signature(fill: u8) -> Signature {
    Signature::from_bytes(&[fill; 64]).expect("r and s are in range")
}

pub fn digest(fill: u8) -> Digest {
    Digest([fill; 32])
}

pub fn epoch() -> Epoch {
    let validators = ["civil", "health"].map(|name| Validator { org: org(name), key: key(name) });
    Epoch { number: 3, engine: 1, first_height: 7, validators: validators.into(), interval_ms: 200 }
}

pub fn genesis() -> Genesis {
    let organisation = Organisation {
        id: org("health"),
        name_zh: "卫生健康委".into(),
        name_en: "Health department".into(),
        ca: vec![0x30, 0x00],
    };
    let roles = vec![Role::Node, Role::Owner, Role::Analyst, Role::Auditor, Role::Administrator];
    let member = Member { id: person("health/owner"), key: key("owner"), roles };
    Genesis {
        name: "sample".into(),
        time: 1_700_000_000_000,
        organisations: vec![organisation],
        members: vec![member],
        epoch: epoch(),
    }
}

pub fn header() -> Header {
    Header {
        version: 1,
        chain: genesis().digest(),
        height: 9,
        parent: digest(1),
        time: 1_700_000_000_200,
        proposer: org("health"),
        transactions_root: digest(2),
        state_root: digest(3),
        epoch: epoch().digest(),
        next_epoch: digest(4),
    }
}

fn entry() -> Entry {
    Entry {
        subject: digest(5),
        kind: EntryKind::Proposed,
        attempt: 1,
        parties: vec![org("civil"), org("health")],
        expires: 1_700_000_600_000,
        body: b"body".to_vec(),
    }
}

fn record() -> Record {
    Record {
        subject: digest(5),
        seq: 2,
        kind: EntryKind::Receipt,
        attempt: 1,
        sender: person("health/node"),
        tx: digest(6),
        height: 9,
        time: 1_700_000_000_200,
        expires: 1_700_000_600_000,
        parties: vec![org("civil")],
        body: digest(7),
    }
}

pub fn transaction() -> Transaction {
    Transaction {
        chain: genesis().digest(),
        sender: key("sender"),
        nonce: [8; 16],
        valid_until: 100,
        payload: entry().to_wire(),
        signature: signature(9),
    }
}

pub fn certificate() -> Certificate {
    let signatures = vec![(0, signature(10)), (1, signature(11))];
    Certificate { height: 9, round: 1, block: header().digest(), signatures }
}

fn proof() -> StateProof {
    let end = ProofEnd::Other { key: digest(12), value: digest(13) };
    StateProof { end, siblings: vec![Some(digest(14)), None] }
}

fn sealed() -> Sealed {
    Sealed { recipients: vec![(key("node"), vec![15; 112])], nonce: [16; 12], cipher: vec![17; 20] }
}

fn column() -> Column {
    Column {
        name: "education".into(),
        ty: ColumnType::Decimal { scale: 2 },
        values: vec![-5, 0],
        valid: vec![true, false],
        dictionary: vec!["甲".into()],
    }
}

fn source() -> Source {
    let meta = |name: &str, ty| ColumnMeta { name: name.into(), ty, nullable: true, unique: false, min: -8, max: 255 };
    let types = [ColumnType::Int, ColumnType::Text, ColumnType::Bool, ColumnType::Date];
    Source {
        dataset: id("health/visits"),
        title: "就诊".into(),
        kind: "csv".into(),
        rows_bound: 1664,
        columns: ["a", "b", "c", "d"].into_iter().zip(types).map(|(name, ty)| meta(name, ty)).collect(),
        classes: vec![ColumnClass { column: "a".into(), class: "health".into(), grade: 3 }],
    }
}

fn rules() -> RuleSet {
    let uses = vec![
        Use::Plaintext,
        Use::AfterJoin,
        Use::JoinPayload,
        Use::AfterGroupBy,
        Use::AfterAggregate,
        Use::AfterCompare,
        Use::EncryptedOnly,
        Use::Program,
    ];
    let rule = Rule {
        column: "sbp".into(),
        party: org("statistics"),
        purpose: "health-statistics".into(),
        uses,
        expires: 1_800_000_000_000,
        runs: 3,
    };
    RuleSet {
        dataset: id("health/visits"),
        approval: ApprovalMode::Person,
        min_group: 5,
        holders: vec![org("statistics")],
        rules: vec![rule],
    }
}

fn proposal() -> ProposalBody {
    ProposalBody {
        sealed_plan: sealed(),
        analyst: person("statistics/analyst"),
        receiver: org("statistics"),
        nodes: vec![org("civil"), org("health"), org("statistics")],
        purpose: "health-statistics".into(),
        datasets: vec![id("health/visits")],
        tier: Tier::B,
    }
}

fn ledger() -> Vec<Sample> {
    let block = Block { header: header(), transactions: vec![transaction()] };
    let path = MerklePath { steps: vec![MerkleStep { left: true, sibling: digest(19) }] };
    let job = Job {
        proposer: org("statistics"),
        parties: vec![org("civil")],
        expires: 1_700_000_600_000,
        approved: vec![org("civil")],
        rejected: vec![org("health")],
        cancelled: true,
        attempts: 2,
    };
    vec![
        sample("Epoch", &epoch()),
        sample("Genesis", &genesis()),
        sample("Header", &header()),
        sample("Block", &block),
        sample("Transaction", &transaction()),
        sample("Certificate", &certificate()),
        sample("MerklePath", &path),
        sample("StateProof", &proof()),
        sample("Entry", &entry()),
        sample("Record", &record()),
        sample("Job", &job),
    ]
}

fn terms() -> Vec<Sample> {
    let aborted = Outcome::Aborted { code: "HQ-4001".into(), blamed: Some(org("civil")), step: "join".into() };
    let stream = Stream { from: org("civil"), to: org("health"), frames: 3, bytes: 4096, digest: digest(20) };
    let later = Connection { number: 2, streams: vec![stream.clone()] };
    let ended = ReceiptBody { outcome: aborted, transcript: digest(25), millis: 900, resumed: 0 };
    let delivered = DeliveredBody { receiver: org("statistics"), result: digest(21), bytes: 77 };
    let refused = RefusedBody {
        analyst: person("statistics/analyst"),
        purpose: "health-statistics".into(),
        code: "HQ-3001".into(),
        datasets: vec![id("civil/deaths")],
    };
    let mut all = vec![
        sample("Sealed", &sealed()),
        sample("Column", &column()),
        sample("Source", &source()),
        sample("RuleSet", &rules()),
        sample("ProposalBody", &proposal()),
        sample("ApprovalBody", &ApprovalBody { by_rule: true, rules: digest(22) }),
        sample("RejectBody", &RejectBody { reason: "no".into() }),
        sample("StartBody", &StartBody { approvals: vec![digest(23)] }),
        sample("ReadBody", &ReadBody { dataset: id("civil/deaths"), commitment: digest(24) }),
        sample("TransferBody", &TransferBody { streams: vec![stream.clone()], later: vec![] }),
        sample("TransferBody, resumed", &TransferBody { streams: vec![stream], later: vec![later] }),
        sample("DeliveredBody", &delivered),
        sample("ReceiptBody", &ended),
        sample("ReceiptBody, resumed", &ReceiptBody { resumed: 2, ..ended }),
        sample("RefusedBody", &refused),
        sample("CancelBody", &CancelBody { reason: "called off".into() }),
        sample("RevokeBody", &RevokeBody { dataset: id("civil/deaths") }),
    ];
    all.extend(plans::plans());
    all
}

/// Every format that a disk, a peer or an evidence file holds.
pub fn samples() -> Vec<Sample> {
    let entries = vec![EvidenceEntry { transaction: transaction(), record: record(), proof: proof() }];
    let bundle = Bundle {
        genesis: genesis(),
        handovers: vec![Handover { header: header(), certificate: certificate(), epoch: genesis().epoch }],
        header: header(),
        certificate: certificate(),
        subject: digest(5),
        entries,
        count_proof: StateProof { end: ProofEnd::Found, siblings: vec![] },
    };
    let mut all = ledger();
    all.extend(terms());
    all.push(sample("Bundle", &bundle));
    all.extend(crate::chain::samples());
    all
}

/// Digests whose recipe is a format too: what is signed, pinned or named.
pub fn digests() -> Vec<(&'static str, Digest)> {
    vec![
        ("Epoch", epoch().digest()),
        ("Genesis", genesis().digest()),
        ("Header", header().digest()),
        ("Transaction", transaction().digest()),
        ("a precommit", vote_bytes(&digest(1), VoteKind::Precommit, 9, 1, Some(&digest(2)))),
        ("a prevote for nothing", vote_bytes(&digest(1), VoteKind::Prevote, 9, 1, None)),
        ("a list of three", merkle_root(&[digest(1), digest(2), digest(3)])),
        ("a state leaf", leaf_hash(&digest(1), &digest(2))),
        ("a state node", inner_hash(&digest(1), &digest(2))),
        ("Plan", plans::plan().digest()),
        ("a salted value", Plan::salted(&[18; 32], "result", b"bytes")),
        ("a data set's subject", dataset_subject(&id("health/visits"))),
    ]
}
