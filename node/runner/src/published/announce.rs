//! Which table a run uses: the owner names its digest, as soon as it is made, and the receiver says whether it has it.

use std::time::Duration;

use mpc_core::{Abort, Context};
use tokio::{task::JoinHandle, time::sleep};

/// Every message of the owner's: a state, and the digest when the table is ready.
const MESSAGE_BYTES: usize = 33;
const WORKING: u8 = 0;
const READY: u8 = 1;
/// The receiver's one byte.
const NEEDED: u8 = 0;
const HELD: u8 = 1;

/// How often the owner says that it is still making the table, so that nobody takes it for silent; and how often at most: for an
/// hour, since the largest table takes a quarter of one on a single core, and an owner that is slow must not be blamed.
const BEAT: Duration = Duration::from_millis(500);
const MAX_BEATS: usize = 2 * 3600;

/// The fork of both sides.
pub(super) fn open(context: &mut Context) -> Context {
    let mut fork = context.fork("published");
    fork.enter("announce");
    fork
}

fn message(state: u8, digest: &[u8; 32]) -> Vec<u8> {
    let mut message = vec![state];
    message.extend(digest);
    message
}

/// The owner's side, while a table is being made.
pub(super) async fn while_working<T>(fork: &mut Context, client: usize, mut making: JoinHandle<T>) -> Result<T, Abort> {
    loop {
        tokio::select! {
            made = &mut making => return made.map_err(|why| fork.name(Abort::local(why.to_string()))),
            () = sleep(BEAT) => {
                fork.round(vec![(client, message(WORKING, &[0; 32]))], &[]).await?;
            }
        }
    }
}

/// The owner's side, when the table is there: whether the receiver has it.
pub(super) async fn tell(fork: &mut Context, client: usize, digest: &[u8; 32]) -> Result<bool, Abort> {
    fork.round(vec![(client, message(READY, digest))], &[]).await?;
    let reply = fork.round(vec![], &[(client, 1)]).await?.pop().unwrap_or_default();
    match reply.as_slice() {
        [NEEDED] => Ok(false),
        [HELD] => Ok(true),
        _ => Err(fork.name(Abort::peer(client, "neither that it has the table nor that it needs it"))),
    }
}

/// The receiver's side: the digest of the table.
pub(super) async fn hear(fork: &mut Context, owner: usize) -> Result<[u8; 32], Abort> {
    for _ in 0..=MAX_BEATS {
        let message = fork.round(vec![], &[(owner, MESSAGE_BYTES)]).await?.pop().unwrap_or_default();
        match message.split_first() {
            Some((&WORKING, rest)) if rest.iter().all(|byte| *byte == 0) => {}
            Some((&READY, digest)) => {
                let digest: Result<[u8; 32], _> = digest.try_into();
                return digest.map_err(|_| fork.name(Abort::peer(owner, "a digest of another length")));
            }
            _ => break,
        }
    }
    Err(fork.name(Abort::peer(owner, "neither a table nor that it is being made")))
}

/// The receiver's answer.
pub(super) async fn reply(fork: &mut Context, owner: usize, held: bool) -> Result<(), Abort> {
    fork.round(vec![(owner, vec![if held { HELD } else { NEEDED }])], &[]).await.map(|_| ())
}
