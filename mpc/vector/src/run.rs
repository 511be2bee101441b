//! A party's run of a checked program: inputs shared, steps on shares, results told to the receiver alone.

use mpc_core::{Abort, Context};
use mpc_share::{Arith, Rep3, Wide, Z64};
use zeroize::Zeroizing;

use crate::eval::{Value, Values, evaluate};
use crate::form::Kind;
use crate::program::Program;

/// Who owns which input, and who is told the results; parties are numbered from 0 to 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The owner of every input.
    pub owners: Vec<usize>,
    /// The receiver.
    pub receiver: usize,
}

/// The elements of one result, row by row, as the integers that represent them: see [`Program::shown`].
pub type Told = Vec<i128>;

/// Runs a program; `Some` at the receiver alone, one element a result. `mine` has the inputs of this party, as
/// [`Program::encode`] gives them. The program and the placement are bound into the session: parties that disagree about them
/// abort at the first frame. Three phases follow each other: seeds, inputs, the steps with the results.
///
/// Semi-honest: a party that deviates may change the results, and learns more only together with another.
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
    let wrong = |why: &str| Abort::local(why.to_owned()).at("vectors");
    if place.owners.len() != program.inputs().len() || place.owners.iter().chain([&place.receiver]).any(|at| *at > 2) {
        return Err(wrong("a placement that is not the program's"));
    }
    let given = Given::new(program, place, ctx.me(), mine).ok_or_else(|| wrong("inputs that are not this party's"))?;
    let mut fork = ctx.fork_bound("vectors", &parameters(program, place));
    fork.phase("agree on seeds");
    let mut party = Rep3::setup(&mut fork).await?;
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

fn parameters(program: &Program, place: &Placement) -> Vec<u8> {
    let Placement { owners, receiver } = place;
    let parties = owners.iter().chain([receiver]).map(|party| u8::try_from(*party).unwrap_or(u8::MAX));
    program.digest().into_iter().chain(parties).collect()
}

/// A party's own inputs, one after the other: words, and wide integers.
struct Given {
    words: Zeroizing<Vec<u64>>,
    wide: Zeroizing<Vec<u128>>,
}

impl Given {
    fn new(program: &Program, place: &Placement, me: usize, mine: &[(usize, Zeroizing<Vec<i64>>)]) -> Option<Self> {
        let [words, wide] = counts(program, place).map(|counts| counts.get(me).copied().unwrap_or(0));
        // Vectors that never grow leave no copy behind.
        let mut given =
            Self { words: Zeroizing::new(Vec::with_capacity(words)), wide: Zeroizing::new(Vec::with_capacity(wide)) };
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

/// How many words, and how many wide integers, each party puts in.
fn counts(program: &Program, place: &Placement) -> [[usize; 3]; 2] {
    let mut counts = [[0; 3]; 2];
    for (input, owner) in place.owners.iter().enumerate() {
        let Some(form) = program.input(input) else { continue };
        if let Some(count) = counts[usize::from(form.kind == Kind::Wide)].get_mut(*owner) {
            *count += form.len();
        }
    }
    counts
}

/// The shares of all inputs.
async fn shared(
    party: &mut Rep3,
    program: &Program,
    place: &Placement,
    given: &Given,
) -> Result<Vec<Option<Value>>, Abort> {
    let [words, wide] = counts(program, place);
    let words: [Arith; 3] = party.input::<Z64>(words, &given.words).await?;
    let none = wide.iter().all(|count| *count == 0);
    let wide: [Wide; 3] = if none { [0; 3].map(Wide::zeros) } else { party.input_wide(wide, &given.wide).await? };
    let mut taken = [[0; 3]; 2];
    let mut values = Vec::with_capacity(place.owners.len());
    for (input, owner) in place.owners.iter().enumerate() {
        let (Some(form), Some(words), Some(wide)) = (program.input(input), words.get(*owner), wide.get(*owner)) else {
            return Err(Abort::local("an input without its owner").at("vectors"));
        };
        let start = &mut taken[usize::from(form.kind == Kind::Wide)][*owner];
        let places = *start..*start + form.len();
        *start = places.end;
        values.push(Some(if form.kind == Kind::Wide {
            Value::Wide(wide.picked(&places.collect::<Vec<_>>()))
        } else {
            Value::Words(words.range(places).to_shared())
        }));
    }
    Ok(values)
}

/// All values that results are taken from.
async fn computed<'a>(party: &mut Rep3, program: &'a Program, inputs: Vec<Option<Value>>) -> Result<Values<'a>, Abort> {
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
async fn revealed(
    party: &mut Rep3,
    program: &Program,
    values: &Values<'_>,
    receiver: usize,
) -> Result<Option<Vec<Told>>, Abort> {
    let mut told: Vec<Option<Told>> = Vec::with_capacity(program.results.len());
    for result in &program.results {
        told.push(match values.value(result.step)? {
            Value::Words(words) => {
                let seen = party.reveal::<Z64>(words, receiver).await?;
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
