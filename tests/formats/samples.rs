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
    Aggregate, ApprovalBody, ApprovalMode, Argument, CancelBody, CellForm, Circuit, CircuitSize, ColumnClass,
    DeliveredBody, Fold, Function, GroupColumn, Intersect, Join, KeyPart, Label, Order, Outcome, Output, Overlap, Plan,
    Program, ProposalBody, Ranges, Read, ReadBody, ReadRole, ReceiptBody, RefusedBody, RejectBody, Request, RevokeBody,
    Rule, RuleSet, Source, Star, StartBody, Stream, Tier, TransferBody, Use, ValueOf, dataset_subject,
    formula::{Formula, Op},
};

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

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
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

fn reads() -> Vec<Read> {
    let groups = vec![GroupColumn { column: "education".into(), ty: ColumnType::Int, words: 2 }];
    let read = |owner: &str, dataset: &str, role| Read {
        owner: org(owner),
        dataset: id(dataset),
        alias: "t".into(),
        columns: vec!["person_id".into(), "education".into()],
        types: vec![ColumnType::Int, ColumnType::Int],
        key: Some(0),
        filter: Some(Formula { ops: vec![Op::Column(1), Op::Number(40), Op::Ge] }),
        values: vec![Formula { ops: vec![Op::Column(1), Op::Text("x".into()), Op::Null, Op::Rescale(2), Op::Case] }],
        rows_bound: 64,
        role,
    };
    vec![
        read("statistics", "statistics/census", ReadRole::Carrier { groups }),
        read("civil", "civil/deaths", ReadRole::Side { join: Join::Left }),
    ]
}

fn plan() -> Plan {
    let request = Request {
        sql: "SELECT 1".into(),
        purpose: "health-statistics".into(),
        analyst: person("statistics/analyst"),
        receiver: org("statistics"),
        expires: 1_700_000_600_000,
        salt: [18; 32],
    };
    let of_side = Argument::Value { read: 1, value: 0, absent: Some(-1) };
    Plan {
        planner: 1,
        catalogue_height: 8,
        request,
        tier: Tier::B,
        nodes: vec![org("civil"), org("health"), org("statistics")],
        reads: reads(),
        program: Program::Star(Star {
            min_group: 5,
            key_bits: 21,
            key_base: -1,
            max_groups: 8,
            aggregates: vec![
                Aggregate { function: Function::Count, argument: Argument::Rows },
                Aggregate { function: Function::Avg { extra_digits: 4 }, argument: of_side },
                Aggregate { function: Function::Sum, argument: of_side },
            ],
        }),
        outputs: vec![
            Output { name: "education".into(), ty: ColumnType::Int, value: ValueOf::Group { group: 0 } },
            Output { name: "people".into(), ty: ColumnType::Int, value: ValueOf::Aggregate { aggregate: 0 } },
        ],
        order: vec![Order { output: 0, descending: true, nulls_first: true }],
        limit: Some(10),
    }
}

/// An intersection that brings these labels.
fn rows(label: Label) -> Plan {
    let mut reads = reads();
    reads.reverse();
    for read in &mut reads {
        (read.key, read.types[0]) = (None, ColumnType::Text);
        let folds = vec![Fold::Trim, Fold::Lower, Fold::Upper];
        read.role = ReadRole::Set { keys: vec![KeyPart { column: 0, folds }, KeyPart { column: 1, folds: vec![] }] };
    }
    let value = ValueOf::Cell { read: 1, value: 0 };
    Plan {
        tier: Tier::C,
        nodes: vec![org("civil"), org("statistics")],
        reads,
        program: Program::Intersect(Intersect { label }),
        outputs: vec![Output { name: "education".into(), ty: ColumnType::Int, value }],
        ..plan()
    }
}

/// Aggregates over two owners' matching rows.
fn overlap() -> Plan {
    let ranges = vec![Ranges { rows: 64, values: vec![7] }, Ranges { rows: 1, values: vec![] }];
    let argument = Argument::Value { read: 0, value: 0, absent: None };
    let aggregates = vec![Aggregate { function: Function::Sum, argument }];
    Plan {
        tier: Tier::A,
        program: Program::Overlap(Overlap { min_group: 5, ranges, aggregates }),
        ..rows(Label::Nothing)
    }
}

/// Rows that several owners have in common.
fn in_common() -> Plan {
    Plan { tier: Tier::D, nodes: plan().nodes, program: Program::Common, ..rows(Label::Nothing) }
}

/// A user's program.
fn circuit() -> Plan {
    let mut reads = reads();
    for read in &mut reads {
        let (argument, ty) = ("a".to_owned(), "[u16; 3]".to_owned());
        (read.key, read.role) = (None, ReadRole::Input { argument, ty, rows: 3, absent: Some(-1) });
    }
    let output = |value| Output { name: "sum".into(), ty: ColumnType::Int, value };
    Plan {
        tier: Tier::D,
        reads,
        program: Program::Circuit(Circuit {
            source: "pub fn main(a: [u16; 3], b: [u16; 3]) -> bool { a[0] > b[0] }".into(),
            digest: digest(25),
            result: "bool".into(),
            size: CircuitSize { and_gates: 1 << 20, bytes: 1 << 33, rounds: 77, memory: 1 << 30 },
        }),
        outputs: [ValueOf::Result { field: None }, ValueOf::Result { field: Some(2) }, ValueOf::Stopped]
            .map(output)
            .to_vec(),
        ..plan()
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
    let delivered = DeliveredBody { receiver: org("statistics"), result: digest(21), bytes: 77 };
    let refused = RefusedBody {
        analyst: person("statistics/analyst"),
        purpose: "health-statistics".into(),
        code: "HQ-3001".into(),
        datasets: vec![id("civil/deaths")],
    };
    vec![
        sample("Sealed", &sealed()),
        sample("Column", &column()),
        sample("Source", &source()),
        sample("RuleSet", &rules()),
        sample("Plan", &plan()),
        sample("Plan of matches", &rows(Label::Nothing)),
        sample("Plan of counts", &rows(Label::Count)),
        sample("Plan of rows", &rows(Label::Row { cells: vec![CellForm { ty: ColumnType::Text, bytes: 64 }] })),
        sample("Plan of sums", &overlap()),
        sample("Plan of several", &in_common()),
        sample("Plan of a program", &circuit()),
        sample("ProposalBody", &proposal()),
        sample("ApprovalBody", &ApprovalBody { by_rule: true, rules: digest(22) }),
        sample("RejectBody", &RejectBody { reason: "no".into() }),
        sample("StartBody", &StartBody { approvals: vec![digest(23)] }),
        sample("ReadBody", &ReadBody { dataset: id("civil/deaths"), commitment: digest(24) }),
        sample("TransferBody", &TransferBody { streams: vec![stream] }),
        sample("DeliveredBody", &delivered),
        sample("ReceiptBody", &ReceiptBody { outcome: aborted, transcript: digest(25), millis: 900 }),
        sample("RefusedBody", &refused),
        sample("CancelBody", &CancelBody { reason: "called off".into() }),
        sample("RevokeBody", &RevokeBody { dataset: id("civil/deaths") }),
    ]
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
        ("Plan", plan().digest()),
        ("a salted value", Plan::salted(&[18; 32], "result", b"bytes")),
        ("a data set's subject", dataset_subject(&id("health/visits"))),
    ]
}
