//! What the portal shows and takes: plain texts and numbers, one module a subject.
//!
//! Digests, keys and bytes are lower-case hex; times are milliseconds since 1970 UTC; words of a column that may exceed
//! what a browser's numbers hold are texts.

mod alarm;
mod catalogue;
mod chain;
mod convert;
mod evidence;
mod happening;
mod job;
mod person;
mod query;
mod stats;
mod transaction;

pub use alarm::{AlarmView, AlarmsView};
pub use catalogue::{
    CatalogueView, ClassDraft, ColumnView, FoundColumn, RuleSetView, RuleView, SourceDraft, SourceTest, SourceView,
};
pub use chain::{BlockList, BlockSummary, BlockView, ChainView, Tip, TransactionSummary, TransactionView};
pub use evidence::{EvidenceView, RecordView, Verdict, VerifyStep};
pub use happening::{EventView, HappeningPage, HappeningView};
pub use job::{ApprovalView, Cell, JobSummary, JobView, Progress, ResultView, TimelineView};
pub use person::{Health, Me, OrgView};
pub use query::{CheckView, MissingGrant, QueryDraft};
pub use stats::{ClassCount, NodeView, OrgCount, RefusedCount, StatsView, StatusCount, UseView};
pub use transaction::{ApprovalDraft, CancelDraft, Prepared, SignedTransaction, Submitted};
