//! The planner behind the notary's `Deriver`, and what this node gives to runs of its plans.

use std::sync::Arc;

use base_types::{OrgId, fault::Fault};
use notary_desk::Deriver;
use notary_terms::{Catalogue, Plan, Request};
use runner::Budget;

/// Derives plans with this binary's planner, and holds their runs to the node's budget.
pub struct Planner {
    /// This organisation.
    pub me: OrgId,
    /// What its node gives to runs.
    pub budget: Arc<Budget>,
}

impl Deriver for Planner {
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
        planner::plan(request, catalogue, nodes)
    }

    fn fits(&self, plan: &Plan) -> Result<(), Fault> {
        self.budget.check(planner::memory(plan, &self.me))
    }
}
