//! What an owner's rules do not allow, and the sentence that says so with the grant to ask for.

use base_types::{DatasetId, OrgId};
use notary_terms::Use;
use serde::{Deserialize, Serialize};

/// Why a use is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No rule grants it.
    NoGrant,
    /// The grant's last moment has passed.
    Expired,
    /// The grant's runs are used up.
    RunsSpent,
    /// The party may not hold shares of the data set.
    NotHolder,
    /// The plan shows smaller groups than the rules allow.
    GroupTooSmall,
    /// The plan is malformed, so nobody can say what it reveals.
    BadPlan,
}

/// One thing that is missing before the plan is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missing {
    /// The data set.
    pub dataset: DatasetId,
    /// The column; `*` when it concerns the whole data set.
    pub column: String,
    /// The use that the plan makes of it.
    pub need: Use,
    /// Who would learn, or hold shares.
    pub party: OrgId,
    /// The plan's purpose.
    pub purpose: String,
    /// Who can grant it.
    pub owner: OrgId,
    /// Why it is refused.
    pub reason: Reason,
    /// For [`Reason::NotHolder`]: the whole list of holders to ask for, those named now and those the plan needs.
    pub holders: Vec<OrgId>,
}

impl Missing {
    /// The sentence in Chinese or English: the rule, and the grant to ask for.
    pub fn tell(&self, zh: bool) -> String {
        if zh { self.tell_zh() } else { self.tell_en() }
    }

    /// The command with which the owner grants it; `None` when no grant helps.
    pub fn grant(&self) -> Option<String> {
        let Self { dataset, column, need, party, purpose, .. } = self;
        match self.reason {
            // The command replaces the whole list, so it is given only where the list is known.
            Reason::NotHolder if !self.holders.is_empty() => {
                let holders: Vec<_> = self.holders.iter().map(OrgId::as_str).collect();
                Some(format!("heqi grant {dataset} --holders {}", holders.join(",")))
            }
            Reason::NotHolder | Reason::GroupTooSmall | Reason::BadPlan => None,
            Reason::NoGrant | Reason::Expired | Reason::RunsSpent => Some(format!(
                "heqi grant {dataset} {} --to {party} --use {} --purpose {}",
                shell_word(column),
                need.word(),
                shell_word(purpose)
            )),
        }
    }

    fn tell_en(&self) -> String {
        let Self { dataset, column, party, purpose, owner, .. } = self;
        let word = self.need.word();
        let what = match self.reason {
            Reason::NoGrant => {
                format!("no rule on {dataset} column {column} grants {party} the use {word} for purpose {purpose}")
            }
            Reason::Expired => {
                format!("the rule on {dataset} column {column} that grants {party} the use {word} has expired")
            }
            Reason::RunsSpent => {
                format!("the rule on {dataset} column {column} that grants {party} the use {word} has no runs left")
            }
            Reason::NotHolder => format!("the rules on {dataset} do not name {party} as a holder of its shares"),
            Reason::GroupTooSmall => {
                return format!(
                    "the rules on {dataset} forbid groups as small as this plan shows to {party}. Submit the query again: \
                     the planner takes the threshold from the newest rules"
                );
            }
            Reason::BadPlan => {
                return format!(
                    "the plan's use of {dataset} cannot be derived, so {owner} refuses it. Submit the query again"
                );
            }
        };
        match self.grant() {
            Some(grant) => format!("{what}. Ask {owner} for: `{grant}`"),
            None => format!("{what}. Ask {owner} to name {party} too, besides those named now"),
        }
    }

    fn tell_zh(&self) -> String {
        let Self { dataset, column, party, purpose, owner, .. } = self;
        let word = self.need.word();
        let what = match self.reason {
            Reason::NoGrant => format!("{dataset} 的列 {column} 没有规则授权 {party} 以 {word} 方式用于 {purpose}"),
            Reason::Expired => format!("{dataset} 的列 {column} 授权 {party} 以 {word} 方式使用的规则已过期"),
            Reason::RunsSpent => format!("{dataset} 的列 {column} 授权 {party} 以 {word} 方式使用的次数已用完"),
            Reason::NotHolder => format!("{dataset} 的规则未允许 {party} 持有其份额"),
            Reason::GroupTooSmall => {
                return format!(
                    "{dataset} 的规则不允许向 {party} 显示这么小的分组。请重新提交查询：规划器按最新规则取门限"
                );
            }
            Reason::BadPlan => return format!("无法推导该计划对 {dataset} 的使用，{owner} 拒绝。请重新提交查询"),
        };
        match self.grant() {
            Some(grant) => format!("{what}。请向 {owner} 申请：`{grant}`"),
            None => format!("{what}。请 {owner} 在现有持有方之外再加上 {party}"),
        }
    }
}

/// A text as one word of a shell's command line.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
