//! The tier that a request asks for: every query has its own; a star and a program over vectors a second, stronger and slower one; a program
//! of two parties a second, weaker and faster one, and one over vectors a weaker one between two owners without a third.

use base_types::fault::{Code, Fault};
use notary_terms::{Plan, Request, Tier};
use sqlparser::tokenizer::Location;

use crate::refuse::unsupported;

/// The tier of a star: B+ where the request asks for it.
pub(crate) fn of_star(request: &Request) -> Tier {
    if request.tier == Some(Tier::BPlus) { Tier::BPlus } else { Tier::B }
}

/// The tier of a program among so many parties.
pub(crate) fn of_program(request: &Request, parties: usize, at: Location) -> Result<Tier, Fault> {
    match (request.tier, parties) {
        (Some(Tier::A), 2) => Ok(Tier::A),
        (Some(Tier::A), _) => {
            let what = format!("a program among {parties} parties in tier A");
            Err(unsupported(at, what, "let two parties take part, the receiver counted, or ask for no tier"))
        }
        (_, 2) => Ok(Tier::C),
        _ => Ok(Tier::D),
    }
}

/// The tier of a program over vectors among so many nodes: three hold shares, in B or, where the request asks for it, in B+; two compute alone
/// where it asks for A, which is never a plan's own choice.
pub(crate) fn of_vectors(request: &Request, nodes: usize) -> Result<Tier, Fault> {
    match (nodes, request.tier) {
        (3, Some(Tier::BPlus)) => Ok(Tier::BPlus),
        (2, Some(Tier::A)) => Ok(Tier::A),
        (3, Some(Tier::A)) => {
            let why = "in tier A a program over vectors runs between the nodes of its two owners; name these two";
            Err(Fault::new(Code::BadRequest, "plan", why))
        }
        (3, _) => Ok(Tier::B),
        _ => {
            let why = "a program over vectors runs on shares among three nodes, in tier B or B+, or between those of its two owners where \
                       tier A is asked for; name three, or ask for A";
            Err(Fault::new(Code::BadRequest, "plan", why))
        }
    }
}

/// The plan, if it runs in the tier that was asked for: nobody gets a weaker one than was named, nor a stronger one.
pub(crate) fn as_asked(plan: Plan) -> Result<Plan, Fault> {
    match plan.request.tier {
        Some(asked) if asked != plan.tier => {
            let (asked, own) = (asked.word(), plan.tier.word());
            let why =
                format!("tier {asked} was asked for, and this query runs in tier {own}: ask for {own}, or for no tier");
            Err(Fault::new(Code::BadRequest, "plan", why))
        }
        _ => Ok(plan),
    }
}
