//! Pure terms: catalogue entries, rules, requests, plans, approvals and receipts, and the one maker of `Approved`.

mod approved;
mod body;
mod catalogue;
pub mod formula;
mod plan;
mod rule;

pub use approved::{ApprovalFact, ApprovalFault, Approved, verify};
pub use body::{
    ApprovalBody, CancelBody, DeliveredBody, ExportBody, Outcome, ProposalBody, ReadBody, ReceiptBody, RefusedBody,
    RejectBody, RevokeBody, StartBody, Stream, TransferBody,
};
pub use catalogue::{Catalogue, ColumnClass, Source, dataset_subject};
pub use plan::{
    Aggregate, Argument, Function, GroupColumn, Join, Order, Output, Plan, Read, ReadRole, Request, Tier, ValueOf,
};
pub use rule::{ApprovalMode, Rule, RuleSet, Use};
