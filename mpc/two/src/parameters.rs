//! Parameters of a two-party session: one value, hashed into the session, so the two sides cannot disagree.

use mpc_ot::{pcg, softspoken};

/// What lies between the two parties; it decides how transfers are made and how much is under way at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Network {
    /// A gigabit or more and less than a few milliseconds: SoftSpoken extension with `k = 2`, 7.9 bytes and about ten
    /// nanoseconds a transfer.
    #[default]
    Lan,
    /// Slower or farther: silent transfers, a tenth of a byte and about fifty nanoseconds each, and fewer rounds.
    Wan,
}

/// How a session runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parameters {
    /// What lies between the parties.
    pub network: Network,
}

/// Chunks of the extension: their columns fit a core's cache.
const CHUNK: usize = 1 << 16;
/// Chunks of the extension under way.
const WINDOW: usize = 2;

impl Parameters {
    /// Most elements of a vector that are worked on in one go. A party keeps about 2 KiB an element for that time.
    pub(crate) const fn slice(&self) -> usize {
        match self.network {
            Network::Lan => 1 << 14,
            Network::Wan => 1 << 16,
        }
    }

    /// Most products of words that are worked on in one go: the transfers of both parties then fit the processor's last cache.
    pub(crate) const fn products(&self) -> usize {
        match self.network {
            Network::Lan => 1 << 13,
            Network::Wan => 1 << 16,
        }
    }

    /// The extension's own parameters.
    pub(crate) fn extension(&self) -> softspoken::Parameters {
        softspoken::Parameters::new(2, CHUNK, WINDOW).unwrap_or_default()
    }

    /// The silent transfers' own parameters: batches of 2^18.
    pub(crate) fn silent(&self) -> pcg::Parameters {
        pcg::Parameters::new(12, pcg::Expander::Seven).unwrap_or_default()
    }

    /// Transfers are made in multiples of this.
    pub(crate) fn quantum(&self) -> usize {
        match self.network {
            Network::Lan => 1 << 12,
            Network::Wan => self.silent().batch(),
        }
    }

    /// The canonical encoding that the fork's identifier binds.
    pub(crate) fn encode(&self) -> [u8; 1] {
        let Self { network } = self;
        match network {
            Network::Lan => [1],
            Network::Wan => [2],
        }
    }
}
