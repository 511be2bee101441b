//! A party's run of a checked program: inputs shared, steps on shares, results told to the receiver alone.

use mpc_checked::Checked;
use mpc_core::{Abort, Context};
use mpc_share::Rep3;
use mpc_two::Two;
use zeroize::Zeroizing;

use crate::eval::{Value, Values, evaluate};
use crate::form::Kind;
use crate::party::{Elements, Input, Party};
use crate::program::Program;
use crate::scheme::Scheme;

/// Who owns which input, and who is told the results; parties are numbered from 0, below [`Scheme::parties`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The owner of every input.
    pub owners: Vec<usize>,
    /// The receiver.
    pub receiver: usize,
}

/// The elements of one result, row by row, as the integers that represent them: see [`Program::shown`].
pub type Told = Vec<i128>;

/// Runs a program on the scheme that it was checked for; `Some` at the receiver alone, one element a result. `mine` has the inputs of this
/// party, as [`Program::encode`] gives them. Scheme, program, placement and the ranges that inputs are held to are bound into the session:
/// parties that disagree about them abort at the first frame. Three phases follow each other: seeds, inputs, the steps with the results.
///
/// With [`Scheme::Three`] and [`Scheme::Two`] all parties follow the protocol: one that deviates may change the results, and learn more. With
/// [`Scheme::Checked`] one may deviate: inputs are proven to lie in their ranges before anything depends on them, everything else
/// before a result is revealed, so the receiver gets the results of such inputs, or the honest parties abort.
///
/// # Errors
/// [`Abort`] with blame on this party when the placement or the inputs do not fit the program, else when a peer is gone or
/// misbehaves. A session that aborts must not be used again.
pub async fn run(
    ctx: &mut Context,
    program: &Program,
    place: &Placement,
    mine: &[(usize, Zeroizing<Vec<i64>>)],
) -> Result<Option<Vec<Told>>, Abort> {
    let (parties, wrong) = (program.scheme().parties(), |why: &str| Abort::local(why.to_owned()).at("vectors"));
    let outside = |at: &usize| *at >= parties;
    if place.owners.len() != program.inputs().len() || place.owners.iter().chain([&place.receiver]).any(outside) {
        return Err(wrong("a placement that is not the program's"));
    }
    let given = Given::new(program, place, ctx.me(), mine).ok_or_else(|| wrong("inputs that are not this party's"))?;
    let told = match program.scheme() {
        Scheme::Three => part::<Rep3>(ctx, program, place, given).await,
        Scheme::Checked => part::<Checked>(ctx, program, place, given).await,
        Scheme::Two => part::<Two>(ctx, program, place, given).await,
    };
    told.map_err(|abort| abort.at("vectors"))
}

/// A party's part on the shares of one engine.
async fn part<P: Party>(
    ctx: &mut Context,
    program: &Program,
    place: &Placement,
    given: Given,
) -> Result<Option<Vec<Told>>, Abort> {
    let mut fork = ctx.fork_bound("vectors", &parameters(program, place));
    fork.phase("agree on seeds");
    let mut party = P::setup(&mut fork).await?;
    fork.phase("share inputs");
    party.enter("share inputs");
    let inputs = shared(&mut party, program, place, &given).await?;
    drop(given);
    fork.phase("compute vectors");
    let values = computed(&mut party, program, inputs).await?;
    fork.phase("reveal");
    party.enter("reveal");
    revealed(&mut party, program, &values, place.receiver).await
}

/// What all parties must agree on. How many inputs and columns there are follows from the program's digest; the range of each column does
/// not, and a range that is public on checked shares must be the same everywhere.
fn parameters(program: &Program, place: &Placement) -> Vec<u8> {
    let Placement { owners, receiver } = place;
    let parties = owners.iter().chain([receiver]).map(|party| u8::try_from(*party).unwrap_or(u8::MAX));
    let ends = program.ranges.iter().flatten().flat_map(|(low, high)| [*low, *high]).flat_map(i128::to_be_bytes);
    program.digest().into_iter().chain([program.scheme().tag()]).chain(parties).chain(ends).collect()
}

/// A party's own inputs, one after the other: words, and wide integers.
struct Given {
    words: Zeroizing<Vec<u64>>,
    wide: Zeroizing<Vec<u128>>,
}

impl Given {
    fn new(program: &Program, place: &Placement, me: usize, mine: &[(usize, Zeroizing<Vec<i64>>)]) -> Option<Self> {
        let count = |wide: bool| counts(program, &owned(program, place, wide)).get(me).copied().unwrap_or(0);
        // Vectors that never grow leave no copy behind.
        let mut given = Self {
            words: Zeroizing::new(Vec::with_capacity(count(false))),
            wide: Zeroizing::new(Vec::with_capacity(count(true))),
        };
        let own = place.owners.iter().enumerate().filter(|(_, owner)| **owner == me);
        for (input, _) in own {
            let form = program.input(input)?;
            let (_, words) = mine.iter().find(|(at, _)| *at == input)?;
            program.held(input, words).ok()?;
            if form.kind == Kind::Wide {
                given.wide.extend(words.iter().map(|word| i128::from(*word) as u128));
            } else {
                given.words.extend(words.iter().map(|word| *word as u64));
            }
        }
        Some(given)
    }
}

/// The inputs of wide integers, or the others: the owner and the number of elements of each, in the program's order.
fn owned(program: &Program, place: &Placement, wide: bool) -> Vec<(usize, usize)> {
    let forms = place.owners.iter().enumerate().filter_map(|(at, owner)| Some((*owner, program.input(at)?)));
    forms.filter(|(_, form)| (form.kind == Kind::Wide) == wide).map(|(owner, form)| (owner, form.len())).collect()
}

/// How many elements each party puts in.
fn counts(program: &Program, owned: &[(usize, usize)]) -> Vec<usize> {
    let mut counts = vec![0; program.scheme().parties()];
    for (owner, len) in owned {
        if let Some(count) = counts.get_mut(*owner) {
            *count += len;
        }
    }
    counts
}

/// The inputs apart, of one vector a party.
fn apart<I: Elements>(all: &[I], owned: &[(usize, usize)]) -> Option<Vec<I>> {
    let mut taken = vec![0; all.len()];
    let part = |(owner, len): &(usize, usize)| {
        let (vector, end) = (all.get(*owner)?, taken.get_mut(*owner)?);
        *end += len;
        Some(vector.part(*end - len..*end))
    };
    owned.iter().map(part).collect()
}

/// The shares of all inputs, which lie in their ranges.
async fn shared<P: Party>(
    party: &mut P,
    program: &Program,
    place: &Placement,
    given: &Given,
) -> Result<Vec<Option<Value<P>>>, Abort> {
    let lost = || Abort::local("an input without its owner").at("vectors");
    let (words, wide) = (owned(program, place, false), owned(program, place, true));
    let all = party.input(&counts(program, &words), &given.words).await?;
    let mut numbers = apart(&all, &words).ok_or_else(lost)?.into_iter();
    drop(all);
    let wide = if wide.is_empty() { Vec::new() } else { party.input_wide(&wide, &given.wide).await? };
    let mut wide = wide.into_iter();
    let mut values: Vec<Option<Value<P>>> = Vec::with_capacity(place.owners.len());
    for input in 0..place.owners.len() {
        let form = program.input(input).ok_or_else(lost)?;
        let value = match form.kind {
            Kind::Wide => wide.next().map(Value::Wide),
            Kind::Number | Kind::Truth => numbers.next().map(Value::Words),
        };
        values.push(Some(value.ok_or_else(lost)?));
    }
    party.enter("check inputs");
    party.check_inputs(&inputs(program, place, &values)).await?;
    Ok(values)
}

/// The inputs that are words, with what everybody knows of them.
fn inputs<'a, P: Party>(
    program: &'a Program,
    place: &Placement,
    values: &'a [Option<Value<P>>],
) -> Vec<Input<'a, P::Integers>> {
    let all = place.owners.iter().zip(&program.ranges).zip(values);
    let input = |((owner, ranges), value): ((&usize, &'a Vec<(i128, i128)>), &'a Option<Value<P>>)| match value {
        Some(Value::Words(elements)) => Some(Input { owner: *owner, elements, ranges }),
        Some(Value::Wide(_)) | None => None,
    };
    all.filter_map(input).collect()
}

/// All values that results are taken from.
async fn computed<'a, P: Party>(
    party: &mut P,
    program: &'a Program,
    inputs: Vec<Option<Value<P>>>,
) -> Result<Values<'a, P>, Abort> {
    let steps = program.steps.as_slice();
    let mut last = vec![0; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        step.op.operands().into_iter().flatten().for_each(|operand| last[operand] = at);
    }
    program.results.iter().for_each(|result| last[result.step] = usize::MAX);
    let first = inputs.len();
    let mut values = Values { steps, scale: program.scale, values: inputs };
    for (at, step) in steps.iter().enumerate().skip(first) {
        party.enter(step.op.name());
        let value = evaluate(party, &values, at).await?;
        values.values.push(Some(value));
        for operand in step.op.operands().into_iter().flatten().filter(|operand| last[*operand] == at) {
            values.values[operand] = None;
        }
    }
    Ok(values)
}

/// The results at the receiver.
async fn revealed<P: Party>(
    party: &mut P,
    program: &Program,
    values: &Values<'_, P>,
    receiver: usize,
) -> Result<Option<Vec<Told>>, Abort> {
    let mut told: Vec<Option<Told>> = Vec::with_capacity(program.results.len());
    for result in &program.results {
        told.push(match values.value(result.step)? {
            Value::Words(words) => {
                let seen = party.reveal(words, receiver).await?;
                seen.map(|seen| seen.into_iter().map(|word| i128::from(word as i64)).collect())
            }
            Value::Wide(wide) => {
                let seen = party.reveal_wide(wide, receiver).await?;
                seen.map(|seen| seen.into_iter().map(|word| word as i128).collect())
            }
        });
    }
    Ok(told.into_iter().collect())
}
