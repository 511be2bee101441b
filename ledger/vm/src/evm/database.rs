//! The ledger's state as revm reads it: an absent key is an empty value, a failing read ends the execution, and so does
//! reading more code than the gas limit covers.

use std::collections::BTreeSet;

use base_types::Digest;
use revm::{
    Database,
    bytecode::Bytecode,
    database_interface::DBErrorMarker,
    primitives::{Address as EvmAddress, B256, Bytes, U256},
    state::AccountInfo,
};
use thiserror::Error;

use super::{
    account::{self, Account, code_key, slot_key},
    cache::CodeCache,
    environment::{self, GAS_PER_CODE_BYTE},
    words::TOO_MUCH_CODE,
};
use crate::{Address, Env, StateView, Unavailable};

/// Why a read ends an execution; no contract can go on after it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Ended {
    /// The node cannot tell.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The transaction reads more code than its gas limit covers, on every node alike.
    #[error("{}", TOO_MUCH_CODE)]
    TooMuchCode,
}

impl DBErrorMarker for Ended {}

/// The code that a transaction reads beside that of the contract it calls: each code once, whoever has it. It counts what is
/// read, not what a node's cache lacks, and is the same on every node.
pub(super) struct CodeReads {
    /// Bytes that may still be read.
    left: u64,
    read: BTreeSet<B256>,
}

impl CodeReads {
    /// What a limit of gas covers.
    pub(super) fn within(gas: u64) -> Self {
        Self { left: gas / GAS_PER_CODE_BYTE, read: BTreeSet::new() }
    }

    fn count(&mut self, code_hash: B256, bytes: usize) -> Result<(), Ended> {
        if self.read.insert(code_hash) {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(bytes).ok_or(Ended::TooMuchCode)?;
        }
        Ok(())
    }
}

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
    /// What other code was read.
    pub(super) reads: CodeReads,
}

impl StateDatabase<'_> {
    fn read_code(&self, code_hash: B256) -> Result<Bytecode, Unavailable> {
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
}

impl Database for StateDatabase<'_> {
    type Error = Ended;

    fn basic(&mut self, address: EvmAddress) -> Result<Option<AccountInfo>, Ended> {
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

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Ended> {
        let code = match self.codes.get(&code_hash.0) {
            Some(code) => code,
            None => self.read_code(code_hash)?,
        };
        if self.target.is_none_or(|(_, target)| target.code.0 != code_hash.0) {
            self.reads.count(code_hash, code.len())?;
        }
        Ok(code)
    }

    fn storage(&mut self, address: EvmAddress, index: U256) -> Result<U256, Ended> {
        let at = Address(address.into_array());
        let Some(bytes) = self.view.get(&slot_key(&at, &index.to_be_bytes::<32>()))? else { return Ok(U256::ZERO) };
        let leads = bytes.first().is_some_and(|byte| *byte != 0);
        match U256::try_from_be_slice(&bytes) {
            Some(value) if leads => Ok(value),
            _ => Err(Unavailable(format!("the slot {index} of {at} is damaged")).into()),
        }
    }

    /// Hashes of earlier blocks are not part of the state.
    fn block_hash(&mut self, _number: u64) -> Result<B256, Ended> {
        Ok(B256::ZERO)
    }
}
