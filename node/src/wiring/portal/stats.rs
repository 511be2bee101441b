//! Use of data in numbers, and the state of the nodes.

use base_types::fault::{Code, Fault};
use notary_desk::Stats;
use portal_api::views::{ClassCount, NodeView, OrgCount, RefusedCount, StatsView, StatusCount, UseView};

use super::{NodeDesk, told};

/// A peer that has said nothing for so long counts as unreachable; nodes tell their height every second.
const SILENT_MS: u64 = 5000;

impl NodeDesk {
    pub(super) fn use_of_data(&self) -> Result<StatsView, Fault> {
        let now = self.clock.now_ms();
        let stats = self.notary.book(|book| Stats::of(book, now))?;
        let title = |number: &str, zh: bool| {
            let code = Code::ALL.iter().find(|c| c.number() == number);
            code.map_or_else(|| number.to_owned(), |c| c.title(zh).to_owned())
        };
        let count = |n: u32| u64::from(n);
        Ok(StatsView {
            datasets: stats.datasets.into_iter().map(|(org, n)| OrgCount { org, count: count(n) }).collect(),
            jobs: stats.jobs.into_iter().map(|(s, n)| StatusCount { status: s.to_owned(), count: count(n) }).collect(),
            uses: stats
                .uses
                .into_iter()
                .map(|u| UseView {
                    receiver: u.receiver.to_string(),
                    dataset: u.dataset.to_string(),
                    purpose: u.purpose,
                    runs: count(u.runs),
                })
                .collect(),
            refused: stats
                .refused
                .into_iter()
                .map(|(code, n)| RefusedCount {
                    title_zh: title(&code, true),
                    title_en: title(&code, false),
                    code,
                    count: count(n),
                })
                .collect(),
            columns: stats
                .columns
                .into_iter()
                .map(|((class, grade), n)| ClassCount { class, grade, count: count(n) })
                .collect(),
            nodes: self.nodes(now)?,
        })
    }

    fn nodes(&self, now: u64) -> Result<Vec<NodeView>, Fault> {
        let status = self.chain.status().map_err(told("node status"))?;
        let view = |org: &base_types::OrgId| {
            if org == self.me_org() {
                return NodeView { org: org.to_string(), reachable: true, height: Some(status.height) };
            }
            let peer = status.peers.iter().find(|p| &p.0 == org);
            NodeView {
                org: org.to_string(),
                reachable: peer.is_some_and(|p| now.saturating_sub(p.2) < SILENT_MS),
                height: peer.map(|p| p.1),
            }
        };
        Ok(self.chain.genesis().organisations.iter().map(|o| view(&o.id)).collect())
    }
}
