//! A client with the genesis digest and `ledger-light` alone checks what any node answers, across a change of epoch.

use base_gm::sm3::sm3;
use base_types::{Digest, Height};
use base_wire::{Decode, Encode};
use ledger_light::{BFT, Certificate, Genesis, Handover, Header, RAFT, epoch_at, state::StateProof};
use ledger_rpc::StateAt;
use ledger_vm::{
    govern::now_epoch_key,
    notary::{Entry, count_key},
};

use crate::{
    count,
    world::{FOUNDERS, GUEST, World, key, note, until},
};

/// What a node says of a state and its value.
type Told = (Header, (Certificate, (Option<Vec<u8>>, StateProof)));

/// Whether a header is certified by the validators to which the genesis leads.
fn certified(pinned: &Digest, epochs: &[u8], header: &Header, certificate: &Certificate) -> Result<(), String> {
    let (genesis, handovers) = <(Genesis, Vec<Handover>)>::from_wire(epochs).map_err(|e| e.to_string())?;
    if genesis.digest() != *pinned || header.chain != *pinned {
        return Err("another chain".into());
    }
    let epoch = epoch_at(&genesis, &handovers, header.height).map_err(|e| e.to_string())?;
    certificate.verify(header, &epoch).map_err(|e| e.to_string())
}

/// The value under a key in the state after a height, if the answer proves it.
fn proven(pinned: &Digest, epochs: &[u8], at: Height, key: &[u8], told: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let (header, (certificate, (value, proof))) = Told::from_wire(told).map_err(|e| e.to_string())?;
    certified(pinned, epochs, &header, &certificate)?;
    if header.height != at + 1 {
        return Err("a state of another height".into());
    }
    proof.verify(&header.state_root, key, value.as_deref()).map_err(|e| e.to_string())?;
    Ok(value)
}

/// No answer with one byte changed passes for anything.
fn no_changed_byte_passes(bytes: &[u8], step: usize, judge: impl Fn(&[u8]) -> bool) {
    for at in (0..bytes.len()).step_by(step) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 0x04;
        assert!(!judge(&changed), "byte {at} of {}", bytes.len());
    }
}

/// Writes a note and waits until a header covers it on all nodes; answers with its subject and its height.
async fn noted(world: &World) -> (Digest, Height) {
    let transaction = world.sign(&key(GUEST, "c1"), note());
    let height = world.submit(&transaction).await.height;
    until("a header covers it", || world.running().all(|(_, chain)| chain.height() > height)).await;
    (Entry::from_wire(&transaction.payload).expect("an entry").subject, height)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_and_absences_verify_across_epochs_and_a_wrong_node_is_found_out() {
    let world = World::quiet(BFT, &FOUNDERS).await;
    let pinned = world.genesis.digest();
    let (first, low) = noted(&world).await;
    world.pass(world.change(RAFT, &FOUNDERS)).await;
    world.begun(1).await;
    let (second, high) = noted(&world).await;

    let client = world.client(2);
    let epochs = client.epochs().await.expect("epochs");
    let one = Some(1u32.to_wire());
    let cases = [
        (low, count_key(&first), one.clone()),
        (low, count_key(&second), None),
        (high, count_key(&first), one.clone()),
        (high, count_key(&second), one),
        (high, b"nothing".to_vec(), None),
    ];
    for (height, key, wanted) in &cases {
        let told = client.value(StateAt::Height(*height), key.clone(), true).await.expect("a value");
        assert_eq!(proven(&pinned, &epochs, *height, key, &told).as_ref(), Ok(wanted));
        let root = world.chain(1).state_root(*height).expect("a root");
        let same = client.value(StateAt::Root(root), key.clone(), true).await.expect("a value");
        assert_eq!(proven(&pinned, &epochs, *height, key, &same).as_ref(), Ok(wanted), "by its root");
        assert!(proven(&sm3(b"another"), &epochs, *height, key, &told).is_err());
        assert!(proven(&pinned, &epochs, height + 1, key, &told).is_err(), "an older state is not taken for a newer");
        no_changed_byte_passes(&told, count(11, 3), |told| proven(&pinned, &epochs, *height, key, told).is_ok());
    }

    let told = client.value(StateAt::Height(high), now_epoch_key(), true).await.expect("a value");
    let epoch = proven(&pinned, &epochs, high, &now_epoch_key(), &told).expect("proven").expect("an epoch");
    assert_eq!(epoch, world.chain(0).epoch().expect("an epoch").to_wire());
    no_changed_byte_passes(&epochs, count(17, 5), |epochs| {
        proven(&pinned, epochs, high, &now_epoch_key(), &told).is_ok()
    });
    let (genesis, handovers) = <(Genesis, Vec<Handover>)>::from_wire(&epochs).expect("epochs");
    assert_eq!(handovers.iter().map(|handover| handover.epoch.engine).collect::<Vec<_>>(), [RAFT]);
    let withheld = (genesis, Vec::<Handover>::new()).to_wire();
    assert!(proven(&pinned, &withheld, high, &now_epoch_key(), &told).is_err(), "a handover is held back");

    for height in 1..=high {
        let bytes = client.header(height).await.expect("a node").expect("a header");
        let (header, (certificate, _)) = <(Header, (Certificate, u32))>::from_wire(&bytes).expect("a header");
        assert_eq!(certified(&pinned, &epochs, &header, &certificate), Ok(()), "height {height}");
    }
}
