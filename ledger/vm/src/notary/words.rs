//! The kinds of entries in words, for messages and pages.

use super::EntryKind;

impl EntryKind {
    /// The word in English, as `--json` prints it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SourceRegistered => "source registered",
            Self::RuleSet => "rules set",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Started => "started",
            Self::Read => "read",
            Self::Transferred => "transferred",
            Self::Delivered => "delivered",
            Self::Receipt => "receipt",
            Self::Refused => "refused",
            Self::MemberAdded => "member added",
            Self::RuleRevoked => "rules revoked",
            Self::EvidenceExported => "evidence exported",
            Self::Cancelled => "cancelled",
        }
    }

    /// The word in Chinese.
    pub fn word_zh(self) -> &'static str {
        match self {
            Self::SourceRegistered => "数据源登记",
            Self::RuleSet => "规则设定",
            Self::Proposed => "提案",
            Self::Approved => "批准",
            Self::Rejected => "拒绝",
            Self::Started => "启动",
            Self::Read => "读取",
            Self::Transferred => "流转",
            Self::Delivered => "交付",
            Self::Receipt => "回执",
            Self::Refused => "拦截",
            Self::MemberAdded => "成员登记",
            Self::RuleRevoked => "规则撤销",
            Self::EvidenceExported => "证据导出",
            Self::Cancelled => "取消",
        }
    }
}
