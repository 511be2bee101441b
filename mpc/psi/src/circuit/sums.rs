//! From equal words in bins to shares of the answer, and to the answer at the receiver.

use std::mem::take;

use mpc_core::{Abort, Context};
use mpc_two::{Additive, BitShares, Network, Two};
use zeroize::Zeroizing;

use super::opprf::{Binned, PerBin};
use super::{Answer, Function, Parameters};
use crate::Mode;

/// Products that one call of the engine sums.
const PART: usize = 1 << 20;

/// Compares the words of all bins, sums what the functions ask for over those that are equal, and reveals it to the receiver.
pub(super) async fn reveal(
    ctx: &mut Context,
    parameters: &Parameters,
    binned: Binned,
) -> Result<Option<Answer>, Abort> {
    ctx.enter("sums");
    ctx.phase("compare keys");
    let network = match parameters.mode() {
        Mode::Fast => Network::Lan,
        Mode::LowCommunication => Network::Wan,
    };
    let mut two = Two::setup_with(ctx, mpc_two::Parameters { network }).await?;
    let matched = compare(&mut two, parameters, &binned).await?;
    ctx.phase("sum");
    let asked = || parameters.functions().iter().chain(parameters.counts());
    let counted = parameters.threshold().is_some() || asked().any(|function| *function == Function::Cardinality);
    let cardinality = if counted { two.to_arith(&matched).await?.sum() } else { Additive::zeros(1) };
    let sums = Sums { matched, cardinality, columns: Columns::of(parameters, binned) };
    let mut answers = sums.answers(&mut two, asked()).await?;
    if let Some(least) = parameters.threshold() {
        answers = if parameters.counts().is_empty() {
            reached(&mut two, least, &sums.cardinality, &answers).await?
        } else {
            each_reached(&mut two, least, &answers).await?
        };
    }
    ctx.phase("reveal");
    let words = two.reveal(parameters.receiver(), &answers).await?.map(Zeroizing::new);
    words.map(|words| answer(ctx, parameters, &words)).transpose()
}

/// Whether the words of each bin are equal.
async fn compare(two: &mut Two, parameters: &Parameters, binned: &Binned) -> Result<BitShares, Abort> {
    let bits = parameters.target_bits();
    let keep = u64::MAX >> (u64::BITS - bits);
    let targets = binned.words.first().map(|word| word.as_slice()).unwrap_or_default();
    let targets: PerBin = Zeroizing::new(targets.iter().map(|target| target & keep).collect());
    two.equal(&targets, bits).await
}

/// Shares of the columns that some function needs, bin by bin, each with its number.
struct Columns {
    receiver: Vec<(usize, Additive)>,
    sender: Vec<(usize, Additive)>,
}

impl Columns {
    fn of(parameters: &Parameters, binned: Binned) -> Self {
        let Binned { words, own } = binned;
        let bins = parameters.bins();
        let shares = |mut column: PerBin| Additive::of(take(&mut *column));
        // The sender's share of the receiver's columns is nothing.
        let own = own.into_iter().map(shares).chain(std::iter::repeat_with(|| Additive::zeros(bins)));
        Self {
            receiver: parameters.receiver_columns().into_iter().zip(own).collect(),
            sender: parameters.sender_columns().into_iter().zip(words.into_iter().skip(1).map(shares)).collect(),
        }
    }
}

/// What the sums are made of.
struct Sums {
    matched: BitShares,
    cardinality: Additive,
    columns: Columns,
}

impl Sums {
    /// Shares of the functions, in their order.
    async fn answers<'a>(
        &self,
        two: &mut Two,
        functions: impl Iterator<Item = &'a Function> + Send,
    ) -> Result<Additive, Abort> {
        let mut selected = Vec::with_capacity(self.columns.sender.len());
        for (column, shares) in &self.columns.sender {
            selected.push((*column, two.select(&self.matched, shares).await?));
        }
        let mut answers = Vec::new();
        for function in functions {
            answers.push(match *function {
                Function::Cardinality => self.cardinality.clone(),
                Function::Receiver(column) => {
                    two.select(&self.matched, named(&self.columns.receiver, column)?).await?.sum()
                }
                Function::Sender(column) => named(&selected, column)?.sum(),
                Function::Product(receiver, sender) => {
                    dot(two, named(&self.columns.receiver, receiver)?, named(&selected, sender)?).await?
                }
            });
        }
        Ok(Additive::concat(&answers))
    }
}

/// The sum of the products, by parts that the engine takes.
async fn dot(two: &mut Two, x: &Additive, y: &Additive) -> Result<Additive, Abort> {
    let mut sum = Additive::zeros(1);
    for from in (0..x.len()).step_by(PART) {
        let part = from..x.len().min(from + PART);
        sum = sum.add(&two.dot(&x.range(part.clone()), &y.range(part)).await?);
    }
    Ok(sum)
}

fn named(columns: &[(usize, Additive)], number: usize) -> Result<&Additive, Abort> {
    let found = columns.iter().find(|(column, _)| *column == number);
    found.map(|(_, shares)| shares).ok_or_else(|| Abort::local(format!("there is no column {number}")))
}

/// The answers and a 1 when at least `least` keys match, else zeros: the comparison is never opened by itself.
async fn reached(two: &mut Two, least: u64, cardinality: &Additive, answers: &Additive) -> Result<Additive, Abort> {
    let len = answers.len() + 1;
    let below = two.constant(&vec![least.wrapping_sub(1); len]);
    let count = Additive::concat(std::iter::repeat_n(cardinality, len));
    let reached = two.less(&below, &count).await?;
    let told = two.constant(&[1]);
    two.select(&reached, &Additive::concat([answers, &told])).await
}

/// The second half of `answers` are counts: of the first half what has a count of at least `least`, else zeros, then for each
/// whether it has. No count is opened.
async fn each_reached(two: &mut Two, least: u64, answers: &Additive) -> Result<Additive, Abort> {
    let len = answers.len() / 2;
    let below = two.constant(&vec![least.wrapping_sub(1); len]);
    let reached = two.less(&below, &answers.range(len..2 * len)).await?;
    let told = two.to_arith(&reached).await?;
    let kept = two.select(&reached, &answers.range(0..len)).await?;
    Ok(Additive::concat([&kept, &told]))
}

/// What the revealed words say.
fn answer(ctx: &Context, parameters: &Parameters, words: &[u64]) -> Result<Answer, Abort> {
    let values = |words: &[u64]| Answer::Values(words.iter().map(|word| *word as i64).collect());
    if !parameters.counts().is_empty() {
        return each(ctx, words);
    }
    match (parameters.threshold(), words.split_last()) {
        (None, _) => Ok(values(words)),
        (Some(_), Some((1, words))) => Ok(values(words)),
        (Some(_), Some((0, _))) => Ok(Answer::Below),
        (Some(_), _) => Err(ctx.name(Abort::peer(1 - ctx.me(), "a threshold that is neither reached nor missed"))),
    }
}

/// What the words say where each function is told by itself: as many answers as flags.
fn each(ctx: &Context, words: &[u64]) -> Result<Answer, Abort> {
    let (answers, told) = words.split_at(words.len() / 2);
    let one = |(word, told): (&u64, &u64)| match told {
        0 => Ok(None),
        1 => Ok(Some(*word as i64)),
        _ => Err(ctx.name(Abort::peer(1 - ctx.me(), "an answer that is neither told nor hidden"))),
    };
    answers.iter().zip(told).map(one).collect::<Result<_, _>>().map(Answer::Each)
}
