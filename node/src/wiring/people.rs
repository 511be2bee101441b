//! The people of this organisation as the portal knows them: those that it came with, and those registered since.

use base_gm::sm3;
use base_types::{Digest, OrgId, PersonId, fault::Fault};
use base_wire::Decode;
use ledger_chain::{Chain, ChainFault};
use ledger_light::{Genesis, Member, Role};
use ledger_vm::notary::{EntryKind, Record, count_key, record_key};
use portal_api::Person;

use super::portal::role_word;
use crate::config::Folder;

/// Newest records of a person that are looked through: every member may write some about anybody.
const MAX_RECORDS: u32 = 1024;

/// The subject of the entries that register, change and remove a person.
pub fn subject(person: &PersonId) -> Digest {
    sm3::tagged("heqi/member/1", &[person.as_str().as_bytes()])
}

/// The people of an organisation.
pub struct People {
    /// Those that the genesis or, where the organisation joined later, its card names.
    first: Vec<Member>,
    org: OrgId,
    chain: Chain,
}

/// A member as the portal signs it in; the node itself is nobody there.
fn person(id: &PersonId, roles: &[Role]) -> Option<Person> {
    let roles: Vec<String> =
        roles.iter().filter(|role| **role != Role::Node).map(|role| role_word(*role).to_owned()).collect();
    (!roles.is_empty()).then(|| Person { id: id.clone(), roles })
}

impl People {
    /// The people of `org`, by its node's folder and by the ledger.
    ///
    /// # Errors
    /// That of the card of an organisation that joined later.
    pub fn new(folder: &Folder, genesis: &Genesis, org: &OrgId, chain: Chain) -> Result<Self, Fault> {
        let founder = genesis.organisations.iter().any(|o| &o.id == org);
        let mut first =
            if founder { genesis.members.clone() } else { folder.read_card()?.newcomer("read card")?.members };
        first.retain(|member| &member.id.org() == org);
        Ok(Self { first, org: org.clone(), chain })
    }

    /// Those that the organisation came with, as far as they are still members.
    pub fn first(&self) -> Vec<Person> {
        self.first.iter().filter_map(|member| self.find(&member.id)).collect()
    }

    /// A person of the organisation with all roles that the keys registered for it have now.
    pub fn find(&self, id: &PersonId) -> Option<Person> {
        if id.org() != self.org {
            return None;
        }
        let mut members: Vec<Member> = self.first.iter().filter(|member| member.id == *id).cloned().collect();
        match self.registered(id) {
            Ok(registered) => members.extend(registered),
            Err(fault) => tracing::warn!(person = %id, ?fault, "who is registered cannot be read"),
        }
        let mut roles = Vec::new();
        for member in members {
            // What the ledger says of a key now counts; it knows nobody yet of an organisation that is to join.
            let now = self.chain.member(&member.key).ok().flatten().unwrap_or(member);
            for role in now.roles.into_iter().filter(|_| now.id == *id) {
                if !roles.contains(&role) {
                    roles.push(role);
                }
            }
        }
        person(id, &roles)
    }

    /// What was once registered of a person.
    fn registered(&self, id: &PersonId) -> Result<Vec<Member>, ChainFault> {
        let subject = subject(id);
        let count: u32 = self.chain.read(&count_key(&subject))?.unwrap_or(0);
        let mut found = Vec::new();
        for seq in count.saturating_sub(MAX_RECORDS)..count {
            let Some(record) = self.chain.read::<Record>(&record_key(&subject, seq))? else { continue };
            if record.kind != EntryKind::MemberAdded {
                continue;
            }
            // A node that took a state over lacks the bodies of what came before.
            let body = self.chain.body(&record.tx)?.unwrap_or_default();
            found.extend(Member::from_wire(&body).ok().filter(|member| member.id == *id));
        }
        Ok(found)
    }
}
