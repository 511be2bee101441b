//! A permutation as a network of switches, each of which leaves or exchanges two rows.
//!
//! Waksman, "A Permutation Network" (JACM 15(1), 1968), for any number of rows as Beauquier and Darrot, "On Arbitrary Size Waksman
//! Networks and Their Vulnerability" (Parallel Processing Letters 12, 2002): a column of switches sends one row of every pair to an upper
//! network of half the size and the other to a lower one; a second column puts what comes out into order. About `log2 n - 1` switches
//! a row. Which rows meet follows from their number alone; the settings say the permutation.

use zeroize::Zeroizing;

use crate::shares::WORD;

/// Through which half of the network an output comes.
const UNKNOWN: u8 = 0;
const UPPER: u8 = 1;
const LOWER: u8 = 2;

/// The rows that each switch of a network joins, in an order in which they can be set.
pub(crate) fn switches(rows: u32) -> Vec<[u32; 2]> {
    let mut out = Vec::new();
    join(&(0..rows).collect::<Vec<_>>(), &mut out);
    out
}

fn join(wires: &[u32], out: &mut Vec<[u32; 2]>) {
    if wires.len() < 2 {
        return;
    }
    let (pairs, last) = wires.as_chunks::<2>();
    out.extend_from_slice(pairs);
    join(&pairs.iter().map(|pair| pair[0]).collect::<Vec<_>>(), out);
    join(&pairs.iter().map(|pair| pair[1]).chain(last.iter().copied()).collect::<Vec<_>>(), out);
    // Of an even number of rows the last two come out in order by themselves.
    out.extend_from_slice(&pairs[..(wires.len() - 1) / 2]);
}

/// The settings by which [`switches`] put row `from[j]` at place `j`, a bit each, in `words` words. `from` is a permutation.
pub(crate) fn settings(from: &[u32], words: usize) -> Zeroizing<Vec<u64>> {
    let mut settings = Settings { bits: Zeroizing::new(vec![0; words]), count: 0 };
    settings.route(from);
    settings.bits
}

struct Settings {
    bits: Zeroizing<Vec<u64>>,
    count: usize,
}

impl Settings {
    fn push(&mut self, exchange: bool) {
        self.bits[self.count / WORD] |= u64::from(exchange) << (self.count % WORD);
        self.count += 1;
    }

    fn route(&mut self, from: &[u32]) {
        let rows = from.len();
        if rows < 2 {
            return;
        }
        let to = inverse(from);
        let sides = sides(from, &to);
        (0..rows / 2).for_each(|pair| self.push(sides[to[2 * pair] as usize] == LOWER));
        // The inputs of a half, output by output, as places of its own.
        let half = |side: u8| {
            let output = |pair: usize| 2 * pair + usize::from(sides[2 * pair] != side);
            let last = (rows % 2 == 1 && side == LOWER).then_some(rows - 1);
            let outputs = (0..rows / 2).map(output).chain(last);
            Zeroizing::new(outputs.map(|output| from[output] / 2).collect::<Vec<u32>>())
        };
        self.route(&half(UPPER));
        self.route(&half(LOWER));
        (0..(rows - 1) / 2).for_each(|pair| self.push(sides[2 * pair] == LOWER));
    }
}

/// Where each row goes.
fn inverse(from: &[u32]) -> Zeroizing<Vec<u32>> {
    let mut to = Zeroizing::new(vec![0; from.len()]);
    for (output, input) in (0..).zip(from) {
        to[*input as usize] = output;
    }
    to
}

/// The half that each output comes through: the two of a pair of outputs through different ones, and so the two of a pair of
/// inputs. Rows without a partner go and come through the lower half; the last pair of an even number of outputs is in order.
fn sides(from: &[u32], to: &[u32]) -> Zeroizing<Vec<u8>> {
    let rows = from.len();
    let mut sides = Zeroizing::new(vec![UNKNOWN; rows]);
    let alone = (rows % 2 == 1).then_some(rows - 1);
    for start in alone.into_iter().chain((0..rows / 2).rev().map(|pair| 2 * pair + 1)) {
        let mut output = start;
        while sides[output] == UNKNOWN {
            sides[output] = LOWER;
            // The other input of its pair goes through the upper half, and so the partner of that one's output through the lower.
            let Some(other) = to.get((from[output] ^ 1) as usize) else { break };
            sides[*other as usize] = UPPER;
            output = (*other ^ 1) as usize;
        }
    }
    sides
}

#[cfg(test)]
mod tests {
    use mpc_core::Prg;

    use super::*;

    #[test]
    fn every_permutation_is_routed() {
        let mut prg = Prg::new(&[3; 32]);
        for rows in (0..40).chain([100, 257, 1000]) {
            let switches = switches(rows);
            for _ in 0..20 {
                let from = prg.permutation(rows);
                let settings = settings(&from, switches.len().div_ceil(WORD));
                let mut out: Vec<u32> = (0..rows).collect();
                for (at, [one, other]) in switches.iter().enumerate() {
                    if settings[at / WORD] >> (at % WORD) & 1 == 1 {
                        out.swap(*one as usize, *other as usize);
                    }
                }
                assert_eq!(out, from);
            }
        }
    }

    #[test]
    fn all_permutations_of_few_rows_are_routed_with_as_few_switches_as_waksmans() {
        // The sum of log2 i, rounded up, for i up to the number of rows.
        assert_eq!([1, 2, 3, 4, 5, 8, 16].map(|rows| switches(rows).len()), [0, 1, 3, 5, 8, 17, 49]);
        for number in 0..256_u32 {
            let from = [number & 3, number >> 2 & 3, number >> 4 & 3, number >> 6];
            let mut seen = [false; 4];
            from.iter().for_each(|row| seen[*row as usize] = true);
            if seen == [true; 4] {
                let (mut out, settings) = ([0, 1, 2, 3], settings(&from, 1));
                for (at, [one, other]) in switches(4).iter().enumerate() {
                    if settings[0] >> at & 1 == 1 {
                        out.swap(*one as usize, *other as usize);
                    }
                }
                assert_eq!(out, from);
            }
        }
    }
}
