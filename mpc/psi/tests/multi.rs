//! Three to eight parties: the intersection of all and nothing else, sizes at the edges, and peers that lie.

mod links;

use std::sync::Arc;

use links::{Frames, Lie, blames, counts, elements, session, why};
use mpc_block::Block;
use mpc_core::{Abort, Blame, Context};
use mpc_psi::Mode;
use mpc_psi::multi::{Outputs, Parameters, run};

/// Elements that all parties have, that all but one have, that two neighbours have, and a party's own.
fn sets(parties: usize, common: usize, almost: usize, own: usize) -> Vec<Vec<Block>> {
    let of = |party: usize| {
        let mut set = elements(1, 0, common);
        for missing in (0..parties).filter(|missing| *missing != party) {
            set.extend(elements(2, (missing * almost) as u64, almost));
        }
        for pair in [party, (party + parties - 1) % parties] {
            set.extend(elements(3, (pair * almost) as u64, almost));
        }
        set.extend(elements(4 + party as u64, 0, own));
        let turn = (party * 7) % set.len().max(1);
        set.rotate_left(turn);
        set
    };
    (0..parties).map(of).collect()
}

/// The indices in the party's set of what is in every set.
fn plain(sets: &[Vec<Block>], party: usize) -> Vec<usize> {
    let all = |element: &Block| sets.iter().all(|set| set.contains(element));
    sets[party].iter().enumerate().filter(|(_, element)| all(element)).map(|(at, _)| at).collect()
}

fn sizes(sets: &[Vec<Block>], more: usize) -> Vec<usize> {
    sets.iter().map(|set| set.len() + more).collect()
}

/// Runs with these sets; what each party ended with.
async fn intersect(
    sets: &[Vec<Block>],
    parameters: Parameters,
    lie: Option<Lie>,
) -> (Vec<Result<Option<Vec<usize>>, Abort>>, Frames) {
    let (sets, parameters) = (Arc::new(sets.to_vec()), Arc::new(parameters));
    let parties = sets.len();
    session(parties, 7, lie, move |mut ctx: Context| {
        let (sets, parameters) = (sets.clone(), parameters.clone());
        async move {
            let me = ctx.me();
            run(&mut ctx, &parameters, &sets[me]).await
        }
    })
    .await
}

async fn check(sets: &[Vec<Block>], outputs: Outputs, more: usize, mode: Mode) {
    let parameters = Parameters::new(sizes(sets, more), outputs, mode).unwrap();
    let (outcomes, _) = intersect(sets, parameters, None).await;
    for (party, outcome) in outcomes.into_iter().enumerate() {
        let learns = outputs == Outputs::All || outputs == Outputs::One(party);
        assert_eq!(outcome.unwrap(), learns.then(|| plain(sets, party)), "party {party}, {outputs:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_learns_what_all_have_and_not_what_fewer_have() {
    for parties in [3, 4, 8] {
        check(&sets(parties, 20, 6, 11), Outputs::One(parties - 1), 0, Mode::Fast).await;
    }
    check(&sets(3, 20, 6, 11), Outputs::One(0), 0, Mode::LowCommunication).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_parties_learn_the_intersection_in_their_own_order() {
    check(&sets(3, 40, 5, 30), Outputs::All, 0, Mode::Fast).await;
    check(&sets(4, 3, 2, 1), Outputs::All, 10, Mode::Fast).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_at_the_edges_of_size() {
    // Equal sets, disjoint sets, single elements, larger bounds, nothing at one party, a bound of nothing.
    check(&sets(3, 50, 0, 0), Outputs::One(1), 0, Mode::Fast).await;
    check(&sets(3, 0, 0, 50), Outputs::One(1), 0, Mode::Fast).await;
    check(&sets(3, 1, 0, 0), Outputs::One(2), 0, Mode::Fast).await;
    check(&sets(3, 1, 0, 2), Outputs::All, 100, Mode::Fast).await;
    for empty in [0, 2] {
        let mut sets = sets(3, 10, 2, 2);
        sets[empty].clear();
        check(&sets, Outputs::One(0), 0, Mode::Fast).await;
        check(&sets, Outputs::One(0), 5, Mode::Fast).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_of_very_different_sizes() {
    let common = elements(1, 0, 5);
    let of = |stream, count| [common.clone(), elements(stream, 0, count)].concat();
    let sets = [of(10, 6000), of(11, 3), of(12, 900)];
    for receiver in 0..3 {
        check(&sets, Outputs::One(receiver), 0, Mode::Fast).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_show_the_agreed_sizes_only() {
    let lengths = |sets: Vec<Vec<Block>>| async move {
        let parameters = Parameters::new(vec![60; 3], Outputs::One(0), Mode::Fast).unwrap();
        let (outcomes, frames) = intersect(&sets, parameters, None).await;
        assert!(outcomes.iter().all(|outcome| outcome.is_ok()));
        let mut lengths: Vec<_> = frames.into_iter().map(|(from, to, frame)| (from, to, frame.len())).collect();
        lengths.sort_unstable();
        lengths
    };
    assert_eq!(lengths(sets(3, 20, 5, 10)).await, lengths(sets(3, 0, 0, 1)).await);
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused() {
    for sizes in [vec![], vec![1; 2], vec![1; 9], vec![1, 1, usize::MAX]] {
        assert!(Parameters::new(sizes, Outputs::All, Mode::Fast).is_none());
    }
    assert!(Parameters::new(vec![1; 3], Outputs::One(3), Mode::Fast).is_none());
    // More elements than agreed, and another number of parties: this party's own fault, before anything is sent.
    let parameters = Parameters::new(vec![9; 3], Outputs::All, Mode::Fast).unwrap();
    let (outcomes, frames) = intersect(&sets(3, 10, 0, 0), parameters.clone(), None).await;
    assert!(outcomes.into_iter().all(|outcome| why(outcome).blame == Blame::Local) && frames.is_empty());
    let (outcomes, frames) = intersect(&sets(4, 1, 0, 0), parameters, None).await;
    assert!(outcomes.into_iter().all(|outcome| why(outcome).blame == Blame::Local) && frames.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_with_other_parameters_do_not_meet() {
    let (outcomes, _) = session(3, 7, None, |mut ctx: Context| async move {
        let receiver = usize::from(ctx.me() == 2);
        let parameters = Parameters::new(vec![5; 3], Outputs::One(receiver), Mode::Fast).unwrap();
        run(&mut ctx, &parameters, &elements(1, 0, 5)).await
    })
    .await;
    assert!(outcomes.iter().all(blames));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_element_that_stands_twice_is_this_partys_own_fault() {
    let mut sets = sets(3, 10, 0, 2);
    let doubled = sets[1][0];
    sets[1].push(doubled);
    let parameters = Parameters::new(sizes(&sets, 0), Outputs::One(0), Mode::Fast).unwrap();
    let (outcomes, _) = intersect(&sets, parameters, None).await;
    let mut outcomes = outcomes.into_iter();
    assert!(blames(&outcomes.next().unwrap()));
    assert_eq!(why(outcomes.next().unwrap()).blame, Blame::Local);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_frame_of_a_sender_never_gives_a_wrong_result() {
    let sets = sets(3, 6, 2, 3);
    let parameters = Parameters::new(sizes(&sets, 0), Outputs::One(0), Mode::Fast).unwrap();
    let (_, frames) = intersect(&sets, parameters.clone(), None).await;
    let mut runs = 0;
    for (from, to, count) in counts(&frames, 3).into_iter().filter(|(from, _, _)| *from == 1) {
        for frame in 0..count {
            let change = move |bytes: &mut Vec<u8>| match frame % 3 {
                0 => *bytes.last_mut().unwrap() ^= 0x80,
                1 => bytes.truncate(bytes.len() - 1),
                _ => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                }
            };
            let (outcomes, _) = intersect(&sets, parameters.clone(), Lie::new((from, to, frame), change)).await;
            // A bit that the receiver does not read changes nothing; everything else ends the run.
            let right = outcomes[0].as_ref().is_ok_and(|found| *found == Some(plain(&sets, 0)));
            assert!(right || blames(&outcomes[0]), "party {from} to {to}, frame {frame}");
            runs += 1;
        }
    }
    assert!(runs >= 10, "{runs} runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_another_session_ends_the_run() {
    let sets = Arc::new(sets(3, 6, 0, 3));
    let parameters = Arc::new(Parameters::new(sizes(&sets, 0), Outputs::One(0), Mode::Fast).unwrap());
    let party = {
        let (sets, parameters) = (sets.clone(), parameters.clone());
        move |mut ctx: Context| {
            let (sets, parameters) = (sets.clone(), parameters.clone());
            async move {
                let me = ctx.me();
                run(&mut ctx, &parameters, &sets[me]).await
            }
        }
    };
    let (_, before) = session(3, 8, None, &party).await;
    let from_one: Vec<Vec<u8>> =
        before.into_iter().filter(|frame| (frame.0, frame.1) == (1, 0)).map(|frame| frame.2).collect();
    for (frame, old) in from_one.into_iter().enumerate().step_by(3) {
        let lie = Lie::new((1, 0, frame), move |bytes| bytes.clone_from(&old));
        let (outcomes, _) = session(3, 7, lie, &party).await;
        assert_eq!(why(outcomes.into_iter().next().unwrap()).blame, Blame::Peer(1), "frame {frame}");
    }
}
