//! Taking a state over: while load goes on, from peers that lie, and what the node then knows and does not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base_types::Digest;
use base_wire::{Decode, Encode};
use ledger_chain::{Certified, Chain, ChainFault, History};
use ledger_light::{Certificate, Epoch, Handover, Header};
use ledger_state::{Part, Spine};

use crate::{
    count,
    net::{Cluster, Lie, found, note, org, until},
};

/// Three nodes that offer the states of every fourth height, and have more heights than a newcomer would replay.
async fn grown(height: u64) -> Cluster {
    let mut cluster = Cluster::start(&[]).await;
    cluster.options.snapshot_every = 4;
    cluster.options.snapshot_gap = 6;
    cluster.revive_all(&[0, 1, 2]).await;
    let mut nonce = 0;
    while cluster.chain(0).height() < height {
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
        nonce += 1;
    }
    cluster.options.history = History::Pruned { keep: 16 };
    cluster
}

/// Waits until a node has a state of others.
async fn taken_over(chain: &Chain) -> u64 {
    let first = || match chain.first_block() {
        Ok(first) => Some(first).filter(|first| *first > 1),
        Err(ChainFault::NotReady(_)) => None,
        Err(other) => panic!("{other}"),
    };
    found("a state is taken over", first).await
}

/// Compares roots and headers of the height that both have.
async fn same(one: &Chain, other: &Chain) {
    let height = one.height().max(other.height());
    one.reached(height).await.expect("reached");
    other.reached(height).await.expect("reached");
    let header = |chain: &Chain| chain.header(height).expect("read").expect("stored").header;
    assert_eq!(header(one), header(other));
    assert_eq!(one.state_root(height), other.state_root(height));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_node_takes_a_state_over_while_load_goes_on_and_then_validates() {
    let mut cluster = grown(count(14, 16)).await;
    let chain = cluster.chain(1).clone();
    let load = tokio::spawn(async move {
        let mut done = 0u64;
        while chain.submit(note(1, 10_000 + done)).await.is_ok() {
            done += 1;
        }
        done
    });
    cluster.revive(3).await;
    let first = taken_over(cluster.chain(3)).await;
    assert_eq!((first - 1) % 4, 0, "the state of every fourth height is offered");
    assert!(first > 10, "blocks were not replayed");
    let executed = cluster.chain(3).submit(note(3, 1)).await.expect("executed here too");
    assert_eq!(executed.refusal, None);
    same(cluster.chain(0), cluster.chain(3)).await;
    assert_eq!(cluster.chain(3).status().expect("read").syncing, None);

    // Without the fourth, the other two would have no quorum.
    cluster.kill(0).await;
    cluster.chain(2).submit(note(2, 1)).await.expect("the new node votes");
    same(cluster.chain(2), cluster.chain(3)).await;

    // It says what it does not have, and has from the state what the state holds.
    let old = cluster.chain(2).transaction(&note(0, 0).digest()).expect("read").expect("executed").executed.height;
    let gone = ChainFault::NotFound("block of that height any more");
    assert_eq!(cluster.chain(3).block(old), Err(gone.clone()));
    assert_eq!(cluster.chain(3).executed_after((old, 0), old, 9).map(|_| ()), Err(gone));
    assert!(matches!(cluster.chain(3).records_after(0, 9), Err(ChainFault::NotFound(_))));
    let subject = Digest([0; 32]);
    assert_eq!(cluster.chain(3).records(&subject), cluster.chain(2).records(&subject));
    assert!(cluster.chain(3).records(&subject).expect("read").len() > 5);

    // After a restart it is what it was.
    cluster.kill(3).await;
    cluster.revive(3).await;
    assert_eq!(cluster.chain(3).first_block(), Ok(first));
    cluster.kill(1).await;
    assert!(load.await.expect("task") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_executed_before_the_state_is_not_executed_again_after_it() {
    let mut cluster = grown(count(14, 16)).await;
    let old = note(0, 0);
    let before = cluster.chain(0).transaction(&old.digest()).expect("read").expect("executed");
    cluster.revive(3).await;
    let first = taken_over(cluster.chain(3)).await;
    assert!(before.executed.height < first);
    let known = ChainFault::NotFound("contents of that transaction any more");
    assert_eq!(cluster.chain(3).submit(old.clone()).await, Err(known.clone()));
    assert_eq!(cluster.chain(3).transaction(&old.digest()), Err(known));
    let records = cluster.chain(0).records(&Digest([0; 32])).expect("read").len();
    // The new node leads some of these blocks, and is sent the old transaction again before each.
    let again = [vec![0], vec![old].to_wire()].concat();
    for nonce in 0..6 {
        cluster.chain(3).deliver(org(0), again.clone()).await;
        cluster.chain(3).submit(note(3, nonce)).await.expect("executed");
    }
    same(cluster.chain(0), cluster.chain(3)).await;
    assert_eq!(cluster.chain(3).records(&Digest([0; 32])).expect("read").len(), records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_waits_while_a_state_is_taken_over_is_told_that_it_was_executed_or_is_executed_once() {
    let mut cluster = grown(count(14, 16)).await;
    for at in 0..3 {
        cluster.kill(at).await;
    }
    cluster.revive(3).await;
    let submit = |transaction| {
        let chain = cluster.chain(3).clone();
        tokio::spawn(async move { chain.submit(transaction).await })
    };
    let (old, new) = (submit(note(0, 0)), submit(note(3, 1)));
    until("both wait, for nobody is there", || cluster.chain(3).status().expect("read").waiting == 2).await;
    cluster.revive_all(&[0, 1, 2]).await;
    taken_over(cluster.chain(3)).await;
    let known = ChainFault::NotFound("contents of that transaction any more");
    assert_eq!(old.await.expect("task"), Err(known));
    assert_eq!(new.await.expect("task").expect("executed").refusal, None);
    same(cluster.chain(0), cluster.chain(3)).await;
    assert_eq!(cluster.chain(3).status().expect("read").waiting, 0);
    assert_eq!(cluster.chain(3).records(&Digest([3; 32])).expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_near_by_takes_a_state_over_when_nobody_has_the_blocks() {
    let mut cluster = grown(count(14, 16)).await;
    cluster.revive(3).await;
    taken_over(cluster.chain(3)).await;
    same(cluster.chain(0), cluster.chain(3)).await;
    for at in 0..3 {
        cluster.kill(at).await;
    }
    // Nothing is far, but the only peer began with a state itself.
    cluster.options.snapshot_gap = 1_000_000;
    cluster.renew(2);
    cluster.revive(2).await;
    taken_over(cluster.chain(2)).await;
    same(cluster.chain(2), cluster.chain(3)).await;
}

type Offered = ((Vec<Handover>, Certified), (Certified, Spine));

/// Changes an answer that begins with a tag, and counts that it did.
fn lie<T: Encode + Decode + 'static>(tag: u8, told: &Arc<AtomicUsize>, change: fn(&mut T)) -> Lie {
    let told = Arc::clone(told);
    Arc::new(move |answer: Vec<u8>| {
        if answer.first() != Some(&tag) {
            return answer;
        }
        let mut value = T::from_wire(&answer[1..]).expect("an answer of that kind");
        change(&mut value);
        told.fetch_add(1, Ordering::Relaxed);
        [vec![tag], value.to_wire()].concat()
    })
}

fn another_spine(offer: &mut Offered) {
    let spine = &mut offer.1.1;
    let mut bytes = spine.to_wire();
    let mut at = 0;
    // An entry is a tag and nothing, two hashes or one.
    while bytes[at] == 0 {
        at += 1;
    }
    bytes[at + 1] ^= 1;
    *spine = Spine::from_wire(&bytes).expect("a spine");
}

fn another_root(offer: &mut Offered) {
    offer.1.0.header.state_root = Digest([7; 32]);
}

fn another_handover(offer: &mut Offered) {
    let Certified { header, certificate, .. } = offer.0.1.clone();
    let epoch = Epoch { number: 1, first_height: header.height + 1, ..crate::net::genesis().epoch };
    offer.0.0.push(Handover { header, certificate, epoch });
}

fn another_value(part: &mut Part) {
    if let Some((_, value)) = part.leaves.first_mut() {
        value.push(1);
    }
}

fn no_end(part: &mut Part) {
    part.more = true;
}

fn another_digest(list: &mut Vec<((Header, Certificate), Vec<Digest>)>) {
    for (_, digests) in list {
        digests.push(Digest([7; 32]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_lies_in_any_answer_is_left_and_the_state_comes_from_another() {
    let mut cluster = grown(count(14, 16)).await;
    let told: [Arc<AtomicUsize>; 6] = Default::default();
    let lies: [(&str, Lie); 6] = [
        ("spine", lie(3, &told[0], another_spine)),
        ("root", lie(3, &told[1], another_root)),
        ("handover", lie(3, &told[2], another_handover)),
        ("value", lie(4, &told[3], another_value)),
        ("end", lie(4, &told[4], no_end)),
        ("digest", lie(5, &told[5], another_digest)),
    ];
    // Daily two at a time: the first peer lies in its offer and is left, the next in what follows. Else both tell each.
    let turns: Vec<[usize; 2]> = match count(3, 6) {
        3 => vec![[0, 3], [1, 4], [2, 5]],
        _ => (0..6).map(|one| [one, one]).collect(),
    };
    for turn in turns {
        told.iter().for_each(|told| told.store(0, Ordering::Relaxed));
        // These are asked first.
        for (at, one) in turn.into_iter().enumerate() {
            cluster.lie(at, Some(Arc::clone(&lies[one].1)));
        }
        cluster.kill(3).await;
        cluster.renew(3);
        cluster.revive(3).await;
        let first = taken_over(cluster.chain(3)).await;
        for one in turn {
            let name = lies[one].0;
            assert!(first > 10, "{name}");
            assert!(told[one].load(Ordering::Relaxed) > 0, "{name}: the lie was told");
        }
        cluster.lie(0, None);
        cluster.lie(1, None);
        same(cluster.chain(2), cluster.chain(3)).await;
    }
    cluster.chain(3).submit(note(3, 1)).await.expect("executed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_offers_an_old_state_keeps_nobody_from_a_newer_one() {
    let mut cluster = grown(7).await;
    // A state that was the chain's, with all that shows it.
    let old = cluster.chain(0).answer(&org(3), &[2]);
    assert_eq!(old.first(), Some(&3), "an offer");
    for nonce in 1000.. {
        if cluster.chain(0).height() >= 24 {
            break;
        }
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
    }
    let told = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    // This one is asked first, at every search.
    let lie: Lie = Arc::new(move |answer: Vec<u8>| match answer.first() {
        Some(3) => {
            counted.fetch_add(1, Ordering::Relaxed);
            old.clone()
        }
        _ => answer,
    });
    cluster.lie(0, Some(lie));
    // The old state is not worth it, and the newest is.
    cluster.options.snapshot_gap = 18;
    cluster.revive(3).await;
    let first = taken_over(cluster.chain(3)).await;
    assert!(first > 18, "{first}");
    assert!(told.load(Ordering::Relaxed) > 0, "the old state was offered");
    same(cluster.chain(1), cluster.chain(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_has_begun_takes_an_older_state_when_nobody_has_the_newer_one_any_more() {
    let mut cluster = grown(7).await;
    let old = cluster.chain(0).answer(&org(3), &[2]);
    for nonce in 1000.. {
        if cluster.chain(0).height() >= 24 {
            break;
        }
        cluster.chain(0).submit(note(0, nonce)).await.expect("executed");
    }
    // This one offers a new state, and is as good as gone then. The others are not that far.
    let offers = AtomicUsize::new(0);
    let gone: Lie = Arc::new(move |answer: Vec<u8>| match answer.first() {
        Some(3) if offers.fetch_add(1, Ordering::Relaxed) == 0 => answer,
        Some(3 | 4) => vec![1],
        _ => answer,
    });
    cluster.lie(0, Some(gone));
    let told = Arc::new(AtomicUsize::new(0));
    for at in [1, 2] {
        let (told, old) = (Arc::clone(&told), old.clone());
        let behind: Lie = Arc::new(move |answer: Vec<u8>| match answer.first() {
            Some(3) => {
                told.fetch_add(1, Ordering::Relaxed);
                old.clone()
            }
            // Not of the newer state: both have told once that they do not have it.
            Some(4) if told.load(Ordering::Relaxed) < 3 => vec![1],
            _ => answer,
        });
        cluster.lie(at, Some(behind));
    }
    cluster.options.snapshot_gap = 18;
    cluster.revive(3).await;
    let first = taken_over(cluster.chain(3)).await;
    assert!(first < 18, "{first}");
    same(cluster.chain(1), cluster.chain(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_nobody_should_give_is_not_given() {
    let cluster = grown(16).await;
    let answer = |ask: Vec<u8>| cluster.chain(0).answer(&crate::net::org(1), &ask);
    const UNABLE: [u8; 1] = [1];
    assert_eq!(answer(vec![2])[0], 3, "an offer");
    let part = |height: u64| [vec![3], height.to_wire(), vec![0, 0]].concat();
    assert_eq!(answer(part(16))[0], 4);
    assert_eq!(answer(part(1_000_000)), UNABLE, "a height to come");
    let digests = |from: u64, limit: u32| [vec![4], from.to_wire(), limit.to_wire()].concat();
    let count = |answer: Vec<u8>| u32::from_wire(&answer[1..5]).expect("a count");
    assert_eq!(count(answer(digests(1, 5))), 5);
    assert_eq!(count(answer(digests(1_000_000, 5))), 0);
    assert_eq!(count(answer(digests(0, u32::MAX))), 0, "the genesis is no block");
    assert_eq!(answer(digests(u64::MAX, u32::MAX)).len(), 5);
}
