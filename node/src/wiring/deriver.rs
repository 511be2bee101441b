//! The planner behind the notary's `Deriver`.

use base_types::{OrgId, fault::Fault};
use notary_desk::Deriver;
use notary_terms::{Catalogue, Plan, Request};

/// Derives plans with this binary's planner.
pub struct Planner;

impl Deriver for Planner {
    fn derive(&self, request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
        planner::plan(request, catalogue, nodes)
    }
}
