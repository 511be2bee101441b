//! What a party of an intersection does from its CSV file to the file of its result, and whether that is right.
//!
//! The clock of a party starts when all are connected; it includes reading, hashing, the protocol and writing.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use base_rt::{Entropy, OsEntropy};
use mpc_core::Context;
use mpc_psi::{
    Mode,
    circuit::{self, Answer, Function, Side},
    element::{Builder, Elements, Part},
    multi, two,
    unbalanced::{self, Cache, Owner, Published, Set},
};

use crate::{
    ids,
    wire::{Begun, Work},
};

/// The party that learns the result first, or alone.
const RECEIVER: usize = 0;
/// The owner of the large set of an unbalanced intersection.
const OWNER: usize = 0;
/// Its client.
const CLIENT: usize = 1;
/// Most bytes that the client takes as a cache.
const MOST_CACHE: usize = 1 << 30;

/// The parties' files.
pub struct Files {
    folder: PathBuf,
    rows: Vec<usize>,
    shared: usize,
}

impl Files {
    /// Writes the input of every party, which has so many rows; `shared` of them every party has.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prepare(folder: &Path, rows: Vec<usize>, shared: usize) -> anyhow::Result<Self> {
        let files = Self { folder: folder.to_owned(), rows, shared };
        for (party, rows) in files.rows.iter().enumerate() {
            ids::Out::create(&input(folder, party))?.finish(ids::set(party, *rows, shared))?;
        }
        Ok(files)
    }

    fn read(&self, party: usize, id: &[u8; 32]) -> anyhow::Result<Rows> {
        Rows::read(&input(&self.folder, party), id)
    }

    /// Compares what a party wrote with what the parties share, and takes it away.
    ///
    /// # Errors
    /// When there is none or it is wrong.
    pub fn check(&self, party: usize) -> anyhow::Result<()> {
        let (path, mut found) = (output(&self.folder, party), Vec::with_capacity(self.shared));
        ids::read(&path, |id| {
            found.push(id);
            Ok(())
        })?;
        found.sort_unstable();
        ensure!(found == ids::shared(self.shared), "party {party} found {} rows of {}", found.len(), self.shared);
        Ok(fs::remove_file(path)?)
    }

    /// As [`Self::check`] for the number alone.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_count(&self) -> anyhow::Result<()> {
        let path = output(&self.folder, RECEIVER);
        let (found, wanted) = (fs::read_to_string(&path)?, count(self.shared as i64));
        ensure!(found == wanted, "the receiver found {found:?}, not {wanted:?}");
        Ok(fs::remove_file(path)?)
    }
}

fn count(count: i64) -> String {
    format!("count\n{count}\n")
}

/// Where a party's input lies.
pub fn input(folder: &Path, party: usize) -> PathBuf {
    folder.join(format!("in{party}.csv"))
}

/// Where a party's result goes.
pub fn output(folder: &Path, party: usize) -> PathBuf {
    folder.join(format!("out{party}.csv"))
}

/// Identifiers and their elements.
struct Rows {
    ids: Vec<u64>,
    elements: Elements,
}

impl Rows {
    fn read(path: &Path, id: &[u8; 32]) -> anyhow::Result<Self> {
        let (mut builder, mut ids) = (Builder::new(id), Vec::new());
        ids::read(path, |id| {
            builder.row(&[Part::Int(id as i64)]);
            ids.push(id);
            Ok(())
        })?;
        Ok(Self { ids, elements: builder.finish() })
    }

    /// Writes the rows of some elements.
    fn write(&self, path: &Path, found: &[usize]) -> anyhow::Result<()> {
        let rows = found.iter().flat_map(|at| self.elements.rows_of(*at));
        ids::Out::create(path)?.finish(rows.map(|row| self.ids[*row as usize]))
    }
}

/// Two parties, of which both learn the intersection.
///
/// # Errors
/// What the protocol or the disk fails with.
pub async fn intersect(mut ctx: Context, files: &Files, mode: Mode) -> anyhow::Result<Work> {
    let (me, sender) = (ctx.me(), 1 - RECEIVER);
    let parameters = two::Parameters {
        sender,
        receiver: RECEIVER,
        sender_elements: files.rows[sender],
        receiver_elements: files.rows[RECEIVER],
        outputs: two::Outputs::Both,
        mode,
    };
    let begun = Begun::together(&mut ctx).await?;
    let rows = files.read(me, &ctx.session())?;
    let found = two::run(&mut ctx, &parameters, rows.elements.blocks()).await?.context("no result")?;
    rows.write(&output(&files.folder, me), &found)?;
    Ok(begun.ended(&ctx))
}

/// Two parties, of which the receiver learns how many rows they share.
///
/// # Errors
/// As [`intersect`].
pub async fn cardinality(mut ctx: Context, files: &Files, mode: Mode) -> anyhow::Result<Work> {
    let side = |party: usize| Side { keys: files.rows[party], columns: Vec::new() };
    let (receiving, sending) = (side(RECEIVER), side(1 - RECEIVER));
    let parameters = circuit::Parameters::new(RECEIVER, receiving, sending, vec![Function::Cardinality], None)?;
    let parameters = parameters.in_mode(mode);
    let begun = Begun::together(&mut ctx).await?;
    let rows = files.read(ctx.me(), &ctx.session())?;
    let keys = circuit::Input::new(rows.elements.blocks().to_vec(), Vec::new())?;
    match circuit::run(&mut ctx, &parameters, &keys).await? {
        Some(Answer::Values(values)) => {
            let number = *values.first().context("no count")?;
            fs::write(output(&files.folder, RECEIVER), count(number))?;
        }
        Some(Answer::Below | Answer::Each(_)) => bail!("an answer by a threshold that there is not"),
        None => ensure!(ctx.me() != RECEIVER, "no answer"),
    }
    Ok(begun.ended(&ctx))
}

/// Three parties or more, of which the receiver learns the intersection.
///
/// # Errors
/// As [`intersect`].
pub async fn several(mut ctx: Context, files: &Files, mode: Mode) -> anyhow::Result<Work> {
    let parameters = multi::Parameters::new(files.rows.clone(), multi::Outputs::One(RECEIVER), mode);
    let parameters = parameters.context("three to eight parties")?;
    let begun = Begun::together(&mut ctx).await?;
    let rows = files.read(ctx.me(), &ctx.session())?;
    if let Some(found) = multi::run(&mut ctx, &parameters, rows.elements.blocks()).await? {
        rows.write(&output(&files.folder, RECEIVER), &found)?;
    }
    Ok(begun.ended(&ctx))
}

/// A large set after its owner has published it.
pub struct Large {
    owner: Owner,
    published: Published,
    /// What that took, from the CSV file on.
    pub took: Duration,
}

impl Large {
    /// Reads the owner's file and publishes it, on all cores, for sessions of the client's number of rows.
    ///
    /// # Errors
    /// When the file cannot be read or the sizes do not fit.
    pub fn publish(files: &Files) -> anyhow::Result<Self> {
        let (began, mut seed) = (Instant::now(), [0; 32]);
        OsEntropy.fill(&mut seed);
        let mut owner = Owner::new(&seed, 1, files.rows[CLIENT], 0)?;
        let rows = files.read(OWNER, &owner.element_id())?;
        let set = Set { elements: rows.elements.blocks(), labels: &[], bound: files.rows[OWNER] };
        let workers = available_parallelism().map_or(1, usize::from);
        let published = owner.publish(set, workers, &mut |out: &mut [u8]| OsEntropy.fill(out))?;
        Ok(Self { owner, published, took: began.elapsed() })
    }

    /// The owner in a session: hands the tables over, then answers `runs` times. The first entry is that of the tables.
    ///
    /// # Errors
    /// What the protocol fails with.
    pub async fn serve(&self, mut ctx: Context, files: &Files, runs: usize) -> anyhow::Result<Vec<Work>> {
        let begun = Begun::together(&mut ctx).await?;
        ctx.round(vec![(CLIENT, self.published.digest.to_vec())], &[]).await?;
        unbalanced::send(&mut ctx, CLIENT, &self.published).await?;
        let mut works = vec![begun.ended(&ctx)];
        for _ in 0..runs {
            let begun = Begun::together(&mut ctx).await?;
            unbalanced::serve(&mut ctx, CLIENT, &self.owner, files.rows[CLIENT]).await?;
            works.push(begun.ended(&ctx));
        }
        Ok(works)
    }
}

/// The client in a session with [`Large::serve`]; every result is checked.
///
/// # Errors
/// What the protocol or the disk fails with, or a wrong result.
pub async fn query(mut ctx: Context, files: &Files, runs: usize) -> anyhow::Result<Vec<Work>> {
    let begun = Begun::together(&mut ctx).await?;
    let pinned = ctx.round(vec![], &[(OWNER, 32)]).await?.pop().context("no digest")?;
    let pinned = <[u8; 32]>::try_from(pinned.as_slice())?;
    let cache = Cache::new(unbalanced::receive(&mut ctx, OWNER, &pinned, MOST_CACHE).await?)?;
    let mut works = vec![begun.ended(&ctx)];
    for _ in 0..runs {
        let begun = Begun::together(&mut ctx).await?;
        let rows = files.read(CLIENT, &cache.element_id())?;
        let matches = unbalanced::query(&mut ctx, OWNER, &cache, files.rows[CLIENT], rows.elements.blocks()).await?;
        let found: Vec<usize> = matches.iter().map(|one| one.element).collect();
        rows.write(&output(&files.folder, CLIENT), &found)?;
        works.push(begun.ended(&ctx));
        files.check(CLIENT)?;
    }
    Ok(works)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Network, pair, parties};

    #[test]
    fn every_kind_of_intersection_finds_what_is_shared() {
        let folder = crate::folder().expect("a folder");
        let files = Files::prepare(folder.path(), vec![300; 3], 150).expect("files");
        for mode in [Mode::Fast, Mode::LowCommunication] {
            let works = parties(2, Network::Plain, |ctx| intersect(ctx, &files, mode)).expect("two parties");
            assert!(works.iter().all(|work| work.bytes > 0 && work.rounds > 0));
            files.check(0).and_then(|()| files.check(1)).expect("both results");
        }
        parties(2, Network::Plain, |ctx| cardinality(ctx, &files, Mode::Fast)).expect("two parties");
        files.check_count().expect("the number");
        parties(3, Network::Plain, |ctx| several(ctx, &files, Mode::Fast)).expect("three parties");
        files.check(RECEIVER).expect("the result");
        assert!(files.check(RECEIVER).is_err());
    }

    #[test]
    fn a_client_finds_what_a_large_set_has() {
        let folder = crate::folder().expect("a folder");
        let files = Files::prepare(folder.path(), vec![500, 20], 10).expect("files");
        let large = Large::publish(&files).expect("a published set");
        let both = pair(Network::Plain, |ctx| large.serve(ctx, &files, 2), |ctx| query(ctx, &files, 2));
        let (owner, client) = both.expect("two parties");
        assert_eq!((owner.len(), client.len()), (3, 3));
    }
}
