//! Sets in buckets: an attempt that goes on behind what both parties have finished, and labels that go with the matches.

use mpc_core::Context;
use mpc_core::sweep::{Kinds, Run, Verdict};
use mpc_psi::Mode;
use mpc_psi::partitioned::labelled::{self, Sealed};
use mpc_psi::partitioned::{self, Plan};
use mpc_psi::two::{Outputs, Parameters};

use crate::common::{Stored, spilled};
use crate::{COUNT, LABEL, compare, label, set_of, shared, swept};

/// How many buckets, from the first, both have finished.
const FINISHED: usize = 1;
/// Bytes of what is stored of an element; the row stands last.
const RECORD: usize = 24;

fn plan(outputs: Outputs, buckets: usize) -> Plan {
    let (sender_elements, receiver_elements, mode) = (COUNT, COUNT, Mode::Fast);
    let two = Parameters { sender: 0, receiver: 1, sender_elements, receiver_elements, outputs, mode };
    Plan::new([4; 32], two, COUNT / buckets).expect("a plan")
}

/// The rows of the buckets that are finished.
fn rows_before(stored: &Stored) -> Vec<u64> {
    let run: Vec<u8> = stored.runs.range(..FINISHED).flat_map(|(_, run)| run.iter().copied()).collect();
    let row = |record: &[u8; RECORD]| record.last_chunk().map(|row| u64::from_be_bytes(*row));
    run.as_chunks::<RECORD>().0.iter().filter_map(row).collect()
}

/// Two of three buckets are left, and both parties learn their rows.
fn resumed(me: usize, mut ctx: Context) -> Run<Verdict> {
    Box::pin(async move {
        let plan = plan(Outputs::Both, 3);
        let mut stored = spilled(&plan, &set_of(me));
        let before = rows_before(&stored);
        let mut got: Vec<u64> = Vec::new();
        let deliver = |_: usize, rows: Option<Vec<u64>>| -> Result<(), String> {
            got.extend(rows.ok_or("a party without rows")?);
            Ok(())
        };
        partitioned::run(&mut ctx, &plan, FINISHED, &mut stored, deliver).await?;
        got.sort_unstable();
        let due = shared(me).into_iter().map(|row| row as u64).filter(|row| !before.contains(row));
        Ok(compare(&got, &due.collect::<Vec<_>>()))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_of_which_one_is_finished() {
    let tally = swept(2, resumed, Kinds::All, &[0, 1], 200).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

/// What goes with the rows of an element.
fn attach(rows: &[u64], out: &mut Vec<u8>) -> Result<(), String> {
    out.extend(rows.iter().flat_map(|row| label(*row as usize)));
    Ok(())
}

/// The receiver learns its matches bucket by bucket, and at the end what goes with them. What is sealed wrongly it leaves out.
fn labels(me: usize, mut ctx: Context) -> Run<Verdict> {
    Box::pin(async move {
        let plan = plan(Outputs::Receiver, 2);
        let mut stored = spilled(&plan, &set_of(me));
        if me == 0 {
            labelled::send(&mut ctx, &plan, 0, LABEL, &mut stored, attach, |_| ()).await?;
            return Ok(Verdict::Right);
        }
        let mut held: Vec<Sealed> = Vec::new();
        let keep = |_: usize, found: Vec<Sealed>| held.extend(found);
        labelled::receive(&mut ctx, &plan, 0, LABEL, &mut stored, keep).await?;
        let opened = |sealed: &Sealed| sealed.open().map(|label| (sealed.rows().to_vec(), label.to_vec()));
        let mut got: Vec<(Vec<u64>, Vec<u8>)> = held.iter().filter_map(opened).collect();
        got.sort_unstable();
        let due = shared(1).into_iter().map(|own| (vec![own as u64], label(own + 8).to_vec()));
        Ok(compare(&got, &due.collect::<Vec<_>>()))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_in_buckets() {
    let tally = swept(2, labels, Kinds::All, &[0, 1], 200).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
