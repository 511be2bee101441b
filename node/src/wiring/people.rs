//! The people of this organisation as the portal knows them: those that it came with, and those registered since.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base_gm::sm3;
use base_types::{Digest, OrgId, PersonId, fault::Fault};
use base_wire::Decode;
use ledger_chain::{Chain, ChainFault};
use ledger_light::{Genesis, Member, Role};
use ledger_vm::notary::{EntryKind, Record, count_key, record_key};
use portal_api::Person;

use super::portal::role_word;
use crate::config::Folder;

/// The subject of the entries that register, change and remove a person.
pub fn subject(person: &PersonId) -> Digest {
    sm3::tagged("heqi/member/1", &[person.as_str().as_bytes()])
}

/// What was once registered of a person, as far as the records about it were looked through. Every member may write some about
/// anybody, as many as it likes: so none hides another, and each is looked at once.
#[derive(Clone, Default)]
struct Looked {
    next: u32,
    found: Vec<Member>,
}

impl Looked {
    /// Goes on to a number of records.
    fn go_on(
        &mut self,
        id: &PersonId,
        count: u32,
        record: impl Fn(u32) -> Result<Option<Record>, ChainFault>,
        body: impl Fn(&Digest) -> Result<Option<Vec<u8>>, ChainFault>,
    ) -> Result<(), ChainFault> {
        while self.next < count {
            let vouched = |r: &Record| r.kind == EntryKind::MemberAdded && r.sender.org() == id.org();
            if let Some(record) = record(self.next)?.filter(vouched) {
                // A node that took a state over lacks the bodies of what came before.
                let body = body(&record.tx)?.unwrap_or_default();
                self.found.extend(Member::from_wire(&body).ok().filter(|member| member.id == *id));
            }
            self.next += 1;
        }
        Ok(())
    }
}

/// The people of an organisation.
pub struct People {
    /// Those that the genesis or, where the organisation joined later, its card names.
    first: Vec<Member>,
    org: OrgId,
    chain: Chain,
    looked: Mutex<BTreeMap<PersonId, Looked>>,
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
        Ok(Self { first, org: org.clone(), chain, looked: Mutex::default() })
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
        let mut looked = self.looked().get(id).cloned().unwrap_or_default();
        if looked.next < count {
            let record = |seq| self.chain.read(&record_key(&subject, seq));
            looked.go_on(id, count, record, |transaction| self.chain.body(transaction))?;
            self.looked().insert(id.clone(), looked.clone());
        }
        Ok(looked.found)
    }

    fn looked(&self) -> MutexGuard<'_, BTreeMap<PersonId, Looked>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use base_gm::sm2::SecretKey;
    use base_wire::Encode;

    use super::*;

    /// Records that others write of a person.
    const MANY: u32 = 5000;

    #[test]
    fn nobody_hides_who_was_registered_behind_other_records_of_the_person() {
        let id: PersonId = "civil/clerk".parse().expect("a name");
        let key = SecretKey::from_seed(b"clerk").public();
        let member = Member { id: id.clone(), key, roles: vec![Role::Auditor] };
        let looks = Cell::new(0u32);
        let record = |seq: u32| {
            looks.set(looks.get() + 1);
            let (kind, sender) = match seq {
                0 => (EntryKind::MemberAdded, "civil/administrator"),
                1 => (EntryKind::MemberAdded, "health/administrator"),
                _ => (EntryKind::Refused, "health/auditor"),
            };
            Ok(Some(Record {
                subject: subject(&id),
                seq,
                kind,
                attempt: 0,
                sender: sender.parse().expect("a name"),
                tx: Digest::default(),
                height: 1,
                time: 1,
                expires: 0,
                parties: Vec::new(),
                body: Digest::default(),
            }))
        };
        let body = |_: &Digest| Ok(Some(member.to_wire()));
        let mut looked = Looked::default();
        for count in [MANY, MANY, MANY + 1] {
            looked.go_on(&id, count, record, body).expect("read");
            assert_eq!(looked.found, [member.clone()]);
        }
        assert_eq!(looks.get(), MANY + 1, "each is looked at once");
    }
}
