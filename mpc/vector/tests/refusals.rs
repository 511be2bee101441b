//! Programs that are refused, each at its place and with what to write instead; and that nothing of a text makes the checker panic.

mod common;

use common::{check, check_for, part, whole};
use mpc_core::{Blame, memory};
use mpc_vector::{Column, Placement, Program, Scheme, Source, Why};

/// Two inputs of ten rows: `x` of two columns within 0..=2000, `t` of truth values, `s` wide.
const HEAD: &str = "scale 16; input x[10, 2]; input t[10] truth; input s[10] wide;\n";

fn columns() -> Vec<Vec<Column>> {
    vec![whole(2, 0, 2000), whole(1, 0, 1), whole(1, -1000, 1000)]
}

#[test]
fn what_may_overflow_or_does_not_fit_is_refused_at_its_place() {
    let cases: [(&str, Why, u64, &str); 24] = [
        ("return x * x * x;", Why::Overflow, 8, "clamp(x, low, high)"),
        ("return dot(x * x, x);", Why::Overflow, 8, "declare narrower ranges"),
        ("return 1 / x;", Why::Overflow, 12, "max(y, 0.01)"),
        ("return reciprocal(x);", Why::Overflow, 8, "max(x, 0.01)"),
        ("return sqrt(x - 1);", Why::Overflow, 8, "may be negative"),
        ("return exp(x);", Why::Overflow, 8, "exponential"),
        ("return log(x);", Why::Overflow, 8, "max(x, 0.01)"),
        ("return x / 0;", Why::Unsupported, 12, "another number"),
        ("return x + t;", Why::Unsupported, 12, "number(…)"),
        ("return x and t;", Why::Unsupported, 8, "compare it"),
        ("return x + s;", Why::Unsupported, 8, "wide integers have"),
        ("return s * 1.5;", Why::Unsupported, 12, "whole number"),
        ("return matmul(x, x);", Why::Unsupported, 8, "transpose"),
        ("return x + transpose(x);", Why::Unsupported, 12, "one shape"),
        ("return column(x, 3);", Why::Unsupported, 18, "from 1 to 2"),
        ("return compact(x, x > 1);", Why::Unsupported, 19, "column(t, place)"),
        ("return bits(x, 3);", Why::Unsupported, 8, "column(x, place)"),
        ("return y;", Why::Unknown, 8, "input"),
        ("return median(x);", Why::Unknown, 8, "transpose(x)"),
        ("return x, sum(x);", Why::Unsupported, 1, "as many rows"),
        ("x = 1; return x;", Why::Unsupported, 1, "a name of its own"),
        ("return x", Why::Syntax, 9, "`;`"),
        ("return x; y = 2;", Why::Syntax, 11, "last statement"),
        ("return (x;", Why::Syntax, 10, "`)`"),
    ];
    for (text, why, column, instead) in cases {
        let problem = check(&format!("{HEAD}{text}"), &columns()).expect_err(text);
        // What is returned as a whole is refused behind its end.
        let at = if column == 1 && text.starts_with("return") { problem.at.column } else { column };
        assert_eq!((problem.why, problem.at.line, problem.at.column), (why, 2, at), "{text}: {problem}");
        assert!(problem.what.contains(instead), "{text}: {problem}");
    }
}

#[test]
fn heads_are_refused_with_their_form() {
    let cases = [
        ("input x[3]; return x;", "scale 16"),
        ("scale 21; input x[3]; return x;", "1 to 20"),
        ("scale 16; return 1;", "input x[200, 3]"),
        ("scale 16; input x[0]; return x;", "a whole number from 1"),
        ("scale 16; input x[2000, 1000]; return x;", "at most"),
        ("scale 16; input x[1, 2000]; return x;", "from 1 to 1024"),
        ("scale 16; input x; input x; return x;", "twice"),
        ("scale 16; input x from 2 to 1; return x;", "from the lower"),
        ("scale 16; input x truth from 0 to 1; return x;", "truth"),
        ("scale 16; input return; return 1;", "a name"),
    ];
    for (text, instead) in cases {
        let problem = Source::parse(text).expect_err(text);
        assert!(problem.what.contains(instead), "{text}: {problem}");
    }
    let name = |length: usize| Source::parse(&format!("scale 4; input {} from 0 to 1; return 1;", "n".repeat(length)));
    assert!(name(64).is_ok() && name(65).unwrap_err().what.contains("at most 64"));
    let wide = check("scale 20; input x; return x;", &[whole(1, 0, 1 << 43)]).unwrap_err();
    assert_eq!(wide.why, Why::Overflow);
    let alone = Source::parse("scale 4; input x; return x;").unwrap().check_alone(Scheme::Three).unwrap_err();
    assert!(alone.what.contains("from 0 to 250"), "{alone}");
    let declared = "scale 4; input x[2, 3] from -1.5 to 2; input t truth; return choose(t, x, -x);";
    let program = Source::parse(declared).unwrap().check_alone(Scheme::Three).unwrap();
    let form = program.results()[0].form;
    assert_eq!((form.rows, form.columns, form.low, form.high), (2, 3, -32, 32));
}

#[test]
fn ranges_follow_the_operations_and_bounds_make_them_narrow() {
    let text =
        "scale 4; input x[8] from -10 to 20; y = max(x, 0.5); return y, 1 / y, x * x, clamp(x, 0, 5), abs(x), -x;";
    let program = Source::parse(text).unwrap().check_alone(Scheme::Three).unwrap();
    let ranges: Vec<(i128, i128)> =
        program.results().iter().map(|result| (result.form.low, result.form.high)).collect();
    assert_eq!(ranges[0], (8, 320));
    assert!(ranges[1].1 < 100 && ranges[1].1 >= 32, "{ranges:?}");
    assert!(ranges[2].0 == 0 && (6400..6404).contains(&ranges[2].1), "{ranges:?}");
    assert_eq!(ranges[3..], [(0, 80), (0, 320), (-320, 160)]);
    assert_eq!(program.ranges()[..2], ["x: -10..20", "y: 0.5..20"]);
    // Columns keep their ranges where rows are only moved.
    let text = "scale 4; input x[8, 2]; 
        y = rows(sort(shuffle(compact(beside(column(x, 2), x), column(x, 1) > 1)), 3), 1, 4);
        return column(y, 1), column(y, 2);";
    let moved = check(text, &[vec![whole(1, 1, 3)[0], whole(1, -9, 500)[0]]]).unwrap();
    let ranges: Vec<_> = moved.results().iter().map(|result| (result.form.low, result.form.high)).collect();
    assert_eq!(ranges, [(-144, 8000), (0, 48)]);
    assert_eq!(moved.ranges(), ["x: 1..3, -9..500", "value1: -9..500", "value2: 0..3"]);
    let names: Vec<_> = program.results().iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["y", "value2", "value3", "value4", "value5", "value6"]);
}

#[test]
fn wide_integers_are_refused_at_their_input_where_a_scheme_has_none() {
    assert!(check(&format!("{HEAD}return s * s;"), &columns()).is_ok());
    for (scheme, name) in [(Scheme::Checked, "tier B+"), (Scheme::Two, "tier A")] {
        let problem = check_for(scheme, &format!("{HEAD}return x;"), &columns()).unwrap_err();
        let place = HEAD.find("s[10]").unwrap() as u64 + 1;
        assert_eq!((problem.why, problem.at.line, problem.at.column), (Why::Unsupported, 1, place), "{problem}");
        let parts = ["this input of wide integers", name, "declare numbers", "run it in tier B"];
        assert!(parts.iter().all(|part| problem.what.contains(part)), "{problem}");
        let without = HEAD.replace("input s[10] wide;", "input s[10];");
        assert!(check_for(scheme, &format!("{without}return s * s;"), &columns()).is_ok());
    }
}

/// How parties end that run a program each; party 0 owns the input, which has three elements.
async fn ends(programs: Vec<Program>, receiver: usize) -> Vec<Blame> {
    let contexts = memory::contexts(memory::network(programs.len()), [29; 32]);
    let mut tasks = Vec::new();
    for (me, (program, ctx)) in programs.into_iter().zip(contexts).enumerate() {
        let place = Placement { owners: vec![0], receiver };
        tasks.push(tokio::spawn(part(me, ctx, program, place, vec![vec![1, 2, 3]])));
    }
    let mut ends = Vec::new();
    for task in tasks {
        ends.push(task.await.expect("no panic").expect_err("no result").blame);
    }
    ends
}

#[tokio::test]
async fn parties_on_other_schemes_or_a_party_too_many_run_nothing() {
    let on = |scheme| check_for(scheme, "scale 4; input x[3]; return x * x;", &[whole(1, 0, 9)]).unwrap();
    for other in [Scheme::Checked, Scheme::Two] {
        let ends = ends([Scheme::Three, Scheme::Three, other].map(on).to_vec(), 1).await;
        // None of the two that agree takes the blame; a scheme of two parties does not fit three.
        assert!(ends[..2].iter().all(|blame| *blame != Blame::Local), "{other:?}: {ends:?}");
    }
    assert_eq!(ends([Scheme::Two; 2].map(on).to_vec(), 2).await, [Blame::Local; 2]);
    assert_eq!(ends([Scheme::Three; 2].map(on).to_vec(), 1).await, [Blame::Local; 2]);
}

#[tokio::test]
async fn parties_that_hold_an_input_to_other_ranges_run_nothing() {
    // The range of the whole input is the same, and so are the steps.
    let of = |highs: [i64; 3]| {
        let columns = highs.map(|high| Column { digits: 0, low: 0, high }).to_vec();
        check_for(Scheme::Checked, "scale 4; input x[1, 3]; return sum(x);", &[columns]).unwrap()
    };
    let (usual, other) = (of([9, 9, 5]), of([9, 5, 9]));
    assert_eq!(usual.digest(), other.digest());
    let ends = ends(vec![usual.clone(), usual, other], 1).await;
    assert!(ends.iter().all(|blame| *blame != Blame::Local), "{ends:?}");
}

#[test]
fn a_digest_is_of_the_steps_and_a_size_grows_with_them() {
    let of = |text: &str| Source::parse(text).unwrap().check_alone(Scheme::Three).unwrap();
    let (one, same) =
        (of("scale 8; input x[9] from 0 to 9; return sum(x);"), of("scale 8;input x[9] from 0 to 9;return sum( x );"));
    let other = of("scale 8; input x[9] from 0 to 9; return mean(x);");
    assert!(one.digest() == same.digest() && one.digest() != other.digest());
    let (few, many) = (
        of("scale 8; input x[9] from 1 to 9; return x * x;"),
        of("scale 8; input x[90] from 1 to 9; return log(x * x);"),
    );
    assert_eq!((few.size().products, one.size().products), (9, 0));
    let (few, many) = (few.size(), many.size());
    assert!(many.products > 90 && many.bytes > 10 * few.bytes && many.rounds > few.rounds && many.memory > few.memory);
}

#[test]
fn no_text_makes_the_checker_panic_or_go_deep() {
    let deep = format!("{HEAD}return {}x{};", "(".repeat(5000), ")".repeat(5000));
    assert!(check(&deep, &columns()).unwrap_err().what.contains("inside each other"));
    let long = format!("{HEAD}return x{};", " + x".repeat(4000));
    assert!(check(&long, &columns()).is_ok());
    let minus = format!("{HEAD}return {}x;", "- ".repeat(9000));
    assert!(check(&minus, &columns()).is_ok());
    let many = format!("{HEAD}return x{};", " + x".repeat(6000));
    assert!(check(&many, &columns()).unwrap_err().what.contains("steps"));
    // Shapes beyond what is kept are refused before anything is as large.
    let sized = |rows: usize, columns: usize, rest: &str| {
        let text = format!("scale 4; input x[{rows}, {columns}] from 0 to 1; {rest}");
        Source::parse(&text).and_then(|source| source.check_alone(Scheme::Three)).map(|program| program.size().memory)
    };
    let wide = "y = transpose(x); z = shuffle(y); ".to_owned();
    let again: String = (0..40).map(|at| format!("z{at} = shuffle(y); ")).collect();
    assert!(sized(1 << 20, 1, &format!("{wide}return column(z, 1048576);")).is_ok_and(|memory| memory > 64 << 20));
    assert!(sized(1 << 20, 1, &format!("{wide}{again}return column(z, 1);")).unwrap_err().what.contains("of all"));
    assert!(sized(1 << 10, 1 << 10, "return matmul(x, beside(x, x));").unwrap_err().what.contains("elements"));
    assert!(sized(1 << 19, 1, "return x, x;").is_ok());
    assert!(sized(1 << 19, 1, "return x, x, x;").unwrap_err().what.contains("an answer of more than"));
    let spread = sized(1 << 11, 1, "return x + transpose(x);").unwrap_err();
    assert!(spread.what.contains("elements of a value"), "{spread}");
    // Every beginning of a text, and every text that lacks one character.
    let text = format!("{HEAD}a = sort(column(x, 2)); return choose(t and a >= 1.5, -a / 2, scan_sum(a, t)), a;");
    assert!(check(&text, &columns()).is_ok());
    for at in 0..text.len() {
        let without = format!("{}{}", &text[..at], &text[at + 1..]);
        for cut in [&text[..at], without.as_str()] {
            let _ = check(cut, &columns());
        }
    }
}
