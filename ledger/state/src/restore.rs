//! Taking a state over from others, part by part, into a store that has none.

use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_store::{Batch, Durability, Store};

use crate::{
    Leaf, SnapshotFault, Spine, SpineEntry, StateError,
    node::{Branch, Slot, WIDTH},
    path::Path,
    rows::{
        CARRIED, HEIGHTS, HISTORY, LATEST, LAYOUT, LAYOUT_NOW, META, NODES, OLD, OLDEST, ROOTS, STALE, UNFINISHED,
        WORKED, latest_value,
    },
    snapshot::hashed_part,
    tree::{Item, Update},
};

/// Rows that are removed at once.
const PAGE: usize = 4096;

/// A state that is being taken over.
///
/// Parts are written as they come. Until [`Restore::finish`]'s batch is written, [`State::open`](crate::State::open)
/// says that the state is unfinished; after a crash, [`Restore::start`] removes what there is and begins again.
pub struct Restore {
    store: Store,
    height: Height,
    spine: Spine,
    /// Parts that are still to come.
    missing: Vec<u8>,
}

impl Restore {
    /// Begins to take over the state of a certified root; what an earlier attempt left is removed.
    ///
    /// # Errors
    /// [`SnapshotFault::OtherRoot`] when the spine is not that of `root`, [`StateError::NotEmpty`] when the store has a
    /// state, other [`StateError`]s when storage fails.
    pub fn start(store: Store, height: Height, root: &Digest, spine: Spine) -> Result<Self, StateError> {
        spine.verify(root)?;
        if store.last(ROOTS)?.is_some() {
            return Err(StateError::NotEmpty);
        }
        let mut batch = Batch::new();
        batch.put(META, UNFINISHED, height.to_wire());
        batch.delete(META, WORKED);
        batch.delete(META, CARRIED);
        store.write(batch, Durability::Synced)?;
        for column in [NODES, OLD, LATEST, HISTORY, STALE] {
            clear(&store, column)?;
        }
        let missing = spine.parts();
        Ok(Self { store, height, spine, missing })
    }

    /// Parts that are still to come, in order.
    pub fn missing(&self) -> &[u8] {
        &self.missing
    }

    /// Checks a whole part and writes it; one that came before changes nothing.
    ///
    /// # Errors
    /// [`StateError::Snapshot`] when the leaves are not those of the part: then whoever gave them is wrong, and nothing is
    /// written. Other [`StateError`]s when storage fails.
    pub fn part(&mut self, index: u8, leaves: &[Leaf]) -> Result<(), StateError> {
        let hashed = hashed_part(&self.spine, index, leaves)?;
        if !self.missing.contains(&index) {
            return Ok(());
        }
        let items: Vec<Item> = hashed.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let mut batch = Batch::new();
        // One that is alone stands in the branch above.
        if items.len() > 1 {
            let path = Path::root().child(usize::from(index >> 4)).child(usize::from(index & 0x0f));
            let mut update = Update::new(&self.store, self.height, &mut batch, None);
            let mut branch = update.change(Box::default(), path, &items)?;
            update.finish(&path, &mut branch);
        }
        for (key, value) in leaves {
            batch.put(LATEST, key.0, latest_value(self.height, value));
        }
        self.store.write(batch, Durability::Buffered)?;
        self.missing.retain(|missing| *missing != index);
        Ok(())
    }

    /// Puts what makes the parts a state into `batch` and returns the root. The batch must be written synced: that makes
    /// the parts durable too. The state can be opened then, and its oldest height is this one.
    ///
    /// # Errors
    /// [`SnapshotFault::Missing`] while a part is; [`StateError::Damaged`] when another root comes out.
    pub fn finish(self, batch: &mut Batch) -> Result<Digest, StateError> {
        if let Some(index) = self.missing.first() {
            return Err(SnapshotFault::Missing(*index).into());
        }
        let mut update = Update::new(&self.store, self.height, batch, None);
        let mut branch = update.gather(Path::root(), (0..WIDTH).map(|high| self.second(high)));
        let root = update.finish(&Path::root(), &mut branch);
        if root != self.spine.root() {
            return Err(StateError::Damaged("another root came out"));
        }
        batch.put(ROOTS, self.height.to_be_bytes(), root.to_wire());
        batch.put(HEIGHTS, root.0, self.height.to_wire());
        batch.put(META, LAYOUT, LAYOUT_NOW);
        batch.put(META, OLDEST, self.height.to_wire());
        // No row lies before this version's, but maybe many removals.
        batch.put(META, CARRIED, self.height.to_be_bytes());
        batch.delete(META, UNFINISHED);
        Ok(root)
    }

    /// The branch in a slot of the root, or what would stand in it.
    fn second(&self, high: usize) -> Branch {
        let mut branch = Branch::default();
        for low in 0..WIDTH {
            let index = u8::try_from(high * WIDTH + low).unwrap_or(u8::MAX);
            branch.set(low, slot(self.spine.entry(index), self.height));
        }
        branch
    }
}

fn slot(entry: &SpineEntry, version: Height) -> Slot {
    match entry {
        SpineEntry::Empty => Slot::Empty,
        SpineEntry::Leaf { key, value } => Slot::Leaf { key: *key, value: *value },
        SpineEntry::Inner(hash) => Slot::Inner { hash: *hash, version },
    }
}

/// Removes all rows of a column. Each page begins behind the last, or it would scan all removals before it.
fn clear(store: &Store, column: &'static str) -> Result<(), StateError> {
    let mut from = Vec::new();
    loop {
        let page = store.rows(column, &[], &from, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        from.clone_from(last);
        from.push(0);
        let mut batch = Batch::new();
        for (key, _) in page {
            batch.delete(column, key);
        }
        store.write(batch, Durability::Buffered)?;
    }
}
