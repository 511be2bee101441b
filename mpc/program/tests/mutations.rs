//! Every frame of a user's program changed in every way, over the transfers that a job uses: the right result or an abort with blame.
//!
//! Tier C: the party whose frame changes is the corrupt one. The party that evaluates receives, as a job's receiver may be; so
//! the other, whose frames change as well, has no result that a played evaluator could make wrong by what it learned before.

use std::sync::LazyLock;

use mpc_authgarble::{Session, Shape};
use mpc_core::Context;
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Verdict, sweep};
use mpc_ot::softspoken::Parameters;
use mpc_program::{Bounds, PANIC, Program, RESULT};

/// Each party's number; they differ in a few bits only.
const NUMBERS: [&str; 2] = ["40000", "40010"];

/// Who is richer, and where the numbers differ: compiled once for all runs.
static RICHEST: LazyLock<Program> = LazyLock::new(|| {
    let source = "pub fn main(a: u16, b: u16) -> (bool, u16) { (a > b, a ^ b) }";
    Program::compile(source, Bounds::default()).expect("a program")
});

/// The receiver's result.
fn richest(me: usize, mut ctx: Context) -> Run<Option<String>> {
    Box::pin(async move {
        let program: &Program = &RICHEST;
        let shape = Shape::new(program.circuit(), 2, vec![0, 1], &[vec![0], vec![0]]).expect("a shape");
        let input = program.encode(me, NUMBERS[me]).expect("an input");
        let mut session = Session::setup(&mut ctx, Parameters::default()).await?;
        let outputs = session.run(&shape, &input).await?;
        let [panic, result] = [PANIC, RESULT].map(|output| outputs[output].as_ref());
        let decoded = panic.zip(result).map(|(panic, result)| program.decode(panic, result));
        // A result that is none is a wrong one.
        Ok(decoded.map(|decoded| decoded.unwrap_or_else(|error| error.to_string())))
    })
}

fn judge(change: Option<&Change>, outputs: &[Option<Option<String>>]) -> Verdict {
    let culprit = change.map(|change| change.party);
    let due = |me: usize| (me == 0).then_some("[false,10]");
    let mut honest = outputs.iter().enumerate().filter(|(me, _)| Some(*me) != culprit);
    let right = honest.all(|(me, output)| output.as_ref().is_none_or(|result| result.as_deref() == due(me)));
    if right { Verdict::Right } else { Verdict::Wrong }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_richer() {
    let protocol = Protocol { parties: 2, party: richest, judge, kinds: Kinds::All, taped: &[0, 1], runs: 200 };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= 200, "{tally:?}");
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
