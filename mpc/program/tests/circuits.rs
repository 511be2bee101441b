//! Circuits by name and in Bristol fashion, as programs: against other implementations in the clear, and what is refused where.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use mpc_program::{Bounds, PANIC, Program, ProgramError};
use sha2::Digest as _;

fn built(source: &str) -> Program {
    Program::compile(source, Bounds::default()).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// Bytes that differ in every place.
fn bytes<const N: usize>(seed: u8) -> [u8; N] {
    std::array::from_fn(|at| (at as u8).wrapping_mul(37).wrapping_add(seed))
}

fn json(value: &[u8]) -> String {
    serde_json::to_string(value).unwrap()
}

/// The result in the clear.
fn evaluated(program: &Program, arguments: &[&str]) -> String {
    let mut bits = Vec::new();
    for (number, json) in arguments.iter().enumerate() {
        bits.extend_from_slice(&program.encode(number, json).unwrap());
    }
    let out = program.circuit().evaluate(&bits).unwrap();
    let (panic, result) = out.split_at(program.circuit().outputs()[PANIC] as usize);
    assert!(panic.iter().all(|bit| !bit), "no circuit stops");
    program.decode(panic, result).unwrap()
}

/// Arguments as `name: type`, and the type of the result.
fn told(program: &Program) -> (Vec<String>, String) {
    let argument = |argument: &mpc_program::Argument| format!("{}: {}", argument.name, argument.ty);
    (program.arguments().iter().map(argument).collect(), program.result().to_string())
}

fn under_aes(key: [u8; 16], block: [u8; 16]) -> Vec<u8> {
    let mut block = block.into();
    aes::Aes128::new(&key.into()).encrypt_block(&mut block);
    block.to_vec()
}

fn under_sm4(key: [u8; 16], block: [u8; 16]) -> Vec<u8> {
    let mut block = block.into();
    sm4::Sm4::new(&key.into()).encrypt_block(&mut block);
    block.to_vec()
}

#[test]
fn ciphers_encrypt_one_owner_s_block_under_another_s_key() {
    type Reference = fn([u8; 16], [u8; 16]) -> Vec<u8>;
    let ciphers: [(&str, Reference, usize); 2] =
        [("circuit aes128;", under_aes, 6_400), ("// National.\n circuit  sm4 ; // done", under_sm4, 8_192)];
    for (source, reference, ands) in ciphers {
        let program = built(source);
        let arguments = ["key: [u8; 16]", "block: [u8; 16]"].map(str::to_owned).to_vec();
        assert_eq!(told(&program), (arguments, "[u8; 16]".to_owned()));
        assert_eq!(program.circuit().ands(), ands);
        assert!(program.kinds().iter().all(|kind| kind.rows().is_some_and(|rows| rows.count == 16)));
        for seed in [0, 1, 200] {
            let (key, block) = (bytes::<16>(seed), bytes::<16>(seed ^ 0x5a));
            let sealed = evaluated(&program, &[&json(&key), &json(&block)]);
            assert_eq!(sealed, json(&reference(key, block)), "{source} {seed}");
        }
    }
}

#[test]
fn hashes_take_a_message_whole_or_in_parts() {
    let (one, two, all) = (bytes::<20>(3), bytes::<44>(9), [&bytes::<20>(3)[..], &bytes::<44>(9)].concat());
    let digests = |message: &[u8]| [base_gm::sm3::sm3(message).0.to_vec(), sha2::Sha256::digest(message).to_vec()];
    for (name, place) in [("sm3", 0), ("sha256", 1)] {
        let digest = |message: &[u8]| json(&digests(message)[place]);
        let whole = built(&format!("circuit {name}(64);"));
        assert_eq!(told(&whole), (vec!["message: [u8; 64]".to_owned()], "[u8; 32]".to_owned()));
        assert_eq!(evaluated(&whole, &[&json(&all)]), digest(&all), "{name}");
        let parts = built(&format!("circuit {name}( 20,44 );"));
        assert_eq!(told(&parts).0, ["part1: [u8; 20]", "part2: [u8; 44]"]);
        assert_eq!(evaluated(&parts, &[&json(&one), &json(&two)]), digest(&all), "{name}");
        assert_ne!(digest(&all), digest(&one));
        for length in [1, 55, 56] {
            let program = built(&format!("circuit {name}({length});"));
            assert_eq!(evaluated(&program, &[&json(&all[..length])]), digest(&all[..length]), "{name} {length}");
        }
    }
}

/// Bristol-fashion text of the word `x` turned by a place to the high end, plus `y` bit by bit.
fn turned_and_added(width: usize) -> String {
    let mut text = format!("{width} {}\n2 {width} {width}\n1 {width}\n\n", 3 * width);
    for at in 0..width {
        text += &format!("2 1 {} {} {} XOR\n", (at + width - 1) % width, width + at, 2 * width + at);
    }
    text
}

#[test]
fn bristol_text_is_numbers_bytes_or_truth_values_by_its_widths() {
    let built = |text: &str| built(&format!("circuit bristol;\n{text}"));
    let number = built(&turned_and_added(16));
    assert_eq!(told(&number), (vec!["input1: u16".to_owned(), "input2: u16".to_owned()], "u16".to_owned()));
    for (x, y) in [(0x8001_u16, 0_u16), (0x1234, 0xff00), (u16::MAX, 1)] {
        let wanted = (x.rotate_left(1) ^ y).to_string();
        assert_eq!(evaluated(&number, &[&x.to_string(), &y.to_string()]), wanted);
    }
    // The first byte has the lowest places.
    let string = built(&turned_and_added(24));
    assert_eq!(told(&string).1, "[u8; 3]");
    assert_eq!(evaluated(&string, &["[129,2,64]", "[0,0,128]"]), "[2,5,0]");
    let truths = "2 6\n2 1 3\n2 1 1\n\n2 1 0 1 4 AND\n1 1 3 5 INV\n";
    let truths = built(truths);
    assert_eq!(told(&truths).0, ["input1: bool", "input2: [bool; 3]"]);
    assert_eq!(told(&truths).1, "(bool, bool)");
    assert_eq!(evaluated(&truths, &["true", "[true,false,true]"]), "[true,false]");
    assert_eq!(evaluated(&truths, &["true", "[false,true,false]"]), "[false,true]");
}

#[test]
fn what_is_no_circuit_is_refused_at_its_place_with_what_to_write() {
    let parts = "circuit sm3(1, 1, 1, 1, 1, 1, 1, 1, 1);";
    let gate = "// x\ncircuit bristol;\n1 3\n2 1 1\n1 1\n2 1 0 3 2 AND";
    let narrow = "circuit bristol;\n1 2\n2 1 0\n1 1\n2 1 0 0 1 AND\n";
    let cases = [
        ("circuit", 1, 8, "circuit sm4;"),
        ("circuit sm5;", 1, 9, "circuit sm4;"),
        ("circuit sm4", 1, 12, "no ';'"),
        ("circuit sm4(16);", 1, 12, "no ';'"),
        ("circuit sm4;\n pub fn main() {}", 2, 2, "remove it"),
        ("circuit sha256;", 1, 15, "no '('"),
        ("circuit sha256(0);", 1, 16, "1 to 1024 bytes"),
        ("circuit sha256(x);", 1, 16, "1 to 1024 bytes"),
        ("circuit sha256(1025);", 1, 16, "1 to 1024 bytes"),
        ("circuit sm3(1000, 25);", 1, 13, "1 to 1024 bytes"),
        ("circuit sm3(18446744073709551615, 1);", 1, 13, "1 to 1024 bytes"),
        (parts, 1, 13, "1 to 8 parts"),
        ("circuit sm3(64;", 1, 15, "no ')'"),
        ("circuit sm3(64); x", 1, 18, "remove it"),
        ("circuit bristol;", 1, 1, "a gate a line"),
        (gate, 6, 1, "not announced"),
        (narrow, 1, 17, "leave it out"),
    ];
    for (source, line, column, what) in cases {
        match Program::compile(source, Bounds::default()).map(|_| ()) {
            Err(ProgramError::Source(problems)) => {
                let [problem] = &problems[..] else { panic!("{source}: {problems:?}") };
                assert_eq!((problem.line, problem.column), (line, column), "{source}: {problem}");
                assert!(problem.what.contains(what), "{source}: {problem}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn bounds_hold_for_circuits_too() {
    let refused = |source: &str, bounds| Program::compile(source, bounds).map(|_| ()).unwrap_err();
    let long = refused(&format!("circuit bristol;{}", "\n".repeat(1 << 16)), Bounds::default());
    assert_eq!(long.to_string(), "more than 65536 bytes of source");
    let mut few = Bounds::default();
    few.circuit.gates = 5_000;
    assert!(matches!(refused("circuit sm4;", few), ProgramError::Circuit(_)));
    few.circuit.gates = 50;
    let text = format!("circuit bristol;\n{}", turned_and_added(64));
    assert!(matches!(refused(&text, few), ProgramError::Circuit(_)));
    assert_eq!(built("circuit sm3(1024);").arguments()[0].bits, 8_192);
}

#[test]
fn one_name_gives_one_circuit_and_another_name_another() {
    let digest = |source: &str| built(source).circuit().digest();
    assert_eq!(digest("circuit sm4;"), digest(" circuit sm4; // again"));
    assert_ne!(digest("circuit sm4;"), digest("circuit aes128;"));
    assert_ne!(digest("circuit sm3(32, 32);"), digest("circuit sm3(64);"));
}

#[test]
fn more_arguments_than_owners_can_give_are_refused_before_they_take_memory() {
    let array = |count: u64| format!("pub fn main(a: [bool; {count}]) -> bool {{ true }}");
    let bristol = |count: usize| {
        format!("circuit bristol;\n1 {}\n{count}{}\n1 1\n\n2 1 0 1 {count} AND\n", count + 1, " 1".repeat(count))
    };
    assert!(Program::compile(&bristol(1024), Bounds::default()).is_ok());
    for source in [array(1 << 20), array(1025), bristol(1025)] {
        let refused = Program::compile(&source, Bounds::default()).err();
        let Some(ProgramError::TooLarge { what: "arguments", limit }) = refused else { panic!("{refused:?}") };
        assert_eq!(limit, 1024);
    }
}
