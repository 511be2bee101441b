//! Identifiers of 18 digits in CSV files: the sets that parties hold, and what they write of an intersection.
//!
//! The product's own reader gives a table only for an approval, so files are read here: one column, buffered, a line at a
//! time.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use anyhow::{Context, ensure};

use crate::sign::mix;

/// The smallest identifier.
const FIRST: u64 = 100_000_000_000_000_000;
/// How many there are.
const COUNT: u64 = 9 * FIRST;
/// Has no factor in common with [`COUNT`], so that different numbers have different identifiers.
const STEP: u64 = 556_231_090_874_905_349;
/// From here on numbers belong to one party: so many are left to each.
const OWN: u64 = 1 << 40;
/// The column's name.
const HEAD: &str = "id";
/// Bytes that are read or written at a time.
const BUFFER: usize = 1 << 20;

/// The identifier of a number.
fn identifier(number: u64) -> u64 {
    FIRST + (u128::from(number) * u128::from(STEP) % u128::from(COUNT)) as u64
}

/// The set of a party, shuffled: `shared` identifiers that every party has, and as many of its own as are missing from
/// `rows`.
pub fn set(party: usize, rows: usize, shared: usize) -> Vec<u64> {
    let own = (1 + party as u64) * OWN;
    let numbers = (0..shared as u64).chain(own..own + rows.saturating_sub(shared) as u64);
    let mut set: Vec<u64> = numbers.map(identifier).collect();
    for at in (1..set.len()).rev() {
        set.swap(at, (mix(mix(own) ^ at as u64) % (at as u64 + 1)) as usize);
    }
    set
}

/// The identifiers that every party has, ascending.
pub fn shared(count: usize) -> Vec<u64> {
    let mut shared: Vec<u64> = (0..count as u64).map(identifier).collect();
    shared.sort_unstable();
    shared
}

/// A file that is being written.
pub struct Out(BufWriter<File>);

impl Out {
    /// A new one, with the column's name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let mut file = BufWriter::with_capacity(BUFFER, File::create(path)?);
        writeln!(file, "{HEAD}")?;
        Ok(Self(file))
    }

    /// Writes one row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn row(&mut self, id: u64) -> anyhow::Result<()> {
        Ok(writeln!(self.0, "{id}")?)
    }

    /// Writes all rows and what is still in memory.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self, rows: impl IntoIterator<Item = u64>) -> anyhow::Result<()> {
        rows.into_iter().try_for_each(|id| self.row(id))?;
        Ok(self.0.flush()?)
    }
}

/// Reads a file and hands over row by row.
///
/// # Errors
/// When the file is not there or no such file, or what `row` fails with.
pub fn read(path: &Path, mut row: impl FnMut(u64) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    let mut line = String::new();
    file.read_line(&mut line)?;
    ensure!(line.trim_end() == HEAD, "{} has no column '{HEAD}'", path.display());
    loop {
        line.clear();
        if file.read_line(&mut line)? == 0 {
            return Ok(());
        }
        row(line.trim_end().parse::<u64>().with_context(|| format!("{line:?} is no identifier"))?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_have_in_common_what_they_share_and_files_keep_it() {
        let folder = crate::folder().expect("a folder");
        let path = folder.path().join("ids.csv");
        let sets: Vec<Vec<u64>> = (0..3).map(|party| set(party, 1000, 400)).collect();
        for (at, one) in sets.iter().enumerate() {
            assert!(one.iter().all(|id| id.to_string().len() == 18) && !one.is_sorted());
            let mut distinct = one.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), 1000);
            for other in &sets[at + 1..] {
                let mut common: Vec<u64> = other.iter().copied().filter(|id| one.contains(id)).collect();
                common.sort_unstable();
                assert_eq!(common, shared(400));
            }
            Out::create(&path).expect("a file").finish(one.iter().copied()).expect("written");
            let mut back = Vec::new();
            let take = |id| {
                back.push(id);
                Ok(())
            };
            read(&path, take).expect("read");
            assert_eq!(back, *one);
        }
        std::fs::write(&path, "name\n1\n").expect("written");
        assert!(read(&path, |_| Ok(())).is_err());
        std::fs::write(&path, "id\nx\n").expect("written");
        assert!(read(&path, |_| Ok(())).is_err());
    }
}
