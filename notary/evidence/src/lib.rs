//! Evidence bundles and their offline verification, from a pinned genesis hash, certificates and proofs alone.

mod bundle;
mod chain;
mod run;
mod story;

pub use bundle::{Bundle, EvidenceEntry, MAGIC};
pub use chain::verify;
pub use story::Summary;

use serde::Serialize;

/// One link of the chain of evidence and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is checked, in English.
    pub name: String,
    /// What is checked, in Chinese.
    pub name_zh: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// The verdict on a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every link holds.
    pub valid: bool,
    /// The verifier pinned the genesis hash; without one, the bundle only agrees with itself.
    pub anchored: bool,
    /// The chain's genesis digest, as the bundle states it.
    pub genesis: String,
    /// The links in the order of checking; checking stops at the first broken one.
    pub steps: Vec<Step>,
    /// Name of the first broken link.
    pub first_broken: Option<String>,
    /// What the entries tell, when every link holds.
    pub summary: Option<Summary>,
}
