//! The ledger's store as a start of the node finds it, also where another ledger lay before.

use base_types::fault::Fault;
use ledger_chain::{COLUMNS, ChainFault, keep_silent, stored_chain};
use ledger_store::Store;

use crate::{
    config::{Folder, unwritten},
    files::make_folder,
};

/// Opens the store of a folder's ledger, made if it is missing. Where another ledger lay there, what the validator signed went
/// with it: one that begins anew is silent first, also when it was not `heqi chain repair` or `restore` that said so, because
/// they were cut off.
///
/// # Errors
/// [`base_types::fault::Code::FolderInUse`] while another node runs on the folder, others when the disk fails.
pub fn open(folder: &Folder) -> Result<Store, Fault> {
    let path = folder.ledger();
    make_folder(&path).map_err(|why| unwritten(&path, &why))?;
    let opened = || -> Result<Store, ChainFault> {
        let store = Store::open(&path, &COLUMNS)?;
        if stored_chain(&store)?.is_none() && folder.had_ledger() {
            tracing::warn!(
                "another ledger lay here, as ledger.damaged-N or ledger.restoring beside it tells: this validator is silent \
                 up to where it may have signed; remove what is of another chain before a chain begins"
            );
            keep_silent(&store)?;
        }
        Ok(store)
    };
    opened().map_err(|fault| fault.fault(format!("open {}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base_wire::Encode;
    use ledger_light::{BFT, Epoch, Genesis};
    use ledger_store::{Batch, Durability};

    use super::*;

    /// Whether the store says that its validator is to be silent.
    fn silent(store: &Store) -> bool {
        store.get("chain-meta", b"silent").expect("read").is_some()
    }

    #[test]
    fn a_ledger_that_begins_anew_is_silent_where_another_lay() {
        let cases = [None, Some("ledger.damaged-2"), Some("ledger.restoring"), Some("ledger-of-others")];
        for (beside, lay) in cases.into_iter().zip([false, true, true, false]) {
            let dir = tempfile::tempdir().expect("a folder");
            let folder = Folder(dir.path().to_owned());
            if let Some(beside) = beside {
                fs::create_dir_all(dir.path().join("data").join(beside)).expect("made");
            }
            assert_eq!(silent(&open(&folder).expect("opened")), lay, "{beside:?}");
        }
    }

    #[test]
    fn a_ledger_that_has_a_chain_remembers_what_was_signed_whatever_lies_beside_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder(dir.path().to_owned());
        let epoch = Epoch { number: 0, engine: BFT, first_height: 1, validators: vec![], interval_ms: 50 };
        let genesis = Genesis { name: "test".into(), time: 1, organisations: vec![], members: vec![], epoch };
        let store = open(&folder).expect("opened");
        let mut batch = Batch::new();
        batch.put("chain-meta", b"genesis", genesis.to_wire());
        store.write(batch, Durability::Synced).expect("written");
        drop(store);
        fs::create_dir(folder.damaged(1)).expect("made");
        assert!(!silent(&open(&folder).expect("opened")));
    }
}
