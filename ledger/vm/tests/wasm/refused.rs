//! Modules that become no contract, every kind once.

use ledger_vm::{MAX_CODE, MAX_GAS, Task};

use crate::{World, calling, module, why};

const INVALID: &str = "the code is no valid WebAssembly of the allowed kind";

fn refusal(world: &mut World, code: &[u8]) -> String {
    why(world.run(Task::Deploy { code, input: b"" }, MAX_GAS))
}

fn check(cases: &[(String, &str)]) {
    let mut world = World::new();
    for (text, words) in cases {
        let code = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let short = text.chars().skip(text.len().saturating_sub(200)).collect::<String>();
        assert_eq!(refusal(&mut world, &code), *words, "{short}");
    }
}

/// A module without imports, with these fields beside what a contract must have.
fn with(fields: &str) -> String {
    format!(r#"(module {fields} (memory 1) (func (export "deploy")) (func (export "call")))"#)
}

#[test]
fn what_the_features_leave_out_is_refused() {
    let fields = [
        // Threads.
        "(func (drop (i32.atomic.load (i32.const 0))))",
        "(func (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))",
        // SIMD, plain and relaxed.
        "(func (drop (v128.const i32x4 0 0 0 0)))",
        "(func (param v128))",
        "(func (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0)))",
        // Reference types, typed references and garbage collection.
        "(func (param externref))",
        "(table 1 externref)",
        "(table 1 funcref) (func (drop (table.get 0 (i32.const 0))))",
        "(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))",
        "(table 1 funcref) (table 1 funcref)",
        "(type (struct (field i32)))",
        "(type (array i8))",
        "(type $t (func)) (func (param (ref $t)))",
        // Tail calls, exceptions, 64-bit memories, several memories, wider constants.
        "(func $f (return_call $f))",
        "(tag)",
        "(func (try_table))",
        "(memory i64 1)",
        "(memory 1)",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "(func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1)))",
    ];
    check(&fields.map(|fields| (with(fields), INVALID)));
    let shared = r#"(module (memory 1 1 shared) (func (export "deploy")) (func (export "call")))"#;
    check(&[(shared.into(), INVALID)]);
}

#[test]
fn what_is_no_module_is_refused() {
    let mut world = World::new();
    let component = b"\0asm\x0d\0\x01\0";
    for code in [&b""[..], b"\0asm", b"\0asm\x02\0\0\0", component, b"(module)", &[0xff; 100]] {
        assert_eq!(refusal(&mut world, code), INVALID, "{code:?}");
    }
    let whole = wat::parse_str(calling("")).expect("text");
    // Only what follows the code may be missing whole: the names, which mean nothing.
    let taken = (0..whole.len()).filter(|cut| world.deploy_bytes(&whole[..*cut]).is_ok()).count();
    assert!(taken <= 1, "{taken} cuts are taken");
    assert_eq!(refusal(&mut world, &vec![0; MAX_CODE + 1]), "the code is longer than allowed");
}

#[test]
fn only_the_host_functions_are_imported_with_their_types() {
    let no_function = "the code imports a function that there is not";
    let other_type = "the code imports a function with another type than it has";
    let not_function = "the code imports what is not a function";
    let imports = [
        (r#"(import "env" "get" (func (param i32 i32 i32 i32) (result i32)))"#, no_function),
        (r#"(import "heqi" "got" (func))"#, no_function),
        (r#"(import "heqi" "get" (func (param i32 i32 i32) (result i32)))"#, other_type),
        (r#"(import "heqi" "height" (func (result i32)))"#, other_type),
        (r#"(import "heqi" "memory" (memory 1))"#, not_function),
        (r#"(import "heqi" "n" (global i32))"#, not_function),
        (r#"(import "heqi" "t" (table 1 funcref))"#, not_function),
    ];
    let cases = imports.map(|(import, words)| {
        (format!(r#"(module {import} (func (export "deploy")) (func (export "call")))"#), words)
    });
    check(&cases);
    let again = r#"(import "heqi" "remove" (func (param i32 i32))) "#.repeat(17);
    check(&[(with(&again), "the code imports functions more than once")]);
}

#[test]
fn a_contract_has_its_entries_one_memory_and_no_start() {
    let entries = "the code does not export the functions deploy and call without parameters and results";
    let memory = "the code does not have exactly one memory";
    let case = |text: &str, words| (text.to_owned(), words);
    check(&[
        case(r#"(module (memory 1) (func (export "deploy")))"#, entries),
        case(r#"(module (memory 1) (func (export "call")))"#, entries),
        case(r#"(module (memory 1) (func (export "deploy")) (func (export "call") (param i32)))"#, entries),
        case(
            r#"(module (memory 1) (func (export "call")) (func (export "deploy") (result i32) (i32.const 1)))"#,
            entries,
        ),
        case(r#"(module (memory (export "call") 1) (func (export "deploy")))"#, entries),
        case(r#"(module (func (export "deploy")) (func (export "call")))"#, memory),
        (with("(func $s) (start $s)"), "the code has a start function"),
        (with(r#"(func (export "heqi:gas"))"#), "the code exports a reserved name"),
        (with(r#"(func (export "heqi:"))"#), "the code exports a reserved name"),
    ]);
}

#[test]
fn what_is_larger_than_allowed_is_refused_and_what_is_as_large_is_not() {
    let locals = |count: usize| with(&format!("(func (param i32) (local {}))", "i64 ".repeat(count - 1)));
    // A body has a byte for its locals and one for its end.
    let body = |bytes: usize| with(&format!("(func {})", "nop ".repeat(bytes - 2)));
    let pages = |pages: u32| with("").replace("(memory 1)", &format!("(memory {pages})"));
    let table = |elements: u32| with(&format!("(table {elements} funcref)"));
    let globals = |count: usize| with(&"(global i32 (i32.const 0)) ".repeat(count));
    let functions = |count: usize| with(&"(func) ".repeat(count - 2));
    check(&[
        (locals(1_001), "a function has more than 1,000 locals"),
        (body((64 << 10) + 1), "a function is longer than 64 KiB"),
        (pages(257), "the memory starts with more than 256 pages"),
        (table(10_001), "the code has a table of more than 10,000 elements"),
        (globals(1_001), "the code has more than 1,000 globals"),
        (functions(10_001), "the code has more than 10,000 functions"),
    ]);
    let mut world = World::new();
    for text in [locals(1_000), body(64 << 10), pages(256), table(10_000), globals(1_000)] {
        let contract = world.deploy(&text);
        world.call(contract, b"").expect("runs");
    }
}

#[test]
fn what_today_s_compilers_write_is_taken() {
    let mut world = World::new();
    let text = module(
        r#"(func $both (param i32) (result i32 i64) (local.get 0) (i64.extend8_s (i64.const 255)))
           (global $sp (mut i32) (i32.const 4)) (global (export "__data_end") i32 (i32.const 5))
           (table (export "__indirect_function_table") 1 1 funcref)
           (func (export "deploy"))
           (func (export "call")
               (call $both (global.get $sp)) (drop) (drop)
               (drop (i32.trunc_sat_f32_u (f32.const -1)))
               (memory.copy (i32.const 0) (i32.const 8) (i32.const 4)))"#,
    );
    let contract = world.deploy(&text);
    world.call(contract, b"").expect("runs");
    // A linker writes the table of an indirect call in five bytes, so that it can be changed later.
    let code = wat::parse_str(
        r#"(module (type (func)) (table 1 funcref) (memory 1) (elem (i32.const 0) 0)
           (func (export "deploy")) (func (export "call") (call_indirect (type 0) (i32.const 0))))"#,
    );
    let code = code.expect("text");
    let section: [u8; 14] = [10, 12, 2, 2, 0, 0x0b, 7, 0, 0x41, 0, 0x11, 0, 0, 0x0b];
    let longer: [u8; 18] = [10, 16, 2, 2, 0, 0x0b, 11, 0, 0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0, 0x0b];
    let at = code.windows(section.len()).position(|part| part == section).expect("the code section");
    let code = [&code[..at], &longer, &code[at + section.len()..]].concat();
    let contract = world.deploy_bytes(&code).expect("deployed");
    world.call(contract, b"").expect("runs");
}
