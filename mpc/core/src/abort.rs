//! How a protocol ends without a result: who is to blame, at which step, and why.

use std::fmt;

use thiserror::Error;

/// Whom the party that aborts holds responsible. It is this party's report, not proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The peer sent what the protocol does not allow.
    Peer(usize),
    /// One of these two peers sent what the protocol does not allow; which of them, this party cannot tell.
    OneOf(usize, usize),
    /// One of the other parties sent what the protocol does not allow; which of them, this party cannot tell.
    Others,
    /// The peer cannot be reached or fell silent.
    Network(usize),
    /// This party itself: wrong inputs, or a state the program does not expect.
    Local,
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(party) => write!(f, "party {party} misbehaved"),
            Self::Others => f.write_str("one of the other parties misbehaved"),
            Self::OneOf(one, other) => write!(f, "party {one} or party {other} misbehaved"),
            Self::Network(party) => write!(f, "party {party} is out of reach"),
            Self::Local => f.write_str("this party"),
        }
    }
}

/// The end of a session without a result. An abort is final: nothing of the session may be used again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{step}: {why} ({blame})")]
pub struct Abort {
    /// Who is held responsible.
    pub blame: Blame,
    /// The fork and step it happened in, such as `star/rep3: sort by key`.
    pub step: String,
    /// What was wrong; never a secret.
    pub why: String,
}

impl Abort {
    /// The peer sent what the protocol does not allow.
    pub fn peer(party: usize, why: impl Into<String>) -> Self {
        Self { blame: Blame::Peer(party), step: String::new(), why: why.into() }
    }

    /// One of two peers sent what the protocol does not allow.
    pub fn one_of(one: usize, other: usize, why: impl Into<String>) -> Self {
        Self { blame: Blame::OneOf(one, other), step: String::new(), why: why.into() }
    }

    /// One of the other parties sent what the protocol does not allow.
    pub fn others(why: impl Into<String>) -> Self {
        Self { blame: Blame::Others, step: String::new(), why: why.into() }
    }

    /// The peer cannot be reached or fell silent.
    pub fn network(party: usize, why: impl Into<String>) -> Self {
        Self { blame: Blame::Network(party), step: String::new(), why: why.into() }
    }

    /// This party cannot go on.
    pub fn local(why: impl Into<String>) -> Self {
        Self { blame: Blame::Local, step: String::new(), why: why.into() }
    }

    /// Names the step where none is named yet.
    #[must_use]
    pub fn at(mut self, step: &str) -> Self {
        if self.step.is_empty() {
            step.clone_into(&mut self.step);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_step_is_kept_and_told() {
        let abort = Abort::peer(2, "a frame of 7 bytes where 8 are due").at("star: shuffle").at("job");
        assert_eq!(abort.to_string(), "star: shuffle: a frame of 7 bytes where 8 are due (party 2 misbehaved)");
        assert!(Abort::one_of(0, 2, "x").to_string().contains("party 0 or party 2 misbehaved"));
        assert_eq!(Abort::local("x").blame, Blame::Local);
        assert!(Abort::network(1, "closed").to_string().contains("party 1 is out of reach"));
    }
}
