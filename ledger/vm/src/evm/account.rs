//! How an account stands in the ledger's state: keys, and the record of nonce, balance and code.

use base_types::Digest;
use base_wire::wire_struct;
use revm::{
    bytecode::Bytecode,
    primitives::{B256, KECCAK_EMPTY, U256},
    state::AccountInfo,
};

use crate::{Address, StateView, Unavailable, keys::joined, native::read};

/// An account. One without nonce, balance and code is empty and never kept (EIP-161).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Contracts that it has made, and 1 for a contract itself.
    pub nonce: u64,
    /// What it holds, big-endian.
    pub balance: [u8; 32],
    /// Keccak-256 of its code, that of no bytes when it has none.
    pub code: Digest,
}
wire_struct!(Account { nonce, balance, code });

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: [0; 32], code: Digest(KECCAK_EMPTY.0) }
    }
}

impl Account {
    /// Whether it is a contract.
    pub fn has_code(&self) -> bool {
        self.code.0 != KECCAK_EMPTY.0
    }

    pub(super) fn of(info: &AccountInfo) -> Self {
        let code = if info.code_hash.is_zero() { KECCAK_EMPTY } else { info.code_hash };
        Self { nonce: info.nonce, balance: info.balance.to_be_bytes::<32>(), code: Digest(code.0) }
    }

    pub(super) fn info(&self) -> AccountInfo {
        AccountInfo {
            nonce: self.nonce,
            balance: U256::from_be_bytes::<32>(self.balance),
            code_hash: B256::new(self.code.0),
            code: if self.has_code() { None } else { Some(Bytecode::default()) },
            ..AccountInfo::default()
        }
    }
}

/// Where an [`Account`] is kept.
pub fn account_key(at: &Address) -> Vec<u8> {
    joined(b"evm/account/", &[&at.0])
}

/// Where code is kept, by its Keccak-256.
pub fn code_key(hash: &Digest) -> Vec<u8> {
    joined(b"evm/code/", &[&hash.0])
}

/// Where a storage slot of a contract is kept: big-endian without leading zeros; a slot that is 0 has no key.
pub fn slot_key(at: &Address, slot: &[u8; 32]) -> Vec<u8> {
    joined(b"evm/slot/", &[&at.0, slot])
}

/// The account at an address, if it is not empty.
pub(super) fn load(view: &dyn StateView, at: &Address) -> Result<Option<Account>, Unavailable> {
    read(view, &account_key(at))
}
