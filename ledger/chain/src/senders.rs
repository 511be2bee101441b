//! Members and revocations as of the newest state, kept in memory: every transaction asks for its sender, and few blocks
//! change one.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use base_gm::sm2::PublicKey;
use base_types::Height;
use ledger_light::Member;
use ledger_state::State;
use ledger_vm::{govern::revoked_key, member_key};

use crate::{ChainFault, ledger::read};

/// Most senders that are kept.
const MAX_KEPT: usize = 65_536;

/// What the state says of a key.
#[derive(Clone, Default)]
pub(crate) struct Sender {
    /// Whose it is.
    pub(crate) member: Option<Member>,
    /// First height at which it sends nothing.
    pub(crate) revoked: Option<Height>,
}

#[derive(Default)]
struct Kept {
    /// Rises whenever a block changed what is kept: what was read before it is of no use.
    generation: u64,
    senders: BTreeMap<PublicKey, Sender>,
}

/// The senders known.
#[derive(Default)]
pub(crate) struct Senders(RwLock<Kept>);

impl Senders {
    /// What the newest state says of a key.
    pub(crate) fn find(&self, state: &State, key: &PublicKey) -> Result<Sender, ChainFault> {
        let generation = {
            let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(sender) = kept.senders.get(key) {
                return Ok(sender.clone());
            }
            kept.generation
        };
        let member = state.get(&member_key(key))?.map(|row| read(&row, "member")).transpose()?;
        let revoked = state.get(&revoked_key(key))?.map(|row| read(&row, "revocation")).transpose()?;
        let sender = Sender { member, revoked };
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // A block that was stored meanwhile may have changed it.
        if kept.generation == generation && sender.member.is_some() {
            if kept.senders.len() >= MAX_KEPT {
                kept.senders.clear();
            }
            kept.senders.insert(*key, sender.clone());
        }
        Ok(sender)
    }

    /// Forgets everything: a block that changes members or revocations is about to be stored, or has been.
    pub(crate) fn forget(&self) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.generation = kept.generation.wrapping_add(1);
        kept.senders.clear();
    }

    /// Whether a key of the state is one that this keeps.
    pub(crate) fn concerns(key: &[u8]) -> bool {
        key.starts_with(b"member/") || key.starts_with(b"revoked/")
    }
}
