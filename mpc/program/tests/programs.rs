//! Programs in Garble: against plain Rust, refused with their lines, bounded, and run by two and three parties.

use mpc_authgarble::{Session, Shape, limits};
use mpc_core::{Context, memory};
use mpc_ot::softspoken::Parameters;
use mpc_program::{Bounds, PANIC, Problem, Program, ProgramError, RESULT};
use serde_json::{Value, json};

fn compiled(source: &str) -> Program {
    Program::compile(source, Bounds::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The result in the clear.
fn evaluated(program: &Program, arguments: &[&str]) -> Result<String, ProgramError> {
    let mut bits = Vec::new();
    for (number, json) in arguments.iter().enumerate() {
        bits.extend_from_slice(&program.encode(number, json)?);
    }
    let out = program.circuit().evaluate(&bits)?;
    let (panic, result) = out.split_at(program.circuit().outputs()[PANIC] as usize);
    assert_eq!(result.len(), program.circuit().outputs()[RESULT] as usize);
    program.decode(panic, result)
}

const MILLIONAIRES: &str = "
enum Richest { IsA, IsB, Tie }

pub fn main(a: u64, b: u64) -> Richest {
    if a > b {
        Richest::IsA
    } else if b > a {
        Richest::IsB
    } else {
        Richest::Tie
    }
}
";

const SCORES: &str = "
const LIMIT: u32 = 700u32;
struct Person { age: u8, income: u32, owes: [i32; 3] }
struct Answer { score: u32, accepted: bool, sum: i32 }

fn base(person: Person) -> u32 {
    let mut points = 100u32;
    if person.age > 25u8 {
        points = points + 200u32;
    } else {
        points = points + 50u32;
    }
    points + person.income / 1000u32
}

pub fn main(person: Person, extra: (bool, u16)) -> Answer {
    let mut sum = 0i32;
    for owed in person.owes {
        sum = sum + owed;
    }
    let mut score = base(person);
    if extra.0 {
        score = score + (extra.1 as u32);
    }
    Answer { score: score, accepted: score > LIMIT, sum: sum }
}
";

#[test]
fn results_are_those_of_plain_rust() {
    let richest = compiled(MILLIONAIRES);
    for (a, b, wanted) in [(3_u64, 2_u64, "IsA"), (2, 3, "IsB"), (u64::MAX, u64::MAX, "Tie"), (u64::MAX, 0, "IsA")] {
        let result = evaluated(&richest, &[&a.to_string(), &b.to_string()]).unwrap();
        assert_eq!(result, format!("\"{wanted}\""), "{a} {b}");
    }
    let scores = compiled(SCORES);
    let person = r#"{"age":40,"income":250999,"owes":[5,-9,-2147483640]}"#;
    let scored = |extra: &str| serde_json::from_str::<Value>(&evaluated(&scores, &[person, extra]).unwrap()).unwrap();
    assert_eq!(scored("[false,65535]"), json!({"accepted": false, "score": 550, "sum": -2_147_483_644}));
    assert_eq!(scored("[true,151]"), json!({"accepted": true, "score": 701, "sum": -2_147_483_644}));
    let names: Vec<&str> = scores.arguments().iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(names, ["person", "extra"]);
    assert_eq!(scores.arguments()[0].bits, 8 + 32 + 96);
    assert_eq!(scores.result().to_string(), "{accepted: bool, score: u32, sum: i32}");
}

#[test]
fn the_elements_of_a_single_array_are_arguments_of_their_own() {
    let sum =
        compiled("pub fn main(bids: [u16; 4]) -> u16 { let mut sum = 0u16; for bid in bids { sum = sum + bid; } sum }");
    assert_eq!(sum.arguments().len(), 4);
    assert_eq!((sum.arguments()[2].name.as_str(), sum.arguments()[2].ty.as_str()), ("bids[2]", "u16"));
    assert_eq!(evaluated(&sum, &["1", "20", "300", "4000"]).unwrap(), "4321");
    assert_eq!(evaluated(&sum, &["1", "20"]).unwrap_err().to_string(), "32 input bits where 64 are due");
    assert_eq!(sum.encode(4, "1"), Err(ProgramError::NoArgument { number: 4, has: 4 }));
}

#[test]
fn a_program_that_stops_tells_where_and_why() {
    let source = "pub fn main(a: [i32; 3], b: i32) -> i32 {\n    let at = b as usize;\n    a[at] / (b - 1i32)\n}";
    let program = compiled(source);
    let stopped = |arguments: &[&str]| match evaluated(&program, arguments) {
        Err(ProgramError::Panicked { line, why, .. }) => (line, why.split(' ').next_back().unwrap().to_owned()),
        other => panic!("{other:?}"),
    };
    assert_eq!(evaluated(&program, &["[7,8,9]", "2"]), Ok("9".to_owned()));
    assert_eq!(evaluated(&program, &["[7,8,9]", "0"]), Ok("-7".to_owned()));
    assert_eq!(stopped(&["[7,8,9]", "3"]), (3, "array".to_owned()));
    assert_eq!(stopped(&["[7,8,9]", "1"]), (3, "zero".to_owned()));
}

/// The problems of a source.
fn problems(source: &str) -> Vec<Problem> {
    match Program::compile(source, Bounds::default()).map(|_| ()) {
        Err(ProgramError::Source(problems)) => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    assert_eq!(problems("pub fn main(a: u8) -> u8 {\n    a + $\n}")[0].line, 2);
    assert!((3..=4).contains(&problems("pub fn main(a: u8) -> u8 {\n\n    a +\n}")[0].line));
    assert!((1..=2).contains(&problems("pub fn main(a: u8) -> u16 {\n    a\n}")[0].line));
    assert!(problems("pub fn other(a: u8) -> u8 { a }")[0].to_string().contains("main"));
    assert!(problems("const N: u8 = PARTY_0::N;\npub fn main(a: u8) -> u8 { a + N }")[0].what.contains("outside"));
    let wide = problems("pub fn main(a: i8) -> i64 {\n    a as i64\n}");
    assert!(wide[0].line == 2 && wide[0].what.contains("two steps"), "{wide:?}");
}

#[test]
fn signed_numbers_widen_in_steps() {
    let program = compiled("pub fn main(a: i8) -> i64 { ((a as i16) as i32) as i64 }");
    for value in ["-128", "-1", "0", "127"] {
        assert_eq!(evaluated(&program, &[value]).unwrap(), value);
    }
}

#[test]
fn programs_beyond_the_bounds_are_refused_before_they_are_compiled() {
    let too_large = |source: &str| match Program::compile(source, Bounds::default()).map(|_| ()) {
        Err(ProgramError::TooLarge { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(too_large(&" ".repeat(1 << 17)), "bytes of source");
    assert_eq!(too_large(&"(".repeat(1000)), "brackets open at once");
    let steps = "steps of compilation";
    let loops = "pub fn main(a: u32) -> u32 { let mut x = a; for i in 0u32..4000000000u32 { x = x ^ i; } x }";
    assert_eq!(too_large(loops), steps);
    let nested = "pub fn main(a: u32) -> u32 { let mut x = a;
        for i in 0u32..3000u32 { for j in 0u32..3000u32 { x = x ^ (i + j); } } x }";
    assert_eq!(too_large(nested), steps);
    assert_eq!(too_large("pub fn main(a: u8) -> u8 { let x = [a; 1000000000000]; x[0] }"), steps);
    let times = format!("pub fn main(a: u32) -> u32 {{ {}a{} }}", "(".repeat(8), " * 31u32)".repeat(8));
    assert_eq!(too_large(&times), steps);
    let mut calls = "fn f0(a: u8) -> u8 { a }\n".to_owned();
    for at in 1..40 {
        calls.push_str(&format!("fn f{at}(a: u8) -> u8 {{ f{}(a) ^ f{}(a) }}\n", at - 1, at - 1));
    }
    calls.push_str("pub fn main(a: u8) -> u8 { f39(a) }");
    assert_eq!(too_large(&calls), steps);
}

#[test]
fn types_without_end_are_refused() {
    let own = problems("struct A { a: A }\npub fn main(a: A) -> u8 { 1u8 }");
    assert!(own[0].what.contains("contains itself"), "{own:?}");
    let circle = problems("struct A { b: B }\nenum B { One(A), Two }\npub fn main(a: A) -> u8 { 1u8 }");
    assert!(circle[0].what.contains("contains itself"), "{circle:?}");
    let mut doubling = "struct T0 { x: u8, y: u8 }\n".to_owned();
    for at in 1..40 {
        doubling.push_str(&format!("struct T{at} {{ x: T{}, y: T{} }}\n", at - 1, at - 1));
    }
    doubling.push_str("pub fn main(a: T39) -> u8 { 1u8 }");
    assert!(problems(&doubling)[0].what.contains("too many parts"));
}

#[test]
fn one_source_gives_one_circuit() {
    let digest = || compiled(SCORES).circuit().digest();
    let first = digest();
    assert!((0..4).all(|_| digest() == first));
}

/// Runs a program among so many parties; argument `i` is that of party `i`.
async fn jointly(source: &str, arguments: &[&str]) -> Vec<String> {
    let parties = arguments.len();
    let party = |(mut ctx, json): (Context, &&str)| {
        let (source, json) = (source.to_owned(), (*json).to_owned());
        tokio::spawn(async move {
            let program = compiled(&source);
            let all = || (0..parties).collect::<Vec<usize>>();
            let owners = (0..program.arguments().len()).collect();
            let shape = Shape::new(program.circuit(), parties, owners, &[all(), all()]).unwrap();
            assert_eq!(shape.estimate(), limits(program.circuit(), parties));
            let mut session = Session::setup(&mut ctx, Parameters::default()).await.unwrap();
            let bits = program.encode(ctx.me(), &json).unwrap();
            let outputs = session.run(&shape, &bits).await.unwrap();
            let bits = |output: usize| outputs[output].as_deref().unwrap().as_slice();
            program.decode(bits(PANIC), bits(RESULT)).unwrap()
        })
    };
    let contexts = memory::contexts(memory::network(parties), [3; 32]);
    let tasks: Vec<_> = contexts.into_iter().zip(arguments).map(party).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_millionaires_learn_who_is_richer() {
    assert_eq!(jointly(MILLIONAIRES, &["1000000", "2000000"]).await, ["\"IsB\"", "\"IsB\""]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_bidders_learn_the_second_price() {
    let auction = "pub fn main(bids: [u32; 3]) -> (u32, u32) {
        let mut first = 0u32;
        let mut second = 0u32;
        for bid in bids {
            if bid > first {
                second = first;
                first = bid;
            } else {
                if bid > second {
                    second = bid;
                }
            }
        }
        (first, second)
    }";
    let results = jointly(auction, &["70", "95", "80"]).await;
    assert_eq!(results, ["[95,80]", "[95,80]", "[95,80]"]);
}
