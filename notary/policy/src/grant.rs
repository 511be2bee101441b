//! Which grant allows which use: the table of what a stronger grant implies, and why a use has no grant.

use base_types::TimeMs;
use notary_terms::{Rule, RuleSet, Use};

use crate::{ColumnUse, Reason};

/// Whether a grant of `held` allows the use `need`.
///
/// The table is kept small on purpose; what is not named here must be granted by its own word:
///
/// | held | allows |
/// |---|---|
/// | `plaintext` | everything |
/// | any other | itself and `encrypted_only` |
///
/// `after_join` does not imply `after_group_by`: with a LEFT JOIN, groups are also named by rows that matched nothing.
/// `after_group_by` does not imply `after_aggregate`, nor the reverse: names of groups tell which values occur, sums tell
/// how much. `after_compare` implies neither.
pub fn covers(held: Use, need: Use) -> bool {
    held == Use::Plaintext || held == need || need == Use::EncryptedOnly
}

/// Looks for a grant; the reason when there is none.
pub(crate) fn find(
    set: Option<&RuleSet>,
    need: &ColumnUse,
    purpose: &str,
    used: u32,
    now: TimeMs,
) -> Result<(), Reason> {
    let matches = |rule: &&Rule| {
        (rule.column == "*" || rule.column == need.column)
            && rule.party == need.party
            && (rule.purpose == "*" || rule.purpose == purpose)
            && rule.uses.iter().any(|held| covers(*held, need.need))
    };
    let rules: Vec<&Rule> = set.map_or_else(Vec::new, |set| set.rules.iter().filter(matches).collect());
    if rules.is_empty() {
        return Err(Reason::NoGrant);
    }
    let live: Vec<&&Rule> = rules.iter().filter(|rule| now <= rule.expires).collect();
    if live.is_empty() {
        return Err(Reason::Expired);
    }
    if live.iter().any(|rule| rule.runs == 0 || used < rule.runs) { Ok(()) } else { Err(Reason::RunsSpent) }
}
