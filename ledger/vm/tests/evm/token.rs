//! A token of a stock compiler: transfers, events, allowances, reasons and gas.

use base_types::Digest;
use ledger_vm::{
    Address, Event, Task,
    evm::{account_key, code_key},
};
use revm::primitives::keccak256;

use crate::world::{GAS, RECEIVER, World, address, address_word, bytes_words, ended, input, token_code, word};

fn constructor() -> Vec<u8> {
    [&word(0x60)[..], &word(0xa0), &word(1000), &bytes_words(b"Gold"), &bytes_words(b"GLD")].concat()
}

fn with_token() -> (World, Address) {
    let mut world = World::new();
    let token = world.deploy("a/maker", &token_code(), &constructor());
    (world, token)
}

fn transfer(to: &Address, value: u64) -> Vec<u8> {
    input("transfer(address,uint256)", &[address_word(to), word(value)].concat())
}

fn balance(world: &mut World, token: Address, of: &Address) -> Vec<u8> {
    world.call("a/reader", token, &input("balanceOf(address)", &address_word(of))).expect("reads").output
}

fn announced(contract: Address, name: &str, from: [u8; 32], to: [u8; 32], value: u64) -> Event {
    let topics = vec![Digest(keccak256(name).0), Digest(from), Digest(to)];
    Event { contract, topics, data: word(value).to_vec() }
}

#[test]
fn a_token_moves_what_is_there_and_announces_it() {
    let (mut world, token) = with_token();
    let maker = address("a/maker");
    assert_eq!(balance(&mut world, token, &maker), word(1000));
    let effects = world.call("a/maker", token, &transfer(&RECEIVER, 250)).expect("moves");
    assert_eq!(effects.output, word(1));
    assert_eq!(effects.contract, None);
    let name = "Transfer(address,address,uint256)";
    let event = announced(token, name, address_word(&maker), address_word(&RECEIVER), 250);
    assert_eq!(effects.events, [event]);
    assert_eq!(balance(&mut world, token, &maker), word(750));
    assert_eq!(balance(&mut world, token, &RECEIVER), word(250));

    let (why, _) = ended(world.call("a/maker", token, &transfer(&RECEIVER, 751)));
    assert_eq!(why, "reverted: insufficient balance");
    assert_eq!(balance(&mut world, token, &maker), word(750));
    let read = world.call("a/reader", token, &input("balanceOf(address)", &address_word(&maker))).expect("reads");
    assert!(read.changes.is_empty() && read.events.is_empty(), "a read changes nothing");
}

#[test]
fn an_allowance_is_used_up() {
    let (mut world, token) = with_token();
    let (maker, spender) = (address("a/maker"), address("a/spender"));
    let approve = input("approve(address,uint256)", &[address_word(&spender), word(30)].concat());
    let effects = world.call("a/maker", token, &approve).expect("approves");
    let name = "Approval(address,address,uint256)";
    assert_eq!(effects.events, [announced(token, name, address_word(&maker), address_word(&spender), 30)]);
    let spend = |value| {
        let arguments = [address_word(&maker), address_word(&RECEIVER), word(value)].concat();
        input("transferFrom(address,address,uint256)", &arguments)
    };
    assert_eq!(ended(world.call("a/spender", token, &spend(31))).0, "reverted: insufficient allowance");
    assert_eq!(ended(world.call("a/other", token, &spend(1))).0, "reverted: insufficient allowance");
    world.call("a/spender", token, &spend(20)).expect("spends");
    assert_eq!(ended(world.call("a/spender", token, &spend(20))).0, "reverted: insufficient allowance");
    world.call("a/spender", token, &spend(10)).expect("spends the rest");
    assert_eq!(balance(&mut world, token, &RECEIVER), word(30));
}

#[test]
fn gas_is_what_another_implementation_counts() {
    let mut world = World::new();
    let task = Task::Deploy { code: &token_code(), input: &constructor() };
    let made = world.run("a/maker", task, GAS).expect("deploys");
    assert_eq!(made.gas, 435_006);
    let token = made.contract.expect("a contract was made");
    let gas = |world: &mut World, input: &[u8]| world.call("a/maker", token, input).expect("runs").gas;
    assert_eq!(gas(&mut world, &transfer(&RECEIVER, 250)), 51_300, "to a new holder");
    assert_eq!(gas(&mut world, &transfer(&RECEIVER, 250)), 34_200, "to a holder");
    assert_eq!(gas(&mut world, &input("balanceOf(address)", &address_word(&RECEIVER))), 23_970);
    assert_eq!(gas(&mut world, &input("name()", &[])), 24_141);
    assert_eq!(ended(world.call("a/maker", token, &transfer(&RECEIVER, 5000))).1, 24_323, "a transfer that reverts");
}

#[test]
fn every_deployment_has_its_own_address_and_its_sender_no_account() {
    let mut world = World::new();
    let code = token_code();
    let task = Task::Deploy { code: &code, input: &constructor() };
    let first = world.run("a/maker", task, GAS).expect("deploys");
    let second = world.run("a/maker", task, GAS).expect("deploys again");
    assert_ne!(first.contract, second.contract);
    for effects in [&first, &second] {
        let at = effects.contract.expect("a contract was made");
        assert!(effects.output.is_empty());
        assert!(world.state.values.contains_key(&account_key(&at)));
    }
    assert!(!world.state.values.contains_key(&account_key(&address("a/maker"))));
    let codes = world.state.values.keys().filter(|key| key.starts_with(b"evm/code/")).count();
    // The supply stands in the code; both deployments have the same.
    assert_eq!(codes, 1);
    let stored = world.state.values.iter().find(|(key, _)| key.starts_with(b"evm/code/")).expect("the code");
    assert_eq!(*stored.0, code_key(&Digest(keccak256(stored.1).0)));
}
