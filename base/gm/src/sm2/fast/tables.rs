//! The tables of public keys in use: as many as a cap of bytes allows, the least recently used dropped first.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    super::{PublicKey, Signature},
    comb::Comb,
    digest,
    point::Affine,
    verify::{Key, accepts},
};
use crate::GmError;

/// The window of a key's table: 37 rows of 64 points, 151,552 bytes.
const WINDOW: usize = 7;

/// What one table is counted as: the points, the entry around them, and a generous share of the map that holds it.
const TABLE_BYTES: usize = Comb::bytes(WINDOW) + size_of::<Entry>() + 256;

/// Valid signatures after which a key that nobody registered gets a table.
const ENOUGH_USES: u32 = 3;

/// Keys without a table whose uses are counted, at most twice as many: 16 bytes beside each key of 64.
const COUNTED_KEYS: usize = 4096;

/// The cap of the process's tables unless [`limit_tables`] set another: 256 MiB, some 1,700 keys.
const DEFAULT_BYTES: usize = 256 << 20;

/// Tables of public keys, with which verification needs no doublings; any number of threads may share them.
pub struct KeyTables {
    max_bytes: usize,
    /// Counts verifications: what was used when.
    clock: AtomicU64,
    tables: RwLock<BTreeMap<PublicKey, Arc<Entry>>>,
    uses: Mutex<Uses>,
}

struct Entry {
    /// ZA.
    identity: [u8; 32],
    comb: Comb,
    last_used: AtomicU64,
}

/// Uses of keys without a table, in two generations: when the younger is full, the older is forgotten.
#[derive(Default)]
struct Uses {
    young: BTreeMap<PublicKey, Use>,
    old: BTreeMap<PublicKey, Use>,
}

#[derive(Clone, Copy)]
struct Use {
    first: u64,
    count: u32,
}

impl KeyTables {
    /// No tables yet, and never more than `max_bytes` of them. A cap below one table's some 152,000 bytes keeps none.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, clock: AtomicU64::new(0), tables: RwLock::default(), uses: Mutex::default() }
    }

    /// Builds the key's table (about a millisecond) unless it is there; for it the least recently used may go.
    pub fn register(&self, key: &PublicKey) {
        let now = self.clock.fetch_add(1, Relaxed);
        match self.find(key) {
            Some(entry) => entry.last_used.store(now, Relaxed),
            None => self.insert(key, now),
        }
    }

    /// Checks that `sig` is `key`'s signature over `msg`, with the key's table if there is one. A key whose signatures
    /// were right three times gets a table, if there is room or a table that was not used meanwhile.
    ///
    /// # Errors
    /// [`GmError::BadSignature`].
    pub fn verify(&self, key: &PublicKey, msg: &[u8], sig: &Signature) -> Result<(), GmError> {
        let now = self.clock.fetch_add(1, Relaxed);
        if !self.judge(key, msg, sig, Some(now))? {
            self.count(key, now);
        }
        Ok(())
    }

    /// As [`Self::verify`], but leaves the tables as they are: for keys that strangers choose.
    ///
    /// # Errors
    /// [`GmError::BadSignature`].
    pub fn verify_apart(&self, key: &PublicKey, msg: &[u8], sig: &Signature) -> Result<(), GmError> {
        self.judge(key, msg, sig, None).map(drop)
    }

    /// Whether a table served; it counts as used at `now`.
    fn judge(&self, key: &PublicKey, msg: &[u8], sig: &Signature, now: Option<u64>) -> Result<bool, GmError> {
        let (r, s) = sig.scalars().ok_or(GmError::BadSignature)?;
        let entry = self.find(key);
        let right = match &entry {
            Some(entry) => {
                if let Some(now) = now {
                    entry.last_used.store(now, Relaxed);
                }
                accepts(&Key::Table(&entry.comb), &digest::message(&entry.identity, msg), &r, &s)
            }
            None => {
                let identity = digest::identity(&key.to_bytes());
                let point = Affine::from_checked(&key.to_bytes());
                accepts(&Key::Point(point), &digest::message(&identity, msg), &r, &s)
            }
        };
        if right { Ok(entry.is_some()) } else { Err(GmError::BadSignature) }
    }

    /// How many keys have a table.
    pub fn len(&self) -> usize {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no key has a table.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the tables take, never more than the cap.
    pub fn bytes(&self) -> usize {
        self.len() * TABLE_BYTES
    }

    /// The cap.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    fn capacity(&self) -> usize {
        self.max_bytes / TABLE_BYTES
    }

    fn find(&self, key: &PublicKey) -> Option<Arc<Entry>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Notes a right signature of a key without a table. Only these count: bytes that anybody can send build no tables.
    fn count(&self, key: &PublicKey, now: u64) {
        if self.capacity() == 0 {
            return;
        }
        let used = self.uses.lock().unwrap_or_else(PoisonError::into_inner).note(key, now);
        if used.count == ENOUGH_USES && self.has_place_since(used.first) {
            self.insert(key, now);
        }
    }

    /// Whether there is room, or a table that was not used since.
    fn has_place_since(&self, since: u64) -> bool {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.len() < self.capacity() || tables.values().any(|entry| entry.last_used.load(Relaxed) < since)
    }

    fn insert(&self, key: &PublicKey, now: u64) {
        let capacity = self.capacity();
        if capacity == 0 {
            return;
        }
        // Built before the lock is taken: others verify meanwhile.
        let bytes = key.to_bytes();
        let comb = Comb::new(&Affine::from_checked(&bytes), WINDOW);
        let entry = Arc::new(Entry { identity: digest::identity(&bytes), comb, last_used: AtomicU64::new(now) });
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).forget(key);
        // Declared before the lock, so that memory is given back after it.
        let mut dropped = Vec::new();
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if tables.contains_key(key) {
            return;
        }
        while tables.len() >= capacity {
            let oldest = tables.iter().min_by_key(|(_, entry)| entry.last_used.load(Relaxed)).map(|(key, _)| *key);
            match oldest {
                Some(oldest) => dropped.push(tables.remove(&oldest)),
                None => break,
            }
        }
        tables.insert(*key, entry);
    }
}

impl Uses {
    fn note(&mut self, key: &PublicKey, now: u64) -> Use {
        if self.young.len() >= COUNTED_KEYS {
            self.old = mem::take(&mut self.young);
        }
        let none = Use { first: now, count: 0 };
        let before = self.old.remove(key);
        let used = self.young.entry(*key).or_insert(before.unwrap_or(none));
        if used.count == ENOUGH_USES {
            // There was no place: the next uses are held against what happens from now on.
            *used = none;
        }
        used.count += 1;
        *used
    }

    fn forget(&mut self, key: &PublicKey) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

static TABLES: OnceLock<KeyTables> = OnceLock::new();

/// The tables of this process, which [`verify`](super::super::verify) uses: 256 MiB unless [`limit_tables`] came first.
pub fn tables() -> &'static KeyTables {
    TABLES.get_or_init(|| KeyTables::new(DEFAULT_BYTES))
}

/// Sets the cap of this process's tables in bytes. Only the first call counts, and only before anything was verified:
/// the answer says whether it did.
pub fn limit_tables(max_bytes: usize) -> bool {
    TABLES.set(KeyTables::new(max_bytes)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::SecretKey;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed])
    }

    /// Verifies a right and a wrong signature, both as they should be.
    fn uses(tables: &KeyTables, key: &SecretKey, times: usize) {
        let signature = key.sign(b"used");
        for _ in 0..times {
            assert_eq!(tables.verify(&key.public(), b"used", &signature), Ok(()));
            assert_eq!(tables.verify(&key.public(), b"usec", &signature), Err(GmError::BadSignature));
        }
    }

    #[test]
    fn the_tables_never_take_more_than_their_cap_and_dropped_keys_still_verify() {
        assert!(TABLE_BYTES <= 192 << 10);
        let cap = 3 * TABLE_BYTES + TABLE_BYTES / 2;
        let tables = KeyTables::new(cap);
        for seed in 0..8 {
            tables.register(&key(seed).public());
            assert!(tables.bytes() <= cap && tables.len() == usize::from(seed + 1).min(3));
            uses(&tables, &key(0), 1);
        }
        // The first was used all along and stays; then the latest two.
        for (seed, there) in [(0, true), (1, false), (5, false), (6, true), (7, true)] {
            assert_eq!(tables.find(&key(seed).public()).is_some(), there, "{seed}");
            uses(&tables, &key(seed), 1);
        }
    }

    #[test]
    fn a_key_gets_a_table_after_three_right_signatures_and_no_wrong_one_counts() {
        let tables = KeyTables::new(10 * TABLE_BYTES);
        let known = key(1);
        let wrong = key(2).sign(b"used");
        for _ in 0..20 {
            assert!(tables.verify(&known.public(), b"used", &wrong).is_err());
        }
        uses(&tables, &known, 2);
        assert!(tables.is_empty() && tables.bytes() == 0);
        uses(&tables, &known, 1);
        assert_eq!((tables.len(), tables.bytes()), (1, TABLE_BYTES));
        uses(&tables, &known, 5);
        assert_eq!(tables.len(), 1);
    }

    #[test]
    fn a_table_in_use_is_not_given_up_and_an_idle_one_is() {
        let tables = KeyTables::new(TABLE_BYTES);
        tables.register(&key(1).public());
        for _ in 0..9 {
            uses(&tables, &key(1), 1);
            uses(&tables, &key(2), 1);
        }
        assert!(tables.find(&key(1).public()).is_some() && tables.len() == 1);
        uses(&tables, &key(2), 3);
        assert!(tables.find(&key(2).public()).is_some() && tables.len() == 1);
        uses(&tables, &key(1), 1);
    }

    #[test]
    fn without_room_for_one_table_there_are_none() {
        let tables = KeyTables::new(TABLE_BYTES - 1);
        tables.register(&key(1).public());
        uses(&tables, &key(1), 5);
        assert!(tables.is_empty());
    }

    #[test]
    fn uses_of_many_keys_are_forgotten_rather_than_kept() {
        let mut counted = Uses::default();
        let key = key(1).public();
        assert_eq!((counted.note(&key, 5).count, counted.note(&key, 6).first), (1, 5));
        for seed in 0..2 * COUNTED_KEYS {
            let mut other = key.to_bytes();
            other[..8].copy_from_slice(&(seed as u64).to_be_bytes());
            counted.note(&PublicKey::unchecked(other), 7);
            assert!(counted.young.len() <= COUNTED_KEYS && counted.old.len() <= COUNTED_KEYS);
        }
        assert_eq!(counted.note(&key, 8).count, 1);
    }

    #[test]
    fn threads_share_the_tables() {
        let tables = KeyTables::new(2 * TABLE_BYTES);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let tables = &tables;
                scope.spawn(move || (0..12).for_each(|round| uses(tables, &key((thread + round) % 5), 2)));
            }
        });
        assert_eq!(tables.len(), 2);
    }
}
