//! Contracts as people write them: a counter and a token.

use ledger_vm::{Address, Halt, wasm::slot_key};

use crate::{World, module, person, why};

fn counter() -> String {
    module(
        r#"
        (data (i32.const 0) "n")
        (func (export "deploy"))
        (func (export "call")
            (drop (call $get (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 8)))
            (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
            (call $set (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 8))
            (call $output (i32.const 8) (i32.const 8)))"#,
    )
}

/// Gives its maker 1,000; a call moves an amount (8 bytes, little-endian) to the address before it.
fn token() -> String {
    module(
        r#"
        (data (i32.const 128) "too little")
        (func $balance (param $who i32) (result i64)
            (i64.store (i32.const 64) (i64.const 0))
            (drop (call $get (local.get $who) (i32.const 20) (i32.const 64) (i32.const 8)))
            (i64.load (i32.const 64)))
        (func $put (param $who i32) (param $amount i64)
            (i64.store (i32.const 64) (local.get $amount))
            (call $set (local.get $who) (i32.const 20) (i32.const 64) (i32.const 8)))
        (func (export "deploy")
            (call $caller (i32.const 0))
            (call $put (i32.const 0) (i64.const 1000)))
        (func (export "call") (local $amount i64)
            (call $caller (i32.const 0))
            (call $input (i32.const 32))
            (local.set $amount (i64.load align=1 (i32.const 52)))
            (if (i64.lt_u (call $balance (i32.const 0)) (local.get $amount))
                (then (call $revert (i32.const 128) (i32.const 10))))
            (call $put (i32.const 0) (i64.sub (call $balance (i32.const 0)) (local.get $amount)))
            (call $put (i32.const 32) (i64.add (call $balance (i32.const 32)) (local.get $amount)))
            (call $event (i32.const 0) (i32.const 1) (i32.const 32) (i32.const 28)))"#,
    )
}

fn transfer(to: &Address, amount: u64) -> Vec<u8> {
    [&to.0[..], &amount.to_le_bytes()].concat()
}

fn balance(world: &World, token: &Address, of: &Address) -> u64 {
    world.state.0.get(&slot_key(token, &of.0)).map_or(0, |v| u64::from_le_bytes(v.as_slice().try_into().expect("8")))
}

#[test]
fn a_counter_counts_and_two_of_them_keep_apart() {
    let mut world = World::new();
    let (one, two) = (world.deploy(&counter()), world.deploy(&counter()));
    assert_ne!(one, two);
    for count in 1_u64..=3 {
        assert_eq!(world.output(one, b""), count.to_le_bytes());
    }
    assert_eq!(world.output(two, b""), 1_u64.to_le_bytes());
    assert_eq!(world.state.0[&slot_key(&one, b"n")], 3_u64.to_le_bytes());
}

#[test]
fn the_counter_that_is_kept_as_bytes_counts_as_its_text_does() {
    let mut world = World::new();
    let bytes = world.deploy_bytes(include_bytes!("../contracts/counter.wasm")).expect("deployed");
    let text = world.deploy(include_str!("../contracts/counter.wat"));
    for count in 1_u64..=2 {
        assert_eq!(world.output(bytes, b""), count.to_le_bytes());
        assert_eq!(world.output(text, b""), count.to_le_bytes());
    }
}

#[test]
fn a_token_moves_between_accounts_and_never_more_than_there_is() {
    let mut world = World::new();
    let token = world.deploy(&token());
    let (ann, bob) = (Address::of_key(&person("a/ann").key), Address::of_key(&person("b/bob").key));
    let effects = world.call(token, &transfer(&bob, 300)).expect("moved");
    assert_eq!((balance(&world, &token, &ann), balance(&world, &token, &bob)), (700, 300));
    assert_eq!(effects.events.len(), 1);
    assert_eq!((effects.events[0].contract, &effects.events[0].data), (token, &transfer(&bob, 300)));
    assert_eq!(effects.events[0].topics[0].0[..20], ann.0);

    let before = world.state.0.clone();
    let halt = world.call(token, &transfer(&bob, 701)).expect_err("too much");
    let Halt::Reverted { why, output, .. } = halt else { panic!("reverts") };
    assert_eq!((why.as_str(), output.as_slice()), ("too little", &b"too little"[..]));
    assert_eq!(world.state.0, before);

    world.sender = person("b/bob");
    world.call(token, &transfer(&ann, 300)).expect("moved back");
    assert_eq!((balance(&world, &token, &ann), balance(&world, &token, &bob)), (1000, 0));
}

#[test]
fn two_machines_and_many_threads_give_the_same_effects() {
    let (mut one, mut two) = (World::new(), World::new());
    let contract = one.deploy(&token());
    assert_eq!(two.deploy(&token()), contract);
    let input = transfer(&Address([5; 20]), 1);
    let expected = one.call(contract, &input).expect("runs");
    let (vm, state, sender) = (&two.vm, &two.state, &two.sender);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                use ledger_vm::{Env, Task, Vm};
                let tx = base_gm::sm3::sm3(b"tx");
                let env = Env { chain: tx, height: 7, time: 1_000, tx, sender: sender.clone() };
                let task = Task::Call { to: contract, input: &input };
                assert_eq!(vm.execute(state, &env, task, ledger_vm::MAX_GAS).as_ref(), Ok(&expected));
            });
        }
    });
}

#[test]
fn a_contract_that_is_not_there_is_not_called() {
    assert_eq!(why(World::new().call(Address([1; 20]), b"")), "no contract stands at this address");
}
