//! `make bench NAME=garble`: AND gates a second by half gates, in memory on one core, and between two parties.
//!
//! The circuit is `LANES` (64) times AES-128 beside each other, the garbler's key and the evaluator's block with the
//! lane's number in it, all results added up: wide layers, so hashes are computed in batches. `in_order` is a chain in
//! which each gate needs the one before it: one hash at a time, nothing to batch. `RUNS` (5) runs are counted after one
//! that is not; `REPEAT` (32) evaluations make one run between parties, whose `party_bytes` and `party_rounds` are the garbler's
//! and the evaluator's. Every result is compared with the cipher's own.

use std::{hint::black_box, sync::Arc, time::Duration};

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use anyhow::{Context as _, ensure};
use base_rt::{Entropy, OsEntropy};
use benches::{
    bounds,
    report::{Figure, Spread, runs},
    setting,
    wire::{Begun, Network, Work, pair},
};
use mpc_block::Block;
use mpc_core::Context;
use mpc_garble::{
    circuit::{Bit, Builder, Circuit, Limits},
    half_gates::{Evaluator, Garbler, TABLE_BYTES},
    program::{Program, Schedule},
    semi_honest::{Receivers, Role, Shape, evaluate, garble},
};
use mpc_ot::softspoken;

const BENCH: &str = "garble";
/// How long a run in memory is.
const TIME: Duration = Duration::from_millis(800);
/// AND gates of the chain.
const CHAIN: usize = 1 << 20;
/// Bytes of tables that are made or read at a time: one frame between parties.
const PIECE: usize = 256 << 10;

struct Case {
    name: &'static str,
    program: Arc<Program>,
    /// The garbler's and the evaluator's input.
    inputs: [Vec<bool>; 2],
    wanted: Vec<bool>,
}

fn bits(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |at| byte >> at & 1 == 1)).collect()
}

fn lanes(lanes: usize) -> anyhow::Result<Case> {
    let mut builder = Builder::new(&[128, 128], Limits::default())?;
    let (key, block) = (builder.input(0), builder.input(1));
    let mut sum: Option<Vec<Bit>> = None;
    for lane in 0..lanes {
        let numbered: Vec<Bit> = block
            .iter()
            .enumerate()
            .map(|(at, bit)| if at < 64 && lane >> at & 1 == 1 { !*bit } else { *bit })
            .collect();
        let result = builder.aes128(&key, &numbered);
        sum = Some(match sum {
            None => result,
            Some(sum) => builder.xor_words(&sum, &result),
        });
    }
    builder.output(&sum.context("LANES=0 leaves nothing to garble")?);
    let (mut key, mut text) = ([0; 16], [0; 16]);
    OsEntropy.fill(&mut key);
    OsEntropy.fill(&mut text);
    let cipher = aes::Aes128::new(&key.into());
    let mut wanted = [0_u8; 16];
    for lane in 0..lanes as u64 {
        let numbered = u128::from_le_bytes(text) ^ u128::from(lane);
        let mut block = numbered.to_le_bytes().into();
        cipher.encrypt_block(&mut block);
        wanted.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    let program = Arc::new(Program::new(&builder.finish()?, Schedule::Layered));
    Ok(Case { name: "half_gates", program, inputs: [bits(&key), bits(&text)], wanted: bits(&wanted) })
}

/// `x ← x ∧ ¬y` or `x ← ¬(x ∧ y)`, over and over.
fn chain() -> anyhow::Result<Case> {
    let mut builder = Builder::new(&[1, 1], Limits::default())?;
    let (x, y) = (builder.input(0)[0], builder.input(1)[0]);
    let (mut last, mut value) = (x, true);
    for at in 0..CHAIN {
        // Never the same pair twice: the builder would find it.
        last = !builder.and(last, if at % 3 == 0 { y } else { !y });
        value = !(value & (at % 3 == 0));
    }
    builder.output(&[last]);
    let circuit: Circuit = builder.finish()?;
    let program = Arc::new(Program::new(&circuit, Schedule::InOrder));
    Ok(Case { name: "half_gates_in_order", program, inputs: [vec![true], vec![true]], wanted: vec![value] })
}

/// Garbles, and evaluates, in memory; two figures.
fn memory(case: &Case) -> anyhow::Result<()> {
    let ands = case.program.ands();
    let mut tables = vec![0_u8; ands * TABLE_BYTES];
    let (key, seed) = (Block::from_u128(1), Block::from_u128(2));
    let mut piece = vec![0_u8; PIECE];
    let garbled = runs(5, TIME, |_| {
        let (_, mut garbler) = Garbler::start(case.program.clone(), key, seed);
        while garbler.fill(black_box(&mut piece)) > 0 {}
        Ok(())
    })?;
    let (labels, mut garbler) = Garbler::start(case.program.clone(), key, seed);
    ensure!(garbler.fill(&mut tables) == tables.len(), "tables are missing");
    let decoding = garbler.finish()?;
    let mut active = labels.active(0, &case.inputs[0]);
    active.extend(labels.active(case.inputs[0].len(), &case.inputs[1]));
    let outputs = case.program.output_bits();
    let evaluated = runs(5, TIME, |_| {
        let mut evaluator = Evaluator::start(case.program.clone(), key, &active)?;
        for piece in tables.chunks(PIECE) {
            evaluator.feed(piece)?;
        }
        let found = evaluator.finish()?.decode(0, &decoding.hashes(0..outputs))?;
        ensure!(*found == case.wanted, "{} gives a wrong result in memory", case.name);
        Ok(())
    })?;
    let n = ands as u64;
    Figure::new(BENCH, format!("{}_memory", case.name), n, "1/s", garbled.scaled(ands as f64)).print()?;
    Figure::new(BENCH, format!("{}_memory_evaluate", case.name), n, "1/s", evaluated.scaled(ands as f64)).print()
}

async fn garbler(mut ctx: Context, case: &Case, shape: &Shape, times: (usize, usize)) -> anyhow::Result<Vec<Work>> {
    let mut delta = [0; 16];
    ctx.random(&mut delta);
    let delta = Block::from_bytes(delta);
    let mut sender = softspoken::Sender::setup(&mut ctx, 1, softspoken::Parameters::default(), delta).await?;
    let mut works = Vec::new();
    for _ in 0..times.0 {
        let begun = Begun::together(&mut ctx).await?;
        for _ in 0..times.1 {
            garble(&mut ctx, shape, 1, &case.inputs[0], &mut sender).await?;
        }
        works.push(begun.ended(&ctx));
    }
    Ok(works)
}

async fn evaluator(mut ctx: Context, case: &Case, shape: &Shape, times: (usize, usize)) -> anyhow::Result<Vec<Work>> {
    let mut receiver = softspoken::Receiver::setup(&mut ctx, 0, softspoken::Parameters::default()).await?;
    let mut works = Vec::new();
    for _ in 0..times.0 {
        let begun = Begun::together(&mut ctx).await?;
        for _ in 0..times.1 {
            let found = evaluate(&mut ctx, shape, 0, &case.inputs[1], &mut receiver).await?;
            let word = found.first().and_then(Option::as_ref).context("no output")?;
            ensure!(**word == case.wanted, "{} gives a wrong result", case.name);
        }
        works.push(begun.ended(&ctx));
    }
    Ok(works)
}

/// Both parties; one figure.
fn linked(case: &Case, network: Network, counted: usize, repeat: usize) -> anyhow::Result<()> {
    let receivers = vec![Receivers { garbler: false, evaluator: true }];
    let shape = Shape::new(case.program.clone(), vec![Role::Garbler, Role::Evaluator], receivers)?;
    let times = (counted + 1, repeat);
    let (at_garbler, at_evaluator) =
        pair(network, |ctx| garbler(ctx, case, &shape, times), |ctx| evaluator(ctx, case, &shape, times))?;
    let works: Vec<[Work; 2]> = at_garbler.into_iter().zip(at_evaluator).skip(1).map(|(one, two)| [one, two]).collect();
    let gates = (case.program.ands() * repeat) as f64;
    let rates: Vec<f64> = works.iter().map(|both| gates / Work::all(*both).took.as_secs_f64()).collect();
    let last = works.last().context("RUNS=0 leaves nothing to measure")?;
    let figure = Figure::new(BENCH, format!("{}_loopback", case.name), gates as u64, "1/s", Spread::of(&rates));
    figure.over(network.name()).moved(last).print()
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    let (counted, repeat) = (setting("RUNS", 5)?, setting("REPEAT", 32)?);
    bounds::measure()?.print(BENCH)?;
    for case in [lanes(setting("LANES", 64)?)?, chain()?] {
        eprintln!("{}: {} AND gates, {} batches", case.name, case.program.ands(), case.program.batches());
        memory(&case)?;
        linked(&case, Network::Plain, counted, repeat)?;
        linked(&case, Network::Tls, counted, repeat)?;
        linked(&case, Network::Shaped, 1, 1)?;
    }
    Ok(())
}
