//! Analysed code by its hash, so that a contract that is called again is not analysed again; bounded.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use revm::bytecode::Bytecode;

/// Most contracts that are kept.
const MAX_ENTRIES: usize = 1024;
/// Most bytes that are kept, code and jump tables.
const MAX_BYTES: usize = 64 << 20;

/// The cache; what it holds never changes a result, only how soon it comes.
pub(super) struct CodeCache(Mutex<Codes>);

struct Codes {
    by_hash: BTreeMap<[u8; 32], Kept>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    /// Counts uses: the entry with the lowest number was used least recently.
    turn: u64,
}

struct Kept {
    code: Bytecode,
    used: u64,
}

/// Padded code and one bit of jump table a byte.
fn weight(code: &Bytecode) -> usize {
    code.bytecode().len().saturating_add(code.len() / 8)
}

impl Default for CodeCache {
    fn default() -> Self {
        Self::bounded(MAX_ENTRIES, MAX_BYTES)
    }
}

impl CodeCache {
    fn bounded(max_entries: usize, max_bytes: usize) -> Self {
        Self(Mutex::new(Codes { by_hash: BTreeMap::new(), bytes: 0, max_entries, max_bytes, turn: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Codes> {
        // Every entry is whole at any moment, so a thread that ended while it held the lock left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Bytecode> {
        let mut codes = self.lock();
        codes.turn = codes.turn.wrapping_add(1);
        let turn = codes.turn;
        let kept = codes.by_hash.get_mut(hash)?;
        kept.used = turn;
        Some(kept.code.clone())
    }

    pub(super) fn put(&self, hash: [u8; 32], code: &Bytecode) {
        let mut codes = self.lock();
        codes.remove(&hash);
        let adds = weight(code);
        while codes.by_hash.len() >= codes.max_entries || codes.bytes.saturating_add(adds) > codes.max_bytes {
            let oldest = codes.by_hash.iter().min_by_key(|(_, kept)| kept.used).map(|(hash, _)| *hash);
            let Some(oldest) = oldest else { return };
            codes.remove(&oldest);
        }
        codes.turn = codes.turn.wrapping_add(1);
        let kept = Kept { code: code.clone(), used: codes.turn };
        codes.bytes = codes.bytes.saturating_add(adds);
        codes.by_hash.insert(hash, kept);
    }
}

impl Codes {
    fn remove(&mut self, hash: &[u8; 32]) {
        if let Some(kept) = self.by_hash.remove(hash) {
            self.bytes = self.bytes.saturating_sub(weight(&kept.code));
        }
    }
}

#[cfg(test)]
mod tests {
    use revm::primitives::Bytes;

    use super::*;

    fn hash(number: usize) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    fn code(len: usize) -> Bytecode {
        Bytecode::new_legacy(Bytes::from(vec![1; len]))
    }

    #[test]
    fn the_entry_that_was_used_least_recently_makes_room() {
        let cache = CodeCache::bounded(3, 1 << 20);
        let small = code(1);
        for number in 0..3 {
            cache.put(hash(number), &small);
        }
        assert!(cache.get(&hash(0)).is_some());
        cache.put(hash(3), &small);
        assert!(cache.get(&hash(0)).is_some(), "used just now");
        assert!(cache.get(&hash(1)).is_none(), "used least recently");
        assert!(cache.get(&hash(2)).is_some() && cache.get(&hash(3)).is_some());
        assert_eq!(cache.lock().by_hash.len(), 3);
    }

    #[test]
    fn bytes_are_bounded_and_counted_back() {
        let large = code(10_000);
        let max = 2 * weight(&large) + 100;
        let cache = CodeCache::bounded(100, max);
        for number in 0..5 {
            cache.put(hash(number), &large);
            cache.put(hash(number), &large);
        }
        assert_eq!(cache.lock().by_hash.len(), 2);
        assert_eq!(cache.lock().bytes, 2 * weight(&large));
        cache.put(hash(9), &code(max + 1));
        assert!(cache.get(&hash(9)).is_none(), "what never fits is not kept");
    }
}
