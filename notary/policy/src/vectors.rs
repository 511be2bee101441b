//! What a program over vectors tells: as a user's program its receiver, and the nodes hold shares of what it is given.

use std::collections::BTreeSet;

use base_types::{OrgId, fault::Fault};
use notary_terms::{Plan, Tier, ValueOf, VectorInput, Vectors};

use crate::{
    circuits,
    leaks::{bad, malformed},
};

/// Whether a plan is a program over vectors of owners among exactly three nodes, or the two owners' own, told to one of them.
pub(crate) fn check(plan: &Plan, vectors: &Vectors) -> Result<(), Fault> {
    let nodes: BTreeSet<&OrgId> = plan.nodes.iter().collect();
    if nodes.len() != plan.nodes.len() {
        return Err(bad("a node twice"));
    }
    if !nodes.contains(&plan.request.receiver) || plan.reads.iter().any(|read| !nodes.contains(&read.owner)) {
        return Err(bad("an owner or a receiver that is none of the nodes"));
    }
    match (nodes.len(), plan.tier) {
        (3, Tier::B | Tier::BPlus) => {}
        // The weaker tier between two is never a plan's own choice, and each of them gives something.
        (2, Tier::A) if plan.request.tier == Some(Tier::A) => {
            let owners: BTreeSet<&OrgId> = plan.reads.iter().map(|read| &read.owner).collect();
            if owners != nodes {
                return Err(bad("a node between two that gives nothing"));
            }
        }
        _ => return Err(bad("a tier that is not that of a program over vectors among its nodes")),
    }
    if vectors.source.is_empty() || !plan.order.is_empty() || plan.limit.is_some() {
        return Err(bad("a program that is none"));
    }
    let told = |value: ValueOf| matches!(value, ValueOf::Result { .. });
    if plan.outputs.is_empty() || !plan.outputs.iter().all(|output| told(output.value)) {
        return Err(bad("an output that no program over vectors has"));
    }
    if plan.reads.is_empty() || plan.reads.len() != vectors.inputs.len() {
        return Err(bad("reads that are not the program's inputs"));
    }
    for (read, VectorInput { columns }) in plan.reads.iter().zip(&vectors.inputs) {
        circuits::input(read)?;
        if columns.len() != read.values.len() || columns.iter().any(|column| column.low > column.high) {
            return Err(malformed(read, "values without ranges"));
        }
    }
    Ok(())
}
