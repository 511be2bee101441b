//! A small desk in memory: two jobs, one person's rights, and a list of what was submitted.

use std::sync::Mutex;

use async_trait::async_trait;
use base_types::{
    Digest, Height, JobId, OrgId,
    fault::{Code, Fault},
};
use futures::{StreamExt, stream, stream::BoxStream};
use portal_api::{Desk, Person, views::*};

pub const JOB: Digest = Digest([7; 32]);

/// The desk.
#[derive(Default)]
pub struct SmallDesk {
    /// Transactions it was given.
    pub submitted: Mutex<Vec<SignedTransaction>>,
    /// The fault that `prepare_query` answers with.
    pub fault: Mutex<Option<Fault>>,
    /// The alarms that are active.
    pub alarms: Mutex<Vec<AlarmView>>,
}

fn prepared(kind: &str) -> Prepared {
    Prepared {
        chain: Digest::default().to_string(),
        nonce: "00".repeat(16),
        valid_until: 100,
        payload: "00".into(),
        summary_zh: "概要".into(),
        summary_en: "summary".into(),
        subject: JOB.to_string(),
        kind: kind.into(),
        job: None,
    }
}

fn summary() -> JobSummary {
    JobSummary {
        id: JOB.to_string(),
        analyst: "statistics/analyst".into(),
        receiver: "statistics".into(),
        purpose: "health-statistics".into(),
        datasets: vec!["health/visits".into()],
        status: "running".into(),
        proposed: 1,
        expires: 2,
        waits_for_me: false,
        party: true,
    }
}

fn happening(height: u64, index: u32, refusal: Option<&str>) -> HappeningView {
    let event = EventView { contract: format!("0x{}", "01".repeat(20)), topics: vec![], data: "07".into() };
    let events = if refusal.is_none() { vec![event] } else { vec![] };
    let (transaction, refusal) = (JOB.to_string(), refusal.map(ToOwned::to_owned));
    HappeningView { height, index, transaction, refusal, gas: 21_000, events }
}

fn missing(step: &str) -> Fault {
    Fault::new(Code::NotFound, step, "there is no such thing here")
}

fn known(job: JobId) -> Result<(), Fault> {
    if job == JOB { Ok(()) } else { Err(missing("job")) }
}

fn verdict(anchored: bool) -> Verdict {
    Verdict { valid: true, anchored, genesis: Digest::default().to_string(), steps: vec![], first_broken: None }
}

#[async_trait]
impl Desk for SmallDesk {
    async fn health(&self) -> Result<Health, Fault> {
        Ok(Health { status: "ok".into(), org: "statistics".into(), height: 5, version: "0".into() })
    }
    async fn me(&self, who: &Person) -> Result<Me, Fault> {
        let org = OrgView { id: "statistics".into(), name_zh: "统计局".into(), name_en: "Statistics bureau".into() };
        let (person, roles) = (who.id.to_string(), who.roles.clone());
        Ok(Me { person, org, roles, chain: Digest::default().to_string(), height: 5, language: "zh".into() })
    }
    async fn catalogue(&self, _: &Person) -> Result<CatalogueView, Fault> {
        Ok(CatalogueView { height: 5, sources: vec![], organisations: vec![], purposes: vec![] })
    }
    async fn test_source(&self, _: &Person, config: serde_json::Value) -> Result<SourceTest, Fault> {
        let notes = vec![config["path"].as_str().unwrap_or_default().to_owned()];
        Ok(SourceTest { rows: 1, rows_bound: 64, columns: vec![], notes })
    }
    async fn prepare_source(&self, _: &Person, _: SourceDraft) -> Result<Prepared, Fault> {
        Ok(prepared("source_registered"))
    }
    async fn prepare_rules(&self, _: &Person, _: RuleSetView) -> Result<Prepared, Fault> {
        Ok(prepared("rule_set"))
    }
    async fn check_query(&self, _: &Person, query: QueryDraft) -> Result<CheckView, Fault> {
        let explanation = serde_json::json!({ "sql": query.sql });
        Ok(CheckView { allowed: true, explanation, missing: vec![], fault: None })
    }
    async fn prepare_query(&self, _: &Person, _: QueryDraft) -> Result<Prepared, Fault> {
        let fault = self.fault.lock().unwrap().clone();
        fault.map_or_else(|| Ok(prepared("proposed")), Err)
    }
    async fn prepare_approval(&self, who: &Person, _: ApprovalDraft) -> Result<Prepared, Fault> {
        let org = OrgId::new("health").unwrap();
        if who.roles.iter().any(|role| role == "owner") {
            return Ok(prepared("approved"));
        }
        Err(Fault::new(Code::NotAllowed, "approve", "an owner is needed").at(&org))
    }
    async fn prepare_cancel(&self, _: &Person, _: CancelDraft) -> Result<Prepared, Fault> {
        Ok(prepared("cancelled"))
    }
    async fn submit(&self, _: &Person, transaction: SignedTransaction) -> Result<Submitted, Fault> {
        self.submitted.lock().unwrap().push(transaction);
        Ok(Submitted { digest: Digest::default().to_string(), height: 6, refusal: None, job: None })
    }
    async fn jobs(&self, _: &Person) -> Result<Vec<JobSummary>, Fault> {
        Ok(vec![summary()])
    }
    async fn job(&self, _: &Person, job: JobId) -> Result<JobView, Fault> {
        known(job)?;
        Ok(JobView {
            summary: summary(),
            sql: None,
            explanation: None,
            nodes: vec![],
            tier: "B".into(),
            approvals: vec![],
            attempt: 0,
            reason_zh: None,
            reason_en: None,
            timeline: vec![],
            has_result: false,
        })
    }
    async fn result(&self, _: &Person, job: JobId) -> Result<ResultView, Fault> {
        known(job)?;
        let cells = vec![Cell { value: Some("3".into()), suppressed: false }, Cell { value: None, suppressed: true }];
        Ok(ResultView { columns: vec!["people".into(), "sbp".into()], rows: vec![cells] })
    }
    async fn progress(&self, _: &Person, job: JobId) -> Result<BoxStream<'static, Progress>, Fault> {
        known(job)?;
        let step = |percent, step: &str| Progress {
            status: "running".into(),
            step: step.into(),
            percent,
            text_zh: "求交".into(),
            text_en: "join".into(),
        };
        Ok(stream::iter([step(10, "read"), step(60, "join")]).boxed())
    }
    async fn evidence(&self, _: &Person, job: JobId) -> Result<EvidenceView, Fault> {
        known(job)?;
        Ok(EvidenceView { job: job.to_string(), records: vec![], verdict: verdict(true) })
    }
    async fn bundle(&self, _: &Person, job: JobId) -> Result<Vec<u8>, Fault> {
        known(job)?;
        Ok(b"bundle".to_vec())
    }
    async fn verify_bundle(&self, _: &Person, bundle: Vec<u8>, genesis: Option<Digest>) -> Result<Verdict, Fault> {
        if bundle != b"bundle" {
            return Err(Fault::new(Code::EvidenceInvalid, "verify", "these bytes are no bundle"));
        }
        Ok(verdict(genesis.is_some()))
    }
    async fn stats(&self, _: &Person) -> Result<StatsView, Fault> {
        let (datasets, jobs, uses, refused) = (vec![], vec![], vec![], vec![]);
        Ok(StatsView { datasets, jobs, uses, refused, columns: vec![], nodes: vec![] })
    }
    async fn alarms(&self, _: &Person) -> Result<AlarmsView, Fault> {
        Ok(AlarmsView { looked: 1_000, active: self.alarms.lock().unwrap().clone() })
    }
    async fn chain(&self, _: &Person) -> Result<ChainView, Fault> {
        Ok(ChainView {
            name: "demo".into(),
            genesis: Digest::default().to_string(),
            height: 5,
            time: 1,
            transactions: 2,
            epoch: 0,
            engine: "bft".into(),
            validators: vec![],
            quorum: 3,
        })
    }
    async fn blocks(&self, _: &Person, before: Option<Height>, limit: u32) -> Result<BlockList, Fault> {
        let newest = before.map_or(5, |b| b.saturating_sub(1)).min(5);
        let of = |height| BlockSummary {
            height,
            digest: Digest::default().to_string(),
            time: height,
            proposer: "health".into(),
            transactions: 0,
        };
        Ok(BlockList { height: 5, blocks: (1..=newest).rev().take(limit as usize).map(of).collect() })
    }
    async fn block(&self, who: &Person, height: Height) -> Result<BlockView, Fault> {
        let summary = self.blocks(who, Some(height + 1), 1).await?.blocks.pop().ok_or_else(|| missing("block"))?;
        let digest = Digest::default().to_string();
        let (parent, state_root, transactions_root) = (digest.clone(), digest.clone(), digest);
        Ok(BlockView { summary, parent, state_root, transactions_root, round: 0, signers: vec![], entries: vec![] })
    }
    async fn transaction(&self, _: &Person, digest: Digest) -> Result<TransactionView, Fault> {
        known(digest)?;
        let summary = TransactionSummary {
            digest: digest.to_string(),
            sender: "statistics/analyst".into(),
            kind: "proposed".into(),
            subject: JOB.to_string(),
            refusal: None,
        };
        let (sender_key, signature) = ("00".repeat(64), "00".repeat(64));
        Ok(TransactionView {
            summary,
            height: 3,
            index: 0,
            time: 1,
            sender_key,
            valid_until: 9,
            payload_bytes: 1,
            signature,
        })
    }
    async fn heights(&self, _: &Person) -> Result<BoxStream<'static, Tip>, Fault> {
        Ok(stream::iter([Tip { height: 6 }]).boxed())
    }
    async fn happenings(
        &self,
        _: &Person,
        after: (Height, u32),
        contract: Option<String>,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<HappeningView, Fault>>, Fault> {
        if let Some(contract) = contract {
            return Err(Fault::new(Code::BadRequest, "events", format!("{contract} is no contract")));
        }
        let told = [happening(1, 1, None), happening(1, 2, None), happening(3, 1, Some("no funds"))];
        let told = stream::iter(told.into_iter().filter(move |h| (h.height, h.index) > after).map(Ok));
        Ok(if follow { told.chain(stream::pending()).boxed() } else { told.boxed() })
    }
}
