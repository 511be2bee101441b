//! Compiled contracts, by the SM3 of their instrumented code; only the latest used are kept.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use base_gm::sm3::sm3;
use base_types::Digest;
use wasmtime::{InstancePre, Module};

use super::{Shared, host::Host};
use crate::Unavailable;

/// Most compiled contracts that are kept, and most instrumented bytes of them together.
const MAX_KEPT: usize = 128;
const MAX_KEPT_BYTES: usize = 64 << 20;

#[derive(Default)]
pub(super) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Counts uses; the smallest number is the one used longest ago.
    uses: u64,
    /// Instrumented bytes of all that is kept.
    bytes: usize,
    /// Last use, instrumented bytes and the contract.
    modules: BTreeMap<Digest, (u64, usize, InstancePre<Host>)>,
}

impl Kept {
    fn find(&mut self, name: &Digest) -> Option<InstancePre<Host>> {
        self.uses = self.uses.saturating_add(1);
        let (used, _, module) = self.modules.get_mut(name)?;
        *used = self.uses;
        Some(module.clone())
    }

    fn keep(&mut self, name: Digest, size: usize, module: InstancePre<Host>) {
        if let Some((_, before, _)) = self.modules.insert(name, (self.uses, size, module)) {
            self.bytes = self.bytes.saturating_sub(before);
        }
        self.bytes = self.bytes.saturating_add(size);
        while self.modules.len() > MAX_KEPT || self.bytes > MAX_KEPT_BYTES {
            let oldest = self.modules.iter().min_by_key(|(_, (used, ..))| *used).map(|(name, _)| *name);
            let Some((_, size, _)) = oldest.and_then(|name| self.modules.remove(&name)) else { break };
            self.bytes = self.bytes.saturating_sub(size);
        }
    }
}

impl Cache {
    /// The contract with this instrumented code, ready for instances.
    ///
    /// # Errors
    /// [`Unavailable`] when checked and instrumented code does not compile: then this node must not judge.
    pub(super) fn module(&self, shared: &Shared, code: &[u8]) -> Result<InstancePre<Host>, Unavailable> {
        let name = sm3(code);
        if let Some(found) = self.0.lock().unwrap_or_else(PoisonError::into_inner).find(&name) {
            return Ok(found);
        }
        // Not under the lock: others go on with what is kept.
        let failed = |error: wasmtime::Error| Unavailable(format!("a contract does not compile: {error}"));
        let module = Module::from_binary(&shared.engine, code).map_err(failed)?;
        let module = shared.linker.instantiate_pre(&module).map_err(failed)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(name, code.len(), module.clone());
        Ok(module)
    }
}
