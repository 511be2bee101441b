//! Pure terms: catalogue entries, rules, requests, plans, approvals and receipts, and the one maker of `Approved`.

mod approved;
mod body;
mod catalogue;
mod circuit;
pub mod formula;
mod plan;
mod program;
mod rule;
mod tier;
mod transfer;
mod vectors;

pub use approved::{ApprovalFact, ApprovalFault, Approved, verify};
pub use body::{
    ApprovalBody, CancelBody, DeliveredBody, ExportBody, Outcome, ProposalBody, ReadBody, ReceiptBody, RefusedBody,
    RejectBody, RevokeBody, StartBody,
};
pub use catalogue::{Catalogue, ColumnClass, Source, dataset_subject};
pub use circuit::{Circuit, CircuitSize};
pub use plan::{Fold, GroupColumn, Join, KeyPart, Order, Output, Plan, Read, ReadRole, Request, Tier, ValueOf};
pub use program::{
    Aggregate, Argument, BUCKET_KEYS, CellForm, Common, Function, Intersect, Label, MAX_BUCKETS, MAX_KEY_ROWS, Overlap,
    Program, Published, Ranges, Span, Spares, Star,
};
pub use rule::{ApprovalMode, Rule, RuleSet, Use};
pub use tier::UnknownTier;
pub use transfer::{Connection, MAX_RESUMES, Stream, TransferBody};
pub use vectors::{VectorColumn, VectorInput, VectorSize, Vectors};
