//! From the groups' sums to what the receiver may see: thresholds, NULLs, averages; all else is masked on shares.
//!
//! Everything that decides (does the group exist, are there enough contributors, is there a value) is a sign bit of a
//! shared difference. A value is revealed under the product of these bits, so what is not to be seen is revealed as 0.

use mpc_core::Abort;
use mpc_share::{Arith, Words};
use zeroize::Zeroizing;

use crate::group::{Measure, Totals};
use crate::{Cell, Function, GroupResult, Scheme, StarShape};

const SIGN: u32 = 63;

/// An aggregate's bits: masks of all ones or all zeros, and the value.
struct Visible {
    shown: Words,
    nonnull: Words,
    value: Words,
}

/// Integers on their way to bits: where each one will be found.
struct Conversion {
    columns: Vec<Arith>,
}

impl Conversion {
    fn push(&mut self, column: Arith) -> usize {
        self.columns.push(column);
        self.columns.len() - 1
    }
}

/// An average's dividend before its sign is known, and twice its divisor.
struct Mean {
    sum: usize,
    /// `2·sum·10^digits + count`, for a sum that is not negative.
    upper: usize,
    /// `-2·sum·10^digits + count`, for a negative one.
    lower: usize,
    divisor: Arith,
}

/// Where an aggregate's converted columns stand.
struct Plan {
    lacking: usize,
    empty: Option<usize>,
    value: Value,
}

enum Value {
    Direct(usize),
    Mean(Mean),
}

fn plan<S: Scheme>(party: &S, shape: &StarShape, function: Function, measure: &Measure, into: &mut Conversion) -> Plan {
    let Measure { sum, count, people } = measure;
    let threshold = party.integers(u64::from(shape.threshold), people.len());
    let lacking = into.push(people.sub(&threshold));
    let (Some(sum), false) = (sum, function == Function::Count) else {
        return Plan { lacking, empty: None, value: Value::Direct(into.push(count.clone())) };
    };
    // Negative exactly when there is a value.
    let empty = Some(into.push(count.scale(u64::MAX)));
    let value = match function {
        Function::Avg { extra_digits } => {
            let twice = sum.scale(2 * 10u64.pow(extra_digits.into()));
            Value::Mean(Mean {
                sum: into.push(sum.clone()),
                upper: into.push(count.add(&twice)),
                lower: into.push(count.sub(&twice)),
                divisor: count.scale(2),
            })
        }
        Function::Count | Function::Sum => Value::Direct(into.push(sum.clone())),
    };
    Plan { lacking, empty, value }
}

/// All averages in one division: the quotient of magnitudes, then the sign.
async fn averages<S: Scheme>(party: &mut S, plans: &[Plan], bits: &[Words]) -> Result<Vec<Words>, Abort> {
    let means: Vec<&Mean> = plans
        .iter()
        .filter_map(|plan| match &plan.value {
            Value::Mean(mean) => Some(mean),
            Value::Direct(_) => None,
        })
        .collect();
    let Some(first) = means.first() else {
        return Ok(Vec::new());
    };
    let column = |of: fn(&Mean) -> usize| Words::concat(means.iter().map(|mean| bits[of(mean)].view()));
    let (sum, upper, lower) = (column(|mean| mean.sum), column(|mean| mean.upper), column(|mean| mean.lower));
    let negative = sum.spread(SIGN);
    let dividend = party.select(&negative, &lower, &upper).await?;
    let divisor = Arith::concat(means.iter().map(|mean| mean.divisor.view()));
    let quotient = party.divide(&dividend, &divisor).await?;
    let signed = party.negate_where(&negative, &quotient).await?;
    Ok(signed.pieces(first.divisor.len()))
}

/// Computes, masks and reveals: the groups at the receiver, nothing elsewhere.
pub(crate) async fn answer<S: Scheme>(
    party: &mut S,
    shape: &StarShape,
    totals: &Totals,
    receiver: usize,
) -> Result<Option<Vec<GroupResult>>, Abort> {
    party.enter("averages and thresholds");
    let groups = totals.rows.len();
    let mut into = Conversion { columns: vec![totals.rows.scale(u64::MAX)] };
    let aggregates = shape.aggregates.iter().zip(&totals.measures);
    let plans: Vec<Plan> =
        aggregates.map(|(aggregate, measure)| plan(party, shape, aggregate.function, measure, &mut into)).collect();
    let words: Vec<usize> = totals.words.iter().map(|word| into.push(word.clone())).collect();
    let bits = party.to_bits_many(&into.columns.iter().collect::<Vec<_>>()).await?;
    let mut means = averages(party, &plans, &bits).await?.into_iter();
    let visible = plans.iter().map(|plan| Visible {
        shown: party.complement(&bits[plan.lacking].spread(SIGN)),
        nonnull: plan.empty.map_or_else(|| party.words(u64::MAX, groups), |at| bits[at].spread(SIGN)),
        value: match &plan.value {
            Value::Direct(at) => bits[*at].clone(),
            Value::Mean(_) => means.next().unwrap_or_else(|| Words::zeros(groups)),
        },
    });
    let visible: Vec<Visible> = visible.collect();
    let words: Vec<&Words> = words.iter().map(|at| &bits[*at]).collect();
    let masked = mask(party, &bits[0].spread(SIGN), &visible, &words).await?;
    party.enter("reveal");
    let revealed = party.reveal(&Words::concat(masked.iter().map(Words::view)), receiver).await?;
    Ok(revealed.map(|words| decode(shape, groups, &Zeroizing::new(words))))
}

/// Masks what is not to be seen: the columns exists; then shown, visible and value of every aggregate; then the words.
async fn mask<S: Scheme>(
    party: &mut S,
    exists: &Words,
    all: &[Visible],
    words: &[&Words],
) -> Result<Vec<Words>, Abort> {
    let mut pairs = Vec::new();
    for Visible { shown, nonnull, value } in all {
        pairs.push((exists.view(), shown.view()));
        pairs.push((nonnull.view(), value.view()));
    }
    pairs.extend(words.iter().map(|word| (exists.view(), word.view())));
    let mut first = party.and_many(&pairs).await?;
    let words = first.split_off(2 * all.len());
    let mut pairs = Vec::new();
    for ([shown, value], Visible { nonnull, .. }) in first.as_chunks::<2>().0.iter().zip(all) {
        pairs.push((shown.view(), nonnull.view()));
        pairs.push((shown.view(), value.view()));
    }
    let second = party.and_many(&pairs).await?;
    drop(pairs);
    let mut out = vec![exists.clone()];
    for ([shown, _], [visible, value]) in first.as_chunks::<2>().0.iter().zip(second.as_chunks::<2>().0) {
        out.extend([shown.clone(), visible.clone(), value.clone()]);
    }
    out.extend(words);
    Ok(out)
}

/// The revealed columns as groups; rows that do not exist fall out.
fn decode(shape: &StarShape, groups: usize, words: &[u64]) -> Vec<GroupResult> {
    let columns: Vec<&[u64]> = words.chunks(groups).collect();
    let Some((exists, columns)) = columns.split_first() else {
        return Vec::new();
    };
    let (cells, words) = columns.split_at((3 * shape.aggregates.len()).min(columns.len()));
    let cell = |[shown, visible, value]: &[&[u64]; 3], group: usize| match (shown[group], visible[group]) {
        (0, _) => Cell::Suppressed,
        (_, 0) => Cell::Null,
        _ => Cell::Value(value[group] as i64),
    };
    let there = (0..groups).filter(|group| exists[*group] != 0);
    let result = |group| GroupResult {
        group_words: words.iter().map(|word| word[group]).collect(),
        values: cells.as_chunks::<3>().0.iter().map(|columns| cell(columns, group)).collect(),
    };
    there.map(result).collect()
}
