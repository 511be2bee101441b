//! The notary's rules, each broken once.

use std::collections::BTreeMap;

use base_gm::{sm2::SecretKey, sm3::sm3};
use base_types::{Digest, OrgId, PersonId};
use base_wire::{Decode, Encode};
use ledger_light::{Epoch, Genesis, Member, Organisation, Role};
use ledger_vm::{
    Env, Native, StateView, Stop, Unavailable, genesis_changes, member_key,
    notary::{Entry, EntryKind as K, Notary, Record, count_key, record_key},
};

#[derive(Default)]
struct Map(BTreeMap<Vec<u8>, Vec<u8>>);

impl StateView for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.get(key).cloned())
    }
}

fn org(name: &str) -> OrgId {
    OrgId::new(name).expect("name")
}

fn member(name: &str, roles: &[Role]) -> Member {
    let id = PersonId::new(name).expect("name");
    Member { id, key: SecretKey::from_seed(name.as_bytes()).public(), roles: roles.to_vec() }
}

/// A chain's state of three organisations and a block's time.
struct World {
    state: Map,
    time: u64,
}

impl World {
    fn new() -> Self {
        let organisation =
            |name| Organisation { id: org(name), name_zh: String::new(), name_en: String::new(), ca: vec![] };
        let epoch = Epoch { number: 0, engine: 1, first_height: 1, validators: vec![], interval_ms: 500 };
        let organisations = ["a", "b", "c"].map(organisation).to_vec();
        let genesis = Genesis { name: "test".into(), time: 0, organisations, members: vec![], epoch };
        let changes = genesis_changes(&genesis).into_iter().filter_map(|(key, value)| Some((key, value?)));
        Self { state: Map(changes.collect()), time: 1000 }
    }

    /// Executes an entry; the refusal's text when it is refused.
    fn run(&mut self, sender: &Member, entry: &Entry) -> Result<(), String> {
        let env = Env {
            chain: Digest([0; 32]),
            height: 7,
            time: self.time,
            tx: sm3(&entry.to_wire()),
            sender: sender.clone(),
        };
        match Notary.execute(&self.state, &env, &entry.to_wire()) {
            Ok(changes) => {
                for (key, value) in changes {
                    self.state.0.insert(key, value.expect("the notary removes nothing"));
                }
                Ok(())
            }
            Err(Stop::Refused(why)) => Err(why.to_string()),
            Err(Stop::Unavailable(why)) => panic!("{why}"),
        }
    }

    fn refused(&mut self, sender: &Member, entry: &Entry, part: &str) {
        let why = self.run(sender, entry).expect_err("must be refused");
        assert!(why.contains(part), "'{why}' does not say '{part}'");
    }
}

fn entry(kind: K, attempt: u32) -> Entry {
    let (parties, expires) = if kind == K::Proposed { (vec![org("a"), org("b")], 2000) } else { (vec![], 0) };
    Entry { subject: Digest([9; 32]), kind, attempt, parties, expires, body: b"body".to_vec() }
}

#[test]
fn a_job_runs_from_proposal_to_receipt_and_every_record_is_kept() {
    let mut world = World::new();
    let (analyst, owner) = (member("a/analyst", &[Role::Analyst]), member("b/owner", &[Role::Owner]));
    let (node_a, node_b) = (member("a/node", &[Role::Node]), member("b/node", &[Role::Node]));
    let steps = [
        (&analyst, K::Proposed, 0),
        (&node_a, K::Approved, 0),
        (&owner, K::Approved, 0),
        (&node_a, K::Started, 1),
        (&node_b, K::Read, 1),
        (&node_a, K::Transferred, 1),
        (&node_a, K::Delivered, 1),
        (&node_b, K::Receipt, 1),
        (&node_b, K::Started, 2),
        (&node_b, K::Receipt, 1),
    ];
    for (seq, (sender, kind, attempt)) in (0..).zip(steps) {
        let entry = entry(kind, attempt);
        assert_eq!(world.run(sender, &entry), Ok(()), "{kind:?}");
        let record = Record::from_wire(&world.state.0[&record_key(&entry.subject, seq)]).expect("record");
        assert_eq!((record.seq, record.kind, record.attempt), (seq, kind, attempt));
        assert_eq!((&record.sender, record.body, record.height), (&sender.id, sm3(b"body"), 7));
    }
    assert_eq!(world.state.0[&count_key(&Digest([9; 32]))], 10u32.to_wire());
}

#[test]
fn roles_decide_who_may_make_an_entry() {
    let mut world = World::new();
    let analyst = member("a/analyst", &[Role::Analyst]);
    let others = [
        K::SourceRegistered,
        K::RuleSet,
        K::RuleRevoked,
        K::Approved,
        K::Rejected,
        K::Started,
        K::Read,
        K::Transferred,
        K::Delivered,
        K::Receipt,
        K::MemberAdded,
    ];
    for kind in others {
        world.refused(&analyst, &entry(kind, 1), "no role");
    }
    world.refused(
        &member("a/node", &[Role::Node, Role::Owner, Role::Administrator]),
        &entry(K::Proposed, 0),
        "no role",
    );
    world.refused(&member("a/gone", &[]), &entry(K::Refused, 0), "no longer a member");
    assert_eq!(world.run(&analyst, &Entry { subject: Digest([8; 32]), ..entry(K::Refused, 0) }), Ok(()));
}

#[test]
fn proposals_and_decisions_are_checked() {
    let mut world = World::new();
    let analyst = member("a/analyst", &[Role::Analyst]);
    let (node_a, node_b, node_c) =
        (member("a/node", &[Role::Node]), member("b/node", &[Role::Node]), member("c/node", &[Role::Node]));
    world.refused(&node_a, &entry(K::Approved, 0), "no such job");
    world.refused(&analyst, &Entry { parties: vec![], ..entry(K::Proposed, 0) }, "names its parties");
    world.refused(&analyst, &Entry { parties: vec![org("a"), org("a")], ..entry(K::Proposed, 0) }, "twice");
    world.refused(&analyst, &Entry { parties: vec![org("z")], ..entry(K::Proposed, 0) }, "not an organisation");
    world.refused(&analyst, &Entry { expires: 1000, ..entry(K::Proposed, 0) }, "expired");
    world.refused(&analyst, &Entry { body: vec![0; (1 << 20) + 1], ..entry(K::Proposed, 0) }, "longer");
    assert_eq!(world.run(&analyst, &entry(K::Proposed, 0)), Ok(()));
    world.refused(&analyst, &entry(K::Proposed, 0), "used already");
    world.refused(&node_c, &entry(K::Approved, 0), "not a party");
    world.refused(&node_c, &entry(K::Cancelled, 0), "not a party");
    assert_eq!(world.run(&node_a, &entry(K::Approved, 0)), Ok(()));
    world.refused(&node_a, &entry(K::Rejected, 0), "already decided");
    world.refused(&node_a, &entry(K::Started, 1), "b has not approved");
    world.refused(&node_a, &entry(K::Read, 1), "not started");
    let long = Entry { body: vec![0; (16 << 10) + 1], ..entry(K::Approved, 0) };
    world.refused(&node_b, &long, "longer");
    assert_eq!(world.run(&node_b, &entry(K::Approved, 0)), Ok(()));
    world.refused(&node_a, &entry(K::Started, 2), "the next is 1");
    assert_eq!(world.run(&node_a, &entry(K::Started, 1)), Ok(()));
    world.refused(&node_b, &entry(K::Started, 1), "the next is 2");
    world.refused(&node_c, &entry(K::Read, 1), "not a party");
    world.refused(&node_a, &entry(K::Receipt, 2), "not started");
    for _ in 0..64 {
        assert_eq!(world.run(&node_a, &entry(K::Read, 1)), Ok(()));
    }
    world.refused(&node_a, &entry(K::Read, 1), "64 entries");
    assert_eq!(world.run(&analyst, &entry(K::Cancelled, 0)), Ok(()));
    world.refused(&node_a, &entry(K::Started, 2), "cancelled");
    world.refused(&member("a/owner", &[Role::Owner]), &entry(K::RuleSet, 0), "is a job");
    for kind in [K::Refused, K::EvidenceExported] {
        world.refused(&member("c/auditor", &[Role::Auditor]), &entry(kind, 0), "is a job");
    }
}

#[test]
fn a_party_does_not_start_a_job_without_end() {
    let mut world = World::new();
    let (analyst, node_a, node_b) =
        (member("a/analyst", &[Role::Analyst]), member("a/node", &[Role::Node]), member("b/node", &[Role::Node]));
    for (sender, kind) in [(&analyst, K::Proposed), (&node_a, K::Approved), (&node_b, K::Approved)] {
        assert_eq!(world.run(sender, &entry(kind, 0)), Ok(()));
    }
    for attempt in 1..=16 {
        assert_eq!(world.run(&node_b, &entry(K::Started, attempt)), Ok(()));
    }
    world.refused(&node_b, &entry(K::Started, 17), "started 16 times");
    assert_eq!(world.run(&node_a, &entry(K::Receipt, 16)), Ok(()), "the runs that were started are told of");
}

#[test]
fn a_rejected_or_expired_job_never_starts() {
    let (analyst, node_a, node_b) =
        (member("a/analyst", &[Role::Analyst]), member("a/node", &[Role::Node]), member("b/node", &[Role::Node]));
    let mut world = World::new();
    assert_eq!(world.run(&analyst, &entry(K::Proposed, 0)), Ok(()));
    assert_eq!(world.run(&node_a, &entry(K::Approved, 0)), Ok(()));
    assert_eq!(world.run(&node_b, &entry(K::Rejected, 0)), Ok(()));
    world.refused(&node_a, &entry(K::Started, 1), "b rejected");
    let mut world = World::new();
    assert_eq!(world.run(&analyst, &entry(K::Proposed, 0)), Ok(()));
    assert_eq!(world.run(&node_a, &entry(K::Approved, 0)), Ok(()));
    world.time = 2001;
    world.refused(&node_b, &entry(K::Approved, 0), "expired");
    world.refused(&node_a, &entry(K::Started, 1), "expired");
}

#[test]
fn an_administrator_vouches_for_its_own_organisation_only() {
    let mut world = World::new();
    let admin = member("a/admin", &[Role::Administrator]);
    let add = |member: &Member| Entry { body: member.to_wire(), ..entry(K::MemberAdded, 0) };
    let new = member("a/new", &[Role::Auditor]);
    assert_eq!(world.run(&admin, &add(&new)), Ok(()));
    assert_eq!(Member::from_wire(&world.state.0[&member_key(&new.key)]), Ok(new.clone()));
    assert_eq!(world.run(&admin, &add(&Member { roles: vec![], ..new.clone() })), Ok(()), "roles are taken away");
    world.refused(&admin, &add(&member("b/new", &[Role::Auditor])), "does not vouch");
    world.refused(&admin, &Entry { body: b"x".to_vec(), ..add(&new) }, "not a member");
    let thief = Member { id: PersonId::new("b/thief").expect("name"), ..new };
    world.refused(&member("b/admin", &[Role::Administrator]), &add(&thief), "belongs to a/new");
}

#[test]
fn bytes_that_are_no_entry_are_refused() {
    let world = World::new();
    let env = Env {
        chain: Digest([0; 32]),
        height: 1,
        time: 1,
        tx: Digest([0; 32]),
        sender: member("a/node", &[Role::Node]),
    };
    for bytes in [&b""[..], &[0xff; 40], &[&entry(K::Refused, 0).to_wire()[..], &[0]].concat()] {
        assert!(matches!(Notary.execute(&world.state, &env, bytes), Err(Stop::Refused(_))));
    }
}
