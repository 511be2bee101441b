//! The proof on shares that every element of an input lies in its column's range, where its owner may deviate.
//!
//! Of an element `v` of a column from `low` to `high` neither `v − low` nor `high − v` may be negative. Both are taken modulo 2^64: as words
//! `d` and `e` that are not negative they are below 2^63, and `d + e` is `high − low` modulo 2^64. A column's ends are below 2^62 in magnitude,
//! so `high − low` is below 2^63, and `d + e` below 2^64: the two are equal, `d` is at most `high − low`, and `v` is `low + d`.
//!
//! Signs are proven bits, so that none is set if their number is 0, and that is opened for each input. It is made of its owner's words alone, and
//! 0 where the owner keeps to its ranges: to open it tells nothing of an owner that does.

use std::ops::Range;

use mpc_checked::Checked;
use mpc_core::Abort;
use mpc_share::{Arith, Z64};

use crate::party::Input;

/// Differences that are compared at a time: a comparison takes a few hundred bytes each.
const PIECE: usize = 1 << 16;

/// Differences that wait to be compared, each vector with the number of its input.
#[derive(Default)]
struct Waiting {
    vectors: Vec<(usize, Arith)>,
    len: usize,
}

/// Checks all inputs; all parties call it with the same ones.
///
/// # Errors
/// [`Abort`] that blames the owner of an element outside its range, else when a peer is gone or misbehaves.
pub(crate) async fn check(party: &mut Checked, inputs: &[Input<'_, Arith>]) -> Result<(), Abort> {
    let mut outside = vec![Arith::zeros(1); inputs.len()];
    let mut waiting = Waiting::default();
    for (number, input) in inputs.iter().enumerate() {
        for start in (0..input.elements.len()).step_by(PIECE / 2) {
            let apart = differences(party, input, start..input.elements.len().min(start + PIECE / 2));
            waiting.len += apart.len();
            waiting.vectors.push((number, apart));
            if waiting.len >= PIECE {
                compare(party, std::mem::take(&mut waiting), &mut outside).await?;
            }
        }
    }
    compare(party, waiting, &mut outside).await?;
    let opened = party.open::<Z64>(&Arith::concat(outside.iter().map(Arith::view))).await?;
    match inputs.iter().zip(opened).find(|(_, count)| *count != 0) {
        None => Ok(()),
        Some((input, _)) => {
            let why = "a number that it put in is outside its declared range";
            let mine = input.owner == party.me();
            let abort = if mine { Abort::local(why) } else { Abort::peer(input.owner, why) };
            Err(abort.at("vectors: check inputs"))
        }
    }
}

/// By how much each of some elements exceeds its lowest, then by how much its highest exceeds each.
fn differences(party: &Checked, input: &Input<'_, Arith>, places: Range<usize>) -> Arith {
    let width = input.ranges.len().max(1);
    let end = |place: usize| input.ranges.get(place % width).copied().unwrap_or((0, 0));
    let low: Arith = party.public(&places.clone().map(|place| end(place).0 as u64).collect::<Vec<_>>());
    let high: Arith = party.public(&places.clone().map(|place| end(place).1 as u64).collect::<Vec<_>>());
    let elements = input.elements.range(places);
    Arith::concat([elements.minus(low.view()).view(), high.view().minus(elements).view()])
}

/// Adds to each input's number how many of its differences are negative.
async fn compare(party: &mut Checked, waiting: Waiting, outside: &mut [Arith]) -> Result<(), Abort> {
    if waiting.len == 0 {
        return Ok(());
    }
    let all = Arith::concat(waiting.vectors.iter().map(|(_, vector)| vector.view()));
    let negative = party.negative(&all).await?;
    let counted = party.bit_to_integer(&negative).await?;
    let mut from = 0;
    for (number, vector) in &waiting.vectors {
        let own = counted.range(from..from + vector.len()).to_shared().column_sums(1);
        outside[*number] = outside[*number].add(&own);
        from += vector.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mpc_core::{Blame, Context, memory};
    use tokio::task::JoinHandle;

    use super::*;

    /// The ranges of two columns: a narrow one, and the widest there is.
    const END: i128 = (1 << 62) - 1;
    const RANGES: [(i128, i128); 2] = [(-3, 7), (-END, END)];
    /// Who puts the numbers in.
    const OWNER: usize = 2;

    async fn checked(mut ctx: Context, numbers: [i64; 4]) -> Result<(), Abort> {
        let mut party = Checked::setup(&mut ctx).await?;
        let words = numbers.map(|number| number as u64);
        let mine: &[u64] = if party.me() == OWNER { &words } else { &[] };
        let all = party.input::<Z64>([0, 0, 4], mine).await?;
        let none = Arith::zeros(0);
        let inputs = [
            Input { owner: 0, elements: &none, ranges: &RANGES },
            Input { owner: OWNER, elements: &all[OWNER], ranges: &RANGES },
        ];
        check(&mut party, &inputs).await
    }

    /// How the check of two rows ends at each party.
    async fn outcomes(numbers: [i64; 4]) -> Vec<Result<(), Abort>> {
        let contexts = memory::contexts(memory::network(3), [8; 32]).into_iter();
        let tasks: Vec<JoinHandle<_>> = contexts.map(|ctx| tokio::spawn(checked(ctx, numbers))).collect();
        let mut out = Vec::new();
        for task in tasks {
            out.push(task.await.expect("a party does not panic"));
        }
        out
    }

    #[tokio::test]
    async fn numbers_at_the_ends_of_their_ranges_pass() {
        let end = END as i64;
        for numbers in [[-3, -end, 7, end], [0, 0, 0, 0], [7, end, -3, -end]] {
            assert!(outcomes(numbers).await.iter().all(Result::is_ok), "{numbers:?}");
        }
    }

    /// Also numbers from which a difference wraps: none passes both.
    #[tokio::test]
    async fn an_owner_whose_number_leaves_its_range_is_blamed_by_both_others() {
        let (end, top) = (END as i64, i64::MIN);
        let narrow = [-4, 8, i64::MAX, top, 7 + top, -3 + i64::MAX, top + 2];
        let wide = [end + 1, -end - 1, i64::MAX, top, end.wrapping_add(top), (-end).wrapping_add(top)];
        let cases = narrow.map(|number| [0, 0, number, 0]).into_iter().chain(wide.map(|number| [0, number, 0, 0]));
        for numbers in cases {
            for (me, outcome) in outcomes(numbers).await.into_iter().enumerate() {
                let abort = outcome.expect_err("a number outside");
                let blame = if me == OWNER { Blame::Local } else { Blame::Peer(OWNER) };
                assert!(abort.blame == blame && abort.step.contains("check inputs"), "{numbers:?}: {abort}");
            }
        }
    }
}
