//! What two nodes agree on where they run a user's program by half gates, in tier A: the receiver's evaluates and alone is told.

use base_types::{OrgId, fault::Fault};
use mpc_garble::semi_honest::{Role, Shape};
use mpc_program::Program;
use notary_terms::Plan;

use crate::program::{malformed, place};

/// Whose the arguments are; the receiver evaluates.
pub(crate) fn shape(plan: &Plan, program: &Program) -> Result<Shape, Fault> {
    let receiver = &plan.request.receiver;
    let role = |owner: &OrgId| if owner == receiver { Role::Evaluator } else { Role::Garbler };
    let owners = plan.reads.iter().map(|read| role(&read.owner)).collect();
    Shape::told_to_evaluator(program.circuit(), owners).map_err(|error| malformed(&error.to_string()))
}

/// The node that evaluates, by its place.
pub(crate) fn evaluator(plan: &Plan) -> Result<usize, Fault> {
    match place(plan, &plan.request.receiver)? {
        evaluator if plan.nodes.len() == 2 => Ok(evaluator),
        _ => Err(malformed("half gates among other than two nodes")),
    }
}
