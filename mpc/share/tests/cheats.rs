//! Changed frames: whoever does not finish blames somebody, a frame of another form always ends the run, nothing panics.
//!
//! The tier is semi-honest: a value that a peer falsifies inside a frame of the right form may give a false result.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Change, Changed, input, over, words};
use mpc_core::{Abort, Blame, Transport, memory};
use mpc_share::{Arith, Rep3, Words};

/// A little of everything.
async fn all(mut party: Rep3) -> Result<Vec<u64>, Abort> {
    let (x, y) = (words(1, 70), words(2, 70));
    let (a, b): (Arith, Arith) = (input(&mut party, &x).await?, input(&mut party, &y).await?);
    let key: Words = party.to_bits(a.view()).await?;
    let less = party.less_than(&a, &b).await?;
    let chosen = party.choose(&less, &a, &b).await?;
    let cut = party.truncate(&chosen, 20).await?;
    let product = party.matmul(&cut, &b, [7, 10, 7]).await?;
    let sorted = party.sort_by_words(vec![cut], &[(&key, 5)]).await?;
    let mut out = party.open(&sorted[0]).await?;
    out.extend(party.reveal(&product, 1).await?.unwrap_or_default());
    Ok(out)
}

/// Links of which one party's change one frame; what counts the frames that it sends.
fn changed(culprit: usize, frame: usize, change: Change) -> (Vec<Arc<dyn Transport>>, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let links = memory::network(3).into_iter().enumerate().map(|(me, inner)| {
        let frame = if me == culprit { frame } else { usize::MAX };
        let sent = if me == culprit { sent.clone() } else { Arc::default() };
        Arc::new(Changed { inner, frame, change, sent }) as Arc<dyn Transport>
    });
    (links.collect(), sent)
}

/// Runs with one frame of one party changed; the outcomes and how many frames that party sent.
async fn run(culprit: usize, frame: usize, change: Change) -> (Vec<Result<Vec<u64>, Abort>>, usize) {
    let (links, sent) = changed(culprit, frame, change);
    let out = over(links, 51, all).await;
    (out, sent.load(Ordering::Relaxed))
}

/// Sorts rows by keys that are compared.
async fn compared(mut party: Rep3) -> Result<Vec<u64>, Abort> {
    let key: Words = input(&mut party, &words(3, 70)).await?;
    let places: Arith = party.public(&(0..70_u64).collect::<Vec<_>>());
    let sorted = party.sort_by_words(vec![places], &[(&key, 64)]).await?;
    party.open(&sorted[0]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_frame_ends_in_blame_or_is_finished_never_in_a_panic() {
    /// Frames of the set-up, whose end `over` insists on.
    const SETUP: usize = 3;
    let (honest, _) = run(0, usize::MAX, Change::Extend).await;
    let honest: Vec<_> = honest.into_iter().map(Result::unwrap).collect();
    let mut runs = 0;
    for culprit in 0..3 {
        let (_, frames) = run(culprit, usize::MAX, Change::Extend).await;
        for frame in (SETUP..frames).step_by(2) {
            for change in
                [Change::Truncate, Change::Extend, Change::Repeat, Change::Flip(3), Change::Flip(64 + 17 * frame)]
            {
                let (out, _) = run(culprit, frame, change).await;
                runs += 1;
                for abort in out.iter().filter_map(|outcome| outcome.as_ref().err()) {
                    assert!(abort.blame != Blame::Local, "{culprit} {frame} {change:?}: {abort}");
                }
                let formal = !matches!(change, Change::Flip(bit) if bit >= 64);
                let finished_alike =
                    out.iter().zip(&honest).all(|(out, honest)| out.as_ref().is_ok_and(|out| out == honest));
                // A frame sent twice is noticed when another is due; after the last one none is.
                let last = change == Change::Repeat && finished_alike;
                assert!(!formal || last || out.iter().any(Result::is_err), "{culprit} {frame} {change:?}");
            }
        }
    }
    assert!(runs >= 200, "{runs} runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_frame_among_comparisons_never_ends_in_a_panic() {
    for culprit in 0..3 {
        let (links, sent) = changed(culprit, usize::MAX, Change::Extend);
        assert!(over(links, 53, compared).await.iter().all(Result::is_ok));
        let frames = sent.load(Ordering::Relaxed);
        for frame in (3..frames).step_by(7) {
            for change in [Change::Truncate, Change::Flip(64 + 29 * frame)] {
                let (links, _) = changed(culprit, frame, change);
                let out = over(links, 53, compared).await;
                assert!(change != Change::Truncate || out.iter().any(Result::is_err), "{culprit} {frame}");
                for abort in out.iter().filter_map(|outcome| outcome.as_ref().err()) {
                    assert!(abort.blame != Blame::Local, "{culprit} {frame} {change:?}: {abort}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_component_at_the_end_is_told_by_the_other_holders_digest() {
    let links = memory::network(3);
    let out = over(links, 52, |mut party| async move {
        // Party 0 holds another component 0 than party 2.
        let x: Arith = party.public(if party.me() == 0 { &[9, 9] } else { &[5, 7] });
        let first = party.open(&x).await;
        let again = party.open(&x).await;
        assert!(first.is_ok() || again.is_err(), "an abort is final");
        first
    })
    .await;
    assert_eq!(out[1].as_ref().err().map(|abort| abort.blame), Some(Blame::Peer(0)));
}
