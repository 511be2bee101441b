//! A release on its way from the owner to a client, table by table.

use mpc_core::{Abort, Context};

use super::cache::Level;
use super::owner::Published;
use super::release::{BadRelease, MAX_RELEASE_BYTES, Release};

/// Length of the number in front of the release.
const LENGTH_BYTES: usize = 8;

/// The fork of a transfer: both ends know the digest, as the plan pins it.
fn open(ctx: &mut Context, owner: usize, client: usize, digest: &[u8; 32]) -> Context {
    let roles = [(owner as u64).to_be_bytes(), (client as u64).to_be_bytes()].concat();
    let mut fork = ctx.fork_bound("psi/release", &[roles.as_slice(), digest].concat());
    fork.enter("transfer");
    fork.phase("fetch table");
    fork
}

/// The owner's side.
///
/// # Errors
/// [`Abort`] when the client is gone.
pub async fn send(ctx: &mut Context, client: usize, published: &Published) -> Result<(), Abort> {
    let me = ctx.me();
    let mut fork = open(ctx, me, client, &published.digest);
    let length = (published.release.len() as u64).to_be_bytes().to_vec();
    fork.round(vec![(client, length)], &[]).await?;
    fork.round(vec![(client, published.release.clone())], &[]).await?;
    for table in &published.tables {
        fork.round(vec![(client, table.clone())], &[]).await?;
    }
    Ok(())
}

/// The client's side: takes the release with the pinned digest, of at most `most` bytes of tables.
///
/// # Errors
/// [`Abort`] when the owner is gone, or sends anything but the pinned release and its tables.
pub async fn receive(ctx: &mut Context, owner: usize, pinned: &[u8; 32], most: usize) -> Result<Level, Abort> {
    let me = ctx.me();
    let mut fork = open(ctx, owner, me, pinned);
    let length = one(&mut fork, owner, LENGTH_BYTES).await?;
    let mut bytes = [0; LENGTH_BYTES];
    bytes.copy_from_slice(&length);
    let length = usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_RELEASE_BYTES {
        return Err(fork.name(Abort::peer(owner, "a release of an impossible length")));
    }
    let blame = |why: BadRelease| Abort::peer(owner, why.to_string());
    let encoded = one(&mut fork, owner, length).await?;
    let release = Release::parse(&encoded).map_err(|why| fork.name(blame(why)))?;
    let mut level = Level::new(release, pinned).map_err(|why| fork.name(blame(why)))?;
    if level.release().bytes() > most {
        return Err(fork.name(Abort::peer(owner, "a release larger than agreed")));
    }
    while let Some(due) = level.due() {
        let table = one(&mut fork, owner, due).await?;
        level.add(table).map_err(|why| fork.name(blame(why)))?;
    }
    Ok(level)
}

/// The next message, of exactly `due` bytes.
async fn one(fork: &mut Context, owner: usize, due: usize) -> Result<Vec<u8>, Abort> {
    Ok(fork.round(vec![], &[(owner, due)]).await?.pop().unwrap_or_default())
}
