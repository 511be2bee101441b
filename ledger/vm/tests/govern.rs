//! The government's rules about heights and counts: when a revocation holds, what a change needs before it takes effect.

use std::collections::BTreeMap;

use base_gm::{sm2::SecretKey, sm3::sm3};
use base_types::{Digest, Height, OrgId, PersonId};
use base_wire::{Decode, Encode};
use ledger_light::{BFT, Epoch, Genesis, Member, RAFT, Role, Validator};
use ledger_vm::{
    Change, Env, Native, StateView, Stop, Unavailable, genesis_changes,
    govern::{
        Action, ChangeRecord, ChangeStatus, EpochChange, Government, Revocation, begin_block, change_key,
        now_epoch_key, revoked_key,
    },
};

#[derive(Default)]
struct Map(BTreeMap<Vec<u8>, Vec<u8>>);

impl StateView for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.get(key).cloned())
    }
}

fn member(name: &str, role: Role) -> Member {
    let id = PersonId::new(name).expect("name");
    Member { id, key: SecretKey::from_seed(name.as_bytes()).public(), roles: vec![role] }
}

fn admin(org: &str) -> Member {
    member(&format!("{org}/admin"), Role::Administrator)
}

fn node(org: &str) -> Member {
    member(&format!("{org}/node"), Role::Node)
}

fn validator(node: &Member) -> Validator {
    Validator { org: node.id.org(), key: node.key }
}

/// The state of a chain of four validators, and the height of the block that is executed.
struct World {
    state: Map,
    height: Height,
}

impl World {
    fn new() -> Self {
        let orgs = ["a", "b", "c", "d"];
        let validators = orgs.map(|org| validator(&node(org))).to_vec();
        let epoch = Epoch { number: 0, engine: BFT, first_height: 1, validators, interval_ms: 500 };
        let mut members: Vec<Member> = orgs.iter().flat_map(|org| [admin(org), node(org)]).collect();
        members.push(member("d/new", Role::Node));
        let genesis = Genesis { name: "test".into(), time: 0, organisations: vec![], members, epoch };
        let mut world = Self { state: Map::default(), height: 7 };
        world.make(genesis_changes(&genesis));
        world
    }

    fn make(&mut self, changes: Vec<Change>) {
        for (key, value) in changes {
            match value {
                Some(value) => self.state.0.insert(key, value),
                None => self.state.0.remove(&key),
            };
        }
    }

    /// Has a member ask for something; the transaction's digest, or why it is refused.
    fn act(&mut self, sender: &Member, action: &Action) -> Result<Digest, String> {
        let input = action.to_wire();
        let (chain, tx, sender) = (Digest([0; 32]), sm3(&input), sender.clone());
        let env = Env { chain, height: self.height, time: 1000, tx, sender };
        match Government.execute(&self.state, &env, &input) {
            Ok(changes) => {
                self.make(changes);
                Ok(tx)
            }
            Err(Stop::Refused(why)) => Err(why.to_string()),
            Err(Stop::Unavailable(why)) => panic!("{why}"),
        }
    }

    #[track_caller]
    fn refused(&mut self, sender: &Member, action: &Action, part: &str) {
        let why = self.act(sender, action).expect_err("must be refused");
        assert!(why.contains(part), "'{why}' does not say '{part}'");
    }

    /// What happens of itself at the beginning of the block of a height.
    fn begin(&mut self, height: Height) {
        let changes = begin_block(&self.state, height).expect("read");
        self.make(changes);
        self.height = height;
    }

    fn status(&self, change: &Digest) -> ChangeStatus {
        ChangeRecord::from_wire(&self.state.0[&change_key(change)]).expect("a record").status
    }

    fn epoch(&self) -> Epoch {
        Epoch::from_wire(&self.state.0[&now_epoch_key()]).expect("an epoch")
    }
}

#[test]
fn a_revocation_takes_effect_one_or_two_blocks_later_and_for_the_own_organisation_only() {
    let mut world = World::new();
    let revoke = |serial: u8, key, from| {
        let org = OrgId::new("a").expect("name");
        Action::Revoke(Revocation { org, serial: [serial; 16], key, from })
    };
    for from in [0, 7, 10, 11, Height::MAX] {
        world.refused(&admin("a"), &revoke(1, None, from), "takes effect at height 8 or 9");
    }
    world.refused(&admin("b"), &revoke(1, None, 8), "its own organisation only");
    world.refused(&node("a"), &revoke(1, None, 8), "no role");
    let (own, other) = (node("a").key, node("b").key);
    world.refused(&admin("a"), &revoke(1, Some(other), 8), "no member's of a");
    world.act(&admin("a"), &revoke(1, None, 9)).expect("the last height");
    world.refused(&admin("a"), &revoke(1, None, 8), "revoked already");
    world.act(&admin("a"), &revoke(2, Some(own), 8)).expect("the first height");
    // What has ended does not begin again with a later word.
    world.act(&admin("a"), &revoke(3, Some(own), 9)).expect("another certificate of the same key");
    assert_eq!(world.state.0[&revoked_key(&own)], 8u64.to_wire());
}

#[test]
fn a_change_needs_its_votes_and_all_new_keys_ready_and_begins_two_heights_later() {
    let mut world = World::new();
    let mut validators = world.epoch().validators;
    let new = member("d/new", Role::Node);
    validators[3] = validator(&new);
    let (organisations, members) = (vec![], vec![]);
    let change = EpochChange { engine: RAFT, interval_ms: 500, validators, organisations, members, deadline: 20 };
    let change = world.act(&admin("a"), &Action::Propose(change)).expect("proposed, and voted for");
    let vote = Action::Vote { change, approve: true };
    world.act(&admin("b"), &vote).expect("voted");
    world.refused(&node("a"), &Action::Ready { change }, "not waiting for its validators");
    world.act(&admin("c"), &vote).expect("voted");
    world.refused(&admin("d"), &vote, "the vote is over");
    for org in ["a", "b", "c"] {
        world.act(&node(org), &Action::Ready { change }).expect("ready");
    }
    assert_eq!(world.status(&change), ChangeStatus::Passed, "three of four, but not the one with another key");
    world.refused(&node("d"), &Action::Ready { change }, "no validator of the change");
    world.begin(20);
    world.act(&new, &Action::Ready { change }).expect("ready at the deadline");
    assert_eq!(world.status(&change), ChangeStatus::Scheduled { first_height: 22 });
    world.begin(21);
    assert_eq!((world.epoch().number, world.epoch().engine), (0, BFT));
    world.begin(22);
    assert_eq!((world.epoch().number, world.epoch().engine), (1, RAFT));
}

#[test]
fn a_change_that_is_not_ready_by_its_deadline_lapses_with_the_names_of_those_that_were_not() {
    let mut world = World::new();
    let validators = world.epoch().validators;
    let (organisations, members) = (vec![], vec![]);
    let change = EpochChange { engine: RAFT, interval_ms: 500, validators, organisations, members, deadline: 20 };
    let change = world.act(&admin("a"), &Action::Propose(change)).expect("proposed, and voted for");
    for org in ["b", "c"] {
        world.act(&admin(org), &Action::Vote { change, approve: true }).expect("voted");
    }
    world.act(&node("a"), &Action::Ready { change }).expect("ready");
    world.begin(20);
    assert_eq!(world.status(&change), ChangeStatus::Passed);
    world.begin(21);
    let why = "by height 20 only 1 of its 4 validators were ready, not b, c, d".to_owned();
    assert_eq!(world.status(&change), ChangeStatus::Lapsed { why });
    world.refused(&node("b"), &Action::Ready { change }, "no such change is under way");
}
