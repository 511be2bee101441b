//! A holder that lies at the very end, when the answer's last component goes to its receiver.

use base_types::fault::Code;

use crate::{
    cheat::{Move, once},
    common::org,
    stage::{Case, LONG, Stage},
    verdict::victims,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_a_false_component_is_refused_not_kept() {
    let stage = Stage::set().await;
    let victim = stage.plan.request.receiver.clone();
    for cheat in ["civil", "health"].map(org) {
        let at = stage.frames(&cheat, &victim) - 1;
        let lie = |mut frame: Vec<u8>| {
            if let Some(byte) = frame.last_mut() {
                *byte ^= 1;
            }
            Move::Send(vec![frame])
        };
        let case = Case { cheat, victim: victim.clone(), at, last: true };
        let ended = stage.play(&case, LONG, once(at, lie)).await;
        let fault = victims(&case, &ended);
        // One of the two holders lies; the receiver cannot know which.
        assert_eq!(fault.code, Code::PeerMisbehaved, "{fault}");
    }
}
