//! Peers that do not fit: another order, other lengths, other parameters, arguments that are none. What changed frames do is
//! in `mutations`.

mod common;

use common::{both, open_bits};
use mpc_core::{Abort, Blame, Context, memory};
use mpc_two::{Additive, BitShares, Network, Parameters, Rounding, Two};

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
    let program = |mut ctx: Context| async move {
        let mut two = Two::setup(&mut ctx).await.unwrap();
        let (x, by) = (Additive::zeros(4), 8 + two.me() as u32);
        two.truncate_small(&x, by).await.map(|_| ())
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
