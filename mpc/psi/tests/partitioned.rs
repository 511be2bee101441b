//! Intersection bucket by bucket: the same rows as at once, from storage, over attempts that resume.

mod common;

use std::collections::BTreeMap;

use common::{HONEST, Stored, is_blamed, noise, pair, spilled};
use mpc_block::Block;
use mpc_core::{Abort, Blame, Context, memory};
use mpc_psi::Mode;
use mpc_psi::partitioned::{self, Plan, Spill, Writer, labelled};
use mpc_psi::two::{Outputs, Parameters};

fn plan(sizes: [usize; 2], bucket: usize, outputs: Outputs) -> Plan {
    let [sender_elements, receiver_elements] = sizes;
    let mode = Mode::Fast;
    let two = Parameters { sender: 0, receiver: 1, sender_elements, receiver_elements, outputs, mode };
    Plan::new([4; 32], two, bucket).unwrap()
}

/// What a party has at the end of an attempt: the outcome, what was delivered, how often its storage was read.
type Attempt = (Result<(), Abort>, BTreeMap<usize, Option<Vec<u64>>>, usize);

async fn attempt(mut ctx: Context, plan: Plan, finished: usize, mut stored: Stored, fail_at: usize) -> Attempt {
    let mut delivered = BTreeMap::new();
    let deliver = |bucket: usize, rows: Option<Vec<u64>>| {
        if delivered.len() == fail_at {
            return Err("killed".into());
        }
        delivered.insert(bucket, rows);
        Ok(())
    };
    let outcome = partitioned::run(&mut ctx, &plan, finished, &mut stored, deliver).await;
    (outcome, delivered, stored.loads)
}

fn all_rows(delivered: &BTreeMap<usize, Option<Vec<u64>>>) -> Vec<u64> {
    let mut rows: Vec<u64> = delivered.values().flatten().flatten().copied().collect();
    rows.sort_unstable();
    rows
}

/// Rows of two parties with elements in common, some of them several times.
fn rows() -> ([Vec<Block>; 2], [Vec<u64>; 2]) {
    let (common, left, right) = (noise(1, 400), noise(2, 500), noise(3, 700));
    let left = [&left[..], &common, &common[..50]].concat();
    let right = [&common[..], &right, &common[390..], &common[399..]].concat();
    let at_left = (500..950).collect();
    let at_right = (0..400).chain(1100..1111).collect();
    ([left, right], [at_left, at_right])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_together_give_the_rows_of_the_whole() {
    let ([left, right], [at_left, at_right]) = rows();
    for (bucket, buckets) in [(2000, 1), (400, 3)] {
        let plan = plan([left.len(), right.len()], bucket, Outputs::Both);
        assert_eq!(plan.buckets(), buckets);
        let (mine, theirs) = (spilled(&plan, &left), spilled(&plan, &right));
        let zero = |ctx| attempt(ctx, plan, 0, mine, usize::MAX);
        let one = |ctx| attempt(ctx, plan, 0, theirs, usize::MAX);
        let (sent, received, lengths) = pair(HONEST, zero, one).await;
        assert_eq!((&sent.0, &received.0), (&Ok(()), &Ok(())));
        assert_eq!((all_rows(&sent.1), all_rows(&received.1)), (at_left.clone(), at_right.clone()));
        assert!(!lengths[0].is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_have_the_same_lengths_whatever_the_elements_are() {
    let plan = plan([300, 300], 100, Outputs::Receiver);
    let mut seen = Vec::new();
    for seed in [10, 20] {
        // The second time all rows have one element, so that buckets are empty.
        let rows = if seed == 10 { noise(seed, 300) } else { vec![Block::ONE; 300] };
        let (mine, theirs) = (spilled(&plan, &rows), spilled(&plan, &noise(30, 300)));
        let zero = |ctx| attempt(ctx, plan, 0, mine, usize::MAX);
        let one = |ctx| attempt(ctx, plan, 0, theirs, usize::MAX);
        let (sent, received, lengths) = pair(HONEST, zero, one).await;
        assert!(sent.0.is_ok() && received.0.is_ok());
        assert!(sent.1.values().all(Option::is_none) && all_rows(&received.1).is_empty());
        seen.push(lengths);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_was_cut_off_is_resumed_with_what_is_missing() {
    let ([left, right], [_, at_right]) = rows();
    let plan = plan([left.len(), right.len()], 400, Outputs::Receiver);
    let (mine, theirs) = (spilled(&plan, &left), spilled(&plan, &right));
    let (my_first, their_first) = (mine.clone(), theirs.clone());
    // The receiver dies when it is to deliver its second bucket, which it therefore does not confirm.
    let zero = |ctx| attempt(ctx, plan, 0, my_first, usize::MAX);
    let one = |ctx| attempt(ctx, plan, 0, their_first, 1);
    let (sent, received, _) = pair(HONEST, zero, one).await;
    assert!(is_blamed(&sent.0) && received.0.is_err_and(|abort| abort.blame == Blame::Local && abort.why == "killed"));
    let (at_sender, at_receiver) = (sent.1.len(), received.1.len());
    assert_eq!((at_sender, at_receiver), (1, 1));
    // Another session, as every attempt has.
    let mut contexts = memory::contexts(memory::network(2), [77; 32]).into_iter();
    let (zero, one) = (contexts.next().unwrap(), contexts.next().unwrap());
    let zero = tokio::spawn(attempt(zero, plan, at_sender, mine, usize::MAX));
    let one = tokio::spawn(attempt(one, plan, at_receiver, theirs, usize::MAX));
    let (sent, resumed) = (zero.await.unwrap(), one.await.unwrap());
    assert!(sent.0.is_ok() && resumed.0.is_ok());
    assert_eq!((sent.2, resumed.2), (2, 2));
    let mut delivered = received.1;
    delivered.extend(resumed.1);
    assert_eq!(all_rows(&delivered), at_right);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_both_have_finished_is_not_run_again() {
    let plan = plan([300, 300], 100, Outputs::Receiver);
    let zero = |ctx| attempt(ctx, plan, 3, Stored::default(), usize::MAX);
    let one = |ctx| attempt(ctx, plan, 3, Stored::default(), usize::MAX);
    let (sent, received, lengths) = pair(HONEST, zero, one).await;
    assert!(sent.0.is_ok() && received.0.is_ok() && received.1.is_empty() && received.2 == 0);
    assert_eq!(lengths.map(|frames| frames.len()), [1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_that_differ_and_sets_beyond_the_plan_end_the_run() {
    let mine = plan([300, 300], 100, Outputs::Receiver);
    let theirs = plan([300, 301], 101, Outputs::Receiver);
    let zero = |ctx| attempt(ctx, mine, 0, Stored::default(), usize::MAX);
    let one = |ctx| attempt(ctx, theirs, 0, Stored::default(), usize::MAX);
    let (sent, received, _) = pair(HONEST, zero, one).await;
    assert!(is_blamed(&sent.0) && is_blamed(&received.0));
    let many = spilled(&mine, &noise(1, 3000));
    let zero = |ctx| attempt(ctx, mine, 0, many, usize::MAX);
    let one = |ctx| attempt(ctx, mine, 0, Stored::default(), usize::MAX);
    let (sent, received, _) = pair(HONEST, zero, one).await;
    assert!(sent.0.is_err_and(|abort| abort.blame == Blame::Local && abort.why.contains("than planned")));
    assert!(is_blamed(&received.0));
    // A torn record.
    let mut torn = spilled(&mine, &noise(1, 200));
    torn.runs.values_mut().for_each(|run| run.truncate(run.len() - 1));
    let zero = |ctx| attempt(ctx, mine, 0, torn, usize::MAX);
    let one = |ctx| attempt(ctx, mine, 0, Stored::default(), usize::MAX);
    assert!(pair(HONEST, zero, one).await.0.0.is_err_and(|abort| abort.blame == Blame::Local));
}

#[test]
fn plans_have_bounds_and_full_storage_is_told() {
    let mode = Mode::Fast;
    let outputs = Outputs::Both;
    let two = |elements| Parameters {
        sender: 0,
        receiver: 1,
        sender_elements: elements,
        receiver_elements: 5,
        outputs,
        mode,
    };
    assert!(Plan::new([0; 32], two(1 << 24), 1 << 20).is_some_and(|plan| plan.buckets() == 16));
    assert!(Plan::new([0; 32], two(1 << 24), 0).is_none());
    assert!(Plan::new([0; 32], two(1 << 24), 1 << 10).is_none());
    assert!(Plan::new([0; 32], two(1 << 28), 1 << 28).is_none());
    assert!(Plan::new([0; 32], two(0), 10).is_some_and(|plan| plan.bucket().sender_elements == 0));
    let plan = Plan::new([0; 32], two(100), 100).unwrap();
    let mut full = Stored { full: true, ..Stored::default() };
    let mut writer = Writer::new(&plan, &mut full);
    writer.push(Block::ONE, 0).unwrap();
    assert_eq!(writer.finish(), Err("no space left".into()));
}

/// What a sender attaches to an element: how many of its rows have it, and the first of them.
fn labels(rows: &[u64], out: &mut Vec<u8>) -> Result<(), String> {
    out.push(rows.len() as u8);
    out.extend_from_slice(&rows[0].to_be_bytes());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_come_with_their_matches_bucket_by_bucket_and_lengths_tell_nothing() {
    let ([left, right], _) = rows();
    let plan = plan([left.len(), right.len()], 400, Outputs::Receiver);
    let mut seen = Vec::new();
    for matching in [true, false] {
        let (mut mine, theirs) = (spilled(&plan, &left), if matching { right.clone() } else { noise(9, right.len()) });
        let mut theirs = spilled(&plan, &theirs);
        let zero =
            |mut ctx: Context| async move { labelled::send(&mut ctx, &plan, 0, 9, &mut mine, labels, |_| ()).await };
        let one = |mut ctx: Context| async move {
            let mut held = Vec::new();
            let keep = |_: usize, found: Vec<labelled::Sealed>| held.extend(found);
            let outcome = labelled::receive(&mut ctx, &plan, 0, 9, &mut theirs, keep).await;
            let opened = held.iter().map(|sealed| (sealed.rows().to_vec(), sealed.open().map(|label| label.to_vec())));
            (outcome, opened.collect::<BTreeMap<_, _>>())
        };
        let (sent, (received, got), lengths) = pair(HONEST, zero, one).await;
        assert_eq!((sent, received), (Ok(()), Ok(())));
        seen.push(lengths);
        if !matching {
            assert!(got.is_empty());
            continue;
        }
        // The first 50 common elements stand twice at the sender; the last ten and, once more, the last at the receiver.
        assert_eq!(got.len(), 400);
        for (rows, label) in got {
            let mut due = vec![if rows[0] < 50 { 2 } else { 1 }];
            due.extend_from_slice(&(500 + rows[0]).to_be_bytes());
            assert_eq!(label, Some(due), "{rows:?}");
            let copies = 1 + usize::from(rows[0] >= 390) + usize::from(rows[0] == 399);
            assert_eq!(rows.len(), copies);
        }
    }
    assert_eq!(seen[0], seen[1]);
}

/// A sender's outcome over one element, when the other side says what has been finished and no more.
async fn sends<L>(payload: usize, label: L) -> Abort
where
    L: FnMut(&[u64], &mut Vec<u8>) -> Result<(), String> + Send + 'static,
{
    let plan = plan([300, 300], 300, Outputs::Receiver);
    let mut mine = spilled(&plan, &noise(1, 1));
    let zero =
        |mut ctx: Context| async move { labelled::send(&mut ctx, &plan, 0, payload, &mut mine, label, |_| ()).await };
    let one = |mut ctx: Context| async move {
        labelled::receive(&mut ctx, &plan, 0, payload, &mut Stored::default(), |_, _| ()).await
    };
    pair(HONEST, zero, one).await.0.expect_err("no labels")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_are_none_end_the_run_at_their_sender() {
    let short = sends(9, |_, _| Ok(())).await;
    assert!(short.blame == Blame::Local && short.why.contains("another length"), "{short:?}");
    let refused = sends(9, |_, _| Err("secret".to_owned())).await;
    assert!(refused.blame == Blame::Local && refused.why == "secret", "{refused:?}");
    assert_eq!(sends(0, labels).await.blame, Blame::Local);
    let plan = plan([300, 300], 300, Outputs::Receiver);
    let mut ctx = memory::contexts(memory::network(2), [5; 32]).swap_remove(0);
    let outcome = labelled::receive(&mut ctx, &plan, 0, 9, &mut spilled(&plan, &noise(1, 1)), |_, _| ()).await;
    assert!(outcome.is_err_and(|abort| abort.blame == Blame::Local && abort.why.contains("not the receiver")));
}

/// What a receiver has of each bucket: its rows and what came with them.
type Got = BTreeMap<usize, Vec<(Vec<u64>, Vec<u8>)>>;

/// The sender's part with labels, from storage that fails at its load of that number: the buckets that it has finished.
async fn send_until(
    mut ctx: Context,
    plan: Plan,
    finished: usize,
    mut mine: Failing,
) -> (Result<(), Abort>, Vec<usize>) {
    let mut done = Vec::new();
    let outcome = labelled::send(&mut ctx, &plan, finished, 9, &mut mine, labels, |bucket| done.push(bucket)).await;
    (outcome, done)
}

async fn receive_until(mut ctx: Context, plan: Plan, finished: usize, mut theirs: Failing) -> (Result<(), Abort>, Got) {
    let mut got = BTreeMap::new();
    let keep = |bucket: usize, found: Vec<labelled::Sealed>| {
        got.insert(bucket, found);
    };
    let outcome = labelled::receive(&mut ctx, &plan, finished, 9, &mut theirs, keep).await;
    let open = |sealed: labelled::Sealed| (sealed.rows().to_vec(), sealed.open().expect("sealed well").to_vec());
    let got = got.into_iter().map(|(bucket, found)| (bucket, found.into_iter().map(open).collect()));
    (outcome, got.collect())
}

/// Storage that fails when it is read so many times.
struct Failing(Stored, usize);

impl Spill for Failing {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), String> {
        self.0.append(bucket, bytes)
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, String> {
        if self.0.loads == self.1 { Err("killed".into()) } else { self.0.load(bucket) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_were_cut_off_are_resumed_with_what_is_missing() {
    let ([left, right], _) = rows();
    let plan = plan([left.len(), right.len()], 400, Outputs::Receiver);
    let (mine, theirs) = (spilled(&plan, &left), spilled(&plan, &right));
    let (until, whole) = (Failing(mine.clone(), 1), Failing(theirs.clone(), usize::MAX));
    let zero = |ctx| send_until(ctx, plan, 0, until);
    let one = |ctx| receive_until(ctx, plan, 0, whole);
    let ((cut, done), (left_alone, mut got), first) = pair(HONEST, zero, one).await;
    assert!(cut.is_err_and(|abort| abort.blame == Blame::Local) && is_blamed(&left_alone));
    assert_eq!((done, got.len()), (vec![0], 1));
    let (mine, theirs) = (Failing(mine, usize::MAX), Failing(theirs, usize::MAX));
    let zero = |ctx| send_until(ctx, plan, 1, mine);
    let one = |ctx| receive_until(ctx, plan, 1, theirs);
    let ((sent, done), (received, more), second) = pair(HONEST, zero, one).await;
    assert_eq!((sent, received, done), (Ok(()), Ok(()), vec![1, 2]));
    assert_eq!(more.keys().copied().collect::<Vec<_>>(), [1, 2]);
    got.extend(more);
    assert_eq!(got.values().map(Vec::len).sum::<usize>(), 400);
    let labels: BTreeMap<_, _> = got.into_values().flatten().map(|(rows, label)| (rows[0], label)).collect();
    assert!(labels.iter().all(|(row, label)| label[1..] == (500 + row).to_be_bytes()));
    assert!(second[0].iter().sum::<usize>() > first[0].iter().sum::<usize>(), "two buckets after one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_whose_confirmation_was_lost_is_run_again_and_no_other_is() {
    let plan = plan([300, 300], 100, Outputs::Receiver);
    let stored = || spilled(&plan, &noise(30, 300));
    // How many buckets each says it has finished, and where the run goes on.
    for (at_sender, at_receiver, from) in [(1, 2, 1), (2, 2, 2), (2, 3, 2), (3, 3, 3)] {
        let (mine, theirs) = (stored(), stored());
        let zero = |ctx| attempt(ctx, plan, at_sender, mine, usize::MAX);
        let one = |ctx| attempt(ctx, plan, at_receiver, theirs, usize::MAX);
        let (sent, received, _) = pair(HONEST, zero, one).await;
        assert_eq!((sent.0, received.0), (Ok(()), Ok(())));
        assert_eq!((sent.1.len(), received.1.len(), sent.2), (3 - from, 3 - from, 3 - from), "{at_sender}");
    }
    // A receiver that wants again what it has confirmed; and one that has what was never sent.
    for (at_sender, at_receiver) in [(2, 1), (1, 0), (0, 2), (1, 3)] {
        let (mine, theirs) = (stored(), stored());
        let zero = |ctx| attempt(ctx, plan, at_sender, mine, usize::MAX);
        let one = |ctx| attempt(ctx, plan, at_receiver, theirs, usize::MAX);
        let (sent, received, _) = pair(HONEST, zero, one).await;
        assert!(sent.0.is_err_and(|abort| abort.blame == Blame::Peer(1)), "{at_sender} {at_receiver}");
        assert!(received.0.is_err_and(|abort| abort.blame == Blame::Peer(0)) && sent.2 == 0);
    }
    let zero = |ctx| attempt(ctx, plan, 4, stored(), usize::MAX);
    let one = |ctx| attempt(ctx, plan, 3, stored(), usize::MAX);
    assert!(pair(HONEST, zero, one).await.0.0.is_err_and(|abort| abort.blame == Blame::Local));
}

#[test]
fn a_party_sees_its_own_elements_before_a_run() {
    let plan = plan([950, 1111], 400, Outputs::Receiver);
    let ([left, _], _) = rows();
    let ctx = memory::contexts(memory::network(2), [5; 32]).swap_remove(0);
    let (mut stored, mut seen) = (spilled(&plan, &left), Vec::new());
    let keep = |rows: &[u64]| {
        seen.push(rows.to_vec());
        Ok(())
    };
    assert_eq!(partitioned::visit(&ctx, &plan, &mut stored, keep), Ok(()));
    assert_eq!((seen.len(), seen.iter().filter(|rows| rows.len() == 2).count(), stored.loads), (900, 50, 3));
    let outcome = partitioned::visit(&ctx, &plan, &mut stored, |_| Err("twice".into()));
    assert!(outcome.is_err_and(|abort| abort.blame == Blame::Local && abort.why == "twice"));
}
