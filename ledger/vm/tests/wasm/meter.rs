//! Gas is exact: of straight lines, loops, calls, lengths and host functions, and equal at every limit.

use base_gm::sm3::sm3;
use ledger_vm::{Address, Effects, Halt, MAX_GAS, Task, wasm::cost};

use crate::{World, calling, module, why};

/// A module with a function of two results and an early return, a loop, a global, `memory.grow` and `memory.fill`.
const SAMPLE: &str = "0061736d01000000010a0260000060017f027f7f03040301000005030100010606017f0141070b071102066465706c6f79\
    00010463616c6c00020a3c03100020000440200041010f0b200041020b02000b2601017f0340230041016b240023000d000b230010001a1a4101\
    40001a410041014109fc0b000b";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.split_whitespace().collect::<String>();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

fn at_limit(world: &mut World, contract: Address, gas: u64) -> Result<Effects, Halt> {
    world.run(Task::Call { to: contract, input: b"" }, gas)
}

/// Gas of the contract's own code: what a call costs beside its start. At this limit it ends, one below it does not.
fn own_gas(world: &mut World, text: &str, pages: u64) -> u64 {
    let contract = world.deploy(text);
    let gas = world.call(contract, b"").expect("runs").gas;
    assert_eq!(at_limit(world, contract, gas).expect("enough").gas, gas);
    let halt = at_limit(world, contract, gas - 1).expect_err("one too little");
    assert_eq!(halt, Halt::Reverted { why: "out of gas".into(), gas: gas - 1, output: vec![] });
    gas - world.base(contract, pages)
}

#[test]
fn the_instrumentation_is_the_one_that_was_written_down() {
    let mut world = World::new();
    let contract = world.deploy_bytes(&bytes(SAMPLE)).expect("deployed");
    let code = world.code(contract);
    assert_eq!(code.len(), 402);
    // The digest was computed by another program, which writes the same module by the description in the source.
    assert_eq!(sm3(&code).to_string(), "ff55e0f71186ab51580f86d25b2af5c14125616ef0be80ac7df35e20df193b62");
    let gas = world.call(contract, b"").expect("runs").gas;
    assert_eq!(gas, world.base(contract, 1) + 42 + 138 + 4 + cost::PAGE + 9 * cost::BYTE);
}

#[test]
fn a_straight_line_costs_its_instructions() {
    let mut world = World::new();
    for count in [0, 1, 7, 1_000] {
        assert_eq!(own_gas(&mut world, &calling(&"nop ".repeat(count)), 1), count as u64);
    }
    assert_eq!(own_gas(&mut world, &calling("(drop (i32.div_u (i32.const 7) (i32.const 2)))"), 1), 2 + 4 + 1);
    // Structure is free; what is not entered is not paid for.
    let skipped = "(block (block (if (i32.const 0) (then nop nop nop) (else nop))))";
    assert_eq!(own_gas(&mut world, &calling(skipped), 1), 2 + 1);
}

#[test]
fn a_loop_costs_every_round_and_an_endless_one_costs_the_limit() {
    let mut world = World::new();
    let rounds = |count: u32| {
        calling(&format!(
            "(local $left i32) (local.set $left (i32.const {count}))
             (loop (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"
        ))
    };
    assert_eq!(own_gas(&mut world, &rounds(1), 1), 2 + 5);
    assert_eq!(own_gas(&mut world, &rounds(1_000), 1), 2 + 5 * 1_000);

    let endless = world.deploy(&calling("(loop (br 0))"));
    for gas in [100_000, 1_234_567, MAX_GAS] {
        let halt = at_limit(&mut world, endless, gas).expect_err("never ends");
        assert_eq!(halt, Halt::Reverted { why: "out of gas".into(), gas, output: vec![] });
    }
}

#[test]
fn calls_cost_more_than_what_they_call() {
    let mut world = World::new();
    let direct = module(
        r#"(func $f (result i32) (i32.const 1))
           (func (export "deploy")) (func (export "call") (drop (call $f)))"#,
    );
    assert_eq!(own_gas(&mut world, &direct, 1), 10 + 1 + 1);
    let indirect = module(
        r#"(type $t (func (result i32))) (table 1 funcref) (elem (i32.const 0) $f) (func $f (result i32) (i32.const 1))
           (func (export "deploy")) (func (export "call") (drop (call_indirect (type $t) (i32.const 0))))"#,
    );
    assert_eq!(own_gas(&mut world, &indirect, 1), 1 + 15 + 1 + 1);
}

#[test]
fn lengths_are_paid_by_the_unit_before_they_are_used() {
    let mut world = World::new();
    let fill = "(memory.fill (i32.const 0) (i32.const 7) (i32.const 1000))";
    assert_eq!(own_gas(&mut world, &calling(fill), 1), 3 + 20 + 1_000 * cost::BYTE);
    let copy = "(memory.copy (i32.const 0) (i32.const 500) (i32.const 300))";
    assert_eq!(own_gas(&mut world, &calling(copy), 1), 3 + 20 + 300 * cost::BYTE);
    let table = module(
        r#"(table 10 funcref) (elem $e func $f $f $f) (func $f) (func (export "deploy"))
           (func (export "call")
               (table.init $e (i32.const 0) (i32.const 0) (i32.const 3))
               (table.copy (i32.const 4) (i32.const 0) (i32.const 3)))"#,
    );
    assert_eq!(own_gas(&mut world, &table, 1), 2 * (3 + 20 + 3 * cost::ELEMENT));
    let grow = "(drop (memory.grow (i32.const 3)))";
    assert_eq!(own_gas(&mut world, &calling(grow), 1), 1 + 100 + 1 + 3 * cost::PAGE);
    // More than any memory can have costs as much as all of it, and fails.
    let much = "(drop (memory.grow (i32.const -1)))";
    assert_eq!(own_gas(&mut world, &calling(much), 1), 1 + 100 + 1 + 256 * cost::PAGE);
    let start = r#"(module (memory 17) (func (export "deploy")) (func (export "call")))"#;
    assert_eq!(own_gas(&mut world, start, 17), 0);
}

#[test]
fn host_functions_take_from_the_same_gas() {
    let mut world = World::new();
    let (price, by_byte) = cost::SET;
    let set = "(call $set (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 100))";
    assert_eq!(own_gas(&mut world, &calling(set), 1), 4 + 10 + price + 104 * by_byte);
    let (price, by_byte) = cost::SM3;
    let hash = "(call $sm3 (i32.const 0) (i32.const 64) (i32.const 0))";
    assert_eq!(own_gas(&mut world, &calling(hash), 1), 3 + 10 + price + 64 * by_byte);
    // A stretch is paid when it is entered: between two questions only the second one's price is taken.
    let twice = "(i64.store (i32.const 0) (call $gas_left)) nop nop (i64.store (i32.const 8) (call $gas_left))
        (call $output (i32.const 0) (i32.const 16))";
    let contract = world.deploy(&calling(twice));
    let output = world.output(contract, b"");
    let left = |at: usize| u64::from_le_bytes(output[at..at + 8].try_into().expect("8"));
    assert_eq!(left(0) - left(8), cost::HOST.0);
}

#[test]
fn a_task_that_cannot_pay_its_start_does_not_begin() {
    let mut world = World::new();
    let code = wat::parse_str(calling("")).expect("text");
    let needed = cost::DEPLOY + cost::DEPLOY_BYTE * code.len() as u64 + cost::PAGE;
    let task = Task::Deploy { code: &code, input: b"" };
    let halt = world.run(task, needed - 1).expect_err("one too little");
    assert_eq!(halt, Halt::Reverted { why: "out of gas".into(), gas: needed - 1, output: vec![] });
    assert_eq!(world.run(task, needed).expect("just enough").gas, needed);
    let refused = Task::Deploy { code: b"nonsense", input: b"" };
    let Err(Halt::Reverted { gas, .. }) = world.run(refused, MAX_GAS) else { panic!("must be refused") };
    assert_eq!(gas, cost::DEPLOY + cost::DEPLOY_BYTE * 8);
    assert_eq!(why(world.run(refused, 10)), "out of gas");
}
