//! Whether a proposed change could take effect at all: its form, its validators' keys, the organisations that join.

use base_gm::cert::Certificate;
use base_types::Height;
use ledger_light::{BFT, Member, Organisation, RAFT, Role};

use super::EpochChange;
use crate::{Refusal, StateView, Stop, member_key, native::read, organisation_key};

/// Most validators of an epoch.
const MAX_VALIDATORS: usize = 100;
/// Most organisations that join at once.
const MAX_JOINING: usize = 16;
/// Most members that come with them.
const MAX_MEMBERS: usize = 256;
/// Most roles of a member.
const MAX_ROLES: usize = 16;
/// Shortest and longest interval between blocks, in milliseconds.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 50..=60_000;
/// How far away a deadline may be, in heights.
const MAX_WAIT: Height = 100_000;

fn refuse<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Refusal(why.into()).into())
}

impl EpochChange {
    /// Checks the change against the state as a proposal of a block of `height`.
    pub(super) fn check(&self, view: &dyn StateView, height: Height) -> Result<(), Stop> {
        if ![BFT, RAFT].contains(&self.engine) {
            return refuse(format!("there is no consensus engine {}", self.engine));
        }
        if !INTERVAL_MS.contains(&self.interval_ms) {
            return refuse("an interval lies between 50 and 60000 milliseconds");
        }
        if self.deadline <= height.saturating_add(2) || self.deadline > height.saturating_add(MAX_WAIT) {
            return refuse("the deadline is not within reach");
        }
        if self.organisations.len() > MAX_JOINING || self.members.len() > MAX_MEMBERS {
            return refuse("too many join at once");
        }
        self.check_organisations(view)?;
        self.check_members(view)?;
        self.check_validators(view)
    }

    fn check_organisations(&self, view: &dyn StateView) -> Result<(), Stop> {
        if !self.organisations.is_sorted_by(|a, b| a.id < b.id) {
            return refuse("the organisations are not in order");
        }
        for Organisation { id, ca, .. } in &self.organisations {
            if view.get(&organisation_key(id))?.is_some() {
                return refuse(format!("{id} belongs to the chain already"));
            }
            match Certificate::from_der(ca) {
                Ok(ca) if ca.subject_org() == *id => {}
                _ => return refuse(format!("the certificate authority of {id} is no certificate of its own")),
            }
        }
        Ok(())
    }

    fn joins(&self, member: &Member) -> bool {
        self.organisations.iter().any(|org| org.id == member.id.org())
    }

    fn check_members(&self, view: &dyn StateView) -> Result<(), Stop> {
        for (at, member) in self.members.iter().enumerate() {
            let twice = self.members.iter().take(at).any(|other| other.key == member.key || other.id == member.id);
            if twice || !self.joins(member) || member.roles.is_empty() || member.roles.len() > MAX_ROLES {
                return refuse(format!("{} cannot join with this change", member.id));
            }
            if view.get(&member_key(&member.key))?.is_some() {
                return refuse(format!("the key of {} belongs to a member", member.id));
            }
        }
        Ok(())
    }

    fn check_validators(&self, view: &dyn StateView) -> Result<(), Stop> {
        let validators = &self.validators;
        if validators.is_empty() || validators.len() > MAX_VALIDATORS {
            return refuse(format!("an epoch has 1 to {MAX_VALIDATORS} validators"));
        }
        if !validators.is_sorted_by(|a, b| a.org < b.org) {
            return refuse("the validators are not in order");
        }
        for validator in validators {
            let joining = self.members.iter().find(|m| m.key == validator.key).cloned();
            let member = match joining {
                Some(member) => Some(member),
                None => read::<Member>(view, &member_key(&validator.key))?,
            };
            let fits = member.is_some_and(|m| m.id.org() == validator.org && m.roles.contains(&Role::Node));
            if !fits {
                return refuse(format!("the key given for {} is not its node's", validator.org));
            }
        }
        Ok(())
    }
}
