//! Circuits that need no compiler, as programs: ciphers and hashes by their names, and Bristol-fashion text.
//!
//! ```text
//! circuit sm4;           // or aes128: key: [u8; 16], block: [u8; 16] -> [u8; 16]
//! circuit sm3(64);       // or sha256: message: [u8; 64] -> [u8; 32]
//! circuit sm3(32, 20);   // the same of parts, one after the other: part1: [u8; 32], part2: [u8; 20] -> [u8; 32]
//! circuit bristol;       // and the text behind it: input1, input2, … -> its output, or a tuple of them
//! ```
//!
//! Each array is one argument, so of one owner. A word of Bristol-fashion text is a truth value for 1 bit, a number for 8, 16, 32
//! or 64, bytes for another multiple of 8, else truth values; its first wire is the least significant bit of the number or of the
//! first byte. These circuits never stop, so the output [`crate::PANIC`] is constant zeros.

use std::fmt::Display;

use mpc_garble::circuit::{Bit, Builder, Circuit, CircuitError, Limits, Step, Wire, parse};

use crate::bounds::Bounds;
use crate::error::{Problem, ProgramError};
use crate::kind::Kind;
use crate::program::{PANIC_BITS, Program};

/// Bytes of a cipher's key and block, and of a digest.
const BLOCK: u64 = 16;
const DIGEST: u64 = 32;
/// Bytes of a message at most: 17 blocks, about two million gates.
const MESSAGE: u64 = 1 << 10;
/// Parts of a message at most: as many as parties.
const PARTS: usize = 8;
const FORM: &str = "write `circuit aes128;`, `circuit sm4;`, `circuit sha256(64);` or `circuit sm3(64);` with the bytes of the \
                    message, or `circuit bristol;` and the text behind it";
const BRISTOL: &str =
    "Bristol-fashion text counts gates and wires, then inputs and outputs with their widths, then has a gate a line";

/// A block encrypted under a key, in that order: key, block.
type Cipher = fn(&mut Builder, &[Bit], &[Bit]) -> Vec<Bit>;
/// The digest of a message.
type Hash = fn(&mut Builder, &[Bit]) -> Vec<Bit>;

/// The program of a source that names a circuit; `None` for another source, which is the compiler's.
pub(crate) fn compile(source: &str, bounds: &Bounds) -> Option<Result<Program, ProgramError>> {
    let mut cursor = Cursor { source, at: 0 };
    // No definition of Garble begins with this word.
    (cursor.word() == "circuit").then(|| named(cursor, bounds))
}

fn named(mut cursor: Cursor<'_>, bounds: &Bounds) -> Result<Program, ProgramError> {
    if cursor.source.len() > bounds.source {
        return Err(ProgramError::TooLarge { what: "bytes of source", limit: bounds.source as u64 });
    }
    cursor.skip();
    let start = cursor.at;
    match cursor.word() {
        "aes128" => cipher(cursor, bounds, Builder::aes128),
        "sm4" => cipher(cursor, bounds, Builder::sm4),
        "sha256" => hash(cursor, bounds, Builder::sha256),
        "sm3" => hash(cursor, bounds, Builder::sm3),
        "bristol" => bristol(cursor, bounds),
        _ => Err(cursor.problem(start, format!("no circuit has this name; {FORM}"))),
    }
}

fn cipher(mut cursor: Cursor<'_>, bounds: &Bounds, with: Cipher) -> Result<Program, ProgramError> {
    cursor.need(';')?;
    cursor.end()?;
    let inputs = ["key", "block"].map(|name| (name.to_owned(), bytes(BLOCK)));
    built(Vec::from(inputs), bytes(BLOCK), bounds.circuit, |builder, words| match words {
        [key, block] => with(builder, key, block),
        _ => Vec::new(),
    })
}

fn hash(mut cursor: Cursor<'_>, bounds: &Bounds, with: Hash) -> Result<Program, ProgramError> {
    let lengths = cursor.lengths()?;
    cursor.need(';')?;
    cursor.end()?;
    let name = |at: usize| if lengths.len() == 1 { "message".to_owned() } else { format!("part{}", at + 1) };
    let inputs = lengths.iter().enumerate().map(|(at, length)| (name(at), bytes(*length))).collect();
    built(inputs, bytes(DIGEST), bounds.circuit, |builder, words| with(builder, &words.concat()))
}

fn bristol(mut cursor: Cursor<'_>, bounds: &Bounds) -> Result<Program, ProgramError> {
    cursor.need(';')?;
    let limits = Limits { text: bounds.source, ..bounds.circuit };
    let circuit = parse(cursor.rest().as_bytes(), limits).map_err(|fault| cursor.fault(fault))?;
    bounds.arguments(circuit.inputs().len() as u64)?;
    if circuit.inputs().contains(&0) || circuit.outputs().contains(&0) {
        return Err(cursor.problem(cursor.at, "an input or an output without bits, which no value fills; leave it out"));
    }
    let named = |(at, width): (usize, &u32)| (format!("input{}", at + 1), word(*width));
    let inputs = circuit.inputs().iter().enumerate().map(named).collect();
    let outputs: Vec<Kind> = circuit.outputs().iter().map(|width| word(*width)).collect();
    let result = match <[Kind; 1]>::try_from(outputs) {
        Ok([one]) => one,
        Err(several) => Kind::Tuple(several),
    };
    built(inputs, result, bounds.circuit, |builder, words| again(builder, &circuit, &words.concat()))
}

fn bytes(count: u64) -> Kind {
    Kind::Array(Box::new(Kind::Unsigned(8)), count)
}

/// What a word of Bristol-fashion text is to people.
fn word(width: u32) -> Kind {
    match width {
        1 => Kind::Bool,
        8 | 16 | 32 | 64 => Kind::Unsigned(width),
        _ if width.is_multiple_of(8) => bytes(u64::from(width / 8)),
        _ => Kind::Array(Box::new(Kind::Bool), u64::from(width)),
    }
}

/// The program whose result is made of its inputs' words, the least significant bits first.
fn built(
    inputs: Vec<(String, Kind)>,
    result: Kind,
    limits: Limits,
    make: impl FnOnce(&mut Builder, &[Vec<Bit>]) -> Vec<Bit>,
) -> Result<Program, ProgramError> {
    let widths: Vec<u32> = inputs.iter().map(|(_, kind)| u32::try_from(kind.bits()).unwrap_or(u32::MAX)).collect();
    let mut builder = Builder::new(&widths, limits)?;
    let mut words = Vec::with_capacity(inputs.len());
    for (at, (_, kind)) in inputs.iter().enumerate() {
        words.push(turned(kind, &builder.input(at)));
    }
    let made = make(&mut builder, &words);
    builder.output(&[Bit::ZERO; PANIC_BITS]);
    builder.output(&turned(&result, &made));
    Ok(Program::new(builder.finish()?, inputs, result))
}

/// A value's bits with each number turned round: a [`Kind`] has the most significant bit first, a builder's words have it last.
fn turned(kind: &Kind, bits: &[Bit]) -> Vec<Bit> {
    let parts = match kind {
        Kind::Tuple(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut rest = bits;
    let mut out: Vec<Bit> = Vec::with_capacity(bits.len());
    for part in parts {
        let number = match part {
            Kind::Array(element, _) => element.bits(),
            number => number.bits(),
        };
        let (own, behind) = rest.split_at(rest.len().min(part.bits() as usize));
        for word in own.chunks(number.max(1) as usize) {
            out.extend(word.iter().rev().copied());
        }
        rest = behind;
    }
    out
}

/// Adds the gates of a circuit on these input bits; the bits of its outputs.
fn again(builder: &mut Builder, circuit: &Circuit, inputs: &[Bit]) -> Vec<Bit> {
    let mut wires = inputs.to_vec();
    let read = |wires: &[Bit], wire: Wire| {
        let bit = wires[wire.number as usize];
        if wire.inverted { !bit } else { bit }
    };
    for Step { and, left, right } in circuit.steps() {
        let (x, y) = (read(&wires, left), read(&wires, right));
        wires.push(if and { builder.and(x, y) } else { builder.xor(x, y) });
    }
    circuit.output_wires().map(|wire| read(&wires, wire)).collect()
}

/// A place in a source, counted in bytes.
struct Cursor<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Goes past blanks, and comments to the end of their lines.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let mut behind = rest.trim_start();
            if behind.starts_with("//") {
                behind = behind.split_once('\n').map_or("", |(_, next)| next);
            }
            self.at = self.source.len() - behind.len();
            if behind.len() == rest.len() {
                return;
            }
        }
    }

    /// Goes past a word or a number; empty where a sign or the end comes next.
    fn word(&mut self) -> &'a str {
        self.skip();
        let rest = self.rest();
        let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Goes past a sign if it is the next.
    fn sign(&mut self, sign: char) -> bool {
        self.skip();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len_utf8() } else { 0 };
        found
    }

    fn need(&mut self, sign: char) -> Result<(), ProgramError> {
        if self.sign(sign) { Ok(()) } else { Err(self.problem(self.at, format!("no '{sign}' here; {FORM}"))) }
    }

    fn end(&mut self) -> Result<(), ProgramError> {
        self.skip();
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(self.problem(self.at, "text behind the circuit, which is the whole source; remove it"))
    }

    /// The bytes of a message's parts, in brackets.
    fn lengths(&mut self) -> Result<Vec<u64>, ProgramError> {
        self.need('(')?;
        let (start, mut lengths) = (self.at, Vec::new());
        loop {
            // What is no number is as wrong as a part without bytes.
            lengths.push(self.word().parse::<u64>().unwrap_or(0));
            if !self.sign(',') {
                break;
            }
        }
        self.need(')')?;
        let total = lengths.iter().fold(0, |sum: u64, length| sum.saturating_add(*length));
        if total <= MESSAGE && lengths.len() <= PARTS && !lengths.contains(&0) {
            return Ok(lengths);
        }
        let due = format!("a message of 1 to {MESSAGE} bytes is due, in 1 to {PARTS} parts of at least a byte each");
        Err(self.problem(start, format!("{due}, such as `circuit sm3(32, 20);`")))
    }

    /// What is wrong with Bristol-fashion text that begins here, at its line of the source.
    fn fault(&self, fault: CircuitError) -> ProgramError {
        match fault {
            CircuitError::Line { line, why } => {
                let before = self.source.get(..self.at).unwrap_or_default().matches('\n').count();
                let what = format!("{why}; {BRISTOL}");
                ProgramError::source(Problem { line: before + line.max(1), column: 1, what })
            }
            CircuitError::TooLarge { .. } => fault.into(),
            other => self.problem(self.at, format!("{other}; {BRISTOL}")),
        }
    }

    fn problem(&self, at: usize, what: impl Display) -> ProgramError {
        let before = self.source.get(..at).unwrap_or_default();
        let column = before.chars().rev().take_while(|symbol| *symbol != '\n').count() + 1;
        ProgramError::source(Problem { line: before.matches('\n').count() + 1, column, what: what.to_string() })
    }
}
