//! Programs checked for a scheme, and run by its parties in one process.

#![allow(dead_code, reason = "each test file uses a part")]

use mpc_core::{Abort, Context, memory};
use mpc_vector::{Column, Placement, Problem, Program, Scheme, Source, Told, run};
use tokio::task::JoinHandle;

/// Columns without digits behind the point, all of one range.
pub fn whole(columns: usize, low: i64, high: i64) -> Vec<Column> {
    vec![Column { digits: 0, low, high }; columns]
}

/// A program for three parties that follow the protocol.
pub fn check(text: &str, columns: &[Vec<Column>]) -> Result<Program, Problem> {
    check_for(Scheme::Three, text, columns)
}

pub fn check_for(scheme: Scheme, text: &str, columns: &[Vec<Column>]) -> Result<Program, Problem> {
    Source::parse(text)?.check(scheme, columns)
}

/// The part of one party, which owns the inputs that `owners` says.
pub async fn part(
    me: usize,
    mut ctx: Context,
    program: Program,
    place: Placement,
    inputs: Vec<Vec<i64>>,
) -> Result<Option<Vec<Told>>, Abort> {
    let own = inputs.iter().enumerate().filter(|(at, _)| place.owners[*at] == me);
    let mine: Vec<_> = own.map(|(at, words)| (at, program.encode(at, words).expect("inside their ranges"))).collect();
    run(&mut ctx, &program, &place, &mine).await
}

/// What the receiver, party 1, is told: the results as they are shown. Of two parties the second owns what the third would.
pub async fn told(program: &Program, owners: &[usize], inputs: &[Vec<i64>]) -> Vec<Vec<i128>> {
    let parties = program.scheme().parties();
    let place = Placement { owners: owners.iter().map(|owner| (*owner).min(parties - 1)).collect(), receiver: 1 };
    let contexts = memory::contexts(memory::network(parties), [23; 32]);
    let tasks: Vec<JoinHandle<_>> = contexts
        .into_iter()
        .enumerate()
        .map(|(me, ctx)| tokio::spawn(part(me, ctx, program.clone(), place.clone(), inputs.to_vec())))
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.expect("no panic").expect("no abort"));
    }
    let told = seen.swap_remove(1).expect("results");
    assert!(seen.iter().all(Option::is_none), "the receiver alone is told");
    let kinds = program.results().iter().map(|result| result.form);
    let shown = told.into_iter().zip(kinds).map(|(raw, form)| {
        assert_eq!(raw.len(), form.len());
        assert!(raw.iter().all(|raw| (form.low..=form.high).contains(raw)), "{raw:?} in {form}");
        raw.into_iter().map(|raw| program.shown(form.kind, raw)).collect()
    });
    shown.collect()
}

/// A result as floating point, of a program of so many digits.
pub fn real(program: &Program, shown: i128) -> f64 {
    shown as f64 / 10f64.powi(program.digits().into())
}
