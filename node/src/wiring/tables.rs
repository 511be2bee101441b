//! Tables of published keys between the runs: files named by data set and digest, the oldest gone where there are too many bytes.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use base_types::Digest;
use runner::Shelf;

use crate::config::write_file;

/// Most bytes of all tables together; each has at most a quarter of it.
const MOST: u64 = 1 << 30;

/// The folder of tables.
pub struct Tables {
    folder: PathBuf,
    most: u64,
    /// Held by who changes the folder: two runs may fetch one table, and would write one file.
    changing: Mutex<()>,
}

impl Tables {
    /// Tables in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, most: MOST, changing: Mutex::new(()) }
    }

    fn path(&self, name: &Digest) -> PathBuf {
        self.folder.join(format!("{name}.table"))
    }

    /// Removes the oldest files until so many bytes more fit.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let file = entry.metadata()?;
            files.push((file.modified()?, entry.path(), file.len()));
        }
        files.sort();
        let mut held = files.iter().fold(bytes, |held, (.., bytes)| held.saturating_add(*bytes));
        for (_, path, bytes) in files {
            if held <= self.most {
                break;
            }
            fs::remove_file(path)?;
            held -= bytes;
        }
        Ok(())
    }
}

impl Shelf for Tables {
    fn keep(&self, name: &Digest, bytes: &[u8]) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let made = self.make_room(bytes.len() as u64).map_err(|why| why.to_string());
        let kept = made.and_then(|()| write_file(&self.path(name), bytes, true).map_err(|why| why.to_string()));
        if let Err(why) = kept {
            tracing::warn!(table = %name, %why, "a table of published keys could not be kept; the next run makes or fetches it again");
        }
    }

    fn holds(&self, name: &Digest) -> bool {
        self.path(name).exists()
    }

    fn find(&self, name: &Digest) -> Option<Vec<u8>> {
        fs::read(self.path(name)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_tables_make_room_for_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables { most: 100, ..Tables::new(folder.path().join("tables")) };
        let names = [1, 2, 3].map(|byte| Digest([byte; 32]));
        assert!(!tables.holds(&names[0]) && tables.find(&names[0]).is_none());
        for name in &names {
            tables.keep(name, &[7; 50]);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(names.map(|name| tables.holds(&name)), [false, true, true]);
        assert_eq!(tables.find(&names[2]), Some(vec![7; 50]));
    }

    #[test]
    fn a_table_that_several_runs_keep_at_once_is_whole_whenever_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::new(folder.path().join("tables"));
        let name = Digest([1; 32]);
        std::thread::scope(|scope| {
            for byte in 1..=4 {
                let (tables, name) = (&tables, &name);
                scope.spawn(move || {
                    for _ in 0..10 {
                        tables.keep(name, &[byte; 50_000]);
                        let found = tables.find(name).expect("it was kept");
                        assert!(found.len() == 50_000 && found.iter().all(|other| *other == found[0]));
                    }
                });
            }
        });
    }
}
