//! Programming: in every bin the two sides get equal targets when the receiver's key is one of the sender's, else unrelated ones.
//!
//! An oblivious programmable pseudorandom function (Pinkas, Schneider, Tkachenko and Yanai, EUROCRYPT 2019; from an OKVS and
//! VOLE by Rindal and Schoppmann, EUROCRYPT 2021). The receiver's keys lie in bins, one a bin; the sender expects each of its
//! keys in all three bins it may lie in. For bin `b` the sender draws a target `t_b` and, for each payload column, a mask `r_b`.
//! It encodes for each of its keys `y` in each bin `b` of `y`
//!
//! `F(y, b) ⊕ (t_b, payload(y) − r_b)`
//!
//! in one table; `F` is the pseudorandom function that the receiver evaluates on its own keys only. Where the receiver's key is
//! one of the sender's it decodes `t_b` and its share of the payload, else something that is uniform for both sides: neither
//! can tell. For bins without a key the receiver draws the words itself, so nothing is asked for them.

use mpc_block::{Aes, Block, Tmmo, bytes_of, bytes_of_mut, xor_into};
use mpc_core::{Abort, Context, Prg};
use zeroize::Zeroizing;

use super::cuckoo::{self, FREE, Places, WAYS};
use super::{Input, Parameters, first_half};
use crate::okvs::Okvs;
use crate::oprf;

/// Seeds that are tried until the keys can be encoded; each fails with at most 2^-40.
const TRIES: u8 = 4;
/// Blocks of a table in one message.
const PIECE: usize = 1 << 18;
/// Blocks that are hashed together; they stay in the first-level cache.
const CHUNK: usize = 512;
/// Words in a block of a table.
const WORDS: usize = 2;

/// A vector of secret words, one a bin.
pub(super) type PerBin = Zeroizing<Vec<u64>>;

/// What a side knows about the bins.
pub(super) struct Binned {
    /// The target, then for each of [`Parameters::sender_columns`] this side's additive share of the payload.
    pub(super) words: Vec<PerBin>,
    /// For each of [`Parameters::receiver_columns`] the value of the key in the bin, 0 without one; nothing at the sender.
    pub(super) own: Vec<PerBin>,
}

/// The pseudorandom function's output as a mask for each part of the table.
struct Masks(Tmmo);

impl Masks {
    fn new(ctx: &Context) -> Self {
        Self(Tmmo::new(first_half(&ctx.digest("heqi/mpc/psi/circuit/masks/1", &[]))))
    }

    /// Replaces outputs of the pseudorandom function by their masks for part `part`.
    fn apply(&self, part: usize, outputs: &mut [Block]) {
        let tweaks = [part as u128; CHUNK];
        for chunk in outputs.chunks_mut(CHUNK) {
            let len = chunk.len();
            self.0.hash_tweaked(chunk, &tweaks[..len]);
        }
    }
}

/// Parts of a table: each holds two words of every key, the first of all being the target.
fn parts(payload: usize) -> usize {
    (1 + payload).div_ceil(WORDS)
}

fn okvs(ctx: &Context, parameters: &Parameters, attempt: u8) -> Result<Okvs, Abort> {
    let seed = first_half(&ctx.digest("heqi/mpc/psi/circuit/okvs/1", &[&[attempt]]));
    let keys = parameters.sending().keys * WAYS;
    Okvs::new(keys, parameters.mode(), seed).map_err(|fault| ctx.name(Abort::local(fault.to_string())))
}

fn halves(block: Block) -> [u64; WORDS] {
    let bits = block.to_u128();
    [bits as u64, (bits >> 64) as u64]
}

/// The sender's targets and masks: a pseudorandom function of bin and part, so they need no memory.
struct Targets(Aes);

impl Targets {
    fn new(ctx: &Context) -> Self {
        let mut seed = Zeroizing::new([0; 16]);
        ctx.random(&mut *seed);
        Self(Aes::new(Block::from_bytes(*seed)))
    }

    /// Replaces `out` by the words of these bins.
    fn draw(&self, part: usize, bins: impl Iterator<Item = u32>, out: &mut Vec<Block>) {
        out.clear();
        out.extend(bins.map(|bin| Block::from_u128((part as u128) << 64 | u128::from(bin))));
        self.0.encrypt_all(out);
    }

    /// The target and the masks of every bin.
    fn words(&self, bins: usize, payload: usize) -> Vec<PerBin> {
        let mut words: Vec<PerBin> = (0..=payload).map(|_| Zeroizing::new(Vec::with_capacity(bins))).collect();
        let mut drawn = Zeroizing::new(Vec::<Block>::with_capacity(CHUNK));
        let bins = bins as u32;
        for (part, words) in words.chunks_mut(WORDS).enumerate() {
            for first in (0..bins).step_by(CHUNK) {
                self.draw(part, first..bins.min(first + CHUNK as u32), &mut drawn);
                for block in drawn.iter() {
                    words.iter_mut().zip(halves(*block)).for_each(|(word, half)| word.push(half));
                }
            }
        }
        words
    }
}

/// The sender's side: programs the bins.
pub(super) async fn program(
    ctx: &mut Context,
    receiver: usize,
    parameters: &Parameters,
    input: &Input,
) -> Result<Binned, Abort> {
    ctx.enter("pseudorandom function");
    ctx.phase("evaluate keys");
    let payload = parameters.sender_columns();
    let places = Places::new(ctx, parameters.bins());
    let mut asked = Zeroizing::new(Vec::<Block>::with_capacity(input.keys().len() * WAYS));
    for way in 0..WAYS {
        let first = asked.len();
        asked.extend_from_slice(input.keys());
        places.ask(way, &mut asked[first..]);
    }
    let outputs = evaluate(ctx, receiver, parameters, &asked).await?;
    ctx.enter("targets");
    ctx.phase("targets");
    let (masks, targets) = (Masks::new(ctx), Targets::new(ctx));
    let choices = Zeroizing::new(places.of(input.keys()));
    let columns: Vec<&[i64]> = payload.iter().filter_map(|column| input.column(*column)).collect();
    let mut attempt = None;
    for part in 0..parts(payload.len()) {
        let mut values = outputs.clone();
        masks.apply(part, &mut values);
        for (way, values) in values.chunks_exact_mut(choices.len()).enumerate() {
            add_words(&targets, part, &columns, choices.iter().map(|bins| bins[way]), values);
        }
        let (tried, table) = encode(ctx, parameters, attempt, &asked, &values)?;
        if attempt.is_none() {
            ctx.round(vec![(receiver, vec![tried])], &[]).await?;
            attempt = Some(tried);
        }
        for piece in table.chunks(PIECE) {
            ctx.round(vec![(receiver, bytes_of(piece).to_vec())], &[]).await?;
        }
    }
    Ok(Binned { words: targets.words(parameters.bins(), payload.len()), own: Vec::new() })
}

/// The pseudorandom function of all keys in all their bins, evaluated while the receiver's own table arrives.
async fn evaluate(
    ctx: &mut Context,
    receiver: usize,
    parameters: &Parameters,
    asked: &[Block],
) -> Result<Zeroizing<Vec<Block>>, Abort> {
    let (count, mode) = (parameters.receiving().keys, parameters.mode());
    let mut pairs = Zeroizing::new(vec![[Block::ZERO; 2]; asked.len()]);
    oprf::Sender::setup_with(ctx, receiver, count, mode, asked, &mut pairs).await?;
    Ok(Zeroizing::new(pairs.iter().map(|pair| pair[0]).collect()))
}

/// Adds to `values` the words of part `part`; entry `i` belongs to key `i` in the `i`-th of `bins`.
fn add_words(
    targets: &Targets,
    part: usize,
    columns: &[&[i64]],
    mut bins: impl Iterator<Item = u32>,
    values: &mut [Block],
) {
    let mut drawn = Zeroizing::new(Vec::<Block>::with_capacity(CHUNK));
    let first = part * WORDS;
    // Word 0 is the target itself, word `1 + c` the rest of column `c`; a word too many is a mask of nothing.
    let word = |word: usize, key: usize, drawn: u64| match word.checked_sub(1) {
        None => drawn,
        Some(column) => columns.get(column).map_or(0, |column| column[key] as u64).wrapping_sub(drawn),
    };
    for (chunk, values) in values.chunks_mut(CHUNK).enumerate() {
        targets.draw(part, bins.by_ref().take(values.len()), &mut drawn);
        for (at, (value, drawn)) in values.iter_mut().zip(drawn.iter()).enumerate() {
            let (key, [low, high]) = (chunk * CHUNK + at, halves(*drawn));
            let (low, high) = (word(first, key, low), word(first + 1, key, high));
            *value ^= Block::from_u128(u128::from(high) << 64 | u128::from(low));
        }
    }
}

/// Encodes with the seed of an attempt; with the first that works where none has been made.
fn encode(
    ctx: &Context,
    parameters: &Parameters,
    attempt: Option<u8>,
    keys: &[Block],
    values: &[Block],
) -> Result<(u8, Vec<Block>), Abort> {
    let tries = attempt.map_or(0..TRIES, |made| made..made + 1);
    for attempt in tries {
        let mut fill = Zeroizing::new([0; 16]);
        ctx.random(&mut *fill);
        let okvs = okvs(ctx, parameters, attempt)?;
        if let Ok(table) = okvs.encode(keys, values, Block::from_bytes(*fill)) {
            return Ok((attempt, table));
        }
    }
    Err(ctx.name(Abort::local("the targets cannot be encoded with any of the session's seeds")))
}

/// The receiver's side: puts its keys into bins and obtains their words.
pub(super) async fn obtain(
    ctx: &mut Context,
    sender: usize,
    parameters: &Parameters,
    input: &Input,
) -> Result<Binned, Abort> {
    ctx.enter("bins");
    let (bins, payload) = (parameters.bins(), parameters.sender_columns().len());
    let places = Places::new(ctx, bins);
    let choices = Zeroizing::new(places.of(input.keys()));
    let owners = cuckoo::place(&choices, bins)
        .ok_or_else(|| ctx.name(Abort::local("the keys do not fit their bins in this session: begin another")))?;
    let owners = Zeroizing::new(owners);
    let (asked, held) = queries(&places, &choices, &owners, input.keys());
    ctx.enter("pseudorandom function");
    ctx.phase("evaluate keys");
    let outputs = Zeroizing::new(oprf::evaluate(ctx, sender, parameters.mode(), &asked).await?);
    ctx.enter("targets");
    ctx.phase("targets");
    let got = ctx.round(Vec::new(), &[(sender, 1)]).await?;
    let attempt = got.first().and_then(|message| message.first()).copied().unwrap_or(TRIES);
    if attempt >= TRIES {
        return Err(ctx.name(Abort::peer(sender, "a seed that does not exist")));
    }
    let okvs = okvs(ctx, parameters, attempt)?;
    let masks = Masks::new(ctx);
    let mut words = random_words(ctx, bins, payload);
    let mut decoded = Zeroizing::new(vec![Block::ZERO; asked.len()]);
    for (part, words) in words.chunks_mut(WORDS).enumerate() {
        let table = table(ctx, sender, okvs.slots()).await?;
        okvs.decode(&table, &asked, &mut decoded);
        let mut outputs = outputs.clone();
        masks.apply(part, &mut outputs);
        xor_into(&mut decoded, &outputs);
        for (bin, block) in held.iter().zip(decoded.iter()) {
            words.iter_mut().zip(halves(*block)).for_each(|(word, half)| word[*bin as usize] = half);
        }
    }
    Ok(Binned { words, own: own_columns(parameters, input, &owners) })
}

/// What the pseudorandom function is asked, way by way, and the bin that each query is for.
fn queries(
    places: &Places,
    choices: &[[u32; WAYS]],
    owners: &[u32],
    keys: &[Block],
) -> (Zeroizing<Vec<Block>>, Vec<u32>) {
    let mut asked = Zeroizing::new(Vec::<Block>::with_capacity(keys.len()));
    let mut held = Vec::with_capacity(keys.len());
    for way in 0..WAYS {
        let first = asked.len();
        for (bin, key) in (0_u32..).zip(owners) {
            if *key != FREE && choices[*key as usize][way] == bin {
                asked.push(keys[*key as usize]);
                held.push(bin);
            }
        }
        places.ask(way, &mut asked[first..]);
    }
    (asked, held)
}

/// A target and shares for every bin that nothing is known about.
fn random_words(ctx: &Context, bins: usize, payload: usize) -> Vec<PerBin> {
    let mut seed = Zeroizing::new([0; 32]);
    ctx.random(&mut *seed);
    let mut prg = Prg::new(&seed);
    (0..=payload).map(|_| Zeroizing::new(prg.words(bins))).collect()
}

/// Receives one part of the sender's table.
async fn table(ctx: &mut Context, sender: usize, slots: usize) -> Result<Vec<Block>, Abort> {
    let mut table = vec![Block::ZERO; slots];
    for piece in table.chunks_mut(PIECE) {
        let bytes = bytes_of_mut(piece);
        let got = ctx.round(Vec::new(), &[(sender, bytes.len())]).await?;
        let message = got.first().filter(|message| message.len() == bytes.len());
        bytes.copy_from_slice(message.ok_or_else(|| ctx.name(Abort::peer(sender, "no table")))?);
    }
    Ok(table)
}

fn own_columns(parameters: &Parameters, input: &Input, owners: &[u32]) -> Vec<PerBin> {
    let columns = parameters.receiver_columns();
    let binned = |column: &[i64]| {
        let value = |key: &u32| column.get(*key as usize).map_or(0, |value| *value as u64);
        let values: Vec<u64> = owners.iter().map(value).collect();
        Zeroizing::new(values)
    };
    columns.iter().filter_map(|column| input.column(*column)).map(binned).collect()
}
