//! A certificate ends at a stated height: its links and its key's transactions are refused from then on, others stand.

use std::sync::Arc;

use base_gm::sm2::PublicKey;
use base_rt::{
    SystemClock,
    tls::{NODE_NAME, Protocol, client_config},
};
use base_types::{Height, fault::Code};
use base_wire::{Decode, Encode};
use ledger_chain::ChainFault;
use ledger_light::BFT;
use ledger_rpc::LedgerClient;
use ledger_vm::{
    govern::{Action, Revocation},
    notary::{Entry, record_key},
};
use tokio::time::{Instant, sleep};

use crate::{
    count,
    world::{FOUNDERS, GUEST, PATIENCE, World, key, ms, note, org},
};

/// Revokes the certificate of an organisation's node; answers with the first height at which it no longer holds.
async fn revoke(world: &World, at: usize, key: Option<PublicKey>) -> Height {
    loop {
        let from = world.top() + 3;
        let serial = world.seats[at].identity.certificate.serial();
        let revocation = Revocation { org: org(at), serial, key, from };
        let (_, executed) = world.govern(at, "admin", &Action::Revoke(revocation)).await;
        match executed.refusal {
            None => return from,
            // A block came in between.
            Some(why) => assert!(why.contains("a revocation takes effect"), "{why}"),
        }
    }
}

/// A node of an organisation on a connection to a validator's port for nodes.
fn visitor(world: &World, who: usize, to: usize) -> LedgerClient {
    let (who, clock) = (&world.seats[who].identity, Arc::new(SystemClock));
    let tls = client_config(who, world.roots(), clock, Protocol::Control, &org(to)).expect("a configuration");
    LedgerClient::secure(world.control(to), tls)
}

/// Waits until a validator refuses the certificate of an organisation's node.
async fn refuses(world: &World, who: usize, at: usize) {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = visitor(world, who, at).status().await;
        if answer.as_ref().is_err_and(|fault| fault.code == Code::CertificateInvalid) {
            return;
        }
        assert!(Instant::now() < end, "{at} answers {answer:?}");
        sleep(ms(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_key_and_its_certificate_end_at_their_height_and_what_was_signed_before_stands() {
    let world = World::quiet(BFT, &FOUNDERS).await;
    let guest = key(GUEST, NODE_NAME);
    for at in FOUNDERS {
        assert!(visitor(&world, GUEST, at).status().await.is_ok(), "before");
    }
    let before = world.sign(&guest, note());
    let written = world.submit(&before).await;
    assert_eq!(written.refusal, None);

    let stream = async {
        let mut seen: Vec<(Height, Option<String>)> = Vec::new();
        loop {
            match world.chain(0).submit(world.sign(&guest, note())).await {
                Ok(executed) => seen.push((executed.height, executed.refusal)),
                // From its height on nothing of the key's is even admitted.
                Err(ChainFault::Inadmissible(why)) => {
                    assert_eq!(why, "its sender's key was revoked");
                    seen.push((world.chain(0).height(), Some("the key of a4/node was revoked".into())));
                    return seen;
                }
                // On a slow machine it may take longer than a submission may: nothing is told of this one.
                Err(ChainFault::NoQuorum(_)) => {}
                Err(fault) => panic!("{fault}"),
            }
        }
    };
    let end = async {
        world.advance(3).await;
        revoke(&world, GUEST, Some(guest.public())).await
    };
    let (seen, from) = tokio::join!(stream, end);
    for (height, refusal) in &seen {
        let wanted = (*height >= from).then_some("the key of a4/node was revoked");
        assert_eq!(refusal.as_deref(), wanted, "height {height}, revoked from {from}");
    }
    assert!(seen.iter().any(|(_, refusal)| refusal.is_none()));
    for at in FOUNDERS {
        refuses(&world, GUEST, at).await;
    }

    let subject = Entry::from_wire(&before.payload).expect("an entry").subject;
    let parts = world.chain(0).evidence(&subject).await.expect("evidence");
    let [record] = parts.records.as_slice() else { panic!("one record") };
    assert_eq!(record.transaction, before);
    assert_eq!(record.transaction.verify(&world.genesis.digest()), Ok(before.digest()));
    assert_eq!(parts.certificate.verify(&parts.header, &world.genesis.epoch), Ok(()));
    let wire = record.record.to_wire();
    assert_eq!(record.proof.verify(&parts.header.state_root, &record_key(&subject, 0), Some(&wire)), Ok(()));
    world.settle(&[(before.digest(), written.height)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_validator_whose_certificate_was_revoked_is_cut_off_until_it_has_another() {
    let mut world = World::quiet(BFT, &FOUNDERS).await;
    world.advance(3).await;
    revoke(&world, 3, None).await;
    // Once it takes effect at the others; its own node may never come to that height.
    for at in [0, 1, 2] {
        refuses(&world, 3, at).await;
    }
    world.kill(3).await;
    world.revive(3).await;
    let at = world.chain(3).height();
    world.advance(5).await;
    sleep(ms(count(400, 700) as u64)).await;
    assert_eq!(world.chain(3).height(), at, "nobody speaks to it");
    assert!(world.top() >= at + 5);

    world.kill(3).await;
    world.reissue(3, key(3, NODE_NAME));
    world.revive(3).await;
    world.settle(&[]).await;
    world.signs(3).await;
}
