//! Identifiers with a checked form, and the digest that names everything on the ledger.

use std::fmt;

use base_wire::{Decode, Encode, Reader, WireError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is not a name: 1 to 64 of a-z, 0-9, '-' and '_' are allowed")]
pub struct IdError(pub String);

fn check_name(text: &str) -> Result<(), IdError> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if fits { Ok(()) } else { Err(IdError(text.to_owned())) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`IdError`] when the text is not in the identifier's form.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }
        impl Decode for $name {
            const MIN_BYTES: usize = 5;
            fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
                Self::new(String::decode(input)?).map_err(|_| WireError::NotCanonical(stringify!($name)))
            }
        }
    };
}

fn check_pair(text: &str) -> Result<(), IdError> {
    let (org, local) = text.split_once('/').ok_or_else(|| IdError(text.to_owned()))?;
    check_name(org)?;
    check_name(local)
}

name!(
    /// An organisation, which runs one node: `health`, `statistics`.
    OrgId,
    check_name
);
name!(
    /// A data set of an organisation: `health/visits`.
    DatasetId,
    check_pair
);
name!(
    /// A person or service of an organisation: `statistics/analyst`.
    PersonId,
    check_pair
);

impl DatasetId {
    /// The organisation that owns the data set.
    pub fn owner(&self) -> OrgId {
        OrgId(self.0.split('/').next().unwrap_or_default().to_owned())
    }
    /// The table's name in queries.
    pub fn table(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }
}

impl PersonId {
    /// The organisation that vouches for the person.
    pub fn org(&self) -> OrgId {
        OrgId(self.0.split('/').next().unwrap_or_default().to_owned())
    }
}

/// A 256-bit SM3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for Digest {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let mut out = [0; 32];
        hex::decode_to_slice(&text, &mut out).map_err(|_| IdError(text))?;
        Ok(Self(out))
    }
}

impl std::str::FromStr for Digest {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl Encode for Digest {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Digest {
    const MIN_BYTES: usize = 32;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self(input.array("digest")?))
    }
}

/// A job is named by the digest of its plan.
pub type JobId = Digest;
/// A block's height; the genesis state is height 0, the first block height 1.
pub type Height = u64;
/// Milliseconds since the Unix epoch, UTC.
pub type TimeMs = u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_wherever_they_come_from() {
        assert!(OrgId::new("health").is_ok());
        for bad in ["", "Health", "a b", "../x", "a/b", &"x".repeat(65)] {
            assert!(OrgId::new(bad).is_err(), "{bad}");
        }
        assert_eq!(DatasetId::new("health/visits").map(|d| d.owner().to_string()), Ok("health".into()));
        assert!(DatasetId::from_wire(&"health".to_owned().to_wire()).is_err());
    }
}
