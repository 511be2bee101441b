//! The ledger's state as revm reads it: an absent key is an empty value, a failing read ends the execution.

use base_types::Digest;
use revm::{
    Database,
    bytecode::Bytecode,
    database_interface::DBErrorMarker,
    primitives::{Address as EvmAddress, B256, Bytes, U256},
    state::AccountInfo,
};

use super::{
    account::{self, Account, code_key, slot_key},
    cache::CodeCache,
    environment,
};
use crate::{Address, Env, StateView, Unavailable};

/// Makes it an error that ends an execution.
impl DBErrorMarker for Unavailable {}

/// Who signed the transaction.
#[derive(Clone, Copy)]
pub(super) struct Sender {
    pub(super) address: Address,
    /// Its account as the state has it, empty for most.
    pub(super) stored: Account,
    /// The nonce that revm sees instead of the stored one: it makes the address of what is deployed unique.
    pub(super) nonce: u64,
}

impl Sender {
    pub(super) fn read(view: &dyn StateView, env: &Env) -> Result<Self, Unavailable> {
        let address = Address::of_key(&env.sender.key);
        let stored = account::load(view, &address)?.unwrap_or_default();
        Ok(Self { address, stored, nonce: environment::nonce(&env.tx) })
    }
}

/// The state during one execution.
pub(super) struct StateDatabase<'a> {
    pub(super) view: &'a dyn StateView,
    pub(super) codes: &'a CodeCache,
    pub(super) sender: Sender,
    /// The contract that is called, which was read already.
    pub(super) target: Option<(Address, Account)>,
}

impl Database for StateDatabase<'_> {
    type Error = Unavailable;

    fn basic(&mut self, address: EvmAddress) -> Result<Option<AccountInfo>, Unavailable> {
        let at = Address(address.into_array());
        if at == self.sender.address {
            let Sender { stored, nonce, .. } = self.sender;
            return Ok(Some(Account { nonce, ..stored }.info()));
        }
        let account = match self.target {
            Some((target, account)) if target == at => Some(account),
            _ => account::load(self.view, &at)?,
        };
        Ok(account.map(|account| account.info()))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Unavailable> {
        if let Some(code) = self.codes.get(&code_hash.0) {
            return Ok(code);
        }
        let name = Digest(code_hash.0);
        let bytes = self.view.get(&code_key(&name))?;
        let bytes = bytes.ok_or_else(|| Unavailable(format!("the code {name} is missing")))?;
        let code = Bytecode::new_legacy(Bytes::from(bytes));
        // Also what makes the cache safe: what is kept under a hash has that hash.
        if code.hash_slow() != code_hash {
            return Err(Unavailable(format!("the code {name} is damaged")));
        }
        self.codes.put(code_hash.0, &code);
        Ok(code)
    }

    fn storage(&mut self, address: EvmAddress, index: U256) -> Result<U256, Unavailable> {
        let at = Address(address.into_array());
        let Some(bytes) = self.view.get(&slot_key(&at, &index.to_be_bytes::<32>()))? else { return Ok(U256::ZERO) };
        let leads = bytes.first().is_some_and(|byte| *byte != 0);
        match U256::try_from_be_slice(&bytes) {
            Some(value) if leads => Ok(value),
            _ => Err(Unavailable(format!("the slot {index} of {at} is damaged"))),
        }
    }

    /// Hashes of earlier blocks are not part of the state.
    fn block_hash(&mut self, _number: u64) -> Result<B256, Unavailable> {
        Ok(B256::ZERO)
    }
}
