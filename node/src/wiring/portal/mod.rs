//! The node behind the portal's `Desk`: what each person may see and prepare here.

mod chain;
mod evidence;
mod happenings;
mod jobs;
mod prepare;
mod query;
mod stats;

use std::sync::Arc;

use async_trait::async_trait;
use base_rt::{Apart, Clock, Entropy};
use base_types::{
    Digest, Height, JobId, OrgId, PersonId,
    fault::{Code, Fault},
};
use futures::stream::BoxStream;
use ledger_chain::{Chain, ChainFault};
use ledger_light::{Organisation, Role};
use notary_desk::{Desk as Notary, Journal};
use portal_api::{
    Desk, Person,
    views::{
        AlarmView, AlarmsView, ApprovalDraft, BlockList, BlockView, CancelDraft, CatalogueView, ChainView, CheckView,
        EvidenceView, HappeningView, Health, JobSummary, JobView, Me, OrgView, Prepared, Progress, QueryDraft,
        ResultView, RuleSetView, SignedTransaction, SourceDraft, SourceTest, SourceView, StatsView, Submitted, Tip,
        TransactionView, Verdict,
    },
};

pub(crate) use chain::engine_word;
pub use happenings::happening_view;

use super::{progress, results::Results, sources::Sources};
use crate::{
    config::Config,
    observe::{Watch, alarms::Alarm, book::Raised},
};

/// The node as its own people see it.
pub struct NodeDesk {
    /// The node's settings.
    pub config: Config,
    /// The ledger.
    pub chain: Chain,
    /// The ledger as the notary writes to it.
    pub journal: Arc<dyn Journal>,
    /// The notary.
    pub notary: Arc<Notary>,
    /// Where sources are.
    pub sources: Arc<Sources>,
    /// Answers received.
    pub results: Arc<Results>,
    /// Runs under way.
    pub progress: Arc<progress::Progress>,
    /// What the node finds wrong with itself.
    pub watch: Arc<Watch>,
    /// Where what a person asks for is worked out that may take long: a query's plan, a bundle's verdict.
    pub apart: Apart<PersonId>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

fn told(step: &'static str) -> impl Fn(ChainFault) -> Fault {
    move |fault| fault.fault(step)
}

/// A role's word on pages and in `--json`.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Node => "node",
        Role::Owner => "owner",
        Role::Analyst => "analyst",
        Role::Auditor => "auditor",
        Role::Administrator => "administrator",
        Role::Developer => "developer",
    }
}

fn alarm_view(raised: Raised) -> AlarmView {
    let Raised { alarm, since } = raised;
    let Alarm { code, subject, severity, text_zh, text_en, remedy_zh, remedy_en } = alarm;
    let (code, severity) = (code.code().to_owned(), severity.word().to_owned());
    AlarmView { code, subject, severity, since, text_zh, text_en, remedy_zh, remedy_en }
}

impl NodeDesk {
    fn me_org(&self) -> &OrgId {
        &self.config.org
    }

    fn organisation(&self, org: &OrgId) -> Option<&Organisation> {
        self.chain.genesis().organisations.iter().find(|o| &o.id == org)
    }

    fn org_view(organisation: &Organisation) -> OrgView {
        OrgView {
            id: organisation.id.to_string(),
            name_zh: organisation.name_zh.clone(),
            name_en: organisation.name_en.clone(),
        }
    }

    /// A person acts with a role that the ledger gives.
    fn require(who: &Person, role: &str) -> Result<(), Fault> {
        if who.roles.iter().any(|r| r == role) {
            return Ok(());
        }
        Err(Fault::new(Code::NotAllowed, role, format!("{} has not the role '{role}'", who.id)))
    }
}

#[async_trait]
impl Desk for NodeDesk {
    async fn health(&self) -> Result<Health, Fault> {
        let status = self.chain.status().map_err(told("health"))?;
        if let Some(fault) = status.fault {
            return Err(fault.fault("run the ledger").at(&self.config.org));
        }
        Ok(Health {
            status: "ok".to_owned(),
            org: self.config.org.to_string(),
            height: status.height,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    async fn me(&self, who: &Person) -> Result<Me, Fault> {
        let missing = || Fault::new(Code::Internal, "me", "the genesis lacks this organisation");
        Ok(Me {
            person: who.id.to_string(),
            org: self.organisation(self.me_org()).map(Self::org_view).ok_or_else(missing)?,
            roles: who.roles.clone(),
            chain: self.chain.genesis().digest().to_string(),
            height: self.chain.height(),
            language: "zh".to_owned(),
        })
    }

    async fn catalogue(&self, _who: &Person) -> Result<CatalogueView, Fault> {
        let catalogue = self.notary.book(|book| book.catalogue_at(Height::MAX))?;
        let rules = &catalogue.rules;
        let view = |source: &notary_terms::Source| SourceView::of(source, rules.get(&source.dataset), self.me_org());
        Ok(CatalogueView {
            height: self.chain.height(),
            sources: catalogue.sources.values().map(view).collect(),
            organisations: self.chain.genesis().organisations.iter().map(Self::org_view).collect(),
            purposes: self.config.purposes.clone(),
        })
    }

    async fn test_source(&self, who: &Person, config: serde_json::Value) -> Result<SourceTest, Fault> {
        self.look_at_source(who, config).await
    }
    async fn prepare_source(&self, who: &Person, draft: SourceDraft) -> Result<Prepared, Fault> {
        self.source_entry(who, draft).await
    }
    async fn prepare_rules(&self, who: &Person, rules: RuleSetView) -> Result<Prepared, Fault> {
        self.rules_entry(who, rules)
    }
    async fn check_query(&self, who: &Person, query: QueryDraft) -> Result<CheckView, Fault> {
        self.check(who, query).await
    }
    async fn prepare_query(&self, who: &Person, query: QueryDraft) -> Result<Prepared, Fault> {
        self.proposal(who, query).await
    }
    async fn prepare_approval(&self, who: &Person, draft: ApprovalDraft) -> Result<Prepared, Fault> {
        self.approval_entry(who, &draft).await
    }
    async fn prepare_cancel(&self, _who: &Person, draft: CancelDraft) -> Result<Prepared, Fault> {
        self.cancel_entry(&draft)
    }
    async fn submit(&self, _who: &Person, transaction: SignedTransaction) -> Result<Submitted, Fault> {
        self.send(transaction).await
    }
    async fn jobs(&self, _who: &Person) -> Result<Vec<JobSummary>, Fault> {
        self.job_list()
    }
    async fn job(&self, _who: &Person, job: JobId) -> Result<JobView, Fault> {
        self.job_view(&job)
    }
    async fn result(&self, who: &Person, job: JobId) -> Result<ResultView, Fault> {
        self.answer(who, &job)
    }
    async fn progress(&self, _who: &Person, job: JobId) -> Result<BoxStream<'static, Progress>, Fault> {
        self.steps(job)
    }
    async fn evidence(&self, who: &Person, job: JobId) -> Result<EvidenceView, Fault> {
        self.records(who, &job).await
    }
    async fn bundle(&self, who: &Person, job: JobId) -> Result<Vec<u8>, Fault> {
        self.export(who, &job).await
    }
    async fn verify_bundle(&self, who: &Person, bundle: Vec<u8>, genesis: Option<Digest>) -> Result<Verdict, Fault> {
        let verify = move || Ok(evidence::verdict(&notary_evidence::verify(&bundle, genesis.as_ref())));
        self.apart.run("verify evidence", &who.id, verify).await
    }
    async fn stats(&self, _who: &Person) -> Result<StatsView, Fault> {
        self.use_of_data()
    }
    async fn alarms(&self, _who: &Person) -> Result<AlarmsView, Fault> {
        let (looked, active) = self.watch.alarms();
        Ok(AlarmsView { looked, active: active.into_iter().map(alarm_view).collect() })
    }
    async fn chain(&self, _who: &Person) -> Result<ChainView, Fault> {
        self.chain_view()
    }
    async fn blocks(&self, _who: &Person, before: Option<Height>, limit: u32) -> Result<BlockList, Fault> {
        self.block_list(before, limit)
    }
    async fn block(&self, _who: &Person, height: Height) -> Result<BlockView, Fault> {
        self.block_view(height)
    }
    async fn transaction(&self, _who: &Person, digest: Digest) -> Result<TransactionView, Fault> {
        self.transaction_view(&digest)
    }
    async fn heights(&self, _who: &Person) -> Result<BoxStream<'static, Tip>, Fault> {
        Ok(self.tips())
    }
    async fn happenings(
        &self,
        _who: &Person,
        after: (Height, u32),
        contract: Option<String>,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<HappeningView, Fault>>, Fault> {
        self.happenings_after(after, contract.as_deref(), follow)
    }
}
