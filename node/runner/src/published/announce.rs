//! Which table a run uses: the owner names its digest, as soon as it is made, and the receiver says whether it has it.

use mpc_core::{Abort, Context};

use crate::beats;

/// Bytes of a table's digest.
pub(super) const DIGEST_BYTES: usize = 32;
/// The receiver's one byte.
const NEEDED: u8 = 0;
const HELD: u8 = 1;

/// The fork of both sides.
pub(super) fn open(context: &mut Context) -> Context {
    let mut fork = context.fork("published");
    fork.enter("announce");
    fork
}

/// The owner's side, when the table is there: whether the receiver has it.
pub(super) async fn tell(fork: &mut Context, client: usize, digest: &[u8; DIGEST_BYTES]) -> Result<bool, Abort> {
    beats::tell(fork, client, digest).await?;
    let reply = fork.round(vec![], &[(client, 1)]).await?.pop().unwrap_or_default();
    match reply.as_slice() {
        [NEEDED] => Ok(false),
        [HELD] => Ok(true),
        _ => Err(fork.name(Abort::peer(client, "neither that it has the table nor that it needs it"))),
    }
}

/// The receiver's side: the digest of the table.
pub(super) async fn hear(fork: &mut Context, owner: usize) -> Result<[u8; DIGEST_BYTES], Abort> {
    let digest = beats::hear(fork, owner, DIGEST_BYTES).await?;
    digest.try_into().map_err(|_| fork.name(Abort::peer(owner, "a digest of another length")))
}

/// The receiver's answer.
pub(super) async fn reply(fork: &mut Context, owner: usize, held: bool) -> Result<(), Abort> {
    fork.round(vec![(owner, vec![if held { HELD } else { NEEDED }])], &[]).await.map(|_| ())
}
