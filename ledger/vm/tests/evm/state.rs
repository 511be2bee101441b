//! What executions leave in the state, and what a state that cannot be read or is damaged leads to.

use base_gm::sm3::tagged;
use base_types::Digest;
use base_wire::Decode;
use ledger_vm::{
    Address, Halt, Task, Vm,
    evm::{Account, Evm, account_key, chain_id, code_key, slot_key},
};

use crate::world::{Memory, World, address, address_word, ended, input, probe_code, word};

fn with_probe() -> (World, Address) {
    let mut world = World::new();
    let probe = world.deploy("a/maker", &probe_code(), &[]);
    (world, probe)
}

fn store(slot: u64, value: u64) -> Vec<u8> {
    input("store(uint256,uint256)", &[word(slot), word(value)].concat())
}

/// The address that a function returned.
fn returned(output: &[u8]) -> Address {
    Address(output[12..32].try_into().expect("20 bytes"))
}

fn account(world: &World, at: &Address) -> Option<Account> {
    world.state.values.get(&account_key(at)).map(|bytes| Account::from_wire(bytes).expect("an account"))
}

#[test]
fn a_slot_has_one_form_and_zero_removes_it() {
    let (mut world, probe) = with_probe();
    let key = slot_key(&probe, &word(5));
    let stored = world.call("a/caller", probe, &store(5, 256)).expect("stores");
    assert_eq!(stored.gas, 43_721);
    assert_eq!(stored.changes, [(key.clone(), Some(vec![1u8, 0]))]);
    let again = world.call("a/caller", probe, &store(5, 256)).expect("stores");
    assert!(again.changes.is_empty(), "the same value is no change");
    let read = world.call("a/caller", probe, &input("load(uint256)", &word(5))).expect("loads");
    assert_eq!(read.output, word(256));
    let removed = world.call("a/caller", probe, &store(5, 0)).expect("stores");
    assert_eq!((removed.changes, removed.gas), (vec![(key.clone(), None)], 21_830));
    assert!(!world.state.values.contains_key(&key));
    let absent = world.call("a/caller", probe, &store(6, 0)).expect("stores");
    assert!(absent.changes.is_empty(), "what is absent is not removed");
}

#[test]
fn transient_storage_ends_with_the_transaction() {
    let (mut world, probe) = with_probe();
    let pass = input("pass(uint256,uint256)", &[word(5), word(77)].concat());
    let effects = world.call("a/caller", probe, &pass).expect("passes");
    assert_eq!(effects.output, word(77));
    assert!(effects.changes.is_empty());
}

#[test]
fn a_contract_that_ends_in_its_first_transaction_leaves_nothing() {
    let (mut world, probe) = with_probe();
    assert_eq!(account(&world, &probe).map(|it| it.nonce), Some(1));
    let fleeting = input("fleeting(bytes32)", &word(2));
    let mut before = world.state.values.clone();
    let effects = world.call("a/caller", probe, &fleeting).expect("comes and goes");
    assert_eq!(effects.gas, 98_144);
    let keys: Vec<_> = effects.changes.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, [account_key(&probe)], "only the maker's count of contracts changes");
    before.remove(&account_key(&probe));
    world.state.values.remove(&account_key(&probe)).expect("the probe");
    assert_eq!(world.state.values, before);
}

#[test]
fn a_contract_that_lives_longer_cannot_be_destroyed() {
    let (mut world, probe) = with_probe();
    let make = input("make(bytes32)", &word(1));
    let effects = world.call("a/caller", probe, &make).expect("makes");
    assert_eq!(effects.gas, 92_665);
    let child = returned(&effects.output);
    let made = account(&world, &child).expect("the child");
    assert_eq!(made.nonce, 1);
    assert!(world.state.values.contains_key(&code_key(&made.code)));
    assert_eq!(world.state.values.get(&slot_key(&child, &word(0))), Some(&vec![7u8]));
    assert_eq!(account(&world, &probe).map(|it| it.nonce), Some(2));
    assert_eq!(ended(world.call("a/caller", probe, &make)).0, "reverted", "the address is taken");
    let end = world.call("a/caller", probe, &input("end(address)", &address_word(&child))).expect("runs");
    assert!(end.changes.is_empty(), "EIP-6780");
    assert_eq!(world.call("a/caller", child, &input("mark()", &[])).expect("answers").output, word(7));
}

#[test]
fn contracts_see_the_block_and_nobody_who_is_paid() {
    let (mut world, probe) = with_probe();
    let effects = world.call("a/caller", probe, &input("surroundings()", &[])).expect("answers");
    let caller = address_word(&address("a/caller"));
    let chain = Digest([0xab; 32]);
    let randao = tagged("heqi/evm/prevrandao/1", &[&chain.0, &7u64.to_be_bytes()]).0;
    let zero = word(0);
    let id = word(0xabab_abab_abab);
    assert_eq!(word(chain_id(&chain)), id);
    let seen = [id, word(7), word(1_700_000_000), randao, zero, caller, caller, zero, zero, zero].concat();
    assert_eq!(effects.output, seen);
}

#[test]
fn effects_do_not_depend_on_what_a_machine_ran_before() {
    let (mut world, probe) = with_probe();
    let call = store(9, 1);
    let task = Task::Call { to: probe, input: &call };
    let env = world.env("a/caller");
    let fresh = Evm::new().execute(&world.state, &env, task, 100_000);
    let used = world.vm.execute(&world.state, &env, task, 100_000);
    let again = world.vm.execute(&world.state, &env, task, 100_000);
    assert!(fresh.is_ok() && fresh == used && used == again);
    world.call("a/other", probe, &store(10, 1)).expect("stores");
    let (warm, cold) = (world.vm.execute(&world.state, &env, task, 100_000), Evm::new());
    assert_eq!(warm, cold.execute(&world.state, &env, task, 100_000));
}

#[test]
fn a_read_that_fails_anywhere_ends_in_no_verdict() {
    let (mut world, probe) = with_probe();
    let calls = [store(9, 1), input("make(bytes32)", &word(1)), input("load(uint256)", &word(1))];
    world.call("a/caller", probe, &store(9, 2)).expect("stores");
    for call in &calls {
        let task = Task::Call { to: probe, input: call };
        let env = world.env("a/caller");
        let whole = Memory { reads: Default::default(), ..world.state.clone() };
        Evm::new().execute(&whole, &env, task, 1_000_000).expect("runs");
        let reads = whole.reads.get();
        assert!(reads >= 3, "account, code and slot");
        for read in 0..reads {
            let failing = Memory { reads: Default::default(), fails_at: Some(read), ..world.state.clone() };
            let result = Evm::new().execute(&failing, &env, task, 1_000_000);
            assert!(matches!(result, Err(Halt::Unavailable(_))), "read {read}: {result:?}");
        }
    }
    let code = probe_code();
    let failing = Memory { fails_at: Some(0), ..Memory::default() };
    let task = Task::Deploy { code: &code, input: &[] };
    let result = Evm::new().execute(&failing, &world.env("a/maker"), task, 1_000_000);
    assert!(matches!(result, Err(Halt::Unavailable(_))), "{result:?}");
}

#[test]
fn damaged_values_end_in_no_verdict() {
    let (mut world, probe) = with_probe();
    world.call("a/caller", probe, &store(1, 5)).expect("stores");
    let hash = account(&world, &probe).expect("the probe").code;
    let mut flipped = world.state.values[&code_key(&hash)].clone();
    flipped[10] ^= 1;
    let damages: [(Vec<u8>, Option<Vec<u8>>); 6] = [
        (account_key(&probe), Some(vec![1, 2, 3])),
        (code_key(&hash), Some(flipped)),
        (code_key(&hash), None),
        (slot_key(&probe, &word(1)), Some(vec![0, 5])),
        (slot_key(&probe, &word(1)), Some(vec![])),
        (slot_key(&probe, &word(1)), Some(vec![1; 33])),
    ];
    let load = input("load(uint256)", &word(1));
    for (key, value) in damages {
        let mut state = world.state.clone();
        match value {
            Some(value) => state.values.insert(key, value),
            None => state.values.remove(&key),
        };
        let task = Task::Call { to: probe, input: &load };
        let result = Evm::new().execute(&state, &world.env("a/caller"), task, 100_000);
        assert!(matches!(result, Err(Halt::Unavailable(_))), "{result:?}");
    }
}
