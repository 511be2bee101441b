//! Tiers as people write them.

use std::str::FromStr;

use thiserror::Error;

use crate::Tier;

/// A word that names no tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such tier: write a, b, b+, c or d")]
pub struct UnknownTier;

impl FromStr for Tier {
    type Err = UnknownTier;

    /// The tier of this letter, large or small.
    fn from_str(word: &str) -> Result<Self, UnknownTier> {
        Self::ALL.into_iter().find(|tier| tier.word().eq_ignore_ascii_case(word)).ok_or(UnknownTier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_read_by_its_letter() {
        for tier in Tier::ALL {
            assert_eq!(tier.word().parse::<Tier>(), Ok(tier));
            assert_eq!(tier.word().to_lowercase().parse::<Tier>(), Ok(tier));
        }
        for word in ["", "e", "aa", "tier a", " a"] {
            assert_eq!(word.parse::<Tier>(), Err(UnknownTier), "{word}");
        }
    }
}
