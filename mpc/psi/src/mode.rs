//! What a run spares: time or bytes.

/// What a run spares. Both parties name the same; it is bound into the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Time: the table's bins and the batches of the VOLE stay in the cache.
    #[default]
    Fast,
    /// Bytes: one bin for up to 2^20 keys and larger batches, which makes the table 7 % shorter.
    LowCommunication,
}

impl Mode {
    /// The canonical encoding that forks bind.
    pub(crate) const fn encode(self) -> u8 {
        match self {
            Self::Fast => 1,
            Self::LowCommunication => 2,
        }
    }
}
