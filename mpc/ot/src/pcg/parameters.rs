//! Parameters of the generator: one value, hashed into the session, so the two sides cannot disagree.

use super::{Field, NOISE};

/// Row weight of the expander.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expander {
    /// 7: what the code's authors recommend for speed.
    Seven,
    /// 21: their conservative choice.
    TwentyOne,
}

/// How much a batch yields, and by which code.
///
/// The code has rate 1/2 and state 24. Against linear tests with a relative (pseudo-)minimum distance of 1/4, which the authors of
/// the code take for both weights, regular noise of weight `t` gives `(1 − 2·1/4)^t = 2^-t`: `t = 128` for 128 bits, whatever the
/// length. Prange's information-set decoding of a code of rate 1/2 costs `2^t` guesses of a noise-free set as well, and a
/// linear algebra each. So all rows of the table have 128 bits by these estimates.
///
/// | `depth` | yield of a batch | leaves | bytes from the sender a batch | base transfers (bits, blocks) |
/// |---|---|---|---|---|
/// | 10 | 2^16 | 2^17 | 43,008 | 1,408 and 17,792 |
/// | 12 | 2^18 | 2^19 | 51,200 | 1,664 and 18,048 |
/// | 14 | 2^20 | 2^21 | 59,392 | 1,920 and 18,304 |
/// | 16 | 2^22 | 2^23 | 67,584 | 2,176 and 18,560 |
/// | 18 | 2^24 | 2^25 | 75,776 | 2,432 and 18,816 |
///
/// Small batches stay in the cache and are the faster ones; large ones move less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    depth: usize,
    expander: Expander,
}

impl Parameters {
    /// `depth` from 10 to 18: levels of a tree. `None` for anything else.
    pub const fn new(depth: usize, expander: Expander) -> Option<Self> {
        if matches!(depth, 10..=18) { Some(Self { depth, expander }) } else { None }
    }

    /// Correlations that a batch yields.
    pub const fn batch(&self) -> usize {
        NOISE << self.depth >> 1
    }

    /// Levels of a tree.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) const fn expander(&self) -> Expander {
        self.expander
    }

    /// Leaves of all trees of a batch.
    pub(super) const fn leaves(&self) -> usize {
        NOISE << self.depth
    }

    /// Random base transfers of a batch.
    pub(super) const fn random(&self) -> usize {
        NOISE * self.depth
    }

    /// Base VOLE elements of a batch: one for the check, and one a tree where the noise is over the large field.
    pub(super) const fn elements(&self, field: Field) -> usize {
        match field {
            Field::Bits => 1,
            Field::Blocks => 1 + NOISE,
        }
    }

    /// The canonical encoding that the fork's identifier binds.
    pub(super) fn encode(&self, field: Field) -> [u8; 3] {
        let Self { depth, expander } = self;
        let expander = match expander {
            Expander::Seven => 7,
            Expander::TwentyOne => 21,
        };
        let field = match field {
            Field::Bits => 1,
            Field::Blocks => 128,
        };
        [*depth as u8, expander, field]
    }
}

impl Default for Parameters {
    /// Batches of 2^16, expander weight 7.
    fn default() -> Self {
        Self { depth: 10, expander: Expander::Seven }
    }
}
