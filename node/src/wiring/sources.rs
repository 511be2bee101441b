//! Where this organisation's sources are: kept by its node, never on the ledger.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base_types::{
    DatasetId, Digest,
    fault::{Code, Fault},
};
use connectors_api::{Connector, Location, SourceConfig};

use crate::config::{bad, write_file};

/// Locations by data set.
pub struct Sources {
    file: PathBuf,
    kept: Mutex<BTreeMap<DatasetId, SourceConfig>>,
    /// Those whose registration awaits a signature, by the digest of its entry.
    aside: Mutex<BTreeMap<Digest, SourceConfig>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sources {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// [`Code::BadRequest`] when it is malformed.
    pub fn open(file: PathBuf) -> Result<Self, Fault> {
        let configs: Vec<SourceConfig> = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| bad(&file, &e))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(bad(&file, &e)),
        };
        let kept = configs.into_iter().map(|c| (c.dataset.clone(), c)).collect();
        Ok(Self { file, kept: Mutex::new(kept), aside: Mutex::default() })
    }

    /// Sets a location aside until its registration, the entry with this digest, is on the ledger with the owner's signature: nobody
    /// moves a source without one.
    pub fn set_aside(&self, entry: Digest, config: SourceConfig) {
        lock(&self.aside).insert(entry, config);
    }

    /// Whether the location was set aside that belongs to a registration on its way to the ledger. If its data set is new here it is
    /// kept from now on: a node that is killed before it hears of the registration has to know what that is about.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and the like.
    pub fn expects(&self, entry: &Digest) -> Result<bool, Fault> {
        let Some(config) = lock(&self.aside).get(entry).cloned() else { return Ok(false) };
        let known = lock(&self.kept).contains_key(&config.dataset);
        if !known {
            self.keep(config)?;
        }
        Ok(true)
    }

    /// A registration was written, or refused: keeps its location in the first case.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and the like.
    pub fn settle(&self, entry: &Digest, written: bool) -> Result<(), Fault> {
        let config = lock(&self.aside).remove(entry);
        config.filter(|_| written).map_or(Ok(()), |config| self.keep(config))
    }

    fn keep(&self, config: SourceConfig) -> Result<(), Fault> {
        let mut kept = lock(&self.kept);
        kept.insert(config.dataset.clone(), config);
        let list: Vec<_> = kept.values().collect();
        let bytes = serde_json::to_vec_pretty(&list).map_err(|e| bad(&self.file, &e))?;
        write_file(&self.file, &bytes, true)
    }

    /// Opens the connector of a registered data set.
    ///
    /// # Errors
    /// [`Code::NotFound`] when this node does not know where it is.
    pub fn connector(&self, source: &notary_terms::Source) -> Result<Box<dyn Connector>, Fault> {
        let kept = lock(&self.kept);
        let config = kept.get(&source.dataset).cloned().ok_or_else(|| {
            let why = format!("this node does not know where {} is", source.dataset);
            Fault::new(Code::NotFound, "open source", why)
        })?;
        open(&config, Some(source))
    }
}

/// The connector of a location; `source` is the registration that reads must fit.
///
/// # Errors
/// [`Code::BadRequest`] when the location lacks what its kind needs.
pub fn open(config: &SourceConfig, source: Option<&notary_terms::Source>) -> Result<Box<dyn Connector>, Fault> {
    let source = source.cloned();
    match &config.location {
        Location::Csv { .. } | Location::Parquet { .. } => connectors_file::open(config, source),
        Location::Sqlite { .. } | Location::Postgres { .. } => connectors_sql::open(config, source),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn config(path: &str) -> SourceConfig {
        let location = json!({"kind": "parquet", "path": path});
        let config = json!({"dataset": "health/visits", "title": "visits", "location": location});
        serde_json::from_value(config).expect("a location")
    }

    /// Where a start of the node finds the data set.
    fn found(file: &Path) -> Option<PathBuf> {
        let sources = Sources::open(file.to_owned()).expect("opened");
        let kept = lock(&sources.kept);
        match &kept.values().next()?.location {
            Location::Parquet { path } => Some(path.clone()),
            _ => None,
        }
    }

    #[test]
    fn a_new_source_s_place_is_kept_before_its_registration_is_written_and_one_that_moves_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sources.json");
        let (first, second) = (Digest([1; 32]), Digest([2; 32]));
        let sources = Sources::open(file.clone()).expect("opened");
        assert_eq!(sources.expects(&first), Ok(false));
        sources.set_aside(first, config("/a"));
        assert_eq!((found(&file), sources.expects(&first)), (None, Ok(true)));
        // The node is killed here, and the ledger has the registration.
        assert_eq!(found(&file), Some("/a".into()));
        let sources = Sources::open(file.clone()).expect("opened");
        assert_eq!(sources.expects(&first), Ok(false), "what was prepared before is not known");
        for (written, place) in [(false, "/a"), (true, "/b")] {
            sources.set_aside(second, config("/b"));
            assert_eq!((sources.expects(&second), found(&file)), (Ok(true), Some("/a".into())));
            assert_eq!((sources.settle(&second, written), found(&file)), (Ok(()), Some(place.into())));
        }
        assert_eq!(sources.settle(&second, true), Ok(()), "the same word once more");
    }
}
