//! Alarms: what the node finds wrong with itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The node's alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmsView {
    /// When the node last looked.
    pub looked: u64,
    /// What is wrong now.
    pub active: Vec<AlarmView>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmView {
    /// The stable code, such as `peer_lost`.
    pub code: String,
    /// Which organisation, certificate or part.
    pub subject: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// When it was raised.
    pub since: u64,
    /// What is wrong, in Chinese.
    pub text_zh: String,
    /// What is wrong, in English.
    pub text_en: String,
    /// What to do, in Chinese.
    pub remedy_zh: String,
    /// What to do, in English.
    pub remedy_en: String,
}
