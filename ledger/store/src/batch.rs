//! Batches: changes that are written together, and how sure the write must be.

/// Whether a batch must be on the disk before the write returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives the loss of power.
    Synced,
    /// Survives the end of the process; a later synced batch makes it durable too.
    Buffered,
}

/// A column, a key, and its new value or none.
pub(crate) type Written = (&'static str, Vec<u8>, Option<Vec<u8>>);

/// Changes that are written together, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub(crate) changes: Vec<Written>,
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }
    /// Sets a key.
    pub fn put(&mut self, column: &'static str, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), Some(value.into())));
    }
    /// Removes a key, present or not.
    pub fn delete(&mut self, column: &'static str, key: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), None));
    }
    /// Takes the changes of another batch behind its own.
    pub fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
    }
    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }
    /// True without changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
