//! Batches: changes that are written together, and how sure the write must be.

/// Whether a batch must be on the disk before the write returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives the loss of power.
    Synced,
    /// Survives the end of the process; a later synced batch makes it durable too.
    Buffered,
}

/// A change as it is read: a column, a key, and its new value or none.
pub type Written<'a> = (&'static str, &'a [u8], Option<&'a [u8]>);

/// Where a change lies among the batch's bytes: the lengths of its key and of its value, `None` for a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    column: &'static str,
    key: usize,
    value: Option<usize>,
}

/// Changes that are written together, in the order given.
///
/// A block has tens of thousands of them, so their bytes lie one behind the other and not each in memory of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    changes: Vec<Change>,
}

/// The next `len` bytes.
fn next<'a>(rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    let all: &'a [u8] = *rest;
    let (next, behind) = all.split_at_checked(len).unwrap_or((all, &[]));
    *rest = behind;
    next
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }
    /// Sets a key.
    pub fn put(&mut self, column: &'static str, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (key, value) = (key.as_ref(), value.as_ref());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.changes.push(Change { column, key: key.len(), value: Some(value.len()) });
    }
    /// Removes a key, present or not.
    pub fn delete(&mut self, column: &'static str, key: impl AsRef<[u8]>) {
        let key = key.as_ref();
        self.bytes.extend_from_slice(key);
        self.changes.push(Change { column, key: key.len(), value: None });
    }
    /// Takes the changes of another batch behind its own.
    pub fn extend(&mut self, other: Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.changes.extend(other.changes);
    }
    /// The changes, in the order given.
    pub fn changes(&self) -> impl Iterator<Item = Written<'_>> {
        let mut rest = self.bytes.as_slice();
        self.changes.iter().map(move |change| {
            let key = next(&mut rest, change.key);
            (change.column, key, change.value.map(|len| next(&mut rest, len)))
        })
    }
    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_back_in_the_order_given_also_empty_ones_and_those_of_another_batch() {
        let (mut batch, mut other) = (Batch::new(), Batch::new());
        batch.put("a", b"key", [1u8, 2]);
        batch.put("b", b"", b"");
        batch.delete("a", b"key".to_vec());
        other.put("c", b"x", "y");
        batch.extend(other);
        let changes: Vec<_> = batch.changes().collect();
        let expected: [Written<'_>; 4] =
            [("a", b"key", Some(&[1, 2])), ("b", b"", Some(b"")), ("a", b"key", None), ("c", b"x", Some(b"y"))];
        assert_eq!(changes, expected);
        assert_eq!((batch.len(), batch.bytes(), batch.is_empty()), (4, 10, false));
    }
}
