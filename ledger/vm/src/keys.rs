//! State keys that belong to no contract: members, organisations, a block's outcomes, and the genesis state.

use base_gm::sm2::PublicKey;
use base_types::OrgId;
use base_wire::Encode;
use ledger_light::Genesis;

use crate::{Change, govern::now_epoch_key};

pub(crate) fn joined(tag: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    [tag, &parts.concat()].concat()
}

/// Where the [`ledger_light::Member`] of a key is kept.
pub fn member_key(key: &PublicKey) -> Vec<u8> {
    joined(b"member/", &[&key.to_bytes()])
}

/// Where an [`ledger_light::Organisation`] is kept.
pub fn organisation_key(org: &OrgId) -> Vec<u8> {
    joined(b"organisation/", &[org.as_str().as_bytes()])
}

/// Where the Merkle root is kept over what became of the block's transactions, in their order.
pub fn outcomes_key() -> Vec<u8> {
    b"outcomes".to_vec()
}

/// The state that a chain starts from.
pub fn genesis_changes(genesis: &Genesis) -> Vec<Change> {
    let members = genesis.members.iter().map(|m| (member_key(&m.key), Some(m.to_wire())));
    let organisations = genesis.organisations.iter().map(|o| (organisation_key(&o.id), Some(o.to_wire())));
    let own = (b"genesis".to_vec(), Some(genesis.digest().to_wire()));
    let epoch = (now_epoch_key(), Some(genesis.epoch.to_wire()));
    members.chain(organisations).chain([own, epoch]).collect()
}
