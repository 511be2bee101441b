//! Ends that must be equal on every node: gas, memory, stack, depth, sizes, reasons.

use ledger_vm::{
    Address, Halt, MAX_GAS, MAX_INPUT, MAX_OUTPUT, Task,
    evm::{Evm, GAS_PER_CODE_BYTE, MAX_CODE_SIZE, MAX_INITCODE_SIZE},
};

use crate::world::{GAS, RECEIVER, World, bytes_words, deploying, ended, input, probe_code, word};

fn with_probe() -> (World, Address) {
    let mut world = World::new();
    let probe = world.deploy("a/maker", &probe_code(), &[]);
    (world, probe)
}

#[test]
fn exhausted_gas_ends_with_the_same_words_and_all_of_it() {
    let (mut world, probe) = with_probe();
    for gas in [30_000, 1_000_000] {
        for _ in 0..2 {
            let task = Task::Call { to: probe, input: &input("spin()", &[]) };
            assert_eq!(ended(world.run("a/caller", task, gas)), ("out of gas".to_owned(), gas));
        }
    }
    let task = Task::Call { to: probe, input: &input("spin()", &[]) };
    let words = "the gas does not cover the transaction itself";
    assert_eq!(ended(world.run("a/caller", task, 20_000)), (words.to_owned(), 20_000));
    assert_eq!(ended(world.run("a/caller", task, MAX_GAS + 1)).1, 0);
}

#[test]
fn loops_memory_and_depth_cost_what_another_implementation_counts() {
    let (mut world, probe) = with_probe();
    let effects = world.call("a/caller", probe, &input("sum(uint256)", &word(1000))).expect("adds");
    assert_eq!((effects.output, effects.gas), (word(500_500).to_vec(), 208_576));
    let effects = world.call("a/caller", probe, &input("grow(uint256)", &word(1 << 20))).expect("grows");
    assert_eq!(effects.gas, 2_217_065);
    let bomb = Task::Call { to: probe, input: &input("grow(uint256)", &word(1 << 40)) };
    assert_eq!(ended(world.run("a/caller", bomb, MAX_GAS)), ("out of gas".to_owned(), MAX_GAS));
    let effects = world.call("a/caller", probe, &input("descend()", &[])).expect("comes back");
    assert_eq!((effects.output, effects.gas), (word(373).to_vec(), 316_431));
    let descend = Task::Call { to: probe, input: &input("descend()", &[]) };
    let deepest = world.run("a/caller", descend, MAX_GAS).expect("comes back");
    assert_eq!(deepest, world.run("a/caller", descend, MAX_GAS).expect("comes back"));
}

#[test]
fn bad_instructions_end_in_words_of_our_own_and_take_the_gas() {
    let mut world = World::new();
    let cases: [(&[u8], &str); 6] = [
        (&[0xfe], "invalid instruction"),
        (&[0x0c], "unknown instruction"),
        (&[0x01], "stack underflow"),
        (&[0x5b, 0x5f, 0x5f, 0x56], "stack overflow"),
        (&[0x5f, 0x56], "jump to no destination"),
        (&[0x60, 0x01, 0x5f, 0x5f, 0x3e], "read beyond the returned data"),
    ];
    for (code, words) in cases {
        let at = world.deploy("a/maker", &deploying(code), &[]);
        let task = Task::Call { to: at, input: &[] };
        assert_eq!(ended(world.run("a/caller", task, 3_000_000)), (words.to_owned(), 3_000_000));
    }
}

#[test]
fn a_revert_says_why_and_gives_the_rest_of_the_gas_back() {
    let (mut world, probe) = with_probe();
    let say = input("say(string)", &[&word(32)[..], &bytes_words(b"no way")].concat());
    assert_eq!(ended(world.call("a/caller", probe, &say)), ("reverted: no way".to_owned(), 22_360));
    let custom = world.call("a/caller", probe, &input("custom()", &[]));
    let Err(Halt::Reverted { why, gas, output }) = custom else { panic!("{custom:?}") };
    assert_eq!((why.as_str(), gas), ("reverted", 21_312));
    assert_eq!(output, input("Custom(uint256)", &word(9)));
    // The probe subtracts 1 from the height.
    world.height = 0;
    let (why, gas) = ended(world.call("a/caller", probe, &input("surroundings()", &[])));
    assert_eq!((why.as_str(), gas), ("reverted: arithmetic overflow (0x11)", 21_356));
}

#[test]
fn outputs_and_events_are_bounded() {
    let (mut world, probe) = with_probe();
    let max = MAX_OUTPUT as u64;
    let given = world.call("a/caller", probe, &input("give(uint256)", &word(max))).expect("fits");
    assert_eq!(given.output.len(), MAX_OUTPUT);
    let (why, gas) = ended(world.call("a/caller", probe, &input("give(uint256)", &word(max + 1))));
    assert_eq!((why.as_str(), gas), ("the output is longer than 65536 bytes", 35_803));
    for (len, kept) in [(max, MAX_OUTPUT), (max + 1, 0)] {
        let undone = world.call("a/caller", probe, &input("undo(uint256)", &word(len)));
        let Err(Halt::Reverted { why, output, .. }) = undone else { panic!("{undone:?}") };
        assert_eq!((why.as_str(), output.len()), ("reverted", kept));
    }
    let shout = |count| {
        let arguments = [&word(count)[..], &word(64), &bytes_words(b"hello")].concat();
        input("shout(uint256,bytes)", &arguments)
    };
    assert_eq!(world.call("a/caller", probe, &shout(3)).expect("fits").gas, 28_761);
    let shouted = world.call("a/caller", probe, &shout(1024)).expect("fits");
    assert_eq!(shouted.events.len(), 1024);
    assert_eq!(shouted.events[1023].topics[1].0, word(1023));
    assert_eq!(ended(world.call("a/caller", probe, &shout(1025))).0, "there are more than 1024 events");
}

#[test]
fn code_and_input_are_bounded_as_on_ethereum() {
    let mut world = World::new();
    let deploy =
        |world: &mut World, code: &[u8], input: &[u8]| world.run("a/maker", Task::Deploy { code, input }, MAX_GAS);
    let long = vec![0; MAX_INPUT + 1];
    let words = "the input is longer than 131072 bytes";
    let call = Task::Call { to: RECEIVER, input: &long };
    assert_eq!(ended(world.run("a/caller", call, GAS)), (words.to_owned(), 0));
    assert_eq!(ended(deploy(&mut world, &[], &[])).0, "the code made no contract");
    // PUSH1 0xef, PUSH0, MSTORE8, PUSH1 1, PUSH0, RETURN
    let reserved = [0x60, 0xef, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3];
    assert_eq!(ended(deploy(&mut world, &reserved, &[])).0, "the contract starts with the byte 0xef");
    // EIP-170.
    let effects = deploy(&mut world, &deploying(&[0; MAX_CODE_SIZE]), &[]).expect("deploys");
    let at = effects.contract.expect("a contract was made");
    assert!(world.call("a/caller", at, &[]).expect("stops").output.is_empty());
    let (why, _) = ended(deploy(&mut world, &deploying(&[0; MAX_CODE_SIZE + 1]), &[]));
    assert_eq!(why, "the contract is longer than 24576 bytes");
}

#[test]
fn code_that_makes_a_contract_is_bounded_with_its_arguments() {
    let mut world = World::new();
    let words = "the code that makes the contract is longer than 49152 bytes with its arguments";
    let long = vec![0; MAX_INITCODE_SIZE + 1];
    for (code, input) in [(MAX_INITCODE_SIZE, 0), (MAX_INITCODE_SIZE - 32, 32), (0, MAX_INITCODE_SIZE)] {
        let mut deploy = |input: usize| {
            let task = Task::Deploy { code: &long[..code], input: &long[..input] };
            ended(world.run("a/maker", task, MAX_GAS))
        };
        assert_eq!(deploy(input).0, "the code made no contract", "{code} and {input} bytes");
        assert_eq!(deploy(input + 1), (words.to_owned(), 0), "{code} and {} bytes", input + 1);
    }
    // PUSH3 49,152 or 49,153, PUSH0, PUSH0, CREATE: a contract that makes another is held to the same.
    let making = |low| deploying(&[0x62, 0x00, 0xc0, low, 0x5f, 0x5f, 0xf0]);
    let most = world.deploy("a/maker", &making(0x00), &[]);
    world.call("a/caller", most, &[]).expect("makes another");
    let more = world.deploy("a/maker", &making(0x01), &[]);
    assert_eq!(ended(world.call("a/caller", more, &[])), (words.to_owned(), GAS));
}

/// Asks for the length of the code of contracts.
fn asking(of: impl IntoIterator<Item = Address>) -> Vec<u8> {
    // PUSH20 address, EXTCODESIZE, POP
    of.into_iter().flat_map(|at| [&[0x73_u8][..], &at.0, &[0x3b, 0x50]].concat()).collect()
}

#[test]
fn the_gas_limit_covers_the_code_that_is_read_beside_the_called_contract_s() {
    const OTHERS: u8 = 10;
    let mut world = World::new();
    let others = (0..OTHERS).map(|number| Address([number + 1; 20]));
    for (number, at) in others.clone().enumerate() {
        let mut code = vec![0; MAX_CODE_SIZE];
        code[MAX_CODE_SIZE - 1] = number as u8;
        world.place(at, &code);
        // The same code elsewhere is not read again.
        world.place(Address([0x80 | at.0[0]; 20]), &code);
    }
    let caller = Address([0x40; 20]);
    let twice = others.clone().chain(others.clone()).chain(others.map(|at| Address([0x80 | at.0[0]; 20])));
    let mut code = asking(twice);
    // The called contract's own code does not count, however long it is.
    code.resize(MAX_CODE_SIZE, 0);
    world.place(caller, &code);
    let least = u64::from(OTHERS) * MAX_CODE_SIZE as u64 * GAS_PER_CODE_BYTE;
    let task = || Task::Call { to: caller, input: &[] };
    let words = "more code of other contracts is read than the gas limit covers";
    for round in 0..2 {
        // The gas that is used is Ethereum's: 2,600 for an account that was not touched before, 100 for one that was.
        let gas = 21_000 + 20 * 2600 + 10 * 100 + 30 * 5;
        assert_eq!(world.run("a/caller", task(), least).expect("covered").gas, gas, "round {round}");
        assert_eq!(ended(world.run("a/caller", task(), least - 1)), (words.to_owned(), least - 1), "round {round}");
    }
    // What a machine has in its cache makes no difference.
    world.vm = Evm::new();
    assert_eq!(ended(world.run("a/caller", task(), least - 1)), (words.to_owned(), least - 1));
}

#[test]
fn a_call_that_reaches_nobody_is_refused() {
    let mut world = World::new();
    let (why, gas) = ended(world.call("a/caller", RECEIVER, &[]));
    assert_eq!(why, format!("there is no contract at {RECEIVER}"));
    assert_eq!(gas, 0);
}
