//! The rules: who may propose, vote, be ready, revoke and announce.

use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode};
use ledger_light::{Epoch, Member, Role};

use super::{
    Action, Addresses, ChangeRecord, ChangeStatus, EpochChange, Epochs, Revocation, addresses_key, change_key,
    changes_key, next_epoch_key, open_key, organisations_key, revocations_key, revoked_key,
};
use crate::{Change, Env, Native, Refusal, StateView, Stop, member_key, native::read, organisation_key};

/// Longest address that a node announces.
const MAX_ADDRESS: usize = 256;
/// Most changes that are remembered.
const MAX_CHANGES: usize = 65_536;
/// Most revocations: of all organisations, of one, and of the few blocks around the present one.
const MAX_REVOCATIONS: usize = 4096;
const MAX_REVOCATIONS_OF_ORG: usize = 256;
const MAX_REVOCATIONS_AT_ONCE: usize = 16;
/// Heights before an organisation whose change lapsed may propose again, unless another has proposed since.
const COOL_DOWN: Height = 200;

/// The government contract.
#[derive(Debug, Clone, Copy, Default)]
pub struct Government;

fn refuse<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Refusal(why.into()).into())
}

impl Native for Government {
    fn execute(&self, view: &dyn StateView, env: &Env, payload: &[u8]) -> Result<Vec<Change>, Stop> {
        let Ok(action) = Action::from_wire(payload) else { return refuse("the input is no action of the government") };
        let needed = match action {
            Action::Propose(_) | Action::Vote { .. } | Action::Revoke(_) => Role::Administrator,
            Action::Ready { .. } | Action::Announce(_) => Role::Node,
        };
        if !env.sender.roles.contains(&needed) {
            return refuse(format!("{} has no role that may do this", env.sender.id));
        }
        match action {
            Action::Propose(change) => propose(view, env, change),
            Action::Vote { change, approve } => vote(view, env, &change, approve),
            Action::Ready { change } => ready(view, env, &change),
            Action::Revoke(revocation) => revoke(view, env, revocation),
            Action::Announce(addresses) => announce(env, &addresses),
        }
    }
}

fn propose(view: &dyn StateView, env: &Env, change: EpochChange) -> Result<Vec<Change>, Stop> {
    if view.get(&open_key())?.is_some() {
        return refuse("another change is under way");
    }
    change.check(view, env.height)?;
    let mut all: Vec<Digest> = read(view, &changes_key())?.unwrap_or_default();
    if all.len() >= MAX_CHANGES {
        return refuse("the list of changes is full");
    }
    // Only one change is open at a time: nobody keeps the others from proposing.
    if let Some(last) = all.last()
        && let Some(last) = read::<ChangeRecord>(view, &change_key(last))?
        && last.proposer.org() == env.sender.id.org()
        && matches!(last.status, ChangeStatus::Lapsed { .. })
        && env.height < last.height.saturating_add(COOL_DOWN)
    {
        return refuse("the last change of this organisation lapsed: let another one propose first");
    }
    all.push(env.tx);
    let record = ChangeRecord {
        change,
        proposer: env.sender.id.clone(),
        height: env.height,
        yes: Vec::new(),
        no: Vec::new(),
        ready: Vec::new(),
        status: ChangeStatus::Voting,
    };
    let mut changes = vec![(open_key(), Some(env.tx.to_wire())), (changes_key(), Some(all.to_wire()))];
    let org = env.sender.id.org();
    if epoch(view, env)?.index_of(&org).is_some() {
        changes.extend(count(view, env, record, &env.tx, org, true)?);
    } else {
        changes.push((change_key(&env.tx), Some(record.to_wire())));
    }
    Ok(changes)
}

/// The epoch in force at the block's height.
fn epoch(view: &dyn StateView, env: &Env) -> Result<Epoch, Stop> {
    Ok(Epochs::read(view)?.at(env.height).clone())
}

fn open(view: &dyn StateView, id: &Digest) -> Result<ChangeRecord, Stop> {
    if read::<Digest>(view, &open_key())? != Some(*id) {
        return refuse("no such change is under way");
    }
    match read(view, &change_key(id))? {
        Some(record) => Ok(record),
        None => refuse("no such change is under way"),
    }
}

fn vote(view: &dyn StateView, env: &Env, id: &Digest, approve: bool) -> Result<Vec<Change>, Stop> {
    let record = open(view, id)?;
    let org = env.sender.id.org();
    if record.status != ChangeStatus::Voting {
        return refuse("the vote is over");
    }
    if epoch(view, env)?.index_of(&org).is_none() {
        return refuse(format!("{org} is no validator"));
    }
    if record.yes.contains(&org) || record.no.contains(&org) {
        return refuse(format!("{org} has voted already"));
    }
    count(view, env, record, id, org, approve)
}

/// Counts a vote; the last one needed admits those who join.
fn count(
    view: &dyn StateView,
    env: &Env,
    mut record: ChangeRecord,
    id: &Digest,
    org: OrgId,
    approve: bool,
) -> Result<Vec<Change>, Stop> {
    if approve { &mut record.yes } else { &mut record.no }.push(org);
    let epoch = epoch(view, env)?;
    let (need, all) = (epoch.quorum(), epoch.validators.len());
    let mut changes = Vec::new();
    if record.yes.len() >= need {
        record.status = ChangeStatus::Passed;
        changes.extend(admit(view, &record.change)?);
    } else if all.saturating_sub(record.no.len()) < need {
        let no: Vec<_> = record.no.iter().map(ToString::to_string).collect();
        record.status = ChangeStatus::Lapsed { why: format!("voted down by {}", no.join(", ")) };
        changes.push((open_key(), None));
    }
    changes.push((change_key(id), Some(record.to_wire())));
    Ok(changes)
}

/// Those who join are members from now on, so that they can follow the chain and say that they are ready.
fn admit(view: &dyn StateView, change: &EpochChange) -> Result<Vec<Change>, Stop> {
    let mut changes = Vec::new();
    for organisation in &change.organisations {
        changes.push((organisation_key(&organisation.id), Some(organisation.to_wire())));
    }
    for member in &change.members {
        // Voted for: whoever registered or revoked the key since it was proposed had no right to it.
        changes.push((member_key(&member.key), Some(member.to_wire())));
        changes.push((revoked_key(&member.key), None));
    }
    if !change.organisations.is_empty() {
        let mut all: Vec<OrgId> = read(view, &organisations_key())?.unwrap_or_default();
        all.extend(change.organisations.iter().map(|o| o.id.clone()));
        changes.push((organisations_key(), Some(all.to_wire())));
    }
    Ok(changes)
}

fn ready(view: &dyn StateView, env: &Env, id: &Digest) -> Result<Vec<Change>, Stop> {
    let mut record = open(view, id)?;
    let org = env.sender.id.org();
    if record.status != ChangeStatus::Passed {
        return refuse("the change is not waiting for its validators");
    }
    let named = record.change.validators.iter().any(|v| v.org == org && v.key == env.sender.key);
    if !named || record.ready.contains(&org) {
        return refuse(format!("{org} is no validator of the change, or was ready before"));
    }
    record.ready.push(org);
    let mut changes = Vec::new();
    let now = epoch(view, env)?;
    let next = target(&record.change, &now, env.height.saturating_add(2));
    // Whoever validates for the first time, or with another key, must be there: the old ones may be counted on.
    let new = record.change.validators.iter().filter(|v| !now.validators.contains(v));
    let all_new = new.map(|v| &v.org).all(|org| record.ready.contains(org));
    if all_new && record.ready.len() >= next.quorum() {
        record.status = ChangeStatus::Scheduled { first_height: next.first_height };
        changes.push((next_epoch_key(), Some(next.to_wire())));
    }
    changes.push((change_key(id), Some(record.to_wire())));
    Ok(changes)
}

fn target(change: &EpochChange, now: &Epoch, first_height: Height) -> Epoch {
    let EpochChange { engine, interval_ms, validators, organisations: _, members: _, deadline: _ } = change;
    Epoch {
        number: now.number.saturating_add(1),
        engine: *engine,
        first_height,
        validators: validators.clone(),
        interval_ms: *interval_ms,
    }
}

fn revoke(view: &dyn StateView, env: &Env, revocation: Revocation) -> Result<Vec<Change>, Stop> {
    let Revocation { org, serial, key, from } = &revocation;
    if *org != env.sender.id.org() {
        return refuse(format!("{} speaks for its own organisation only", env.sender.id));
    }
    let (first, last) = (env.height.saturating_add(1), env.height.saturating_add(2));
    if !(first..=last).contains(from) {
        return refuse(format!("a revocation takes effect at height {first} or {last}"));
    }
    let mut changes = Vec::new();
    if let Some(key) = key {
        match read::<Member>(view, &member_key(key))? {
            Some(member) if member.id.org() == *org => {
                // What has ended never begins again.
                if read::<Height>(view, &revoked_key(key))?.is_none_or(|known| known > *from) {
                    changes.push((revoked_key(key), Some(from.to_wire())));
                }
            }
            _ => return refuse(format!("the key is no member's of {org}")),
        }
    }
    let mut all: Vec<Revocation> = read(view, &revocations_key())?.unwrap_or_default();
    if all.len() >= MAX_REVOCATIONS {
        return refuse("the list of revocations is full");
    }
    if all.iter().any(|other| (&other.org, &other.serial, &other.key) == (org, serial, key)) {
        return refuse("it is revoked already");
    }
    if all.iter().filter(|other| other.org == *org).count() >= MAX_REVOCATIONS_OF_ORG {
        return refuse(format!("{org} has revoked too many"));
    }
    // A revocation's height is one or two above its block's, so these are of this block and its neighbours.
    if all.iter().rev().take_while(|other| other.from > env.height).count() >= MAX_REVOCATIONS_AT_ONCE {
        return refuse("too many revocations at once, try again in the next block");
    }
    all.push(revocation);
    changes.push((revocations_key(), Some(all.to_wire())));
    Ok(changes)
}

fn announce(env: &Env, addresses: &Addresses) -> Result<Vec<Change>, Stop> {
    let fits = |address: &str| {
        let host_and_port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        address.len() <= MAX_ADDRESS && host_and_port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    };
    if !fits(&addresses.control) || !fits(&addresses.data) {
        return refuse("an address is host:port");
    }
    Ok(vec![(addresses_key(&env.sender.id.org()), Some(addresses.to_wire()))])
}
