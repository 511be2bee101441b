//! What a run takes, by the steps alone: products of secret numbers, bytes, rounds and memory, told before a run.
//!
//! Bytes and rounds follow from the protocols of `mpc-share`: a product and a conversion take one word of every party, a truncation
//! about one, a comparison nine bytes for eight places; functions are as many products, truncations and conversions as their
//! methods have. They bind nobody.

use mpc_share::Carried;

use crate::form::Kind;
use crate::step::{Function, Op, Step};

/// What a run takes, all parties together but for the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Products of two secret numbers, those inside functions counted.
    pub products: u64,
    /// Bytes of all messages, about.
    pub bytes: u64,
    /// Messages that wait for each other, about.
    pub rounds: u64,
    /// Bytes of memory that each party takes, about: for all values, and for what the largest step works with.
    pub memory: u64,
}

/// Bytes of one word of each of three parties.
const WORDS: u64 = 24;
/// Bytes of a comparison with its result as an integer, and its rounds.
const LESS: u64 = 96;
const LESS_ROUNDS: u64 = 9;
/// Rounds of a product that is cut to its scale.
const CUT_ROUNDS: u64 = 3;
/// Bytes of all bits of a number.
const BITS: u64 = 500;
/// Bytes that a step works with besides its value, an element of what it takes or gives: where numbers are compared or products masked,
/// and where functions, orders or tournaments have many vectors at once.
const WORKING: u64 = 96;
const MUCH: u64 = 512;
/// Bytes of a row of a matrix that is laid out for products: both components, sixteen columns at once.
const PANEL: u64 = 2 * 16 * 8;
/// Rounds to set up and to reveal.
const OWN_ROUNDS: u64 = 6;

/// Products, bytes and rounds of one step.
struct Part {
    products: u64,
    bytes: u64,
    rounds: u64,
}

fn part(products: u64, bytes: u64, rounds: u64) -> Part {
    Part { products, bytes, rounds }
}

/// Products, bytes and rounds of a function of one number.
fn function(function: Function) -> (u64, u64, u64) {
    let of = |products: u64, rounds: u64| (products, BITS + products * 2 * WORDS, rounds);
    match function {
        Function::Reciprocal => of(16, 45),
        Function::Sqrt | Function::InverseSqrt => of(20, 50),
        Function::Exp => of(14, 40),
        Function::Log => of(20, 55),
        Function::Sigmoid => of(26, 90),
        Function::Abs | Function::Relu => (1, LESS + WORDS, LESS_ROUNDS + 1),
    }
}

impl Size {
    pub(crate) fn of(steps: &[Step]) -> Self {
        let (mut size, mut most) = (Self { rounds: OWN_ROUNDS, ..Self::default() }, 0);
        for step in steps {
            let Part { products, bytes, rounds } = of(steps, step);
            size.products = size.products.saturating_add(products);
            size.bytes = size.bytes.saturating_add(bytes);
            size.rounds = size.rounds.saturating_add(rounds);
            let word = if step.form.kind == Kind::Wide { 32 } else { 16 };
            size.memory = size.memory.saturating_add(word * step.form.len() as u64);
            most = most.max(working(steps, step));
        }
        size.memory = size.memory.saturating_add(most);
        size
    }
}

/// Bytes that a step works with besides its value.
fn working(steps: &[Step], step: &Step) -> u64 {
    let taken = step.op.operands().into_iter().flatten().filter_map(|at| steps.get(at)).map(|step| step.form);
    let len = taken.map(|form| form.len() as u64).max().unwrap_or(0).max(step.form.len() as u64);
    match step.op {
        Op::Matmul(_, y) => {
            let rows = steps.get(y).map_or(0, |step| step.form.rows as u64);
            WORKING * len + PANEL * rows
        }
        Op::Dot(..) => (WORKING + PANEL) * len,
        Op::Divide(..) | Op::Apply(..) | Op::Largest(_) | Op::LargestRow(_) | Op::Sort(..) => MUCH * len,
        _ => WORKING * len,
    }
}

fn of(steps: &[Step], step: &Step) -> Part {
    let len = step.form.len() as u64;
    let wide = if step.form.kind == Kind::Wide { 2 } else { 1 };
    let operand = |at: usize| steps.get(at).map(|step| step.form);
    let taken = |at: usize| operand(at).map_or(0, |form| form.len() as u64);
    let rows = |at: usize| operand(at).map_or(1, |form| form.rows.max(1) as u64);
    let doublings = |count: u64| u64::from(u64::BITS - count.leading_zeros());
    match step.op {
        Op::Input(_) => part(0, 8 * wide * len, 0),
        Op::Public(_) | Op::Pick(..) | Op::Beside(..) | Op::Below(..) | Op::Add(..) | Op::Sub(..) => part(0, 0, 0),
        Op::Sum(_) | Op::Not(_) | Op::Number(_) | Op::FromBits(_) | Op::Times { cut: 0, .. } => part(0, 0, 0),
        Op::Times { .. } => part(0, WORDS * len, 2),
        Op::Cut(..) => part(0, 2 * WORDS * len, 2),
        Op::Mul(..) => part(len, 2 * wide * WORDS * len, CUT_ROUNDS),
        Op::Dot(x, _) if step.form.columns > 1 || wide > 1 => {
            part(taken(x), wide * WORDS * (taken(x) + len), CUT_ROUNDS)
        }
        Op::Dot(x, _) => part(taken(x), 2 * WORDS * len, CUT_ROUNDS),
        Op::Matmul(x, _) => {
            let inner = operand(x).map_or(1, |form| form.columns as u64);
            part(len.saturating_mul(inner), 2 * WORDS * len, CUT_ROUNDS)
        }
        Op::Divide(..) => part(18 * len, (BITS + 18 * 2 * WORDS) * len, 50),
        Op::Apply(_, of) => {
            let (products, bytes, rounds) = function(of);
            part(products * len, bytes * len, rounds)
        }
        Op::Less(x, _) => {
            let wide = operand(x).map_or(1, |form| if form.kind == Kind::Wide { 2 } else { 1 });
            part(0, wide * LESS * len, LESS_ROUNDS)
        }
        Op::Equal(..) => part(0, LESS * len, LESS_ROUNDS),
        Op::And(..) | Op::Choose(..) => part(len, WORDS * len, 1),
        Op::Min(..) | Op::Max(..) => part(len, (LESS + WORDS) * len, LESS_ROUNDS + 1),
        Op::Largest(x) | Op::LargestRow(x) => {
            part(2 * taken(x), (LESS + 2 * WORDS) * taken(x), (LESS_ROUNDS + 1) * doublings(rows(x)))
        }
        Op::Scan(what, x, _) => {
            let bytes = if what == Carried::Max { LESS + 3 * WORDS } else { 3 * WORDS };
            part(3 * len, bytes * len, 2 * doublings(rows(x)) * step.form.columns as u64)
        }
        Op::Sort(x, _) => {
            let depth = doublings(rows(x)) + 2;
            part(0, BITS * rows(x) + depth * rows(x) * 72 + 6 * WORDS * len, 18 * depth)
        }
        Op::Shuffle(_) => part(0, 2 * WORDS * len, 3),
        Op::Compact(x, _) => part(len, 3 * WORDS * len + 6 * WORDS * rows(x), 6),
        Op::Bits(x) => part(0, BITS * taken(x) + WORDS * len, 9),
    }
}
