//! Answers that this organisation received, each in a file encrypted to the node's key.

use std::{fs, path::PathBuf, sync::Arc};

use base_gm::{
    envelope::{self, Sealed},
    sm2::SecretKey,
};
use base_types::{
    JobId,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use runner::Answer;

use crate::config::write_file;

/// The folder of answers.
pub struct Results {
    folder: PathBuf,
    key: Arc<SecretKey>,
    /// Keys of this node that were replaced: answers of their time are encrypted to them.
    former: Vec<Arc<SecretKey>>,
}

impl Results {
    /// Answers in `folder`, which the node's key or one of its `former` keys opens. What a killed process has not written to its end
    /// is removed: nobody would do so later, since its run is not resumed.
    pub fn new(folder: PathBuf, key: Arc<SecretKey>, former: Vec<Arc<SecretKey>>) -> Self {
        let found = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for half in found.filter(|path| path.extension().is_some_and(|end| end == "part")) {
            if let Err(why) = fs::remove_file(&half) {
                tracing::warn!(path = %half.display(), %why, "half of an answer stays; remove it by hand");
            }
        }
        Self { folder, key, former }
    }

    fn path(&self, job: &JobId) -> PathBuf {
        self.folder.join(format!("{job}.sealed"))
    }

    /// Whether there is an answer.
    pub fn has(&self, job: &JobId) -> bool {
        self.path(job).exists()
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and the like; nothing half-written stays.
    pub fn keep(&self, job: &JobId, answer: &Answer) -> Result<(), Fault> {
        let sealed = envelope::seal_to(&[self.key.public()], &job.0, &answer.to_wire())
            .map_err(|e| Fault::new(Code::Internal, "keep answer", e.to_string()))?;
        // The step of a fault goes into the receipt, which everybody reads: it does not tell where this node's files lie.
        write_file(&self.path(job), &sealed.to_wire(), true)
            .map_err(|fault| Fault { step: "keep answer".into(), ..fault })
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::StorageDamaged`].
    pub fn read(&self, job: &JobId) -> Result<Answer, Fault> {
        let step = "read answer";
        let bytes = fs::read(self.path(job))
            .map_err(|_| Fault::new(Code::NotFound, step, "this organisation received no answer of the job"))?;
        let damaged = |why: String| Fault::new(Code::StorageDamaged, step, why);
        let sealed = Sealed::from_wire(&bytes).map_err(|e| damaged(e.to_string()))?;
        let older = || self.former.iter().find_map(|key| envelope::open(key, &job.0, &sealed).ok());
        let plain = match envelope::open(&self.key, &job.0, &sealed) {
            Ok(plain) => plain,
            Err(why) => older().ok_or_else(|| damaged(why.to_string()))?,
        };
        Answer::from_wire(&plain).map_err(|e| damaged(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_removes_answers_that_were_not_written_to_their_end_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let [whole, half] = ["1.sealed", "2.sealed.part"].map(|name| folder.path().join(name));
        fs::write(&whole, "whole").expect("written");
        fs::write(&half, "ha").expect("written");
        let key = Arc::new(SecretKey::from_seed(b"node"));
        let missing = Results::new(folder.path().join("none"), key.clone(), Vec::new());
        assert!(!missing.folder.exists());
        Results::new(folder.path().to_owned(), key, Vec::new());
        assert_eq!((whole.exists(), half.exists()), (true, false));
    }
}
