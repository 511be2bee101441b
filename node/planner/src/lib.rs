//! Pure planner: from a query and the published catalogue to the one plan that all parties derive alike, and its explanation.
//!
//! It sees metadata only and does no I/O, reads no clock and draws no randomness, so every node that plans the same
//! request against the same catalogue gets the same digest. Everything that is refused is refused with its place in
//! the text and what to write instead.

mod aggregate;
mod argument;
mod assemble;
mod bounds;
mod circuit;
mod common;
mod compile;
mod compute;
mod cost;
mod explain;
mod from;
mod garbled;
mod hints;
mod items;
mod keys;
mod literal;
mod memory;
mod names;
mod overlap;
mod parse;
mod program;
mod published;
mod refuse;
mod rows;
mod scope;
mod star_tier;
mod steps;
mod text;
mod tier;
mod told;
mod typed;
mod vectors;

use base_types::{OrgId, fault::Fault};
use notary_terms::{Catalogue, Plan, Request};

pub use circuit::{ArgumentTold, ProgramTold, check_program};
pub use compute::is_program;
pub use explain::{Explanation, Learns, OutputExplained, ReadExplained, Words, explain};
pub use memory::memory;
pub use program::ProgramExplained;
pub use steps::Step;
pub use text::formula_text;
pub use vectors::{check_vectors, is_vectors};

/// Version of this planner; it is part of every plan.
pub const VERSION: u16 = 1;

/// Most rows that one data set may share in one run.
pub const MAX_ROWS: u32 = 100_000;

/// Most rows of one data set whose keys are compared at once in one run.
pub const MAX_SET_ROWS: u32 = 1 << 22;

/// Most rows of one data set whose keys are compared with another owner's in buckets.
pub const MAX_BUCKETED_ROWS: u32 = 1 << 24;

/// Fewest people behind a shown aggregate where an owner has set no rules.
pub const DEFAULT_MIN_GROUP: u32 = 5;

/// Derives the plan of a request; `nodes` are the nodes that compute aggregates, in any order: three that hold shares, or the
/// two owners of a join without a third. Rows are matched by their owners alone, and a user's program is computed by its owners
/// and its receiver, whoever `nodes` are; one over vectors by three nodes, as a star, or by the two owners' where the request names tier A.
/// A star and a program over vectors run in tier B+ where the request names it. Where the query ends with `AGAINST PUBLISHED KEYS`, rows are matched by a table that the other owner publishes.
///
/// # Errors
/// [`Code::QuerySyntax`], [`Code::QueryUnsupported`], [`Code::QueryUnknownName`] or [`Code::QueryOverflow`], each with
/// the place in the query's text; [`Code::BadRequest`] for nodes that cannot compute it, or a tier that it does not run in.
///
/// [`Code::BadRequest`]: base_types::fault::Code::BadRequest
/// [`Code::QuerySyntax`]: base_types::fault::Code::QuerySyntax
/// [`Code::QueryUnsupported`]: base_types::fault::Code::QueryUnsupported
/// [`Code::QueryUnknownName`]: base_types::fault::Code::QueryUnknownName
/// [`Code::QueryOverflow`]: base_types::fault::Code::QueryOverflow
pub fn plan(request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
    tier::as_asked(derived(request, catalogue, nodes)?)
}

fn derived(request: &Request, catalogue: &Catalogue, nodes: &[OrgId]) -> Result<Plan, Fault> {
    if compute::is_program(&request.sql) {
        let asked = compute::parse(&request.sql)?;
        if asked.vectors {
            return vectors::plan(request, catalogue, nodes, asked);
        }
        return circuit::plan(request, catalogue, asked);
    }
    let mut tokens = parse::tokens(&request.sql)?;
    let against = published::asked(&mut tokens);
    let query = parse::select(tokens)?;
    if rows::asked(&query) {
        let plan = rows::plan(request, catalogue, &query)?;
        return match against {
            Some(at) => published::chosen(plan, at, query.hints.say_how()),
            None => Ok(plan),
        };
    }
    if let Some(at) = against {
        return Err(published::refused(at));
    }
    let nodes = assemble::check_nodes(request, nodes)?;
    if nodes.len() == 2 {
        return overlap::plan(request, catalogue, nodes, &query);
    }
    query.hints.none()?;
    assemble::assemble(request, catalogue, nodes, &query)
}
