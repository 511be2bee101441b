//! Where this organisation's sources are: kept by its node, never on the ledger.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use base_types::{
    DatasetId,
    fault::{Code, Fault},
};
use connectors_api::{Connector, Location, SourceConfig};

use crate::config::{bad, write_file};

/// Locations by data set.
pub struct Sources {
    file: PathBuf,
    kept: Mutex<BTreeMap<DatasetId, SourceConfig>>,
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
        Ok(Self { file, kept: Mutex::new(kept) })
    }

    /// Keeps a location once its registration is on the ledger.
    ///
    /// # Errors
    /// [`Code::DiskFull`] and the like.
    pub fn keep(&self, config: SourceConfig) -> Result<(), Fault> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
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
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
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
