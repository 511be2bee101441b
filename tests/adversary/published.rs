//! A cheat with published keys: a false table, a false proof and a false request are named by the other, and give no row.

use base_rt::{Entropy, OsEntropy};
use base_types::{OrgId, fault::Code};
use mpc_core::Abort;
use mpc_psi::{
    element::{Builder, Part as Key},
    unbalanced::{Cache, Owner, Set, query, receive, send, serve},
};
use notary_terms::Outcome;

use crate::{
    cheat::{Deviation, Move, Part, enter, once, place, strangers},
    common::org,
    rows::Pair,
    stage::LONG,
    verdict,
};

const ROWS: &str =
    "SELECT c.person_id, h.sbp FROM census c JOIN health h ON h.person_id = c.person_id AGAINST PUBLISHED KEYS";
/// One number's cell, whose value is 7.
const CELL: [u8; 9] = [1, 0, 0, 0, 0, 0, 0, 0, 7];
/// The frame's header.
const HEADER: usize = 8;
/// The owner's frames: the digest, the receiver's word said back, the release's length, the release, its one table, and the answers with
/// their proof.
const ANSWER: u64 = 5;

/// Takes part as the owner of a table of these keys; true when it came to the end of the protocol.
async fn publish(part: Part, victim: OrgId, keys: Vec<i64>, deviation: Deviation) -> bool {
    let Some(mut context) = enter(&part, &victim, deviation).await else { return false };
    let [own, other] = part.run.plan.reads.as_slice() else { panic!("two reads") };
    let (client, queries) = (place(&part.run.plan, &own.owner), own.rows_bound as usize);
    let mut owner = Owner::new(&[6; 32], 0, queries, CELL.len()).expect("in range");
    let mut builder = Builder::new(&owner.element_id());
    keys.iter().for_each(|key| builder.row(&[Key::Int(*key)]));
    let elements = builder.finish();
    let labels = CELL.repeat(elements.blocks().len());
    let set = Set { elements: elements.blocks(), labels: &labels, bound: other.rows_bound as usize };
    let published = owner.publish(set, 1, &mut |out: &mut [u8]| OsEntropy.fill(out)).expect("a table");
    let ran = async {
        let mut fork = context.fork("published");
        fork.round(vec![(client, [&[1][..], &published.digest].concat())], &[]).await?;
        let reply = fork.round(vec![], &[(client, 1)]).await?;
        assert_eq!(reply, [[0]], "nobody has the cheat's table");
        fork.round(vec![(client, vec![0])], &[]).await?;
        send(&mut context, client, &published).await?;
        serve(&mut context, client, &owner, queries).await
    };
    ran.await.is_ok()
}

/// Takes part as the receiver, with keys that nobody else has; true when it came to the end of the protocol.
async fn ask(part: Part, victim: OrgId, deviation: Deviation) -> bool {
    let Some(mut context) = enter(&part, &victim, deviation).await else { return false };
    let [own, other] = part.run.plan.reads.as_slice() else { panic!("two reads") };
    let (owner, queries) = (place(&part.run.plan, &other.owner), own.rows_bound as usize);
    let ran = async {
        let mut fork = context.fork("published");
        let mut message = vec![0];
        while message[0] == 0 {
            message = fork.round(vec![], &[(owner, 33)]).await?.remove(0);
        }
        fork.round(vec![(owner, vec![0])], &[(owner, 1)]).await?;
        let digest: [u8; 32] = message[1..].try_into().expect("a digest");
        let level = receive(&mut context, owner, &digest, usize::MAX).await?;
        let cache = Cache::new(level).map_err(|why| Abort::local(why.to_string()))?;
        query(&mut context, owner, &cache, queries, &strangers(&part.me, queries)).await
    };
    ran.await.is_ok()
}

/// Changes the last byte of a frame.
fn changed(mut frame: Vec<u8>) -> Move {
    frame.iter_mut().next_back().into_iter().for_each(|byte| *byte ^= 1);
    Move::Send(vec![frame])
}

/// A frame with other bytes behind its header.
fn filled(byte: u8) -> impl FnMut(Vec<u8>) -> Move + Send + 'static {
    move |mut frame| {
        frame[HEADER..].fill(byte);
        Move::Send(vec![frame])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_table_or_proof_names_its_owner_and_gives_no_row() {
    let mut pair = Pair::of(ROWS).await;
    let cheat = pair.plan.reads[1].owner.clone();
    let keys: Vec<i64> = (1..1000).step_by(20).collect();
    let deviations: Vec<(u64, Deviation)> = (0..=ANSWER)
        .map(|at| (at, once(at, changed)))
        .chain([(0, once(0, filled(2))), (0, once(0, filled(0xff)))])
        .collect();
    for (at, deviation) in deviations {
        let keys = keys.clone();
        let ended = pair.against(&cheat, LONG, |part, victim| publish(part, victim, keys, deviation)).await;
        let fault = verdict::fault(&ended);
        assert_eq!((fault.code, fault.party.as_ref()), (Code::PeerMisbehaved, Some(&cheat)), "frame {at}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_of_other_keys_is_answered_and_a_request_that_is_none_is_named() {
    let mut pair = Pair::of(ROWS).await;
    let owner = pair.plan.reads[1].owner.clone();
    let honest = || -> Deviation { Box::new(|_, frame| Move::Send(vec![frame])) };
    // Keys far from everybody's: the receiver has none of them, and is done.
    let ended = pair.against(&owner, LONG, |part, victim| publish(part, victim, vec![-5, -6], honest())).await;
    let answer = ended.result.clone().unwrap_or_else(|fault| panic!("{fault}"));
    assert!(answer.is_some_and(|answer| answer.rows.is_empty()) && ended.receipt() == Outcome::Done);
    let cheat = org("statistics");
    let ended = pair.against(&cheat, LONG, |part, victim| ask(part, victim, honest())).await;
    assert_eq!((ended.result.clone(), ended.receipt()), (Ok(None), Outcome::Done));
    for (at, byte) in [(0, 7), (1, 0xff), (1, 0)] {
        let deviation = once(at, filled(byte));
        let ended = pair.against(&cheat, LONG, |part, victim| ask(part, victim, deviation)).await;
        let fault = verdict::fault(&ended);
        assert_eq!((fault.code, fault.party.as_ref()), (Code::PeerMisbehaved, Some(&cheat)), "frame {at}: {fault}");
    }
}
