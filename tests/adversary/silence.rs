//! A party that hangs: its links stay open and nothing comes any more.

use std::time::Duration;

use base_types::fault::Code;

use crate::{
    cheat::{Move, once},
    stage::{Stage, everywhere},
    verdict::victims,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_hangs_is_named_once_its_time_is_up() {
    let stage = Stage::set().await;
    // Nine runs go side by side: on a slow machine an honest party may let another wait for a second.
    let silence = Duration::from_secs(3);
    everywhere(
        &stage,
        silence,
        |case| once(case.at, |_| Move::Hang),
        |case, ended| {
            let fault = victims(case, ended);
            assert_eq!((fault.code, fault.party.as_ref()), (Code::PeerSilent, Some(&case.cheat)), "{case:?}: {fault}");
        },
    )
    .await;
}
