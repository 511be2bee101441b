//! A state in memory, members and Ethereum's encoding of calls, for the tests.

use std::{cell::Cell, collections::BTreeMap};

use base_gm::{sm2::SecretKey, sm3::sm3};
use base_types::{Digest, PersonId};
use base_wire::Encode;
use ledger_light::Member;
use ledger_vm::{
    Address, Effects, Env, Halt, StateView, Task, Unavailable, Vm,
    evm::{Account, Evm, account_key, code_key},
};
use revm::primitives::{hex, keccak256};

/// Gas for what is not about gas.
pub const GAS: u64 = 16_000_000;
/// A receiver that has no key; gas depends on the bytes of an address.
pub const RECEIVER: Address = Address([
    0x2b, 0x5a, 0xd5, 0xc4, 0x79, 0x5c, 0x02, 0x65, 0x14, 0xf8, 0x31, 0x7c, 0x7a, 0x21, 0x5e, 0x21, 0x8d, 0xcc, 0xd6,
    0xcf,
]);

pub fn token_code() -> Vec<u8> {
    hex::decode(include_str!("../contracts/Token.hex").trim()).expect("hex")
}

pub fn probe_code() -> Vec<u8> {
    hex::decode(include_str!("../contracts/Probe.hex").trim()).expect("hex")
}

/// A state that counts how often it is read and may fail at one read.
#[derive(Default, Clone)]
pub struct Memory {
    pub values: BTreeMap<Vec<u8>, Vec<u8>>,
    pub reads: Cell<usize>,
    pub fails_at: Option<usize>,
}

impl StateView for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        let read = self.reads.get();
        self.reads.set(read + 1);
        if self.fails_at == Some(read) {
            return Err(Unavailable("the disk is gone".into()));
        }
        Ok(self.values.get(key).cloned())
    }
}

/// A machine, its state and the block that executes.
pub struct World {
    pub vm: Evm,
    pub state: Memory,
    pub height: u64,
    sent: u64,
}

impl World {
    pub fn new() -> Self {
        Self { vm: Evm::new(), state: Memory::default(), height: 7, sent: 0 }
    }

    /// What surrounds the transaction that is sent next.
    pub fn env(&self, who: &str) -> Env {
        let id = PersonId::new(who).expect("name");
        let sender = Member { id, key: SecretKey::from_seed(who.as_bytes()).public(), roles: vec![] };
        let tx = sm3(&self.sent.to_be_bytes());
        Env { chain: Digest([0xab; 32]), height: self.height, time: 1_700_000_000_123, tx, sender }
    }

    /// Executes a task and makes its changes.
    pub fn run(&mut self, who: &str, task: Task<'_>, gas: u64) -> Result<Effects, Halt> {
        self.sent += 1;
        let effects = self.vm.execute(&self.state, &self.env(who), task, gas)?;
        assert!(effects.changes.is_sorted_by(|a, b| a.0 < b.0), "changes have one order");
        assert!(effects.gas <= gas);
        for (key, value) in &effects.changes {
            match value {
                Some(value) => self.state.values.insert(key.clone(), value.clone()),
                None => self.state.values.remove(key),
            };
        }
        Ok(effects)
    }

    pub fn deploy(&mut self, who: &str, code: &[u8], input: &[u8]) -> Address {
        let effects = self.run(who, Task::Deploy { code, input }, GAS).expect("deploys");
        effects.contract.expect("a contract was made")
    }

    pub fn call(&mut self, who: &str, to: Address, input: &[u8]) -> Result<Effects, Halt> {
        self.run(who, Task::Call { to, input }, GAS)
    }

    /// Puts a contract into the state as if it had been deployed before.
    pub fn place(&mut self, at: Address, code: &[u8]) {
        let hash = Digest(keccak256(code).0);
        let account = Account { nonce: 1, balance: [0; 32], code: hash };
        self.state.values.insert(account_key(&at), account.to_wire());
        self.state.values.insert(code_key(&hash), code.to_vec());
    }
}

/// The address of a member by name.
pub fn address(who: &str) -> Address {
    Address::of_key(&SecretKey::from_seed(who.as_bytes()).public())
}

/// Why and after how much gas an execution ended.
pub fn ended(result: Result<Effects, Halt>) -> (String, u64) {
    match result {
        Err(Halt::Reverted { why, gas, .. }) => (why, gas),
        other => panic!("it did not end by itself: {other:?}"),
    }
}

/// The input that calls a function with arguments that are encoded already.
pub fn input(function: &str, arguments: &[u8]) -> Vec<u8> {
    [&keccak256(function)[..4], arguments].concat()
}

/// A number as an argument.
pub fn word(value: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

/// An address as an argument.
pub fn address_word(address: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

/// Bytes as an argument, without the word that says where they are.
pub fn bytes_words(bytes: &[u8]) -> Vec<u8> {
    let mut words = [&word(bytes.len() as u64)[..], bytes].concat();
    words.resize(32 + bytes.len().next_multiple_of(32), 0);
    words
}

/// Code that deploys the given code as it is.
pub fn deploying(code: &[u8]) -> Vec<u8> {
    let len = u16::try_from(code.len()).expect("short code").to_be_bytes();
    // PUSH2 len, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
    [&[0x61, len[0], len[1], 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3][..], code].concat()
}
