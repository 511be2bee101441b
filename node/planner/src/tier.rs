//! The tier that a request asks for: every query has its own; a star a second, stronger and slower one; a program of two parties a second,
//! weaker and faster one.

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
