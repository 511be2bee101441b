//! The host functions: what they give, and that nothing passes their bounds.

use base_gm::{sm2::SecretKey, sm3::sm3};
use ledger_vm::{Address, Env, Halt, MAX_EVENTS, MAX_GAS, MAX_INPUT, StateView, Task, Unavailable, Vm};

use crate::{World, calling, person, why};

#[test]
fn a_contract_knows_its_caller_itself_and_its_block() {
    let mut world = World::new();
    let contract = world.deploy(&calling(
        "(call $caller (i32.const 0)) (call $address (i32.const 20))
         (i64.store align=1 (i32.const 40) (call $height)) (i64.store align=1 (i32.const 48) (call $time))
         (call $output (i32.const 0) (i32.const 56))",
    ));
    let caller = Address::of_key(&person("a/ann").key);
    let expected = [&caller.0[..], &contract.0, &7_u64.to_le_bytes(), &1_000_u64.to_le_bytes()].concat();
    assert_eq!(world.output(contract, b""), expected);
}

#[test]
fn the_hash_and_the_signature_are_those_of_the_chain() {
    let mut world = World::new();
    let hash = world.deploy(&calling(
        "(call $input (i32.const 0)) (call $sm3 (i32.const 0) (call $input_len) (i32.const 512))
         (call $output (i32.const 512) (i32.const 32))",
    ));
    assert_eq!(world.output(hash, b"abc"), sm3(b"abc").0);
    let check = world.deploy(&calling(
        "(call $input (i32.const 0))
         (i32.store8 (i32.const 512) (call $sm2_verify (i32.const 0) (i32.const 64) (i32.const 128)
             (i32.sub (call $input_len) (i32.const 128))))
         (call $output (i32.const 512) (i32.const 1))",
    ));
    let key = SecretKey::from_seed(b"signer");
    let signed = [&key.public().to_bytes()[..], &key.sign(b"message").to_bytes(), b"message"].concat();
    assert_eq!(world.output(check, &signed), [1]);
    for place in [0, 64, 128] {
        let mut changed = signed.clone();
        changed[place] ^= 1;
        assert_eq!(world.output(check, &changed), [0], "byte {place}");
    }
}

#[test]
fn storage_is_written_read_cut_and_removed() {
    let mut world = World::new();
    // Input: what to do, then a value. Key: the byte 'k' at 1,000.
    let contract = world.deploy(&calling(
        "(call $input (i32.const 0))
         (i32.store8 (i32.const 1000) (i32.const 107))
         (if (i32.eq (i32.load8_u (i32.const 0)) (i32.const 115))
             (then (call $set (i32.const 1000) (i32.const 1) (i32.const 1) (i32.sub (call $input_len) (i32.const 1)))))
         (if (i32.eq (i32.load8_u (i32.const 0)) (i32.const 114))
             (then (call $remove (i32.const 1000) (i32.const 1))))
         (i32.store (i32.const 2000) (call $get (i32.const 1000) (i32.const 1) (i32.const 2004) (i32.const 3)))
         (call $output (i32.const 2000) (i32.const 8))",
    ));
    assert_eq!(world.output(contract, b"?"), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    // Own writes are seen at once; the length is the whole value's, the bytes are cut to the capacity.
    assert_eq!(world.output(contract, b"svalue"), [5, 0, 0, 0, b'v', b'a', b'l', 0]);
    assert_eq!(world.output(contract, b"?"), [5, 0, 0, 0, b'v', b'a', b'l', 0]);
    assert_eq!(world.output(contract, b"r"), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    assert_eq!(world.output(contract, b"s"), [0; 8]);
}

#[test]
fn no_pointer_reaches_outside_the_memory() {
    let mut world = World::new();
    let calls = [
        "(call $input (i32.const -1))",
        "(call $input (i32.const 65534))",
        "(call $output (i32.const 65535) (i32.const 2))",
        "(call $output (i32.const -1) (i32.const 1))",
        "(drop (call $get (i32.const 65530) (i32.const 10) (i32.const 0) (i32.const 0)))",
        "(call $set (i32.const 65530) (i32.const 10) (i32.const 0) (i32.const 0))",
        "(call $set (i32.const 0) (i32.const 1) (i32.const 65535) (i32.const 2))",
        "(call $remove (i32.const -4) (i32.const 8))",
        "(call $event (i32.const 65500) (i32.const 2) (i32.const 0) (i32.const 0))",
        "(call $event (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 1))",
        "(call $caller (i32.const 65517))",
        "(call $address (i32.const -20))",
        "(call $sm3 (i32.const 0) (i32.const 65537) (i32.const 0))",
        "(call $sm3 (i32.const 0) (i32.const 1) (i32.const 65505))",
        "(drop (call $sm2_verify (i32.const 65473) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $sm2_verify (i32.const 0) (i32.const 65473) (i32.const 0) (i32.const 0)))",
        "(call $revert (i32.const 65536) (i32.const 1))",
    ];
    for call in calls {
        let contract = world.deploy(&calling(call));
        assert_eq!(world.words(contract, b"abc"), "a pointer for the host lies outside the memory", "{call}");
    }
    let edge = world.deploy(&calling("(call $input (i32.const 65533)) (call $output (i32.const 65533) (i32.const 3))"));
    assert_eq!(world.output(edge, b"abc"), b"abc");
}

#[test]
fn no_length_passes_its_bound() {
    let mut world = World::new();
    let calls = [
        ("(drop (memory.grow (i32.const 2))) (call $output (i32.const 0) (i32.const 65537))", "the output is longer"),
        ("(drop (call $get (i32.const 0) (i32.const 257) (i32.const 0) (i32.const 0)))", "a key is longer"),
        ("(call $set (i32.const 0) (i32.const 257) (i32.const 0) (i32.const 0))", "a key is longer"),
        ("(call $set (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 65537))", "a value is longer"),
        ("(call $event (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 0))", "an event has more than 4 topics"),
        ("(call $revert (i32.const 0) (i32.const 65537))", "the output is longer"),
        // So long that nobody could pay for it.
        ("(call $output (i32.const 0) (i32.const -1))", "out of gas"),
        ("(call $event (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0))", "out of gas"),
    ];
    for (call, part) in calls {
        let contract = world.deploy(&calling(call));
        let words = world.words(contract, b"");
        assert!(words.contains(part), "{call}: {words}");
    }
    let events = |count: usize| {
        calling(&format!(
            "(local $left i32) (local.set $left (i32.const {count}))
             (loop (call $event (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
                 (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"
        ))
    };
    let (most, more) = (world.deploy(&events(MAX_EVENTS)), world.deploy(&events(MAX_EVENTS + 1)));
    assert_eq!(world.call(most, b"").expect("allowed").events.len(), MAX_EVENTS);
    assert_eq!(world.words(more, b""), "more events than allowed");
}

#[test]
fn a_reason_is_kept_as_text_only_when_it_is_short_text() {
    let mut world = World::new();
    let body = "(call $input (i32.const 0)) (call $revert (i32.const 0) (call $input_len))";
    let contract = world.deploy(&calling(body));
    let long = "长".repeat(257);
    let given = ["no", "不行", "", &long];
    for (input, expected) in given.iter().zip(["no", "不行", "reverted", "reverted"]) {
        let halt = world.call(contract, input.as_bytes()).expect_err("reverts");
        let Halt::Reverted { why, output, .. } = halt else { panic!("reverts") };
        assert_eq!((why.as_str(), output.as_slice()), (expected, input.as_bytes()));
    }
    assert_eq!(world.words(contract, &[0xff, 0xfe]), "reverted");
}

#[test]
fn a_task_beyond_the_limits_is_refused() {
    let mut world = World::new();
    let contract = world.deploy(&calling(""));
    assert!(world.call(contract, &vec![0; MAX_INPUT]).is_ok());
    assert_eq!(why(world.call(contract, &vec![0; MAX_INPUT + 1])), "the input is longer than allowed");
    let task = Task::Call { to: contract, input: b"" };
    assert_eq!(why(world.run(task, MAX_GAS + 1)), "more gas is asked for than allowed");
}

/// A state whose contract is there and whose slots cannot be read.
struct Broken(Vec<u8>);

impl StateView for Broken {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        if key.starts_with(b"wasm/code/") { Ok(Some(self.0.clone())) } else { Err(Unavailable("disk".into())) }
    }
}

#[test]
fn a_state_that_cannot_be_read_gives_no_verdict() {
    let mut world = World::new();
    let body = "(drop (call $get (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0))) (unreachable)";
    let contract = world.deploy(&calling(body));
    let state = Broken(world.state.0[&ledger_vm::wasm::code_key(&contract)].clone());
    let env = Env { chain: sm3(b"chain"), height: 7, time: 1, tx: sm3(b"tx"), sender: person("a/ann") };
    let outcome = world.vm.execute(&state, &env, Task::Call { to: contract, input: b"" }, MAX_GAS);
    assert_eq!(outcome, Err(Halt::Unavailable(Unavailable("disk".into()))));
}
