//! From the plan's terms to the engine's: public shape and places of the parties.

use base_types::fault::{Code, Fault};
use mpc_relational as engine;
use notary_terms::{Argument, Function, Join, Plan, Read, ReadRole, Span};

fn malformed(what: &str) -> Fault {
    Fault::new(Code::Internal, "shape", format!("the plan is malformed: {what}"))
}

fn bits_for(count: u32) -> u8 {
    // Ranks run from 0 to count - 1.
    (u32::BITS - count.saturating_sub(1).leading_zeros()).max(1) as u8
}

fn side((read, ranges): (&Read, &Vec<Span>)) -> Result<engine::SideShape, Fault> {
    let ReadRole::Side { join } = &read.role else { return Err(malformed("not one carrier and sides")) };
    let join = match join {
        Join::Inner => engine::Join::Inner,
        Join::Left => engine::Join::Left,
    };
    Ok(engine::SideShape { rows: read.rows_bound, join, values: spans(read, ranges)? })
}

/// The ranges of a read's values, one each.
fn spans(read: &Read, ranges: &[Span]) -> Result<Vec<engine::Span>, Fault> {
    if ranges.len() != read.values.len() {
        return Err(malformed("values without ranges"));
    }
    Ok(ranges.iter().map(|Span { low, high }| engine::Span { low: *low, high: *high }).collect())
}

fn count(n: usize) -> Result<u8, Fault> {
    u8::try_from(n).map_err(|_| malformed("more than 255 words of groups' names"))
}

/// The engine's public shape of a plan.
///
/// # Errors
/// [`Code::Internal`] when the plan is not one the planner makes.
pub fn shape(plan: &Plan) -> Result<engine::StarShape, Fault> {
    let star = plan.star().ok_or_else(|| malformed("no star join"))?;
    let (carrier, sides) = plan.reads.split_first().ok_or_else(|| malformed("nothing is read"))?;
    let ReadRole::Carrier { groups } = &carrier.role else { return Err(malformed("no carrier")) };
    let of_carrier = star.ranges.first().filter(|_| star.ranges.len() == plan.reads.len());
    let of_carrier = of_carrier.ok_or_else(|| malformed("values without ranges"))?;
    let shape = engine::StarShape {
        carrier_rows: carrier.rows_bound,
        key_bits: star.key_bits,
        group_bits: bits_for(star.max_groups),
        max_groups: star.max_groups,
        key_words: count(groups.iter().map(|g| usize::from(g.words)).sum())?,
        carrier_values: spans(carrier, of_carrier)?,
        sides: sides.iter().zip(star.ranges.iter().skip(1)).map(side).collect::<Result<_, _>>()?,
        aggregates: star.aggregates.iter().map(aggregate).collect::<Result<_, _>>()?,
        threshold: star.min_group,
    };
    shape.check().map_err(|why| malformed(&why))?;
    Ok(shape)
}

fn aggregate(aggregate: &notary_terms::Aggregate) -> Result<engine::Aggregate, Fault> {
    let input = match aggregate.argument {
        Argument::Rows => engine::Input::Rows,
        Argument::Value { read: 0, value, absent: None } => engine::Input::Carrier(value),
        Argument::Value { read: 0, .. } => return Err(malformed("an absent carrier")),
        Argument::Value { read, value, absent } => engine::Input::Side { side: read - 1, value, absent },
    };
    let function = match aggregate.function {
        Function::Count => engine::Function::Count,
        Function::Sum => engine::Function::Sum,
        Function::Avg { extra_digits } => engine::Function::Avg { extra_digits },
    };
    Ok(engine::Aggregate { input, function })
}

/// Which of the plan's three nodes reads what and who receives.
///
/// # Errors
/// [`Code::Internal`] when an owner or the receiver is none of the three.
pub fn placement(plan: &Plan) -> Result<engine::Placement, Fault> {
    let place = |org| {
        plan.nodes.iter().position(|n| n == org).ok_or_else(|| malformed(&format!("{org} is none of the three nodes")))
    };
    let (carrier, sides) = plan.reads.split_first().ok_or_else(|| malformed("nothing is read"))?;
    Ok(engine::Placement {
        carrier: place(&carrier.owner)?,
        sides: sides.iter().map(|read| place(&read.owner)).collect::<Result<_, _>>()?,
        receiver: place(&plan.request.receiver)?,
    })
}

#[cfg(test)]
mod tests {
    use super::bits_for;

    #[test]
    fn ranks_fit_their_bits() {
        assert_eq!([1, 2, 3, 4, 5, 256, 257].map(bits_for), [1, 1, 2, 2, 3, 8, 9]);
    }
}
