//! How contracts end that go wrong, and that the meters always end them before the machine below does.

use ledger_vm::{Halt, MAX_GAS};

use crate::{World, calling, module};

/// A function with this many values alive across its call of itself, none of which a compiler can leave out.
fn deep(kind: &str, values: usize) -> String {
    let load = |at: usize| format!("(local.set {} ({kind}.load (i32.const {})))", at + 1, at * 8);
    let loads = (0..values).map(load).collect::<String>();
    let add = |at: usize| format!("({kind}.store (i32.const {}) (local.get {}))", at * 8, at + 1);
    let stores = (0..values).map(add).collect::<String>();
    let locals = format!("(local {})", format!("{kind} ").repeat(values));
    module(&format!(
        r#"(func $f (param i32) (result i32) {locals} {loads}
               (local.set 0 (call $f (i32.add (local.get 0) (i32.const 1)))) {stores} (local.get 0))
           (func (export "deploy")) (func (export "call") (drop (call $f (i32.const 0))))"#
    ))
}

#[test]
fn recursion_ends_with_our_words_whatever_the_frames_hold() {
    let mut world = World::new();
    let mut texts = vec![calling("(call $own)").replace(r#"(func (export "call")"#, r#"(func $own (export "call")"#)];
    for kind in ["i32", "i64", "f32", "f64"] {
        texts.extend([1, 30, 900].map(|values| deep(kind, values)));
    }
    for text in texts {
        let contract = world.deploy(&text);
        let first = world.call(contract, b"").expect_err("never ends");
        let Halt::Reverted { why, gas, .. } = &first else { panic!("must revert: {first:?}") };
        assert_eq!(why, "the stack is full");
        assert!(*gas < MAX_GAS);
        assert_eq!(world.call(contract, b""), Err(first));
    }
}

#[test]
fn operands_count_as_locals_do() {
    let mut world = World::new();
    let pushed = "(i64.load (i32.const 0)) ".repeat(800);
    let dropped = "i64.add ".repeat(799);
    let text = module(&format!(
        r#"(func $f (result i64) {pushed} call $f i64.add {dropped})
           (func (export "deploy")) (func (export "call") (drop (call $f)))"#
    ));
    let contract = world.deploy(&text);
    assert_eq!(world.words(contract, b""), "the stack is full");
}

#[test]
fn recursion_that_ends_gives_its_result() {
    let mut world = World::new();
    let text = module(
        r#"(func $sum (param i32) (result i32)
               (if (result i32) (local.get 0)
                   (then (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
                   (else (i32.const 0))))
           (func (export "deploy"))
           (func (export "call")
               (i32.store (i32.const 0) (call $sum (i32.const 1000)))
               (call $output (i32.const 0) (i32.const 4)))"#,
    );
    let contract = world.deploy(&text);
    assert_eq!(world.output(contract, b""), 500_500_u32.to_le_bytes());
}

#[test]
fn every_way_out_of_a_function_gives_its_stack_back() {
    let mut world = World::new();
    // Leaves by its end, by return inside blocks, by a branch to its own label and by a table of branches.
    let text = module(
        r#"(func $pick (param i32) (result i32 i32)
               (block (block (block
                   (br_table 0 1 2 (local.get 0)))
                   (return (i32.const 10) (i32.const 1)))
                   (br 1 (i32.const 20) (i32.const 2)))
               (if (i32.eq (local.get 0) (i32.const 2)) (then (loop (return (i32.const 30) (i32.const 3)))))
               (i32.const 40) (i32.const 4))
           (func (export "deploy"))
           (func (export "call") (local $left i32) (local $sum i32)
               (local.set $left (i32.const 40000))
               (loop
                   (call $pick (i32.and (local.get $left) (i32.const 3)))
                   (local.set $sum (i32.add (local.get $sum) (i32.add)))
                   (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
               (i32.store (i32.const 0) (local.get $sum))
               (call $output (i32.const 0) (i32.const 4)))"#,
    );
    let contract = world.deploy(&text);
    assert_eq!(world.output(contract, b""), (10_000_u32 * (11 + 22 + 33 + 44)).to_le_bytes());
}

#[test]
fn memory_grows_to_its_limit_and_no_further() {
    let mut world = World::new();
    let text = module(
        r#"(func (export "deploy"))
           (func (export "call")
               (i32.store (i32.const 0) (memory.grow (i32.const 2)))
               (i32.store (i32.const 4) (memory.grow (i32.const 254)))
               (i32.store (i32.const 8) (memory.grow (i32.const -1)))
               (i32.store (i32.const 12) (memory.grow (i32.const 253)))
               (i32.store (i32.const 16) (memory.size))
               (i32.store (i32.const 20) (memory.grow (i32.const 1)))
               (i32.store (i32.const 16777212) (i32.const 5))
               (i32.store (i32.const 24) (i32.load (i32.const 16777212)))
               (call $output (i32.const 0) (i32.const 28)))"#,
    );
    let contract = world.deploy(&text);
    let words = [1, -1, -1, 3, 256, -1, 5_i32].map(i32::to_le_bytes).concat();
    assert_eq!(world.output(contract, b""), words);
    let small = world.deploy(&text.replace("(memory 1)", "(memory 1 2)"));
    assert_eq!(world.words(small, b""), "the memory was used outside its bounds");
}

#[test]
fn bulk_operations_do_what_they_say() {
    let mut world = World::new();
    let text = module(
        r#"(data $d "hello")
           (func (export "deploy"))
           (func (export "call")
               (memory.fill (i32.const 0) (i32.const 46) (i32.const 10))
               (memory.init $d (i32.const 1) (i32.const 1) (i32.const 4))
               (memory.copy (i32.const 2) (i32.const 1) (i32.const 4))
               (data.drop $d)
               (call $output (i32.const 0) (i32.const 10)))"#,
    );
    let contract = world.deploy(&text);
    assert_eq!(world.output(contract, b""), b".eello....");
}

#[test]
fn every_trap_ends_with_words_of_our_own() {
    let mut world = World::new();
    let table = r#"(type $t (func)) (type $u (func (result i32))) (table 2 funcref) (elem (i32.const 0) $f)
        (func $f (type $u) (i32.const 1)) (func (export "deploy"))"#;
    let cases = [
        ("(unreachable)", "the contract stopped at what must not be reached"),
        ("(drop (i32.load (i32.const 65533)))", "the memory was used outside its bounds"),
        ("(i64.store offset=4294967295 (i32.const -1) (i64.const 0))", "the memory was used outside its bounds"),
        ("(memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))", "the memory was used outside its bounds"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "an integer was divided by zero"),
        ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "an integer was divided by zero"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "an integer operation overflowed"),
        ("(drop (i32.trunc_f64_s (f64.const 1e20)))", "an integer operation overflowed"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "what is not a number was converted to an integer"),
        ("(call_indirect (type $t) (i32.const 0))", "a table element was called with another type than it has"),
        ("(call_indirect (type $t) (i32.const 1))", "an empty table element was called"),
        ("(call_indirect (type $t) (i32.const 2))", "a table was used outside its bounds"),
        ("(table.copy (i32.const 0) (i32.const 1) (i32.const 2))", "a table was used outside its bounds"),
    ];
    for (body, words) in cases {
        let contract = world.deploy(&module(&format!(r#"{table} (func (export "call") {body})"#)));
        assert_eq!(world.words(contract, b""), words, "{body}");
    }
}

#[test]
fn data_outside_the_memory_ends_the_deployment() {
    let mut world = World::new();
    let text = calling("").replace("(memory 1)", r#"(memory 1) (data (i32.const 65535) "ab")"#);
    let halt = world.deploy_bytes(&wat::parse_str(text).expect("text")).expect_err("does not fit");
    let Halt::Reverted { why, .. } = halt else { panic!("must revert") };
    assert_eq!(why, "the memory was used outside its bounds");
}
