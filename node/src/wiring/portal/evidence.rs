//! A job's chain of evidence: shown, exported, verified.

use base_types::{Digest, JobId, fault::Fault};
use base_wire::Encode;
use ledger_chain::EvidenceParts;
use ledger_vm::notary::EntryKind;
use notary_evidence::{Bundle, EvidenceEntry, Report, verify};
use notary_terms::ExportBody;
use portal_api::{
    Person,
    views::{EvidenceView, RecordView, Verdict, VerifyStep},
};

use super::{NodeDesk, prepare, told};

/// A report as pages show it.
pub(super) fn verdict(report: &Report) -> Verdict {
    let step = |s: &notary_evidence::Step| VerifyStep {
        name: s.name.clone(),
        name_zh: s.name_zh.clone(),
        ok: s.ok,
        detail: s.detail.clone(),
    };
    Verdict {
        valid: report.valid,
        anchored: report.anchored,
        genesis: report.genesis.clone(),
        steps: report.steps.iter().map(step).collect(),
        first_broken: report.first_broken.clone(),
    }
}

impl NodeDesk {
    async fn collected(&self, job: &JobId) -> Result<Bundle, Fault> {
        let EvidenceParts { genesis, handovers, header, certificate, records, count } =
            self.chain.evidence(job).await.map_err(told("collect evidence"))?;
        let entries = records
            .into_iter()
            .map(|r| EvidenceEntry { transaction: r.transaction, record: r.record, proof: r.proof })
            .collect();
        Ok(Bundle { genesis, handovers, header, certificate, subject: *job, entries, count_proof: count })
    }

    pub(super) async fn records(&self, who: &Person, job: &JobId) -> Result<EvidenceView, Fault> {
        let bundle = self.collected(job).await?;
        let (pinned, file): (Digest, _) = (self.chain.genesis().digest(), bundle.to_file());
        let report = move || Ok(verify(&file, Some(&pinned)));
        let report = self.apart.run("verify evidence", &who.id, report).await?;
        let tier = self.find_job(job).ok().map(|job| job.proposal.tier.word());
        let view = |e: &EvidenceEntry| {
            let (record, org) = (&e.record, e.record.sender.org());
            let name_zh = self.organisation(&org).map_or_else(|| org.to_string(), |o| o.name_zh.clone());
            let tier = tier.filter(|_| record.kind == EntryKind::Proposed);
            let in_tier = |before: &str, behind: &str| tier.map(|tier| format!("{before}{tier}{behind}"));
            let (zh, en) = (in_tier("，", " 级").unwrap_or_default(), in_tier(", tier ", "").unwrap_or_default());
            RecordView {
                seq: record.seq,
                kind: record.kind.word().to_owned(),
                sender: record.sender.to_string(),
                attempt: record.attempt,
                height: record.height,
                time: record.time,
                transaction: record.tx.to_string(),
                body: record.body.to_string(),
                text_zh: format!("{name_zh}：{}{zh}", record.kind.word_zh()),
                text_en: format!("{org}: {}{en}", record.kind.word()),
            }
        };
        let records = bundle.entries.iter().map(view).collect();
        Ok(EvidenceView { job: job.to_string(), records, verdict: verdict(&report) })
    }

    /// The file; that somebody took it is an entry of its own subject, so the job's chain stays as exported.
    pub(super) async fn export(&self, who: &Person, job: &JobId) -> Result<Vec<u8>, Fault> {
        let bundle = self.collected(job).await?.to_file();
        let subject = base_gm::sm3::tagged("heqi/exports/1", &[&job.0]);
        let body = ExportBody { job: *job, person: who.id.clone() }.to_wire();
        self.journal.append(prepare::entry(subject, EntryKind::EvidenceExported, body)).await?;
        Ok(bundle)
    }
}
