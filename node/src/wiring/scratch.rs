//! What runs keep outside memory: a file a bucket in the node's folder, encrypted, and gone with the run.
//!
//! The key of a run's files is drawn for its session and stays in memory. So nobody can read what a node that was killed has
//! left behind, and the next start removes it: a run that a restart cut off is not resumed.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base_gm::{Zeroizing, sm4};
use base_rt::Entropy;
use base_secret::Secret;
use base_types::{
    Digest,
    fault::{Code, Fault},
};
use runner::Scratch;

use crate::config::unwritten;

/// The step of faults; everybody reads it in a receipt, so it does not tell where this node's files lie.
const STEP: &str = "keep keys";

/// The folder of all runs' files.
pub struct Rooms {
    folder: PathBuf,
    entropy: Arc<dyn Entropy>,
}

/// One run's files.
struct Room {
    folder: PathBuf,
    key: Secret<[u8; 16]>,
    /// How many pieces each bucket's file has.
    pieces: BTreeMap<usize, u64>,
}

impl Rooms {
    /// Runs' files in `folder`, which nobody else uses; what an earlier start has left there is removed. What cannot be removed
    /// stays, to be looked at by a person, and new files lie apart from it: nobody can read it, and the node serves more than runs.
    pub fn open(folder: PathBuf, entropy: Arc<dyn Entropy>) -> Self {
        let removed = if folder.is_file() { fs::remove_file(&folder) } else { fs::remove_dir_all(&folder) };
        Self::after(removed, folder, entropy)
    }

    fn after(removed: io::Result<()>, folder: PathBuf, entropy: Arc<dyn Entropy>) -> Self {
        let folder = match removed {
            Err(why) if why.kind() != ErrorKind::NotFound => {
                let path = folder.display();
                tracing::warn!(%path, %why, "files of an earlier start stay, which nobody can read; remove them by hand");
                let mut fresh = [0; 8];
                entropy.fill(&mut fresh);
                folder.join(format!("start-{}", hex::encode(fresh)))
            }
            _ => folder,
        };
        Self { folder, entropy }
    }

    /// Room for one session.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and the like.
    pub fn room(&self, session: &Digest) -> Result<Box<dyn Scratch>, Fault> {
        let folder = self.folder.join(session.to_string());
        private(&folder).map_err(|why| unkept(&folder, &why))?;
        let mut key = Zeroizing::new([0; 16]);
        self.entropy.fill(&mut *key);
        Ok(Box::new(Room { folder, key: Secret::new(*key), pieces: BTreeMap::new() }))
    }
}

/// A folder, with those above it, that nobody else may list: lengths of files tell how many keys fell into each bucket.
fn private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn unkept(path: &Path, why: &io::Error) -> Fault {
    Fault { step: STEP.into(), ..unwritten(path, why) }
}

fn damaged() -> Fault {
    Fault::new(Code::StorageDamaged, STEP, "a file of the run is not as it was written")
}

/// Every piece of every bucket has its own.
fn nonce(bucket: usize, piece: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&(bucket as u32).to_be_bytes());
    nonce[4..].copy_from_slice(&piece.to_be_bytes());
    nonce
}

impl Room {
    fn file(&self, bucket: usize) -> PathBuf {
        self.folder.join(bucket.to_string())
    }
}

impl Scratch for Room {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), Fault> {
        let piece = self.pieces.get(&bucket).copied().unwrap_or(0);
        let sealed = sm4::seal(self.key.expose(), &nonce(bucket, piece), &[], bytes)
            .map_err(|why| Fault::new(Code::Internal, STEP, why.to_string()))?;
        let length = u32::try_from(sealed.len()).map_err(|why| Fault::new(Code::Internal, STEP, why.to_string()))?;
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let path = self.file(bucket);
        let written = options.open(&path).and_then(|mut file| {
            file.write_all(&length.to_be_bytes())?;
            file.write_all(&sealed)
        });
        written.map_err(|why| unkept(&path, &why))?;
        self.pieces.insert(bucket, piece + 1);
        Ok(())
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, Fault> {
        let Some(pieces) = self.pieces.get(&bucket).copied() else { return Ok(Vec::new()) };
        let path = self.file(bucket);
        let stored = fs::read(&path).map_err(|why| unkept(&path, &why))?;
        let (mut rest, mut out) = (stored.as_slice(), Zeroizing::new(Vec::<u8>::with_capacity(stored.len())));
        for piece in 0..pieces {
            let (length, after) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
            let (sealed, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(damaged)?;
            out.extend_from_slice(
                &sm4::open(self.key.expose(), &nonce(bucket, piece), &[], sealed).map_err(|_| damaged())?,
            );
            rest = after;
        }
        if rest.is_empty() { Ok(std::mem::take(&mut *out)) } else { Err(damaged()) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Err(why) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%why, "a run's files stay until the next start; nobody can read them");
        }
    }
}

#[cfg(test)]
mod tests {
    use base_rt::SeededEntropy;

    use super::*;

    const SESSION: Digest = Digest([7; 32]);

    fn rooms(folder: &Path) -> Rooms {
        Rooms::open(folder.join("scratch"), Arc::new(SeededEntropy::new(b"scratch")))
    }

    #[test]
    fn buckets_come_back_encrypted_meanwhile_and_are_gone_with_the_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let rooms = rooms(folder.path());
        let mut room = rooms.room(&SESSION).expect("a room");
        let pieces = [[1_u8; 70], [2; 70], [1; 70]];
        for (bucket, piece) in [(3, 0), (4, 1), (3, 2)] {
            room.append(bucket, &pieces[piece]).expect("kept");
        }
        let file = folder.path().join("scratch").join(SESSION.to_string()).join("3");
        #[cfg(unix)]
        for (path, mode) in [(file.parent().expect("a folder"), 0o700), (file.as_path(), 0o600)] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(path).expect("kept").permissions().mode() & 0o777, mode, "the node's user alone");
        }
        let stored = fs::read(&file).expect("a file");
        assert!(!stored.windows(8).any(|window| window == [1; 8]), "not in the clear");
        assert_eq!(stored.len(), 2 * (4 + 70 + sm4::TAG_BYTES));
        assert_ne!(stored[4..74], stored[4 + 70 + sm4::TAG_BYTES + 4..][..70], "no nonce serves twice");
        assert_eq!(room.load(3), Ok([pieces[0], pieces[2]].concat()));
        assert_eq!((room.load(4), room.load(5)), (Ok(pieces[1].to_vec()), Ok(Vec::new())));
        drop(room);
        assert!(!file.exists());
    }

    #[test]
    fn what_was_changed_cut_or_moved_is_damage_and_a_start_removes_what_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut room = rooms(folder.path()).room(&SESSION).expect("a room");
        for bucket in [0, 0, 1] {
            room.append(bucket, b"twelve bytes").expect("kept");
        }
        let file = folder.path().join("scratch").join(SESSION.to_string()).join("0");
        let good = fs::read(&file).expect("a file");
        let half = good.len() / 2;
        let swapped = [&good[half..], &good[..half]].concat();
        let flipped: Vec<u8> = good.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == half - 1)).collect();
        for bad in [swapped, flipped, good[..half].to_vec(), good[1..].to_vec(), [&good[..], &[0]].concat()] {
            fs::write(&file, bad).expect("written");
            assert_eq!(room.load(0).map_err(|fault| fault.code), Err(Code::StorageDamaged));
        }
        fs::write(&file, &good).expect("written");
        assert!(room.load(0).is_ok());
        // As a killed node leaves it.
        std::mem::forget(room);
        rooms(folder.path());
        assert!(!folder.path().join("scratch").exists());
    }

    #[test]
    fn what_cannot_be_removed_keeps_no_node_from_starting_and_no_run_from_its_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = folder.path().join("scratch");
        fs::write(&scratch, b"no folder").expect("written");
        assert!(rooms(folder.path()).room(&SESSION).is_ok());
        let left = scratch.join(SESSION.to_string());
        fs::create_dir_all(&left).expect("a folder");
        fs::write(left.join("0"), b"of an earlier start").expect("written");
        let denied = Err(io::Error::from(ErrorKind::PermissionDenied));
        let rooms = Rooms::after(denied, scratch, Arc::new(SeededEntropy::new(b"scratch")));
        let mut room = rooms.room(&SESSION).expect("a room");
        room.append(0, b"of this one").expect("kept");
        assert_eq!(room.load(0), Ok(b"of this one".to_vec()));
        drop(room);
        assert!(left.join("0").exists(), "nobody else's files are touched");
    }
}
