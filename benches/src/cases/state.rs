//! `make bench NAME=state`: time and bytes a changed key of the state tree by its number of leaves, `jmt` beside it.
//!
//! Ours writes to a folder on the disk, `jmt` keeps its nodes in memory. `n` is the number of leaves: 10^5, 10^6, and
//! with `LONG=1` 10^7, where `jmt` takes too long. `BLOCKS` (20) of 3,000 keys are measured. Both roots must be equal.

use anyhow::ensure;
use benches::{
    limits::CHANGED,
    long,
    reference::Reference,
    report::{Figure, Spread},
    setting,
    tree::{Tree, change, drawn},
};
use ledger_store::Durability;

/// Leaves up to which `jmt` is measured.
const COMPARED: u64 = 1_000_000;

/// What the blocks took, in microseconds a key.
#[derive(Default)]
struct Measured {
    apply: Vec<f64>,
    write: Vec<f64>,
    both: Vec<f64>,
    reference: Vec<f64>,
    reference_bytes: Vec<f64>,
}

fn measure(
    tree: &mut Tree,
    mut reference: Option<&mut Reference>,
    leaves: u64,
    blocks: u32,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let micros = |time: std::time::Duration, keys: usize| time.as_secs_f64() * 1e6 / keys as f64;
    for _ in 0..blocks {
        let height = tree.next();
        let mut numbers = drawn(height, CHANGED, leaves);
        numbers.sort_unstable();
        numbers.dedup();
        let changes: Vec<_> = numbers.iter().map(|number| change(*number, height)).collect();
        let keys = changes.len();
        let theirs = reference.as_mut().map(|reference| reference.block(changes.clone())).transpose()?;
        let (root, took) = tree.block(changes, Durability::Synced)?;
        measured.apply.push(micros(took.apply, keys));
        measured.write.push(micros(took.write, keys));
        measured.both.push(micros(took.apply + took.write, keys));
        if let Some((other, took)) = theirs {
            ensure!(other == root, "at height {height} the roots of both trees differ");
            measured.reference.push(micros(took.apply, keys));
            measured.reference_bytes.push(took.bytes as f64 / keys as f64);
        }
    }
    Ok(measured)
}

fn print(leaves: u64, bytes: f64, measured: &Measured) -> anyhow::Result<()> {
    let Measured { apply, write, both, reference, reference_bytes } = measured;
    let figure =
        |case: &str, unit, values: &[f64]| Figure::new("state", case, leaves, unit, Spread::of(values)).lower();
    let beside = |figure: Figure, theirs: &[f64]| match theirs {
        [] => figure,
        theirs => figure.peer("jmt 0.12 in memory", Spread::of(theirs).value),
    };
    beside(figure("apply_us", "us", apply), reference).print()?;
    figure("write_us", "us", write).print()?;
    beside(figure("update_us", "us", both).bytes(bytes), reference).print()?;
    beside(figure("update_bytes", "bytes", &[bytes]), reference_bytes).print()
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    let blocks: u32 = setting("BLOCKS", 20)?;
    let sizes: &[u64] = if long() { &[100_000, 1_000_000, 10_000_000] } else { &[100_000, 1_000_000] };
    let folder = benches::folder()?;
    let mut tree = Tree::open(folder.path())?;
    let mut reference = Reference::default();
    let mut before = 0;
    for &leaves in sizes {
        let compared = leaves <= COMPARED;
        tree.fill(before, leaves)?;
        if compared {
            reference.fill(before, leaves)?;
            ensure!(reference.next() == tree.next(), "both trees have as many blocks");
        }
        let disk = tree.disk_bytes()?;
        eprintln!("{leaves} leaves take {disk} bytes on the disk with their history");
        let measured = measure(&mut tree, compared.then_some(&mut reference), leaves, blocks)?;
        let grown = tree.disk_bytes()?.saturating_sub(disk);
        let changed = u64::from(blocks.max(1)) * CHANGED;
        print(leaves, grown as f64 / changed as f64, &measured)?;
        before = leaves;
    }
    Ok(())
}
