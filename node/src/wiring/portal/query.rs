//! Check and propose: a query becomes a plan, the rules are asked, and refused attempts are notarised.

use std::collections::BTreeMap;

use base_gm::sm2::PublicKey;
use base_types::{
    DatasetId, Height, OrgId,
    fault::{Code, Fault},
};
use base_wire::Encode;
use ledger_vm::notary::EntryKind;
use notary_policy::Missing;
use notary_terms::{Catalogue, Plan, RefusedBody, Request, Tier};
use portal_api::{
    Person,
    fault::FaultView,
    views::{CheckView, MissingGrant, Prepared, QueryDraft},
};

use super::{NodeDesk, prepare, told};

/// How long a proposal may wait for approvals and start.
const LIFE_MS: u64 = 24 * 3_600_000;

fn missing_view(missing: &Missing) -> MissingGrant {
    MissingGrant {
        dataset: missing.dataset.to_string(),
        column: missing.column.clone(),
        need: missing.need.word().to_owned(),
        party: missing.party.to_string(),
        purpose: missing.purpose.clone(),
        owner: missing.owner.to_string(),
        text_zh: missing.tell(true),
        text_en: missing.tell(false),
    }
}

impl NodeDesk {
    fn request(&self, who: &Person, draft: QueryDraft) -> Result<Request, Fault> {
        Self::require(who, "analyst")?;
        if !self.config.purposes.contains(&draft.purpose) {
            let known = self.config.purposes.join(", ");
            let why = format!("'{}' is no purpose of this consortium: {known}", draft.purpose);
            return Err(Fault::new(Code::BadRequest, "check", why));
        }
        let tier = draft.tier.map(|word| word.parse::<Tier>()).transpose();
        let tier = tier.map_err(|why| Fault::new(Code::BadRequest, "check", why.to_string()))?;
        let mut salt = [0; 32];
        self.entropy.fill(&mut salt);
        Ok(Request {
            sql: draft.sql,
            purpose: draft.purpose,
            analyst: who.id.clone(),
            receiver: self.me_org().clone(),
            expires: self.clock.now_ms().saturating_add(LIFE_MS),
            salt,
            tier,
        })
    }

    /// The nodes that the draft names, else those of this node's settings.
    fn computing(&self, draft: &QueryDraft) -> Result<Vec<OrgId>, Fault> {
        if draft.nodes.is_empty() {
            return Ok(self.config.compute.clone());
        }
        let known = self.node_keys()?;
        let node = |name: &String| {
            let org = known.keys().find(|org| org.as_str() == name);
            org.cloned().ok_or_else(|| Fault::new(Code::BadRequest, "check", format!("'{name}' has no node here")))
        };
        draft.nodes.iter().map(node).collect()
    }

    /// The plan by the newest catalogue, and that.
    async fn planned(&self, request: &Request, nodes: &[OrgId]) -> Result<(Plan, Catalogue), Fault> {
        // The newest height, so that every node that has executed it finds the same catalogue there. It is looked at first:
        // then the book is waited for, which holds all up to it, whatever blocks come meanwhile.
        let height = self.chain.height();
        self.seen().await;
        let catalogue = self.notary.book(|book| book.catalogue_at(height))?;
        let (request, nodes) = (request.clone(), nodes.to_vec());
        let analyst = request.analyst.clone();
        let plan = move || planner::plan(&request, &catalogue, &nodes).map(|plan| (plan, catalogue));
        let planned = self.apart.run("plan", &analyst, plan).await?;
        // Otherwise this node would be the first to reject it.
        self.notary.fits(&planned.0)?;
        Ok(planned)
    }

    fn missing(&self, plan: &Plan) -> Result<Vec<Missing>, Fault> {
        let catalogue = self.notary.book(|book| book.catalogue_at(Height::MAX))?;
        let runs = |dataset: &DatasetId, _: &str| self.notary.book(|book| book.runs(dataset)).unwrap_or(u32::MAX);
        notary_policy::check(&catalogue, plan, &runs, self.clock.now_ms())
    }

    pub(super) async fn check(&self, who: &Person, draft: QueryDraft) -> Result<CheckView, Fault> {
        let nodes = self.computing(&draft)?;
        let request = self.request(who, draft)?;
        let none = serde_json::Value::Null;
        let (plan, catalogue) = match self.planned(&request, &nodes).await {
            Ok(planned) => planned,
            Err(fault) => {
                let fault = Some(FaultView::from(&fault));
                return Ok(CheckView { allowed: false, explanation: none, missing: Vec::new(), fault });
            }
        };
        let explanation = serde_json::to_value(planner::explain(&plan, &catalogue)).unwrap_or(none);
        let missing = self.missing(&plan)?;
        if !missing.is_empty() {
            self.refused(&request, &plan, Code::RuleForbids).await?;
        }
        let views = missing.iter().map(missing_view).collect::<Vec<_>>();
        Ok(CheckView { allowed: views.is_empty(), explanation, missing: views, fault: None })
    }

    pub(super) async fn proposal(&self, who: &Person, draft: QueryDraft) -> Result<Prepared, Fault> {
        let step = "propose";
        let nodes = self.computing(&draft)?;
        let request = self.request(who, draft)?;
        let (plan, _) = self.planned(&request, &nodes).await?;
        let missing = self.missing(&plan)?;
        if !missing.is_empty() {
            self.refused(&request, &plan, Code::RuleForbids).await?;
            let told: Vec<_> = missing.iter().map(|m| m.tell(false)).collect();
            let fault = Fault::new(Code::RuleForbids, step, told.join("; "));
            return Err(missing.first().map_or(fault.clone(), |m| fault.at(&m.owner)));
        }
        let known = self.node_keys()?;
        let keys: Vec<PublicKey> = plan.parties().iter().filter_map(|org| known.get(org).copied()).collect();
        let entry = notary_desk::proposal_entry(&plan, &keys)?;
        let owners: Vec<_> = plan.approvers().iter().map(ToString::to_string).collect();
        let (owners, purpose) = (owners.join(", "), &plan.request.purpose);
        let zh = format!("为“{purpose}”提出联合查询，需 {owners} 批准");
        let en = format!("propose a joint query for '{purpose}'; {owners} must approve");
        Ok(self.prepared(&entry, zh, en, Some(plan.digest())))
    }

    /// The newest key of every node that validates or once did: since the genesis a vote may have given it another.
    fn node_keys(&self) -> Result<BTreeMap<OrgId, PublicKey>, Fault> {
        let handovers = self.chain.handovers().map_err(told("propose"))?;
        let now = self.chain.epoch().map_err(told("propose"))?;
        let past = handovers.iter().map(|handover| &handover.epoch);
        let epochs = std::iter::once(&self.chain.genesis().epoch).chain(past).chain(std::iter::once(&now));
        Ok(epochs.flat_map(|epoch| &epoch.validators).map(|v| (v.org.clone(), v.key)).collect())
    }

    /// Refused attempts count as use of data, so they stand on the ledger; the query's text does not.
    async fn refused(&self, request: &Request, plan: &Plan, code: Code) -> Result<(), Fault> {
        let body = RefusedBody {
            analyst: request.analyst.clone(),
            purpose: request.purpose.clone(),
            code: code.number().to_owned(),
            datasets: plan.reads.iter().map(|r| r.dataset.clone()).collect(),
        };
        self.journal.append(prepare::entry(plan.digest(), EntryKind::Refused, body.to_wire())).await.map(|_| ())
    }
}
