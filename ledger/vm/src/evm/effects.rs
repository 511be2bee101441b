//! From revm's accounts and logs to changes of the ledger's state and events, in an order that is equal on all nodes.

use std::collections::BTreeMap;

use base_types::Digest;
use base_wire::Encode;
use revm::{
    primitives::Log,
    state::{Account as EvmAccount, EvmState},
};

use super::{
    account::{Account, account_key, code_key, slot_key},
    database::Sender,
};
use crate::{Address, Change, Event};

type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What a log announces.
pub(super) fn event(log: &Log) -> Event {
    Event {
        contract: Address(log.address.into_array()),
        topics: log.data.topics().iter().map(|topic| Digest(topic.0)).collect(),
        data: log.data.data.to_vec(),
    }
}

/// What a transaction changed, by key.
pub(super) fn changes(state: &EvmState, sender: &Sender) -> Vec<Change> {
    let mut changes = Changes::new();
    for (address, account) in state.iter().filter(|(_, account)| account.is_touched()) {
        let at = Address(address.into_array());
        let mut before = Account::of(&account.original_info());
        let mut after = if account.is_selfdestructed() { Account::default() } else { Account::of(&account.info) };
        if at == sender.address {
            // The nonce of a sender was lent to revm, and is not the ledger's.
            before.nonce = sender.stored.nonce;
            after.nonce = sender.stored.nonce;
        }
        if before != after {
            // The empty account is the default one, so an account that became empty is removed (EIP-161).
            let value = (after != Account::default()).then(|| after.to_wire());
            changes.insert(account_key(&at), value);
        }
        // Only what was made by this very transaction ends by SELFDESTRUCT (EIP-6780): the state has no slot of it.
        if !account.is_selfdestructed() {
            code(&mut changes, account, &before, &after);
            slots(&mut changes, account, &at);
        }
    }
    changes.into_iter().collect()
}

fn code(changes: &mut Changes, account: &EvmAccount, before: &Account, after: &Account) {
    if let Some(code) = account.info.code.as_ref().filter(|_| after.has_code() && after.code != before.code) {
        changes.insert(code_key(&after.code), Some(code.original_byte_slice().to_vec()));
    }
}

fn slots(changes: &mut Changes, account: &EvmAccount, at: &Address) {
    for (slot, value) in account.changed_storage_slots() {
        let now = value.present_value();
        let bytes = (!now.is_zero()).then(|| now.to_be_bytes_trimmed_vec());
        changes.insert(slot_key(at, &slot.to_be_bytes::<32>()), bytes);
    }
}
