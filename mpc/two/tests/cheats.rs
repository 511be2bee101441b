//! Peers that do not fit: another order, other lengths, other parameters, frames cut, stretched, repeated and changed.
//!
//! In tier A a changed value is not noticed as such; what must hold is that nobody panics, waits for ever or goes on
//! after an abort.

mod common;

use common::{Change, HONEST, both, changed, open, open_bits, share};
use mpc_core::{Abort, Blame, Context, memory};
use mpc_two::{Additive, BitShares, Network, Parameters, Rounding, Two};

/// The frame numbers of a party that come after the set-up, which has tests of its own: one in three.
async fn frames(culprit: usize) -> impl Iterator<Item = usize> {
    let only_setup = |mut ctx: Context| async move { Two::setup(&mut ctx).await.map(|_| ()) };
    let (_, before) = changed(HONEST, only_setup).await;
    let (outcomes, all) = changed(HONEST, everything).await;
    assert!(outcomes.iter().all(Result::is_ok));
    (before[culprit]..all[culprit]).step_by(3)
}

/// A bit of everything.
async fn everything(mut ctx: Context) -> Result<Vec<u64>, Abort> {
    let mut two = Two::setup(&mut ctx).await?;
    let x = share(&mut two, &[1, 2, 3]).await?;
    let y = two.mul(&x, &x).await?;
    let bits = two.less(&x, &y).await?;
    let chosen = two.select(&bits, &y).await?;
    let equal = two.equal(&[7, 8, 9], 8).await?;
    let numbers = two.to_arith(&equal).await?;
    let quotient = two.truncate(&chosen.add(&numbers), 1, Rounding::Near).await?;
    let wide = Additive::concat([&quotient; 37]).range(0..110);
    let product = two.matmul(&wide, &wide, [11, 10, 11]).await?;
    open(&mut two, &product.sum()).await
}

fn blamed(outcome: &Result<Vec<u64>, Abort>) -> bool {
    outcome.as_ref().is_err_and(|abort| abort.blame != Blame::Local)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_another_length_or_place_end_the_session() {
    let changes = [Change::Truncate, Change::Extend, Change::Replay];
    for culprit in [0, 1] {
        for (frame, change) in frames(culprit).await.zip(changes.into_iter().cycle()) {
            let (outcomes, _) = changed((culprit, frame, change), everything).await;
            let victim = &outcomes[1 - culprit];
            assert!(blamed(victim), "party {culprit}, frame {frame}, {change:?}: {victim:?}");
            assert!(outcomes[culprit].is_ok() || blamed(&outcomes[culprit]), "party {culprit}, frame {frame}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_values_never_make_a_party_panic_or_wait() {
    let changes = [Change::Flip(8 * 8 + 3), Change::Fill(0xff), Change::Flip(usize::MAX / 16), Change::Fill(0)];
    for culprit in [0, 1] {
        for (frame, change) in frames(culprit).await.zip(changes.into_iter().cycle()) {
            let (outcomes, _) = changed((culprit, frame, change), everything).await;
            assert!(outcomes.iter().all(|outcome| outcome.is_ok() || blamed(outcome)), "{culprit} {frame} {change:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_that_call_other_operations_or_lengths_abort_for_good() {
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await.unwrap();
        // 63 and 64 bits take one word: the lengths differ all the same.
        let len = 63 + two.me();
        let bits = BitShares::of(vec![5], len);
        let first = two.and(&bits, &bits).await.map(|_| ());
        let again = two.and(&bits, &bits).await.map(|_| ());
        (first, again)
    };
    for (first, again) in both(program).await {
        assert!(first.is_err_and(|abort| abort.blame != Blame::Local));
        assert!(again.is_err_and(|abort| abort.blame == Blame::Local && abort.why.contains("ended")));
    }
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await.unwrap();
        let (x, bits) = (Additive::zeros(4), BitShares::of(vec![0], 4));
        if two.me() == 0 { two.mul(&x, &x).await.map(|_| ()) } else { two.select(&bits, &x).await.map(|_| ()) }
    };
    for outcome in both(program).await {
        assert!(outcome.is_err_and(|abort| abort.blame != Blame::Local));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_of_other_parameters_do_not_meet() {
    let program = |mut ctx: Context| async move {
        let network = if ctx.me() == 0 { Network::Lan } else { Network::Wan };
        Two::setup_with(&mut ctx, Parameters { network }).await.map(|_| ())
    };
    for outcome in both(program).await {
        assert!(outcome.is_err_and(|abort| abort.blame != Blame::Local));
    }
    let mut three = memory::contexts(memory::network(3), [1; 32]);
    assert!(Two::setup(&mut three[0]).await.is_err_and(|abort| abort.blame == Blame::Local));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_do_not_fit_are_told_and_end_nothing() {
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await?;
        let (short, long, bits) = (Additive::zeros(2), Additive::zeros(3), BitShares::of(vec![0], 2));
        let local = |outcome: Option<Abort>| assert!(outcome.is_some_and(|abort| abort.blame == Blame::Local));
        local(two.mul(&short, &long).await.err());
        local(two.less(&short, &long).await.err());
        local(two.less_any(&short, &long).await.err());
        local(two.select(&bits, &long).await.err());
        local(two.matmul(&short, &long, [1, 2, 1]).await.err());
        local(two.dot(&short, &long).await.err());
        local(two.truncate(&short, 0, Rounding::Floor).await.err());
        local(two.mul_fixed(&short, &short, 64).await.err());
        local(two.equal(&[1], 0).await.err());
        local(two.equal(&[1], 65).await.err());
        local(two.input(2, &[], 1).await.err());
        local(two.input(two.me(), &[], 1).await.err());
        local(two.reveal(2, &short).await.err());
        let equal = two.equal(&[1], 64).await?;
        open_bits(&mut two, &equal).await
    };
    for outcome in both(program).await {
        assert_eq!(outcome.unwrap(), [true]);
    }
}
