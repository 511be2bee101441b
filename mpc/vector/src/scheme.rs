//! Which shares a program runs on: the engines, how many parties each has, and what it lacks.

/// An engine's secret sharing. A program is checked for one, and runs on that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Replicated shares among three parties that follow the protocol ([`mpc_share::Rep3`]): tier B.
    Three,
    /// The same shares among three parties of which one may deviate ([`mpc_checked::Checked`]): tier B+.
    Checked,
    /// Additive shares of two parties that follow the protocol, without a dealer ([`mpc_two::Two`]): tier A.
    Two,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 3] = [Self::Three, Self::Checked, Self::Two];

    /// How many parties hold shares.
    pub fn parties(self) -> usize {
        match self {
            Self::Three | Self::Checked => 3,
            Self::Two => 2,
        }
    }

    /// Whether there are integers modulo 2^128.
    pub fn has_wide(self) -> bool {
        match self {
            Self::Three => true,
            Self::Checked | Self::Two => false,
        }
    }

    /// What it is called where a program does not run on it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Three => "shares of three parties (tier B)",
            Self::Checked => "proven shares of three parties (tier B+)",
            Self::Two => "shares of two parties (tier A)",
        }
    }

    /// What binds it into a session.
    pub(crate) fn tag(self) -> u8 {
        match self {
            Self::Three => 1,
            Self::Checked => 2,
            Self::Two => 3,
        }
    }
}
