//! Programs over vectors: how they are planned, what is refused with its place and what to write, and what the explanation says.

mod common;

use base_types::{
    OrgId,
    column::ColumnType,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use common::{dataset, nodes, org, plain, plan, request};
use notary_terms::{Plan, Program, ReadRole, Request, Tier, ValueOf, VectorColumn, VectorInput, Vectors};
use planner::{check_program, check_vectors, explain, is_vectors};

const SOURCE: &str = "scale 12;
// Ages and weights of one owner, incomes of another.
input people[8, 2]; input income[8]; input urban[8] truth;
r = dot(column(people, 1) - mean(column(people, 1)), income);
return choose(urban, people, 0), number(urban) * r;";

fn asked(source: &str) -> String {
    format!(
        "COMPUTE VECTORS $$ {source} $$ WITH people = (SELECT h.age, h.wt71 FROM health h WHERE h.age > 40) ELSE -1,
         income = (SELECT income FROM statistics.census WHERE person_id < 8),
         urban = (SELECT yrdth > 100 FROM deaths) ELSE FALSE"
    )
}

fn vectors(plan: &Plan) -> &Vectors {
    match &plan.program {
        Program::Vectors(vectors) => vectors,
        _ => panic!("no vectors"),
    }
}

#[test]
fn a_program_over_vectors_is_planned_with_the_ranges_of_its_columns() {
    let made = plan(&asked(SOURCE)).unwrap();
    assert_eq!((made.tier, made.nodes.clone()), (Tier::B, nodes()));
    let read = |at: usize| (made.reads[at].dataset.clone(), made.reads[at].role.clone());
    let role = |argument: &str, ty: &str, absent| ReadRole::Input {
        argument: argument.into(),
        ty: ty.into(),
        rows: 8,
        absent,
    };
    assert_eq!(read(0), (dataset("health/health"), role("people", "number[8, 2]", Some(-1))));
    assert_eq!(read(1), (dataset("statistics/census"), role("income", "number[8, 1]", None)));
    assert_eq!(read(2), (dataset("civil/deaths"), role("urban", "truth[8, 1]", Some(0))));
    let column = |digits, low, high| VectorColumn { digits, low, high };
    let inputs = [
        // What stands for NULL belongs to the range.
        vec![column(0, -1, 127), column(2, -100, 32_767)],
        vec![column(0, 0, 31)],
        vec![column(0, 0, 1)],
    ];
    assert_eq!(vectors(&made).inputs, inputs.map(|columns| VectorInput { columns }));
    let outputs: Vec<_> = made.outputs.iter().map(|o| (o.name.as_str(), o.ty, o.value)).collect();
    let (number, of) = (ColumnType::Decimal { scale: 4 }, |field| ValueOf::Result { field });
    let due = [
        ("row", ColumnType::Int, of(None)),
        ("value1_1", number, of(Some(0))),
        ("value1_2", number, of(Some(1))),
        ("value2", number, of(Some(2))),
    ];
    assert_eq!(outputs, due);
    assert_eq!(vectors(&made).result, "value1: number[8, 2], value2: number[8, 1]");
    assert_eq!(Plan::from_wire(&made.to_wire()).unwrap(), made);
    let again = planner::plan(&request(&asked(SOURCE)), &plain(), &["statistics", "civil", "health"].map(org)).unwrap();
    assert_eq!(again.digest(), made.digest());
}

#[test]
fn the_explanation_says_what_nodes_hold_and_what_a_run_takes() {
    let made = plan(&asked(SOURCE)).unwrap();
    let told = explain(&made, &plain());
    assert_eq!((told.tier.as_str(), told.pairs.len(), told.min_group), ("B", 3, None));
    let size = vectors(&made).size;
    let program = told.program.unwrap();
    assert_eq!((program.products, program.size.and_gates), (Some(size.products), 0));
    assert_eq!((told.bytes, told.rounds), (size.bytes, size.rounds));
    assert_eq!(program.arguments[0], "people: number[8, 2]");
    assert_eq!(
        program.ranges[..4],
        ["people: -1..127, -1..327.67", "income: 0..31", "urban: 0..1", "value1: -1..327.6702"]
    );
    assert!(told.outputs[0].source == "number of the row" && told.outputs[3].source.contains("column 3"));
    assert!(told.learns.iter().any(|learns| learns.party == org("statistics") && learns.what.en.contains("value1")));
    assert_eq!((told.steps.kind.as_str(), told.steps.inputs[0].inputs.len()), ("deliver", 3));
}

/// Code, place and detail of a refusal.
fn refused(source: &str) -> Fault {
    plan(&asked(source)).expect_err(source)
}

#[test]
fn refusals_have_their_place_in_the_whole_text() {
    let head = "scale 20;\ninput people[8, 2]; input income[8]; input urban[8] truth;\n";
    let cases = [
        ("return people * people * people;", Code::QueryOverflow, "3:8", "clamp(x, low, high)"),
        ("return 1 / income;", Code::QueryOverflow, "3:12", "max(y, 0.01)"),
        ("return income + urban;", Code::QueryUnsupported, "3:17", "number(…)"),
        ("return people + incom;", Code::QueryUnknownName, "3:17", "incom"),
        ("return (income;", Code::QuerySyntax, "3:15", "`)`"),
    ];
    for (text, code, place, instead) in cases {
        let fault = refused(&format!("{head}{text}"));
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.detail.starts_with(&format!("{place}:")) && fault.detail.contains(instead), "{fault}");
    }
    // On the first line the place counts from the query's beginning.
    let fault = plan("COMPUTE VECTORS $$scal 12;$$ WITH a = (SELECT income FROM statistics.census)").unwrap_err();
    assert!(fault.code == Code::QuerySyntax && fault.detail.starts_with("1:19:"), "{fault}");
}

#[test]
fn inputs_are_matched_with_their_selects() {
    let source = |input: &str| format!("scale 4; {input} return sum(a);");
    let with = |input: &str, inputs: &str| {
        plan(&format!("COMPUTE VECTORS $$ {} $$ WITH {inputs}", source(input)))
            .map_err(|fault| (fault.code, fault.detail))
    };
    assert!(with("input a[4];", "a = (SELECT income FROM statistics.census)").is_ok());
    let cases = [
        ("input a[4];", "b = (SELECT income FROM statistics.census)", Code::QueryUnknownName, "it has a"),
        ("input a[4]; input b[4];", "a = (SELECT income FROM statistics.census)", Code::QueryUnsupported, "add b"),
        ("input a[4, 2];", "a = (SELECT income FROM statistics.census)", Code::QueryUnsupported, "select 2"),
        ("input a[4] truth;", "a = (SELECT income FROM statistics.census)", Code::QueryUnsupported, "compare it"),
        ("input a[4];", "a = (SELECT birthplace FROM statistics.census)", Code::QueryUnsupported, "a text"),
        ("input a[4] wide;", "a = (SELECT wt71 FROM health)", Code::QueryUnsupported, "whole numbers"),
        ("input a[4];", "a = (SELECT serial FROM health)", Code::QueryOverflow, "clamp"),
        ("input a[4];", "a = (SELECT sum FROM bank.loans)", Code::QueryUnsupported, "three nodes with bank"),
        (
            "input a[4]; input b[4];",
            "a = (SELECT income FROM statistics.census), b = (SELECT income FROM statistics.census)",
            Code::QueryUnsupported,
            "one SELECT",
        ),
        ("input a[4, 65];", "a = (SELECT income FROM statistics.census)", Code::QueryUnsupported, "at most 64"),
    ];
    for (input, inputs, code, instead) in cases {
        let (found, detail) = with(input, inputs).expect_err(inputs);
        assert!(found == code && detail.contains(instead), "{input} {inputs}: {found:?} {detail}");
    }
    let two = planner::plan(&request(&asked(SOURCE)), &plain(), &["health", "statistics"].map(org));
    assert!(two.is_err_and(|fault| fault.code == Code::BadRequest && fault.detail.contains("name three")));
}

#[test]
fn an_author_checks_a_program_that_declares_its_ranges() {
    let text = "// Sums.\nscale 8; input a[9] from 0 to 9; input t[9] truth; return sum(choose(t, a * a, a));";
    assert!(is_vectors(text) && is_vectors("scale\n8;") && !is_vectors("pub fn main() {}") && !is_vectors("scaled 8;"));
    let told = check_program(text, 2).unwrap();
    let arguments: Vec<_> = told.arguments.iter().map(|one| (one.name.as_str(), one.ty.as_str())).collect();
    assert_eq!(arguments, [("a", "number[9, 1]"), ("t", "truth[9, 1]")]);
    assert_eq!((told.result.as_str(), told.products), ("value1: number[1, 1]", Some(18)));
    let fault = check_program("scale 8; input a[9]; return a;", 2).unwrap_err();
    assert!(fault.detail.starts_with("1:16:") && fault.detail.contains("from 0 to 250"), "{fault}");
}

/// A program over the columns of two owners.
const SHARED: &str = "COMPUTE VECTORS $$ scale 12; input age[8]; input income[8];
        return dot(age, income) / 8, mean(sort(age)); $$
    WITH age = (SELECT h.age FROM health h WHERE h.age > 40) ELSE 50,
         income = (SELECT income FROM statistics.census WHERE person_id < 8)";

fn in_tier(sql: &str, tier: Option<Tier>, nodes: &[OrgId]) -> Result<Plan, Fault> {
    planner::plan(&Request { tier, ..request(sql) }, &plain(), nodes)
}

/// The two owners' nodes.
fn two() -> [OrgId; 2] {
    ["health", "statistics"].map(org)
}

#[test]
fn a_request_names_the_stronger_tier_of_three_nodes_or_the_weaker_one_of_two() {
    let usual = in_tier(SHARED, None, &nodes()).unwrap();
    let checked = in_tier(SHARED, Some(Tier::BPlus), &nodes()).unwrap();
    let between = in_tier(SHARED, Some(Tier::A), &two()).unwrap();
    assert_eq!((usual.tier, in_tier(SHARED, Some(Tier::B), &nodes()).unwrap().tier), (Tier::B, Tier::B));
    for (plan, tier, nodes) in [(&checked, Tier::BPlus, nodes()), (&between, Tier::A, two().to_vec())] {
        // The steps are the same; what a run of them takes is not.
        let program = Program::Vectors(Vectors { size: vectors(plan).size, ..vectors(&usual).clone() });
        let request = Request { tier: Some(tier), ..request(SHARED) };
        assert_eq!(*plan, Plan { request, tier, nodes, program, ..usual.clone() });
        assert_eq!(Plan::from_wire(&plan.to_wire()).unwrap(), *plan);
    }
    let [least, proven, apart] = [&usual, &checked, &between].map(|plan| vectors(plan).size);
    assert!(least.products == proven.products && least.products == apart.products);
    assert!(proven.bytes > 3 * least.bytes && proven.rounds > least.rounds && proven.memory > least.memory);
    assert!(apart.bytes > 10 * least.bytes, "{least:?} {apart:?}");
}

#[test]
fn the_explanation_says_whom_a_party_trusts_in_each_tier() {
    let told = |tier, nodes: &[OrgId]| explain(&in_tier(SHARED, tier, nodes).unwrap(), &plain());
    let (usual, checked, between) =
        (told(None, &nodes()), told(Some(Tier::BPlus), &nodes()), told(Some(Tier::A), &two()));
    assert_eq!([&usual, &checked, &between].map(|told| told.tier.as_str()), ["B", "B+", "A"]);
    assert_eq!([&usual, &checked, &between].map(|told| told.pairs.len()), [3, 3, 0]);
    let cases = [
        (&checked, "one may deviate from the protocol in any way", "偏离协议", "fully linear proofs", "恶意安全"),
        (&between, "One that deviates is not noticed", "不会被发现", "without a dealer", "两方加法秘密共享"),
        (&usual, "follow the protocol", "按协议执行", "Araki et al. 2016", "半诚实"),
    ];
    for (told, tier, tier_zh, protocol, protocol_zh) in cases {
        assert!(told.tier_words.en.contains(tier) && told.tier_words.zh.contains(tier_zh), "{:?}", told.tier_words);
        assert!(told.protocol.en.contains(protocol) && told.protocol.zh.contains(protocol_zh), "{:?}", told.protocol);
        assert!(told.program.as_ref().is_some_and(|program| program.ranges.len() == 4), "{:?}", told.program);
        let computed = &told.steps.inputs[0];
        let shared = &computed.inputs[0].title;
        assert_eq!(shared.en.contains("prove on the shares"), told.tier == "B+", "{shared:?}");
        assert_eq!(computed.title.en.contains("no value left its range"), told.tier == "B+", "{:?}", computed.title);
    }
    assert!(checked.millis > usual.millis && between.millis > usual.millis);
}

#[test]
fn tiers_nodes_and_programs_that_do_not_go_together_are_refused() {
    let refused = |sql: &str, tier, nodes: &[OrgId]| in_tier(sql, tier, nodes).map(|_| ()).expect_err(sql);
    let cases = [
        (None, two().to_vec(), "or ask for A"),
        (Some(Tier::BPlus), two().to_vec(), "name three"),
        (Some(Tier::A), nodes(), "name these two"),
        (Some(Tier::C), nodes(), "runs in tier B"),
    ];
    for (tier, nodes, why) in cases {
        let fault = refused(SHARED, tier, &nodes);
        assert!(fault.code == Code::BadRequest && fault.detail.contains(why), "{fault}");
    }
    let one = "COMPUTE VECTORS $$ scale 8; input age[8]; return mean(age); $$
        WITH age = (SELECT age FROM health) ELSE 50";
    let owners = [(one.to_owned(), "statistics gives no input"), (asked(SOURCE), "civil/deaths belongs to civil")];
    for (sql, why) in owners {
        let fault = refused(&sql, Some(Tier::A), &two());
        assert!(fault.code == Code::QueryUnsupported && fault.detail.contains(why), "{fault}");
    }
    let wide = "COMPUTE VECTORS $$scale 8; input n[8] wide; return n * n; $$
        WITH n = (SELECT income FROM statistics.census WHERE person_id < 8)";
    assert!(in_tier(wide, None, &nodes()).is_ok());
    let fault = refused(wide, Some(Tier::BPlus), &nodes());
    let place = format!("1:{}:", wide.find("n[8]").unwrap() + 1);
    assert!(fault.code == Code::QueryUnsupported && fault.detail.starts_with(&place), "{fault}");
    assert!(fault.detail.contains("tier B+") && fault.detail.contains("declare numbers"), "{fault}");
    let large = "COMPUTE VECTORS $$ scale 8; input n[1000000]; return largest(sort(n)); $$
        WITH n = (SELECT income FROM statistics.census) ELSE 0";
    assert!(in_tier(large, None, &nodes()).is_ok());
    let fault = refused(large, Some(Tier::BPlus), &nodes());
    let parts = ["memory at each party in tier B+", "under 2 GiB", "ask for tier B"];
    assert!(fault.code == Code::QueryUnsupported && parts.iter().all(|part| fault.detail.contains(part)), "{fault}");
}

#[test]
fn an_author_is_told_what_a_run_takes_in_each_tier() {
    let text = "scale 8; input a[9] from 1 to 9; return sqrt(a);";
    let told = |tier| check_vectors(text, tier).unwrap();
    let (usual, checked, between) = (told(Tier::B), told(Tier::BPlus), told(Tier::A));
    assert_eq!(usual, check_program(text, 2).unwrap());
    assert!(usual.digest == checked.digest && usual.products == between.products);
    assert!(usual.size.bytes < checked.size.bytes && usual.size.bytes < between.size.bytes);
    assert_eq!(check_vectors(text, Tier::D).map_err(|fault| fault.code), Err(Code::BadRequest));
    let wide = "scale 8; input a[9] wide from 1 to 9; return a * a;";
    assert!(check_vectors(wide, Tier::B).is_ok() && check_vectors(wide, Tier::A).is_err());
}
