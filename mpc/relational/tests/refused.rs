//! What ends without a result: a peer that lies in any frame, parties that disagree, owners whose rows do not fit.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::{Case, Fill, case};
use mpc_core::{Abort, Blame, Transport, memory};
use mpc_relational::{GroupResult, Join, OwnerRows, Rep3, run};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Lie {
    Truncate,
    Extend,
    Omit,
    Renumber,
    Flip,
}

/// A party's links: the frame numbered `at` to `victim` is changed, and waits end after a while, as real links do.
struct Lying {
    inner: Arc<dyn Transport>,
    lie: Option<(Lie, usize, usize)>,
    sent: AtomicUsize,
    patience: Duration,
}

#[async_trait]
impl Transport for Lying {
    async fn send(&self, to: usize, mut frame: Vec<u8>) -> Result<(), Abort> {
        if let Some((lie, victim, at)) = self.lie
            && victim == to
            && self.sent.fetch_add(1, Ordering::Relaxed) == at
        {
            match lie {
                Lie::Truncate => frame.truncate(frame.len() - 1),
                Lie::Extend => frame.push(0),
                Lie::Omit => return Ok(()),
                Lie::Renumber => frame[7] ^= 1,
                Lie::Flip => frame.last_mut().into_iter().for_each(|byte| *byte ^= 0x81),
            }
        }
        self.inner.send(to, frame).await
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let wait = tokio::time::timeout(self.patience, self.inner.recv(from, max_len));
        wait.await.unwrap_or_else(|_| Err(Abort::network(from, "silent")))
    }
}

fn small() -> Case {
    case(60, &[(Join::Left, 6, 4, 1)], 9, &Fill { carrier: 8, keys: 5, groups: 2, threshold: 1 })
}

fn transports(liar: usize, lie: Option<(Lie, usize, usize)>) -> (Vec<Arc<dyn Transport>>, Arc<Lying>) {
    // Where a frame is left out somebody waits for it in vain. Nobody else does, however slow the machine is.
    let omits = matches!(lie, Some((Lie::Omit, _, _)));
    let patience = Duration::from_secs(if omits { 2 } else { 60 });
    let wrap = |(me, inner)| {
        let lie = lie.filter(|_| me == liar);
        Arc::new(Lying { inner, lie, sent: AtomicUsize::new(0), patience })
    };
    let all: Vec<Arc<Lying>> = memory::network(3).into_iter().enumerate().map(wrap).collect();
    let watched = all[liar].clone();
    (all.into_iter().map(|end| end as Arc<dyn Transport>).collect(), watched)
}

/// Runs the case while a party lies. Only the parties hold their links, so that these close with whoever ends.
async fn lied(case: &Case, liar: usize, lie: (Lie, usize, usize)) -> Vec<Result<Option<Vec<GroupResult>>, Abort>> {
    let (ends, _) = transports(liar, Some(lie));
    case.run(ends).await
}

/// How many frames party `from` sends to party `to` in an honest run.
async fn frames(case: &Case, from: usize, to: usize) -> usize {
    let (ends, watched) = transports(from, Some((Lie::Extend, to, usize::MAX)));
    assert!(case.run(ends).await.iter().all(Result::is_ok));
    watched.sent.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_frame_at_any_step_is_blamed_on_its_sender_and_gives_no_result() {
    let case = small();
    let receiver = case.place.receiver;
    for (lie, liar, victim) in
        [(Lie::Truncate, 0, 1), (Lie::Extend, 1, 2), (Lie::Renumber, 2, 0), (Lie::Truncate, 2, 1), (Lie::Extend, 1, 0)]
    {
        let count = frames(&case, liar, victim).await;
        assert!(count > 10);
        for at in (0..count).step_by(7).chain([count - 1]) {
            let out = lied(&case, liar, (lie, victim, at)).await;
            let abort = out[victim].as_ref().expect_err("the victim notices");
            assert_eq!(abort.blame, Blame::Peer(liar), "{lie:?} {at}: {abort}");
            assert!(abort.step.starts_with("star/rep3: "), "{abort}");
            let done = matches!(out[receiver], Ok(Some(_)));
            assert!(!done || victim != receiver, "{lie:?} {at}");
        }
    }
}

/// Tier B does not promise that a false share is noticed; it must not crash a party, and the last step shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_share_never_crashes_a_party_and_is_noticed_where_it_is_revealed() {
    let case = small();
    let victim = case.place.receiver;
    for liar in [(victim + 1) % 3, (victim + 2) % 3] {
        let count = frames(&case, liar, victim).await;
        for at in (0..count).step_by(5) {
            lied(&case, liar, (Lie::Flip, victim, at)).await;
        }
        let out = lied(&case, liar, (Lie::Flip, victim, count - 1)).await;
        let abort = out[victim].as_ref().expect_err("the two holders disagree");
        assert!(matches!(abort.blame, Blame::Peer(_)) && abort.why.contains("digest"), "{abort}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_frame_is_blamed_on_its_sender_and_gives_no_result() {
    let case = small();
    let victim = case.place.receiver;
    let liar = (victim + 1) % 3;
    let count = frames(&case, liar, victim).await;
    for at in [0, 3, count / 2, count - 1] {
        let out = lied(&case, liar, (Lie::Omit, victim, at)).await;
        let abort = out[victim].as_ref().expect_err("the victim notices");
        let blamed = [Blame::Peer(liar), Blame::Network(liar)];
        assert!(blamed.contains(&abort.blame), "{at}: {abort}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_that_disagree_about_the_shape_do_not_begin() {
    let case = small();
    let tasks = memory::contexts(memory::network(3), [1; 32]).into_iter().map(|mut ctx| {
        let mut case = case.clone();
        case.shape.threshold += u32::from(ctx.me() == 2);
        tokio::spawn(async move {
            let mine = case.rows_of(ctx.me());
            run::<Rep3>(&mut ctx, &case.shape, &case.place, mine, &mut |_| {}).await
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for (me, task) in tasks.into_iter().enumerate() {
        let abort = task.await.unwrap().expect_err("nobody gets a result");
        if me == 0 {
            assert_eq!(abort.blame, Blame::Peer(2));
        }
    }
}

#[tokio::test]
async fn rows_that_do_not_fit_are_this_partys_own_fault() {
    type Change = fn(&mut Case, &mut Vec<OwnerRows>);
    let changes: [Change; 11] = [
        |_, rows| rows.clear(),
        |case, rows| rows.push(OwnerRows::Carrier(case.carrier.clone())),
        |case, _| case.shape.carrier_rows = 0,
        |case, _| case.place.receiver = 3,
        |case, rows| *rows = vec![OwnerRows::Carrier(vec![case.carrier[0].clone(); 10])],
        |case, rows| {
            case.carrier[0].group = 20;
            *rows = vec![OwnerRows::Carrier(case.carrier.clone())];
        },
        |case, rows| {
            case.carrier[0].key = Some(1 << 16);
            *rows = vec![OwnerRows::Carrier(case.carrier.clone())];
        },
        |case, rows| rows.push(OwnerRows::Side(7, case.sides[0].clone())),
        |case, rows| {
            (case.carrier[0].values, case.carrier[0].value_leads) = (vec![Some(5001)], vec![false]);
            *rows = vec![OwnerRows::Carrier(case.carrier.clone())];
        },
        |case, rows| {
            let again = case.sides[0][0].clone();
            case.sides[0].push(again);
            *rows = vec![OwnerRows::Side(0, case.sides[0].clone())];
        },
        |case, rows| {
            let row = &mut case.sides[0][0];
            (row.counts, row.sums) = (vec![row.rows], vec![-90_000 * row.rows as i64 - 1]);
            *rows = vec![OwnerRows::Side(0, case.sides[0].clone())];
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut case = small();
        (case.place.carrier, case.place.sides) = (0, vec![1]);
        let me = usize::from(number > 8);
        let mut mine = case.rows_of(me);
        change(&mut case, &mut mine);
        let out = case_at(&case, me, mine).await;
        assert_eq!(out.map_err(|abort| abort.blame), Err(Blame::Local), "{number}");
    }
}

/// Runs the case where party `me` puts in `mine`; its answer.
async fn case_at(case: &Case, me: usize, mine: Vec<OwnerRows>) -> Result<Option<Vec<GroupResult>>, Abort> {
    let mut mine = Some(mine);
    let tasks = memory::contexts(memory::network(3), [1; 32]).into_iter().map(|mut ctx| {
        let rows = if ctx.me() == me { mine.take().unwrap_or_default() } else { small().rows_of(ctx.me()) };
        let case = case.clone();
        tokio::spawn(async move { run::<Rep3>(&mut ctx, &case.shape, &case.place, rows, &mut |_| {}).await })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut out = None;
    for (party, task) in tasks.into_iter().enumerate() {
        let ended = task.await.unwrap();
        if party == me {
            out = Some(ended);
        }
    }
    out.expect("party me has run")
}
