//! The machine's own limits, measured in the same run: what no ledger on it can exceed.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use ledger_store::Durability;

use crate::{
    crypto,
    report::{Figure, Spread, runs},
    tree::{Tree, change, drawn},
};

/// Keys with tables.
const KEYS: u32 = 2000;
/// Bytes of one forced write: a block's batch of some hundred transactions.
const WRITE: usize = 100 << 10;
/// Leaves of the tree.
const LEAVES: u64 = 100_000;
/// Keys that a block of the tree changes.
pub const CHANGED: u64 = 3000;

/// A second's worth of each, for one core.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Verifications with the key's table.
    pub verifications: Spread,
    /// Writes of 100 KB that are forced to the disk.
    pub fsyncs: Spread,
    /// Keys of the state tree, in blocks of 3,000 that are forced to the disk.
    pub tree_updates: Spread,
}

/// Measures them; files lie in `folder`.
///
/// # Errors
/// When the disk fails, or a signature is judged wrongly.
pub fn measure(folder: &Path) -> anyhow::Result<Limits> {
    let keys = crypto::keys(KEYS);
    let signed = crypto::signed(&keys, 2);
    let tables = crypto::registered(&keys);
    let verifications = runs(3, Duration::from_secs(1), |at| crypto::verify(&tables, &signed, at))?;
    Ok(Limits { verifications, fsyncs: fsyncs(folder)?, tree_updates: tree_updates(folder)? })
}

fn fsyncs(folder: &Path) -> anyhow::Result<Spread> {
    let path = folder.join("fsyncs");
    let (mut file, bytes) = (File::create(&path)?, vec![0x5a_u8; WRITE]);
    let mut values = Vec::new();
    for _ in 0..3 {
        let (began, mut done) = (Instant::now(), 0u32);
        while began.elapsed() < Duration::from_secs(1) {
            file.write_all(&bytes)?;
            file.sync_data()?;
            done += 1;
        }
        values.push(f64::from(done) / began.elapsed().as_secs_f64());
    }
    std::fs::remove_file(&path)?;
    Ok(Spread::of(&values))
}

fn tree_updates(folder: &Path) -> anyhow::Result<Spread> {
    let place = folder.join("tree");
    let mut tree = Tree::open(&place)?;
    tree.fill(0, LEAVES)?;
    let mut values = Vec::new();
    for _ in 0..10 {
        let height = tree.next();
        let changes = drawn(height, CHANGED, LEAVES).into_iter().map(|number| change(number, height)).collect();
        let (_, took) = tree.block(changes, Durability::Synced)?;
        values.push(CHANGED as f64 / (took.apply + took.write).as_secs_f64().max(1e-6));
    }
    drop(tree);
    std::fs::remove_dir_all(&place)?;
    Ok(Spread::of(&values))
}

impl Limits {
    /// Prints a line each.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn print(&self, bench: &'static str) -> anyhow::Result<()> {
        let Self { verifications, fsyncs, tree_updates } = *self;
        Figure::new(bench, "limit_verifications", u64::from(KEYS), "1/s", verifications).print()?;
        Figure::new(bench, "limit_fsyncs", WRITE as u64, "1/s", fsyncs).print()?;
        Figure::new(bench, "limit_tree_updates", LEAVES, "1/s", tree_updates).print()
    }
}
