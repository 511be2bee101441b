//! `Desk`: what the portal asks of the node it belongs to.

use async_trait::async_trait;
use base_types::{Digest, Height, JobId, PersonId, fault::Fault};
use futures::stream::BoxStream;

use crate::views::{
    AlarmsView, ApprovalDraft, BlockList, BlockView, CancelDraft, CatalogueView, ChainView, CheckView, EvidenceView,
    HappeningView, Health, JobSummary, JobView, Me, Prepared, Progress, QueryDraft, ResultView, RuleSetView,
    SignedTransaction, SourceDraft, SourceTest, StatsView, Submitted, Tip, TransactionView, Verdict,
};

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: PersonId,
    /// Roles as the ledger names them, in lower case: `owner`, `analyst`, `auditor`, `administrator`,
    /// `developer`.
    pub roles: Vec<String>,
}

/// The node as the portal sees it. Each method but [`Desk::health`] acts for a person, whose rights it checks.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Whether the node works; asked without a session.
    async fn health(&self) -> Result<Health, Fault>;
    /// The person, the organisation and the chain.
    async fn me(&self, who: &Person) -> Result<Me, Fault>;
    /// Every organisation's sources and rules.
    async fn catalogue(&self, who: &Person) -> Result<CatalogueView, Fault>;
    /// Opens a source of this node and tells what it finds: columns, types, bounds; no values.
    async fn test_source(&self, who: &Person, config: serde_json::Value) -> Result<SourceTest, Fault>;
    /// The registration of a source, to be signed.
    async fn prepare_source(&self, who: &Person, draft: SourceDraft) -> Result<Prepared, Fault>;
    /// A data set's new rules, to be signed.
    async fn prepare_rules(&self, who: &Person, rules: RuleSetView) -> Result<Prepared, Fault>;
    /// Plans a query and says what is missing; nothing is written but a refusal, where a rule forbids.
    async fn check_query(&self, who: &Person, query: QueryDraft) -> Result<CheckView, Fault>;
    /// The proposal of a query, to be signed.
    async fn prepare_query(&self, who: &Person, query: QueryDraft) -> Result<Prepared, Fault>;
    /// An approval or rejection, to be signed.
    async fn prepare_approval(&self, who: &Person, draft: ApprovalDraft) -> Result<Prepared, Fault>;
    /// The calling off of a job, to be signed.
    async fn prepare_cancel(&self, who: &Person, draft: CancelDraft) -> Result<Prepared, Fault>;
    /// Hands a signed transaction to the ledger and waits until it is executed; equal ones are executed once.
    async fn submit(&self, who: &Person, transaction: SignedTransaction) -> Result<Submitted, Fault>;
    /// All jobs, the newest first.
    async fn jobs(&self, who: &Person) -> Result<Vec<JobSummary>, Fault>;
    /// One job.
    async fn job(&self, who: &Person, job: JobId) -> Result<JobView, Fault>;
    /// The answer, at the receiver's node.
    async fn result(&self, who: &Person, job: JobId) -> Result<ResultView, Fault>;
    /// Progress from now on; ends with the job.
    async fn progress(&self, who: &Person, job: JobId) -> Result<BoxStream<'static, Progress>, Fault>;
    /// A job's records and whether they verify.
    async fn evidence(&self, who: &Person, job: JobId) -> Result<EvidenceView, Fault>;
    /// A job's evidence as a file that verifies offline.
    async fn bundle(&self, who: &Person, job: JobId) -> Result<Vec<u8>, Fault>;
    /// Verifies such a file against a pinned genesis digest, where one is given.
    async fn verify_bundle(&self, who: &Person, bundle: Vec<u8>, genesis: Option<Digest>) -> Result<Verdict, Fault>;
    /// Use, in numbers.
    async fn stats(&self, who: &Person) -> Result<StatsView, Fault>;
    /// What is wrong with the node, as the node itself finds.
    async fn alarms(&self, who: &Person) -> Result<AlarmsView, Fault>;
    /// The chain's state.
    async fn chain(&self, who: &Person) -> Result<ChainView, Fault>;
    /// At most `limit` blocks below `before` (the newest without it), the newest first.
    async fn blocks(&self, who: &Person, before: Option<Height>, limit: u32) -> Result<BlockList, Fault>;
    /// One block.
    async fn block(&self, who: &Person, height: Height) -> Result<BlockView, Fault>;
    /// One transaction.
    async fn transaction(&self, who: &Person, digest: Digest) -> Result<TransactionView, Fault>;
    /// New heights from now on.
    async fn heights(&self, who: &Person) -> Result<BoxStream<'static, Tip>, Fault>;
    /// Executed transactions after a cursor (height and number in the block, from 1; 0, 0 is before the first), in order;
    /// only those in which `contract` announced something, if one is named. With `follow` it goes on with what comes later.
    async fn happenings(
        &self,
        who: &Person,
        after: (Height, u32),
        contract: Option<String>,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<HappeningView, Fault>>, Fault>;
}
