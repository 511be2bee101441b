//! What one core and the loopback give at most to a protocol of two parties: AES, bit matrices, a plain TCP stream.

use std::{
    hint::black_box,
    io::{Read, Write},
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use mpc_block::{Aes, Block, BlockPrg, transpose};

use crate::{
    report::{Figure, Spread, runs},
    wire,
};

const RUNS: usize = 5;
/// How long each run is.
const TIME: Duration = Duration::from_millis(500);
/// Bytes of a block.
const BLOCK: usize = 16;
/// Bytes that are encrypted in one call.
const ENCRYPTED: usize = 64 << 10;
/// Bytes of a matrix that is turned: 128 rows of 2^16 bits.
const MATRIX: usize = 1 << 20;
/// Bytes that are given to the stream at a time.
const PIECE: usize = 256 << 10;

/// Bytes a second of each.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// AES-128 on one core.
    pub aes: Spread,
    /// Transposition of bit matrices on one core.
    pub transpose: Spread,
    /// A TCP stream from one thread to another.
    pub loopback: Spread,
}

/// Measures them.
///
/// # Errors
/// When the stream fails.
pub fn measure() -> anyhow::Result<Bounds> {
    let loopback = (0..RUNS).map(|_| streamed()).collect::<anyhow::Result<Vec<f64>>>()?;
    Ok(Bounds { aes: encrypted()?, transpose: turned()?, loopback: Spread::of(&loopback) })
}

fn encrypted() -> anyhow::Result<Spread> {
    let (aes, mut blocks) = (Aes::new(Block::ONE), vec![Block::ZERO; ENCRYPTED / BLOCK]);
    let calls = runs(RUNS, TIME, |_| {
        aes.encrypt_all(black_box(&mut blocks[..]));
        Ok(())
    })?;
    Ok(calls.scaled(ENCRYPTED as f64))
}

fn turned() -> anyhow::Result<Spread> {
    let (mut rows, mut out) = (vec![Block::ZERO; MATRIX / BLOCK], vec![Block::ZERO; MATRIX / BLOCK]);
    BlockPrg::new(Block::ONE).fill(&mut rows);
    let calls = runs(RUNS, TIME, |_| {
        transpose(black_box(&rows[..]), black_box(&mut out[..]));
        Ok(())
    })?;
    Ok(calls.scaled(MATRIX as f64))
}

fn streamed() -> anyhow::Result<f64> {
    let (mut from, mut to) = wire::streams()?;
    thread::scope(|scope| -> anyhow::Result<f64> {
        let began = Instant::now();
        let sending = scope.spawn(move || -> std::io::Result<()> {
            let piece = vec![0x5a_u8; PIECE];
            while began.elapsed() < TIME {
                from.write_all(&piece)?;
            }
            Ok(())
        });
        let (mut piece, mut bytes) = (vec![0_u8; PIECE], 0_u64);
        loop {
            match to.read(&mut piece)? {
                0 => break,
                some => bytes += some as u64,
            }
        }
        let took = began.elapsed();
        sending.join().map_err(|_| anyhow!("the thread that sends panicked"))??;
        Ok(bytes as f64 / took.as_secs_f64())
    })
}

impl Bounds {
    /// Prints a line each; `n` is the bytes of one call.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn print(&self, bench: &'static str) -> anyhow::Result<()> {
        let Self { aes, transpose, loopback } = *self;
        Figure::new(bench, "limit_aes", ENCRYPTED as u64, "B/s", aes).print()?;
        Figure::new(bench, "limit_transpose", MATRIX as u64, "B/s", transpose).print()?;
        Figure::new(bench, "limit_loopback", PIECE as u64, "B/s", loopback).loopback().print()
    }
}
