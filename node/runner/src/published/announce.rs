//! Which table a run uses: the owner names its digest, as soon as it is made, and the receiver says whether it has it.
//!
//! The owner says that word back. Otherwise one side could wait for a table and the other for questions until their patience ends, and
//! neither would know that they had understood each other differently.

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
    let held = match reply.as_slice() {
        [NEEDED] => false,
        [HELD] => true,
        _ => return Err(fork.name(Abort::peer(client, "neither that it has the table nor that it needs it"))),
    };
    fork.round(vec![(client, reply)], &[]).await?;
    Ok(held)
}

/// The receiver's side: the digest of the table.
pub(super) async fn hear(fork: &mut Context, owner: usize) -> Result<[u8; DIGEST_BYTES], Abort> {
    let digest = beats::hear(fork, owner, DIGEST_BYTES).await?;
    digest.try_into().map_err(|_| fork.name(Abort::peer(owner, "a digest of another length")))
}

/// The receiver's answer, which the owner says back.
pub(super) async fn reply(fork: &mut Context, owner: usize, held: bool) -> Result<(), Abort> {
    let word = vec![if held { HELD } else { NEEDED }];
    let told = fork.round(vec![(owner, word.clone())], &[(owner, 1)]).await?.concat();
    if told == word { Ok(()) } else { Err(fork.name(Abort::peer(owner, "another word back than it was told"))) }
}

#[cfg(test)]
mod tests {
    //! Every frame of a run with published keys changed in every way, from the first sign of life to the last answer.

    use std::{sync::LazyLock, time::Duration};

    use mpc_block::{Block, BlockPrg};
    use mpc_core::{
        Blame, memory,
        mutate::Change,
        sweep::{Kinds, Protocol, Run, Verdict, sweep},
    };
    use mpc_psi::unbalanced::{self, Cache, Level, Owner, Published, Release, Set, most_bytes};
    use tokio::time::timeout;

    use super::*;

    const OWNER: usize = 0;
    const CLIENT: usize = 1;
    /// Keys of the table, their bound, and keys that are asked for.
    const KEYS: u8 = 24;
    const BOUND: usize = 30;
    const QUERIES: usize = 20;
    /// How long a party waits for the other, as links do: who says for ever that it goes on has to be left. Many times as long as a whole
    /// run takes, also on a slow machine; few changes make anybody wait for it.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// The owner of the even numbers, each with itself as its label, and their table.
    static TABLE: LazyLock<(Owner, Published)> = LazyLock::new(|| {
        let mut owner = Owner::new(&[3; 32], 0, QUERIES, 1).expect("an owner");
        let elements: Vec<Block> = (0..KEYS).map(|key| Block::from_u128(2 * u128::from(key))).collect();
        let labels: Vec<u8> = (0..KEYS).map(|key| 2 * key).collect();
        let mut filling = BlockPrg::new(Block::from_u128(9));
        let set = Set { elements: &elements, labels: &labels, bound: BOUND };
        let published = owner.publish(set, 1, &mut |out: &mut [u8]| filling.fill_bytes(out)).expect("a table");
        (owner, published)
    });

    /// The table that a client has kept.
    fn kept() -> Level {
        let (_, published) = &*TABLE;
        let release = Release::parse(&published.release).expect("a release");
        let mut level = Level::new(release, &published.digest).expect("the digest fits");
        published.tables.iter().for_each(|table| level.add(table.clone()).expect("a table"));
        level
    }

    async fn serve(mut context: Context) -> Result<Verdict, Abort> {
        let (owner, published) = &*TABLE;
        let mut fork = open(&mut context);
        beats::go_on(&mut fork, CLIENT, DIGEST_BYTES).await?;
        if !tell(&mut fork, CLIENT, &published.digest).await? {
            unbalanced::send(&mut context, CLIENT, published).await?;
        }
        unbalanced::serve(&mut context, CLIENT, owner, QUERIES).await?;
        Ok(Verdict::Right)
    }

    /// Asks for the numbers 10 to 29; `keeps` says whether the client has kept a table.
    async fn ask(mut context: Context, keeps: bool) -> Result<Verdict, Abort> {
        let mut fork = open(&mut context);
        let digest = hear(&mut fork, OWNER).await?;
        let held = keeps && digest == TABLE.1.digest;
        reply(&mut fork, OWNER, held).await?;
        let level = if held {
            kept()
        } else {
            unbalanced::receive(&mut context, OWNER, &digest, most_bytes(BOUND, QUERIES, 1)).await?
        };
        let cache = Cache::new(level).map_err(|why| Abort::peer(OWNER, why.to_string()))?;
        let wanted: Vec<Block> = (10..30).map(Block::from_u128).collect();
        let found = unbalanced::query(&mut context, OWNER, &cache, QUERIES, &wanted).await?;
        let found: Vec<(usize, Vec<u8>)> = found.into_iter().map(|one| (one.element, one.label)).collect();
        let due: Vec<(usize, Vec<u8>)> = (0..20).step_by(2).map(|at| (at, vec![10 + at as u8])).collect();
        Ok(if found == due { Verdict::Right } else { Verdict::Wrong })
    }

    fn part(me: usize, context: Context, keeps: bool) -> Run<Verdict> {
        Box::pin(async move {
            let part = async { if me == OWNER { serve(context).await } else { ask(context, keeps).await } };
            let silent = |_| Err(Abort::network(1 - me, "no frame has come for too long"));
            timeout(PATIENCE, part).await.unwrap_or_else(silent)
        })
    }

    fn fetching(me: usize, context: Context) -> Run<Verdict> {
        part(me, context, false)
    }

    fn keeping(me: usize, context: Context) -> Run<Verdict> {
        part(me, context, true)
    }

    fn judge(_: Option<&Change>, outputs: &[Option<Verdict>]) -> Verdict {
        if outputs.contains(&Some(Verdict::Wrong)) { Verdict::Wrong } else { Verdict::Right }
    }

    #[tokio::test]
    async fn who_is_understood_otherwise_than_it_spoke_ends_before_it_waits_for_a_table() {
        for (held, heard, ends) in
            [(false, HELD, true), (true, NEEDED, true), (true, HELD, false), (false, NEEDED, false)]
        {
            let mut both = memory::contexts(memory::network(2), [5; 32]);
            let (mut client, mut owner) = (both.remove(CLIENT), both.remove(OWNER));
            let (mut mine, mut theirs) = (open(&mut client), open(&mut owner));
            let back = theirs.round(vec![(CLIENT, vec![heard])], &[(CLIENT, 1)]);
            let (replied, _) = tokio::join!(reply(&mut mine, OWNER, held), back);
            assert_eq!(replied.map_err(|abort| abort.blame), if ends { Err(Blame::Peer(OWNER)) } else { Ok(()) });
        }
    }

    async fn swept(party: fn(usize, Context) -> Run<Verdict>) {
        let protocol = Protocol { parties: 2, party, judge, kinds: Kinds::All, taped: &[], runs: 200 };
        let tally = sweep(protocol).await.unwrap();
        assert!(tally.runs >= 200, "{tally:?}");
        assert!(tally.unnoticed * 5 < tally.runs, "{tally:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_receiver_that_fetches_the_table_has_the_right_rows_or_none() {
        swept(fetching).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_receiver_that_has_kept_the_table_has_the_right_rows_or_none() {
        swept(keeping).await;
    }
}
