//! An oblivious shuffle of rows, in three messages: each party permutes once, by switches whose settings it alone knows.
//!
//! A setting `s` of one party and the difference `d` of two rows that meet: their exchange adds `s·d` to the one and takes it from the
//! other. Of `d = d_0 + d_1` the party's own half is its own affair; with the peer's half it is the product of a bit of one party and
//! a word of the other (`cot`), one transfer. (Mohassel and Sadeghian, "How to Hide Circuits in MPC", EUROCRYPT 2013, route masks the same
//! way.) The peer's shares behind a switch follow from its keys and the flips alone, so it walks the whole network by itself and sends
//! all corrections at once. What it sees of the settings are the flips, what the party sees of rows are corrections: all are
//! uniform. Party 0 permutes first, then party 1; neither knows the other's permutation.

use mpc_core::Abort;
use mpc_share::permutation;
use zeroize::Zeroizing;

use crate::convert::Words;
use crate::cot::{flips, mask, signed};
use crate::line::Line;
use crate::network::{settings, switches};
use crate::party::{Party, Role};
use crate::shares::WORD;
use crate::transfers::{Pair, padded};

/// Most rows that move: two networks of them take half a gigabyte.
pub(crate) const MAX_ROWS: usize = 1 << 20;
/// Most transfers of one direction that are under way at once, but for one column's.
const MOST_TRANSFERS: usize = 1 << 22;

/// Two rows that meet.
type Switch = [u32; 2];

/// Puts the rows of equally long columns, at most [`MAX_ROWS`], into a uniformly random order that neither party knows.
pub(crate) async fn shuffle(party: &mut Party, columns: &mut [Words]) -> Result<(), Abort> {
    let rows = columns.first().map_or(0, |column| column.len());
    if rows < 2 {
        return Ok(());
    }
    let mut line = party.line("shuffle", &[columns.len(), rows]);
    let count = u32::try_from(rows).map_err(|_| Abort::local("more than 2^32 rows"))?;
    let switches = switches(count);
    let transfers = padded(switches.len());
    let from = Zeroizing::new(party.prg.permutation(count));
    let settings = settings(&from, transfers / WORD);
    for columns in columns.chunks_mut((MOST_TRANSFERS / transfers).max(1)) {
        both_networks(party, &mut line, &switches, &settings, columns).await?;
    }
    Ok(())
}

/// Some columns through both networks.
async fn both_networks(
    party: &mut Party,
    line: &mut Line,
    switches: &[Switch],
    settings: &[u64],
    columns: &mut [Words],
) -> Result<(), Abort> {
    let (words, due) = (settings.len(), switches.len() * columns.len());
    let transfers = WORD * words * columns.len();
    party.reserve(transfers, transfers).await?;
    let role = party.role;
    let Party { sender, receiver, .. } = party;
    let sent = sender.take(transfers);
    let (keys, choices) = receiver.take(transfers);
    let mine: Vec<u64> = choices.chunks_exact(words).flat_map(|choices| flips(choices, settings)).collect();
    line.enter("settings");
    let theirs = line.words(&mine, mine.len()).await?;
    line.enter("rows");
    if role == Role::One {
        line.words(&follow(switches, sent, &theirs, columns), 0).await?;
    }
    let corrections = line.words(&[], due).await?;
    lead(switches, settings, (keys, choices), &corrections, columns);
    if role == Role::Zero {
        line.words(&follow(switches, sent, &theirs, columns), 0).await?;
    }
    Ok(())
}

/// Moves this party's shares through the peer's network; the corrections for the peer.
fn follow(switches: &[Switch], keys: &[Pair], flips: &[u64], columns: &mut [Words]) -> Vec<u64> {
    let words = flips.len() / columns.len().max(1);
    let mut corrections = Vec::with_capacity(switches.len() * columns.len());
    let parts = keys.chunks_exact(WORD * words).zip(flips.chunks_exact(words));
    for (column, (keys, flips)) in columns.iter_mut().zip(parts) {
        for (at, (switch, [zero, one])) in switches.iter().zip(keys).enumerate() {
            let apart = difference(column, switch);
            corrections.push(zero.wrapping_sub(*one).wrapping_add(apart));
            let flip = bit_of(flips, at);
            exchange(column, switch, (apart & flip).wrapping_sub(signed(*zero, flip)));
        }
    }
    corrections
}

/// Moves this party's shares through its own network: the keys and choices of its transfers, and the peer's corrections.
fn lead(
    switches: &[Switch],
    settings: &[u64],
    (keys, choices): (&[u64], &[u64]),
    corrections: &[u64],
    columns: &mut [Words],
) {
    let words = settings.len();
    let transfers = keys.chunks_exact(WORD * words).zip(choices.chunks_exact(words));
    let parts = transfers.zip(corrections.chunks_exact(switches.len()));
    for (column, ((keys, choices), corrections)) in columns.iter_mut().zip(parts) {
        for (at, (switch, (key, correction))) in switches.iter().zip(keys.iter().zip(corrections)).enumerate() {
            let apart = difference(column, switch);
            let (setting, choice) = (bit_of(settings, at), bit_of(choices, at));
            let chosen = key.wrapping_add(correction & choice);
            exchange(column, switch, (apart & setting).wrapping_add(signed(chosen, setting ^ choice)));
        }
    }
}

/// Bit `at` of bits 64 a word, as a mask.
fn bit_of(bits: &[u64], at: usize) -> u64 {
    mask(bits[at / WORD] >> (at % WORD))
}

/// By how much the second row is larger.
fn difference(column: &[u64], [one, other]: &Switch) -> u64 {
    column[*other as usize].wrapping_sub(column[*one as usize])
}

/// Moves `by` from the second row to the first.
fn exchange(column: &mut [u64], [one, other]: &Switch, by: u64) {
    column[*one as usize] = column[*one as usize].wrapping_add(by);
    column[*other as usize] = column[*other as usize].wrapping_sub(by);
}

/// Moves row `j` of equally long columns to the secret place `to[j]`: by a shuffle of rows and places, after which the places are
/// opened. What is opened is a uniformly random permutation.
pub(crate) async fn scatter(party: &mut Party, columns: &mut Vec<Words>, to: Words) -> Result<(), Abort> {
    columns.push(to);
    shuffle(party, columns).await?;
    let to = columns.pop().unwrap_or_else(|| Zeroizing::new(Vec::new()));
    let mut line = party.line("scatter", &[to.len()]);
    let theirs = line.words(&to, to.len()).await?;
    let opened: Vec<u64> = to.iter().zip(theirs).map(|(mine, theirs)| mine.wrapping_add(theirs)).collect();
    let why = "the destinations are no permutation: the peer has departed from the protocol";
    let to = permutation(&opened).ok_or_else(|| line.blame(why))?;
    columns.iter_mut().for_each(|column| *column = placed(column, &to));
    Ok(())
}

/// The column with row `j` at place `to[j]`.
pub(crate) fn placed(column: &[u64], to: &[u32]) -> Words {
    let mut out = Zeroizing::new(vec![0; column.len()]);
    for (word, place) in column.iter().zip(to) {
        out[*place as usize] = *word;
    }
    out
}
