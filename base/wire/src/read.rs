//! The reading side: a cursor over borrowed bytes and what can be wrong with them.

use thiserror::Error;

/// Why bytes are not a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// The bytes end before the value does.
    #[error("the message ends early: {what} needs {need} bytes, {left} are left")]
    Short {
        /// What was being read.
        what: &'static str,
        /// Bytes it needs.
        need: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Bytes follow the value.
    #[error("{left} bytes follow the message")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// A length above its bound.
    #[error("{what} is {len} long, at most {max} is allowed")]
    TooLong {
        /// What was being read.
        what: &'static str,
        /// Its stated length.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// A form that no encoder writes.
    #[error("{0} is not in canonical form")]
    NotCanonical(&'static str),
}

/// A cursor over the bytes of one message.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether these bytes come next; none is taken.
    pub fn is_next(&self, bytes: &[u8]) -> bool {
        self.rest.starts_with(bytes)
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`WireError::Short`] when fewer are left.
    pub fn take(&mut self, what: &'static str, n: usize) -> Result<&'a [u8], WireError> {
        if self.rest.len() < n {
            return Err(WireError::Short { what, need: n, left: self.rest.len() });
        }
        let (head, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`WireError::Short`] when fewer are left.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(what, N)?);
        Ok(out)
    }

    /// A `u32` count of items that take at least `min_bytes` each, checked against what is left.
    ///
    /// # Errors
    /// [`WireError::Short`] when the items cannot fit.
    pub fn count(&mut self, what: &'static str, min_bytes: usize) -> Result<usize, WireError> {
        let count = u32::from_be_bytes(self.array(what)?) as usize;
        let need = count.saturating_mul(min_bytes.max(1));
        if need > self.rest.len() {
            return Err(WireError::Short { what, need, left: self.rest.len() });
        }
        Ok(count)
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`WireError::Trailing`] when bytes are left.
    pub fn finish(self) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(WireError::Trailing { left }),
        }
    }
}
