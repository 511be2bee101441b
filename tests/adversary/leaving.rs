//! A party that leaves in mid-protocol.

use base_types::fault::Code;

use crate::{
    cheat::{Move, once},
    stage::{LONG, Stage, everywhere},
    verdict::fault,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_leaves_is_gone_for_both_others() {
    let stage = Stage::set().await;
    everywhere(
        &stage,
        LONG,
        |case| once(case.at, |_| Move::Leave),
        |case, ended| {
            let faults: Vec<_> = ended.iter().filter(|party| party.result.is_err()).map(fault).collect();
            assert!(faults.iter().all(|fault| fault.code == Code::PeerGone), "{case:?}: {faults:?}");
            // The second may only have seen that the first gave up.
            assert!(faults.iter().any(|fault| fault.party.as_ref() == Some(&case.cheat)), "{case:?}: {faults:?}");
        },
    )
    .await;
}
