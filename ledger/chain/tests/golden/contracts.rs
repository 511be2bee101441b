//! What is called, in the words of the machines: a token of Ethereum's standard, a counter, the government.

use base_wire::Encode;
use ledger_vm::{Address, Command, NativeContract, govern::Action};

use crate::{
    expected::unhex,
    world::{ANALYST, GAS, key},
};

/// Selectors of `transfer(address,uint256)` and `balanceOf(address)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];

/// The code of a token for the machine of Ethereum.
pub fn token() -> Vec<u8> {
    unhex(include_str!("../../../vm/tests/contracts/Token.hex").trim())
}

/// The code of a counter in WebAssembly.
pub fn counter() -> Vec<u8> {
    include_bytes!("../../../vm/tests/contracts/counter.wasm").to_vec()
}

pub fn call(to: Address, input: Vec<u8>) -> Vec<u8> {
    Command::Call { to, input, gas: GAS }.to_payload()
}

pub fn govern(action: &Action) -> Vec<u8> {
    let to = NativeContract::Government.address();
    Command::Call { to, input: action.to_wire(), gas: 0 }.to_payload()
}

/// A number as an argument of Ethereum's calls.
pub fn word(value: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

/// The analyst's address as such an argument.
fn holder() -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&Address::of_key(&key(ANALYST).public()).0);
    word
}

pub fn transfer(amount: u64) -> Vec<u8> {
    [&TRANSFER[..], &holder(), &word(amount)].concat()
}

pub fn balance_of() -> Vec<u8> {
    [&BALANCE_OF[..], &holder()].concat()
}

/// The token's name, symbol and supply: two texts by the places where they begin, each with its length before it.
pub fn constructor() -> Vec<u8> {
    let text = |text: &[u8]| {
        let mut words = [&word(text.len() as u64)[..], text].concat();
        words.resize(64, 0);
        words
    };
    [&word(0x60)[..], &word(0xa0), &word(1000), &text(b"Gold"), &text(b"GLD")].concat()
}
