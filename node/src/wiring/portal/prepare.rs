//! Entries that a person signs in the browser or at the command line, and their way to the ledger.

use base_gm::{
    sm2::{PublicKey, Signature},
    sm3,
};
use base_types::{
    DatasetId, Digest, JobId,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use connectors_api::SourceConfig;
use ledger_light::Transaction;
use ledger_vm::notary::{Entry, EntryKind};
use notary_terms::{ApprovalBody, CancelBody, ColumnClass, RejectBody, RuleSet, Source, dataset_subject};
use portal_api::{
    Person,
    views::{
        ApprovalDraft, CancelDraft, FoundColumn, Prepared, RuleSetView, SignedTransaction, SourceDraft, SourceTest,
        Submitted,
    },
};

use super::{NodeDesk, told};
use crate::wiring::{journal::LIFE, sources};

/// Longest reason for calling a job off.
const LONGEST_REASON: usize = 500;

fn bad(step: &str, why: impl ToString) -> Fault {
    Fault::new(Code::BadRequest, step, why.to_string())
}

impl NodeDesk {
    /// What a person is to sign.
    pub(super) fn prepared(&self, entry: &Entry, zh: String, en: String, job: Option<JobId>) -> Prepared {
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce);
        Prepared {
            chain: self.chain.genesis().digest().to_string(),
            nonce: hex::encode(nonce),
            valid_until: self.chain.height().saturating_add(LIFE),
            payload: hex::encode(entry.to_wire()),
            summary_zh: zh,
            summary_en: en,
            subject: entry.subject.to_string(),
            kind: entry.kind.word().to_owned(),
            job: job.map(|j| j.to_string()),
        }
    }

    fn own_dataset(&self, dataset: &DatasetId, step: &str) -> Result<(), Fault> {
        if &dataset.owner() == self.me_org() {
            return Ok(());
        }
        Err(Fault::new(Code::NotAllowed, step, format!("{dataset} belongs to {}", dataset.owner())))
    }

    fn source_config(&self, who: &Person, config: serde_json::Value, step: &str) -> Result<SourceConfig, Fault> {
        Self::require(who, "owner")?;
        let config: SourceConfig = serde_json::from_value(config).map_err(|e| bad(step, e))?;
        self.own_dataset(&config.dataset, step)?;
        Ok(config)
    }

    pub(super) async fn look_at_source(&self, who: &Person, config: serde_json::Value) -> Result<SourceTest, Fault> {
        let config = self.source_config(who, config, "test source")?;
        let found = sources::open(&config, None)?.discover(&mut |_| ()).await?;
        let columns = found.columns.iter().zip(&found.nulls);
        let notes = if found.columns.iter().any(|c| c.unique && !c.nullable) {
            Vec::new()
        } else {
            vec!["no column is a key: none is free of NULLs and duplicates".to_owned()]
        };
        let source = found.source(&config)?;
        Ok(SourceTest {
            rows: found.rows,
            rows_bound: source.rows_bound,
            columns: columns.map(|(meta, nulls)| FoundColumn::of(meta, *nulls)).collect(),
            notes,
        })
    }

    pub(super) async fn source_entry(&self, who: &Person, draft: SourceDraft) -> Result<Prepared, Fault> {
        let step = "register source";
        let config = self.source_config(who, draft.config, step)?;
        let found = sources::open(&config, None)?.discover(&mut |_| ()).await?;
        let mut source = found.source(&config)?;
        for class in draft.classes {
            if source.column(&class.column).is_none() || !(1..=4).contains(&class.grade) {
                return Err(bad(
                    step,
                    format!("'{}' is no column of the source, or its grade not 1 to 4", class.column),
                ));
            }
            source.classes.push(ColumnClass { column: class.column, class: class.class, grade: class.grade });
        }
        let dataset = config.dataset.clone();
        let entry = entry(dataset_subject(&dataset), EntryKind::SourceRegistered, source.to_wire());
        let columns = source.columns.len();
        let prepared = self.prepared(
            &entry,
            format!("登记数据源 {dataset}：{columns} 列，至多 {} 行", source.rows_bound),
            format!("register {dataset}: {columns} columns, at most {} rows", source.rows_bound),
            None,
        );
        self.sources.set_aside(sm3::sm3(&entry.to_wire()), config);
        Ok(prepared)
    }

    pub(super) fn rules_entry(&self, who: &Person, rules: RuleSetView) -> Result<Prepared, Fault> {
        Self::require(who, "owner")?;
        let rules = RuleSet::try_from(rules)?;
        self.own_dataset(&rules.dataset, "set rules")?;
        let entry = entry(dataset_subject(&rules.dataset), EntryKind::RuleSet, rules.to_wire());
        let (dataset, count) = (&rules.dataset, rules.rules.len());
        let zh = format!("设定 {dataset} 的 {count} 条规则");
        let en = format!("set {count} rules for {dataset}");
        Ok(self.prepared(&entry, zh, en, None))
    }

    pub(super) async fn approval_entry(&self, who: &Person, draft: &ApprovalDraft) -> Result<Prepared, Fault> {
        let step = "prepare approval";
        Self::require(who, "owner")?;
        let job: JobId = draft.job.parse().map_err(|e| bad(step, e))?;
        let plan = self.notary.plan(&job)?;
        let (kind, body) = if draft.approve {
            // What the rules forbid, a person cannot approve either: change the rules first.
            let (notary, judged) = (self.notary.clone(), plan.clone());
            let ruled = self.apart.run(step, &who.id, move || notary.judge(&judged)).await?;
            let rules = ruled.map(|r| r.rules).unwrap_or_default();
            (EntryKind::Approved, ApprovalBody { by_rule: false, rules }.to_wire())
        } else {
            (EntryKind::Rejected, RejectBody { reason: draft.reason.clone() }.to_wire())
        };
        let entry = entry(job, kind, body);
        let (analyst, purpose) = (&plan.request.analyst, &plan.request.purpose);
        let zh = format!("{}：{analyst} 为“{purpose}”提出的查询", kind.word_zh());
        let en = format!("{}: the query of {analyst} for '{purpose}'", kind.word());
        Ok(self.prepared(&entry, zh, en, Some(job)))
    }

    /// Whom the ledger lets call a job off: anybody of an organisation that takes part, or that asked.
    pub(super) fn cancel_entry(&self, draft: &CancelDraft) -> Result<Prepared, Fault> {
        let step = "call off";
        let job: JobId = draft.job.parse().map_err(|e| bad(step, e))?;
        let reason = draft.reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
            return Err(bad(step, format!("give a reason of at most {LONGEST_REASON} characters")));
        }
        let found = self.find_job(&job)?;
        if !self.is_party(&found) {
            return Err(Fault::new(Code::NotAllowed, step, "this organisation is no party of the job"));
        }
        let entry = entry(job, EntryKind::Cancelled, CancelBody { reason: reason.to_owned() }.to_wire());
        let (analyst, purpose) = (&found.proposal.analyst, &found.proposal.purpose);
        let zh = format!("取消 {analyst} 为“{purpose}”提出的查询：{reason}");
        let en = format!("call off the query of {analyst} for '{purpose}': {reason}");
        Ok(self.prepared(&entry, zh, en, Some(job)))
    }

    pub(super) async fn send(&self, signed: SignedTransaction) -> Result<Submitted, Fault> {
        let step = "submit";
        let bytes = |text: &str| hex::decode(text).map_err(|e| bad(step, e));
        let transaction = Transaction {
            chain: self.chain.genesis().digest(),
            sender: PublicKey::from_wire(&bytes(&signed.sender)?).map_err(|e| bad(step, e))?,
            nonce: bytes(&signed.nonce)?.try_into().map_err(|_| bad(step, "a nonce has 16 bytes"))?,
            valid_until: signed.valid_until,
            payload: bytes(&signed.payload)?,
            signature: Signature::from_wire(&bytes(&signed.signature)?).map_err(|e| bad(step, e))?,
        };
        let entry = Entry::from_wire(&transaction.payload).map_err(|e| bad(step, e))?;
        let digest = transaction.digest();
        let name = sm3::sm3(&transaction.payload);
        let expected = self.sources.expects(&name)?;
        // What was sent before may be sent again.
        if !expected && self.registers(&entry) && self.chain.transaction(&digest).map_err(told(step))?.is_none() {
            return Err(bad(step, "this node no longer knows where the source is: prepare its registration again"));
        }
        let executed = self.chain.submit(transaction).await.map_err(told(step))?;
        self.sources.settle(&name, executed.refusal.is_none())?;
        self.seen().await;
        let job = self.notary.book(|book| book.job(&entry.subject).is_some())?.then(|| entry.subject.to_string());
        Ok(Submitted { digest: digest.to_string(), height: executed.height, refusal: executed.refusal, job })
    }

    /// Whether an entry registers a source of this organisation's.
    fn registers(&self, entry: &Entry) -> bool {
        let own = |source: Source| &source.dataset.owner() == self.me_org();
        entry.kind == EntryKind::SourceRegistered && Source::from_wire(&entry.body).is_ok_and(own)
    }

    /// Waits until the book holds all that the ledger holds now, so that whoever asks next sees it.
    pub(super) async fn seen(&self) {
        let Ok(newest) = self.chain.transactions() else { return };
        let mut changes = self.notary.changes();
        let wait = changes.wait_for(|cursor| *cursor >= newest);
        // The ledger has it; a book that lags only shows it later.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), wait).await;
    }
}

pub(super) fn entry(subject: Digest, kind: EntryKind, body: Vec<u8>) -> Entry {
    Entry { subject, kind, attempt: 0, parties: Vec::new(), expires: 0, body }
}
