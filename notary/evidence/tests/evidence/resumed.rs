//! The evidence of a run whose link broke: it tells of every connection, and is false where the two ends cannot both be right.

use base_types::Digest;
use base_wire::Encode;
use ledger_vm::notary::EntryKind as K;
use notary_terms::{Connection, Outcome, ReceiptBody, TransferBody};

use crate::{
    ledger::{Ledger, org},
    pairs::{PAIR, pair_streams, whole},
    story::{By, Step, job, place, tell_asking},
    verdict,
};

/// What one of the two saw of a run that was resumed twice: the health node heard less of what broke off.
fn resumed(me: &str) -> TransferBody {
    let mut body = pair_streams(me);
    let connection = |number| Connection { number, streams: body.streams.clone() };
    body.later = vec![connection(1), connection(2)];
    if me == "health" {
        cut(&mut body.streams);
        // It never knew that the first of the later connections was open.
        body.later.remove(0);
    } else {
        (body.later[0].streams[0].frames, body.later[0].streams[0].bytes) = (0, 0);
    }
    body
}

/// Takes the last frame from what another sent.
fn cut(streams: &mut [notary_terms::Stream]) {
    let heard = streams.iter_mut().find(|stream| stream.to == org("health")).expect("a stream");
    (heard.frames, heard.bytes, heard.digest) = (heard.frames - 1, heard.bytes - 9, Digest([9; 32]));
}

fn receipt(me: &str, resumed: u32) -> Vec<u8> {
    let transcript = base_gm::sm3::sm3(me.as_bytes());
    ReceiptBody { outcome: Outcome::Done, transcript, millis: 900, resumed }.to_wire()
}

/// The whole story, with the two nodes' accounts and how often each says that the run was resumed.
fn told(accounts: [TransferBody; 2], times: [u32; 2]) -> Vec<Step> {
    let mut steps = whole();
    for ((me, account), times) in PAIR.into_iter().zip(accounts).zip(times) {
        let node = format!("{me}/node");
        let (transferred, ended) = (place(&steps, &node, K::Transferred), place(&steps, &node, K::Receipt));
        steps[transferred].body = account.to_wire();
        steps[ended].body = receipt(me, times);
    }
    steps
}

#[test]
fn a_run_that_was_resumed_is_told_with_every_connection() {
    let mut ledger = Ledger::new();
    let steps = told(PAIR.map(resumed), [2, 2]);
    assert_eq!(tell_asking(&mut ledger, &job(1), &steps, By::Contract, PAIR.map(org).to_vec()), Ok(()));
    let report = verdict(&ledger, &job(1));
    assert!(report.valid, "{report:?}");
    let transfers = report.steps.iter().find(|step| step.name == "transfers").expect("a link");
    assert!(transfers.detail.contains("resumed over another connection, 2 of at most 3 times"), "{transfers:?}");
    let summary = report.summary.expect("a summary");
    // Two streams of the first connection, one of the second that one end alone knew, two of the last.
    assert_eq!((summary.outcome.as_str(), summary.bytes), ("done", 5 * 4096));
}

type Change = fn(&mut [TransferBody; 2], &mut [u32; 2]);

/// What is false: of the accounts of the health node and the statistics bureau, and of how often each says it was resumed.
const FALSE: &[(&str, Change)] = &[
    ("one says twice, the other once", |_, times| times[0] = 1),
    ("a connection beyond the receipt's count", |_, times| *times = [1, 1]),
    ("a connection that is missing", |accounts, _| accounts.iter_mut().for_each(|account| _ = account.later.pop())),
    ("the last one missing at one end", |accounts, _| _ = accounts[1].later.pop()),
    ("other bytes in the last one", |accounts, _| accounts[0].later[0].streams[0].digest = Digest([1; 32])),
    ("less heard in the last one", |accounts, _| cut(&mut accounts[0].later[0].streams)),
    ("more heard than was sent", |accounts, _| {
        accounts[0].streams.iter_mut().for_each(|stream| stream.frames = 13);
    }),
    ("as many frames of other bytes", |accounts, _| {
        accounts[0].streams.iter_mut().for_each(|stream| (stream.frames, stream.digest) = (12, Digest([1; 32])));
    }),
    ("something heard that nobody sent", |accounts, _| accounts[1].later[0].streams[0].frames = 1),
    ("a first connection untold", |accounts, _| accounts[0].streams.clear()),
];

#[test]
fn a_resumed_run_is_false_where_its_ends_cannot_both_be_right() {
    let mut ledger = Ledger::new();
    for (number, (what, change)) in (1..).zip(FALSE) {
        let (mut accounts, mut times) = (PAIR.map(resumed), [2, 2]);
        change(&mut accounts, &mut times);
        let steps = told(accounts, times);
        let told = tell_asking(&mut ledger, &job(number), &steps, By::Conspiracy, PAIR.map(org).to_vec());
        assert_eq!(told, Ok(()));
        let report = verdict(&ledger, &job(number));
        assert_eq!(report.first_broken.as_deref(), Some("transfers"), "{what}: {report:?}");
    }
}
