//! Jobs as pages show them: list, details, steps, answers.

use base_types::{
    JobId, OrgId,
    fault::{Code, Fault},
};
use futures::{StreamExt, stream::BoxStream};
use notary_desk::{Ended, Job, JobStatus};
use notary_terms::Outcome;
use portal_api::{
    Person,
    views::{ApprovalView, Cell, JobSummary, JobView, Progress, ResultView, TimelineView},
};
use runner::AnswerCell;

use super::NodeDesk;
use crate::wiring::progress::shown;

impl NodeDesk {
    fn summary(&self, job: &Job) -> JobSummary {
        let me = self.me_org();
        let status = job.status(self.clock.now_ms());
        let waits =
            status == JobStatus::Waiting && job.approvers.contains(me) && job.votes.iter().all(|v| &v.org != me);
        JobSummary {
            id: job.id.to_string(),
            analyst: job.proposal.analyst.to_string(),
            receiver: job.proposal.receiver.to_string(),
            purpose: job.proposal.purpose.clone(),
            datasets: job.proposal.datasets.iter().map(ToString::to_string).collect(),
            status: status.word().to_owned(),
            proposed: job.proposed.time,
            expires: job.expires,
            waits_for_me: waits,
            party: self.is_party(job),
        }
    }

    pub(super) fn is_party(&self, job: &Job) -> bool {
        let me = self.me_org();
        me == &job.proposed.sender.org()
            || job.approvers.contains(me)
            || job.proposal.nodes.contains(me)
            || &job.proposal.receiver == me
    }

    pub(super) fn find_job(&self, id: &JobId) -> Result<Job, Fault> {
        let job = self.notary.book(|book| book.job(id).cloned())?;
        job.ok_or_else(|| Fault::new(Code::NotFound, "find job", format!("no job {id}")))
    }

    pub(super) fn job_list(&self) -> Result<Vec<JobSummary>, Fault> {
        self.notary.book(|book| book.jobs().rev().map(|job| self.summary(job)).collect())
    }

    pub(super) fn job_view(&self, id: &JobId) -> Result<JobView, Fault> {
        let job = self.find_job(id)?;
        let plan = if self.is_party(&job) { self.notary.plan(id).ok() } else { None };
        let explanation = plan.as_ref().map(|plan| {
            let catalogue = self.notary.book(|book| book.catalogue_at(plan.catalogue_height)).unwrap_or_default();
            serde_json::to_value(planner::explain(plan, &catalogue)).unwrap_or_default()
        });
        let reason = reason(&job);
        Ok(JobView {
            summary: self.summary(&job),
            sql: plan.map(|p| p.request.sql),
            explanation,
            nodes: job.proposal.nodes.iter().map(ToString::to_string).collect(),
            tier: job.proposal.tier.word().to_owned(),
            approvals: approvals(&job),
            attempt: job.attempt(),
            reason_zh: reason.as_ref().map(|r| r.0.clone()),
            reason_en: reason.map(|r| r.1),
            timeline: job
                .entries
                .iter()
                .map(|(kind, mark)| TimelineView {
                    kind: kind.word().to_owned(),
                    sender: mark.sender.to_string(),
                    height: mark.height,
                    time: mark.time,
                    transaction: mark.transaction.to_string(),
                })
                .collect(),
            has_result: job.delivered.is_some() && self.results.has(id),
        })
    }

    pub(super) fn answer(&self, who: &Person, id: &JobId) -> Result<ResultView, Fault> {
        let job = self.find_job(id)?;
        // The answer is the analyst's and the receiving organisation's owners', nobody else's.
        if who.id != job.proposal.analyst && !who.roles.iter().any(|r| r == "owner") {
            return Err(Fault::new(Code::NotAllowed, "read answer", format!("{} did not ask for it", who.id)));
        }
        // It is kept before its delivery is told. Where the node was killed in between, nobody has received it.
        if job.delivered.is_none() {
            let why = "the ledger tells of no answer of the job that was delivered";
            return Err(Fault::new(Code::NotFound, "read answer", why));
        }
        let answer = self.results.read(id)?;
        let cell = |row: usize, column: usize, cell: &AnswerCell| Cell {
            value: answer.text(row, column),
            suppressed: *cell == AnswerCell::Suppressed,
        };
        let row = |(at, row): (usize, &Vec<AnswerCell>)| row.iter().enumerate().map(|(c, v)| cell(at, c, v)).collect();
        Ok(ResultView {
            columns: answer.columns.iter().map(|c| c.name.clone()).collect(),
            rows: answer.rows.iter().enumerate().map(row).collect(),
        })
    }

    pub(super) fn steps(&self, id: JobId) -> Result<BoxStream<'static, Progress>, Fault> {
        self.find_job(&id)?;
        let (notary, clock) = (self.notary.clone(), self.clock.clone());
        let (steps, changes) = (self.progress.watch(&id), self.notary.changes());
        let state = Some((steps, changes, true));
        let stream = futures::stream::unfold(state, move |state| {
            let (notary, clock) = (notary.clone(), clock.clone());
            async move {
                let (mut steps, mut changes, first) = state?;
                if !first {
                    tokio::select! {
                        changed = steps.changed() => if changed.is_err() { let _ = changes.changed().await; },
                        _ = changes.changed() => {}
                    }
                }
                // Taken for seen before it is looked at: what changes after the look, the last receipt too, wakes the next turn.
                changes.borrow_and_update();
                let step = steps.borrow_and_update().clone();
                let status = notary.book(|b| b.job(&id).map(|j| j.status(clock.now_ms()))).ok().flatten()?;
                let ended = !matches!(status, JobStatus::Waiting | JobStatus::Running);
                let (percent, text_zh, text_en) =
                    if ended { (100, String::new(), String::new()) } else { shown(&step) };
                let progress = Progress { status: status.word().to_owned(), step, percent, text_zh, text_en };
                Some((progress, (!ended).then_some((steps, changes, false))))
            }
        });
        Ok(stream.boxed())
    }
}

fn approvals(job: &Job) -> Vec<ApprovalView> {
    let view = |org: &base_types::OrgId| {
        let vote = job.votes.iter().find(|v| &v.org == org);
        let state = match vote {
            None => "waiting",
            Some(v) if v.rejected.is_some() => "rejected",
            Some(_) => "approved",
        };
        ApprovalView {
            org: org.to_string(),
            state: state.to_owned(),
            by_rule: vote.is_some_and(|v| v.by_rule),
            sender: vote.map(|v| v.mark.sender.to_string()),
            time: vote.map(|v| v.mark.time),
            reason: vote.and_then(|v| v.rejected.clone()),
        }
    };
    job.approvers.iter().map(view).collect()
}

/// Why a job ended otherwise than planned, in Chinese and English.
fn reason(job: &Job) -> Option<(String, String)> {
    if let Some((org, why)) = job.votes.iter().find_map(|v| v.rejected.clone().map(|why| (v.org.clone(), why))) {
        return Some((format!("{org} 拒绝：{why}"), format!("{org} rejected: {why}")));
    }
    if let Some(off) = job.cancelled.as_ref().filter(|_| job.status(0) == JobStatus::Cancelled) {
        let (who, why) = (&off.mark.sender, &off.reason);
        return Some((format!("{who} 取消了任务：{why}"), format!("{who} called it off: {why}")));
    }
    let ended = cause(job)?;
    match &ended.receipt.outcome {
        Outcome::Done => None,
        Outcome::Aborted { code, blamed, step } => {
            let known = Code::ALL.iter().find(|c| c.number() == code);
            let party = blamed.as_ref().map_or("-", |b| b.as_str());
            let tell = |zh: bool| {
                let (title, remedy) = known.map_or(("", ""), |c| (c.title(zh), c.remedy(zh)));
                format!("{code} {title} ({}; {party}; {step}). {remedy}", ended.org)
            };
            Some((tell(true), tell(false)))
        }
    }
}

/// The report to show of a run that was broken off. Who breaks off closes all links, so others then report parties that
/// only reported before them: a party's word about itself comes first, then one about a party that reports nobody.
fn cause(job: &Job) -> Option<&Ended> {
    let of_attempt = |ended: &&Ended| ended.attempt == job.attempt() && ended.receipt.outcome != Outcome::Done;
    let aborted: Vec<_> = job.receipts.iter().filter(of_attempt).collect();
    let other = |ended: &Ended| match &ended.receipt.outcome {
        Outcome::Aborted { blamed, .. } => blamed.clone().filter(|party| *party != ended.org),
        Outcome::Done => None,
    };
    let reports = |party: &OrgId| aborted.iter().any(|ended| ended.org == *party && other(ended).is_some());
    let own = aborted.iter().find(|ended| other(ended).is_none());
    let root = || aborted.iter().find(|ended| other(ended).is_some_and(|party| !reports(&party)));
    own.or_else(root).or(aborted.first()).copied()
}
