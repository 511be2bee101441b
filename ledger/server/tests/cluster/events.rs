//! What happens is told to any number of subscribers, from any cursor, once and in order, also across a node's restart.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base_wire::Decode;
use futures::{FutureExt, StreamExt};
use ledger_chain::Executed;
use ledger_light::{BFT, Transaction};
use ledger_rpc::{Happening, LedgerClient, LedgerHandler, Subscription};
use ledger_server::Clients;
use ledger_vm::{Address, Command, Machine};
use tokio::time::sleep;

use crate::{
    links::Target,
    load::Load,
    world::{FOUNDERS, GUEST, World, key, ms, until},
};

const SUBSCRIBERS: usize = 20;
const GAS: u64 = 200_000;
/// Code that makes a contract which announces an event without topics or data at every call: it stores the contract's
/// code (`PUSH1 0, PUSH1 0, LOG0, STOP`) as a word and returns the last six bytes of that.
const BELL: [u8; 15] = [0x65, 0x60, 0x00, 0x60, 0x00, 0xa0, 0x00, 0x60, 0x00, 0x52, 0x60, 0x06, 0x60, 0x1a, 0xf3];

async fn bell(world: &World) -> Address {
    let deploy = Command::Deploy { machine: Machine::Evm, code: BELL.to_vec(), input: vec![], gas: GAS };
    let executed = world.submit(&world.sign(&key(GUEST, "dev"), deploy.to_payload())).await;
    assert_eq!(executed.refusal, None);
    executed.contract.expect("a contract")
}

fn ring(world: &World, bell: Address) -> Transaction {
    let call = Command::Call { to: bell, input: vec![], gas: GAS };
    world.sign(&key(GUEST, "dev"), call.to_payload())
}

/// Rings, and hears that the bell and nothing else announced it.
async fn rung(world: &World, bell: Address) {
    let executed = world.submit(&ring(world, bell)).await;
    assert_eq!(executed.refusal, None);
    assert!(executed.events.len() == 1 && executed.events[0].contract == bell, "{executed:?}");
}

/// Subscribes again at its cursor whenever the stream ends, until it hears of the last transaction; counts itself among
/// those that have `begun`.
async fn follow(
    door: Target,
    contract: Option<[u8; 20]>,
    last: Transaction,
    begun: Arc<AtomicUsize>,
) -> (Vec<Happening>, usize) {
    let (mut heard, mut subscriptions): (Vec<Happening>, usize) = (Vec::new(), 0);
    let last = last.digest();
    loop {
        let address = door.borrow().clone();
        let client = address.map(|address| LedgerClient::plain(&address).expect("an address"));
        let after = heard.last().map_or((0, 0), |happening| happening.cursor);
        let stream = match &client {
            Some(client) => client.events(Subscription { after, follow: true, contract }).await.ok(),
            None => None,
        };
        if let Some(mut stream) = stream {
            subscriptions += 1;
            if subscriptions == 1 {
                begun.fetch_add(1, Ordering::SeqCst);
            }
            while let Some(Ok(happening)) = stream.next().await {
                let ended = happening.transaction == last;
                heard.push(happening);
                if ended {
                    return (heard, subscriptions);
                }
            }
        }
        sleep(ms(20)).await;
    }
}

/// What one node tells who does not wait for more, up to the last transaction.
async fn told(world: &World, at: usize, contract: Option<[u8; 20]>, last: &Transaction) -> Vec<Happening> {
    let subscription = Subscription { after: (0, 0), follow: false, contract };
    let all: Vec<_> = world.client(at).events(subscription).await.expect("a stream").collect().await;
    let all: Vec<Happening> = all.into_iter().map(|happening| happening.expect("a happening")).collect();
    let end = all.iter().position(|happening| happening.transaction == last.digest()).expect("the last one");
    all[..=end].to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_subscribers_go_on_at_their_cursors_after_a_restart_without_gap_or_double() {
    let mut world = World::begin(BFT, &FOUNDERS).await;
    let bell = bell(&world).await;
    let last = ring(&world, bell);
    let load = Load::start(&world, 4);
    let filter = |number: usize| (number % 2 == 0).then_some(bell.0);
    let begun = Arc::<AtomicUsize>::default();
    let subscriber = |number| tokio::spawn(follow(world.door(3), filter(number), last.clone(), begun.clone()));
    let subscribers: Vec<_> = (0..SUBSCRIBERS).map(subscriber).collect();
    for _ in 0..3 {
        rung(&world, bell).await;
    }
    until("all have subscribed", || begun.load(Ordering::SeqCst) == SUBSCRIBERS).await;
    world.kill(3).await;
    rung(&world, bell).await;
    world.grown(2).await;
    world.revive(3).await;
    rung(&world, bell).await;
    let done = load.stop().await;
    assert_eq!(world.submit(&last).await.refusal, None);
    world.settle(&done).await;

    let (everything, rings) = (told(&world, 0, None, &last).await, told(&world, 1, Some(bell.0), &last).await);
    assert_eq!(rings.len(), 6);
    assert!(everything.len() >= rings.len() + 1 + done.len(), "notes and the deployment too");
    assert!(everything.is_sorted_by(|a, b| a.cursor < b.cursor));
    let announced = |happening: &Happening| {
        let executed = Executed::from_wire(&happening.outcome).expect("an outcome");
        executed.events.iter().any(|event| event.contract == bell)
    };
    let by_hand: Vec<Happening> = everything.iter().filter(|happening| announced(happening)).cloned().collect();
    assert_eq!(rings, by_hand);
    for (number, subscriber) in subscribers.into_iter().enumerate() {
        let (heard, subscriptions) = subscriber.await.expect("a subscriber");
        assert_eq!(heard, if filter(number).is_some() { rings.clone() } else { everything.clone() }, "{number}");
        assert!(subscriptions >= 2, "its stream ended with the node");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_past_is_not_read_for_a_subscriber_on_a_thread_that_the_chain_needs() {
    let world = World::quiet(BFT, &FOUNDERS).await;
    let bell = bell(&world).await;
    rung(&world, bell).await;
    let everything = || Subscription { after: (0, 0), follow: false, contract: Some(bell.0) };
    let clients = Clients(world.chain(0).clone());
    // Another thread may be done before one looks, but not every time.
    let waits = |_| clients.events(everything()).next().now_or_never().is_none();
    assert!((0..200).any(waits), "one look begins the reading, and another thread does it");
    let mut told = clients.events(everything());
    let first = told.next().await.expect("a happening").expect("read");
    assert!(first.cursor.0 > 0);
    assert!(told.next().await.is_none(), "the bell has rung once");
}
