//! CSV files as registered sources of the three departments.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use base_types::{DatasetId, column::ColumnType, fault::Fault};
use connectors_api::{Connector, Location, SourceConfig};
use notary_terms::{ApprovalMode, Catalogue, RuleSet};

use super::dataset;

/// The folder of the real data.
pub const NHEFS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/nhefs");

/// What is registered, and where it lies.
#[derive(Default)]
pub struct Sources {
    pub catalogue: Catalogue,
    pub configs: BTreeMap<DatasetId, SourceConfig>,
}

impl Sources {
    /// The story's three files of a folder.
    pub async fn nhefs(folder: &str) -> Self {
        let mut sources = Self::default();
        for name in ["statistics/census", "health/health", "civil/deaths"] {
            let file = format!("{folder}/{}.csv", dataset(name).table());
            sources.register(name, Path::new(&file), &[]).await;
        }
        sources
    }

    /// Discovers a file and publishes it; types are found unless stated.
    pub async fn register(&mut self, name: &str, path: &Path, types: &[(&str, ColumnType)]) {
        let types = types.iter().map(|(column, ty)| ((*column).to_owned(), *ty)).collect();
        let location = Location::Csv { path: PathBuf::from(path), delimiter: None, encoding: None, types };
        let config = SourceConfig { dataset: dataset(name), title: name.to_owned(), location };
        let connector = connectors_file::open(&config, None).expect("a file");
        let found = connector.discover(&mut |_| ()).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let source = found.source(&config).expect("fits");
        self.catalogue.height += 1;
        self.catalogue.sources.insert(dataset(name), source);
        self.configs.insert(dataset(name), config);
    }

    /// Sets a data set's threshold.
    pub fn least(&mut self, name: &str, min_group: u32) {
        let set = RuleSet {
            dataset: dataset(name),
            approval: ApprovalMode::Auto,
            min_group,
            holders: Vec::new(),
            rules: Vec::new(),
        };
        self.catalogue.rules.insert(dataset(name), set);
    }

    /// The connector of a registered data set.
    pub fn connector(&self, name: &DatasetId) -> Result<Box<dyn Connector>, Fault> {
        connectors_file::open(&self.configs[name], self.catalogue.sources.get(name).cloned())
    }
}
