//! What a run takes, by the steps and the scheme alone: products of secret numbers, bytes, rounds and memory, told before a run.
//!
//! Bytes and rounds are those of single operations ([`crate::rates`]); functions are as many products, truncations and conversions as their
//! methods have. They bind nobody.

use mpc_share::Carried;
use mpc_two::Two;

use crate::checked::DIGIT;
use crate::form::{Form, Kind};
use crate::rates::{Rate, Rates, cut, division, function};
use crate::scheme::Scheme;
use crate::step::{Op, Step};

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
/// Bytes of a row of a matrix that is laid out for products: both components, sixteen columns at once.
const PANEL: u64 = 2 * 16 * 8;
/// A check of what is recorded of checked shares: its bytes and rounds, and entries after which one is due.
const CHECK: Rate = Rate { bytes: 70_000, rounds: 45 };
const DUE: u64 = 1 << 17;
/// Sums that a checked product of matrices is proven by, or its entries where those are fewer; and bytes of memory of a product in one.
const SUMS: u64 = 128;
const RECORD: u64 = 40;
/// Bytes of memory of a row in a pass of a checked sort, and of a cell that moves until that is proven.
const SORTED: u64 = 5120;
const MOVED: u64 = 256;
/// Bytes of memory of a switch of a two-party shuffle, how many are under way at once but for one column's, and the bytes of a switch.
const SWITCH: u64 = 64;
const SWITCHES: u64 = 1 << 22;
const SWITCHED: u64 = 32;
/// Bytes of ciphertexts that are under way at once.
const CIPHERTEXTS: u64 = 64 << 20;

/// Products, bytes and rounds of one step; what is recorded besides a word for 24 bytes, and how often something is opened.
#[derive(Default)]
struct Part {
    products: u64,
    bytes: u64,
    rounds: u64,
    recorded: u64,
    opened: u64,
}

/// So many products, and each of so many elements at a rate.
fn part(products: u64, len: u64, Rate { bytes, rounds }: Rate) -> Part {
    Part { products, bytes: bytes.saturating_mul(len), rounds, ..Part::default() }
}

/// One after the other.
fn both(one: Rate, other: Rate) -> Rate {
    Rate { bytes: one.bytes + other.bytes, rounds: one.rounds + other.rounds }
}

/// The logarithm of a number of rows, rounded up or one more.
fn doublings(count: u64) -> u64 {
    u64::from(u64::BITS - count.leading_zeros())
}

/// Switches of both networks of a two-party shuffle, a column.
fn switches(rows: u64) -> u64 {
    rows * doublings(rows).saturating_sub(1).max(1)
}

impl Size {
    pub(crate) fn of(scheme: Scheme, scale: u32, steps: &[Step]) -> Self {
        let rates = Rates::of(scheme);
        let run = Run { scheme, scale, steps, rates };
        let mut size = Self { bytes: rates.session.bytes, rounds: rates.session.rounds, ..Self::default() };
        let (mut most, mut recorded, mut checks) = (0, 0_u64, 2_u64);
        for step in steps {
            let part = run.part(step);
            size.products = size.products.saturating_add(part.products);
            size.bytes = size.bytes.saturating_add(part.bytes);
            size.rounds = size.rounds.saturating_add(part.rounds);
            recorded = recorded.saturating_add(part.recorded).saturating_add(part.bytes / WORDS);
            checks = checks.saturating_add(part.opened);
            let word = if step.form.kind == Kind::Wide { 2 * rates.share } else { rates.share };
            size.memory = size.memory.saturating_add(word * step.form.len() as u64);
            most = most.max(run.working(step));
        }
        if scheme == Scheme::Checked {
            let checks = checks.saturating_add(recorded / DUE);
            size.bytes = size.bytes.saturating_add(checks.saturating_mul(CHECK.bytes));
            size.rounds = size.rounds.saturating_add(checks.saturating_mul(CHECK.rounds));
        }
        size.memory = size.memory.saturating_add(rates.base).saturating_add(most);
        size
    }
}

/// What the steps are told of.
struct Run<'a> {
    scheme: Scheme,
    scale: u32,
    steps: &'a [Step],
    rates: Rates,
}

impl Run<'_> {
    fn form(&self, at: usize) -> Option<Form> {
        self.steps.get(at).map(|step| step.form)
    }

    /// Elements of an operand, and its rows.
    fn taken(&self, at: usize) -> u64 {
        self.form(at).map_or(0, |form| form.len() as u64)
    }

    fn rows(&self, at: usize) -> u64 {
        self.form(at).map_or(1, |form| form.rows.max(1) as u64)
    }

    /// Bytes that a step works with besides its value.
    fn working(&self, step: &Step) -> u64 {
        let taken = step.op.operands().into_iter().flatten().map(|at| self.taken(at));
        let len = taken.max().unwrap_or(0).max(step.form.len() as u64);
        let usual = self.rates.working * len;
        match (step.op, self.scheme) {
            (Op::Matmul(x, _), Scheme::Two) => usual + 4 * CIPHERTEXTS.min(self.matrices(x, &step.form)),
            (Op::Dot(_, y), Scheme::Two) => usual + 4 * CIPHERTEXTS.min(Two::matmul_bytes([1, self.size(y), 1])),
            (Op::Matmul(x, _), Scheme::Checked) => {
                let inner = self.form(x).map_or(1, |form| form.columns as u64);
                usual + RECORD * inner * SUMS.min(step.form.len() as u64)
            }
            (Op::Matmul(_, y), _) => usual + PANEL * self.rows(y),
            (Op::Dot(..), _) => usual + PANEL * len,
            (Op::Sort(..) | Op::Shuffle(_) | Op::Compact(..), Scheme::Two) => {
                let (one, columns) = (switches(step.form.rows as u64), step.form.columns as u64 + 1);
                usual + SWITCH * one.max(SWITCHES.min(one * columns))
            }
            // Also the places that a compaction opens move along.
            (Op::Shuffle(_) | Op::Compact(..), Scheme::Checked) => usual + MOVED * (len + step.form.rows as u64),
            (Op::Sort(..), Scheme::Checked) => {
                let rows = step.form.rows as u64;
                SORTED * rows + MOVED * (len + rows * u64::from(DIGIT + 1))
            }
            (Op::Divide(..) | Op::Apply(..) | Op::Largest(_) | Op::LargestRow(_) | Op::Sort(..), _) => {
                self.rates.much * len
            }
            _ => usual,
        }
    }

    fn size(&self, at: usize) -> usize {
        self.form(at).map_or(1, |form| form.len().max(1))
    }

    /// Bytes from each of two parties for a product of matrices.
    fn matrices(&self, x: usize, form: &Form) -> u64 {
        let inner = self.form(x).map_or(1, |form| form.columns.max(1));
        Two::matmul_bytes([form.rows.max(1), inner, form.columns.max(1)])
    }

    fn part(&self, step: &Step) -> Part {
        let (rates, form, len) = (&self.rates, &step.form, step.form.len() as u64);
        let wide = if form.kind == Kind::Wide { 2 } else { 1 };
        let cut_back = cut(self.scheme, self.scale);
        match step.op {
            Op::Input(_) => part(0, wide * len, rates.input),
            Op::Public(_) | Op::Pick(..) | Op::Beside(..) | Op::Below(..) => Part::default(),
            Op::Add(..) | Op::Sub(..) | Op::Sum(_) | Op::Not(_) | Op::Number(_) | Op::FromBits(_) => Part::default(),
            Op::Times { cut: 0, .. } => Part::default(),
            Op::Times { cut: places, .. } => part(0, len, cut(self.scheme, places)),
            Op::Cut(..) => part(0, 2 * len, cut(self.scheme, 1)),
            Op::Mul(..) => part(len, wide * len, both(rates.product, cut_back)),
            Op::Dot(x, _) => self.dot(self.taken(x), form, wide),
            Op::Matmul(x, y) => self.matmul(x, y, form),
            Op::Divide(..) => {
                let (products, rate) = division(self.scheme);
                part(products * len, len, rate)
            }
            Op::Apply(_, of) => {
                let (products, rate) = function(self.scheme, of);
                part(products * len, len, rate)
            }
            Op::Less(x, _) => {
                let wide = self.form(x).map_or(1, |form| if form.kind == Kind::Wide { 2 } else { 1 });
                part(0, wide * len, rates.less)
            }
            Op::Equal(..) => part(0, len, rates.less),
            Op::And(..) | Op::Choose(..) => part(len, len, rates.keep),
            Op::Min(..) | Op::Max(..) => part(len, len, both(rates.less, rates.keep)),
            Op::Largest(x) | Op::LargestRow(x) => {
                let each = both(rates.less, both(rates.keep, rates.keep));
                let levels = (rates.less.rounds + rates.keep.rounds) * doublings(self.rows(x));
                Part { rounds: levels, ..part(2 * self.taken(x), self.taken(x), each) }
            }
            Op::Scan(what, ..) => self.scan(what, form),
            Op::Sort(x, _) => self.sort(x, form),
            Op::Shuffle(_) => self.moved(form.rows as u64, form.columns as u64),
            Op::Compact(..) => self.compact(form),
            Op::Bits(x) => {
                let bits = part(0, self.taken(x), rates.bits);
                let integers = part(0, len, rates.integer);
                Part { bytes: bits.bytes + integers.bytes, rounds: bits.rounds + integers.rounds, ..bits }
            }
        }
    }

    /// Sums of products down the columns, cut to the scale where they are numbers.
    fn dot(&self, taken: u64, form: &Form, wide: u64) -> Part {
        let (product, len) = (self.rates.product, form.len() as u64);
        let cut = if wide == 1 { cut(self.scheme, self.scale) } else { Rate { bytes: 0, rounds: 0 } };
        let sums = match self.scheme {
            _ if form.columns > 1 || wide > 1 => product.bytes * wide * taken,
            Scheme::Two => 2 * Two::matmul_bytes([1, usize::try_from(taken.max(1)).unwrap_or(usize::MAX), 1]),
            Scheme::Three | Scheme::Checked => product.bytes,
        };
        let bytes = sums.saturating_add(cut.bytes * len);
        Part { products: taken, bytes, rounds: 1 + product.rounds + cut.rounds, recorded: taken, opened: 0 }
    }

    fn matmul(&self, x: usize, y: usize, form: &Form) -> Part {
        let (len, inner) = (form.len() as u64, self.form(x).map_or(1, |form| form.columns as u64));
        let cut = cut(self.scheme, self.scale);
        let sums = match self.scheme {
            Scheme::Two => 2 * self.matrices(x, form),
            Scheme::Three | Scheme::Checked => self.rates.product.bytes * len,
        };
        Part {
            products: len.saturating_mul(inner),
            bytes: sums.saturating_add(cut.bytes * len),
            rounds: 1 + self.rates.product.rounds + cut.rounds,
            recorded: self.taken(x) + self.taken(y),
            opened: 0,
        }
    }

    /// Every element is taken in twice on the way up and down, and its flag once; a comparison comes with each where the largest is carried.
    fn scan(&self, what: Carried, form: &Form) -> Part {
        let (len, Rates { keep, less, .. }) = (form.len() as u64, self.rates);
        let (each, level) = match what {
            Carried::Max => (2 * less.bytes + 5 * keep.bytes, 2 * (less.rounds + 2 * keep.rounds)),
            Carried::Sum | Carried::First => (3 * keep.bytes, 2 * keep.rounds),
        };
        let rounds = level * doublings(form.rows as u64) * form.columns as u64;
        Part { products: 3 * len, bytes: each * len, rounds, ..Part::default() }
    }

    /// Rows in a random order, or where an opened permutation sends them; an opening is not counted.
    fn moved(&self, rows: u64, columns: u64) -> Part {
        let bytes = match self.scheme {
            Scheme::Three | Scheme::Checked => 2 * WORDS * rows * columns,
            Scheme::Two => SWITCHED * switches(rows) * columns,
        };
        Part { bytes, rounds: 3, ..Part::default() }
    }

    fn compact(&self, form: &Form) -> Part {
        let (rows, columns, Rates { keep, product, .. }) = (form.rows as u64, form.columns as u64, self.rates);
        let (kept, moved) = (keep.bytes * rows * columns, self.moved(rows, columns + 1));
        // Destinations are a product of flags, and opened.
        let places = keep.bytes.max(WORDS) * rows + WORDS * rows;
        let rounds = keep.rounds + product.rounds + moved.rounds + 1;
        Part { products: rows * columns, bytes: kept + moved.bytes + places, rounds, recorded: 0, opened: 1 }
    }

    /// By comparisons, or digit by digit of checked shares.
    fn sort(&self, x: usize, form: &Form) -> Part {
        let (rows, columns, rates) = (form.rows as u64, form.columns as u64, &self.rates);
        let span = self.form(x).map_or(0, |form| (form.high - form.low).unsigned_abs());
        let key = u64::from(u128::BITS - span.leading_zeros()).clamp(1, 64);
        let depth = doublings(rows) + 2;
        match self.scheme {
            Scheme::Three => Part {
                bytes: rates.bits.bytes * rows + depth * rows * 72 + 6 * WORDS * rows * columns,
                rounds: 18 * depth,
                ..Part::default()
            },
            Scheme::Two => {
                let moved = self.moved(rows, columns + 1);
                let compared = rates.less.bytes * (key + doublings(rows)) / 64;
                Part {
                    bytes: moved.bytes + compared * rows * (depth + 1),
                    rounds: moved.rounds + 10 * (depth + 1),
                    ..Part::default()
                }
            }
            Scheme::Checked => {
                let (passes, digit) = (key.div_ceil(DIGIT.into()), u64::from(DIGIT));
                let moved = self.moved(rows, columns + digit + 1);
                // Indicators of all digits but the single bits, and the sum of their products with running sums.
                let indicators = (1 << digit) - 2;
                let each = rates.bits.bytes + digit * rates.integer.bytes + (indicators + 2) * WORDS;
                let rounds = rates.bits.rounds + rates.integer.rounds + digit + moved.rounds + 1;
                Part {
                    bytes: passes * (moved.bytes + each * rows),
                    rounds: passes * rounds,
                    recorded: passes * rows * (1 << digit),
                    opened: passes,
                    ..Part::default()
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn size(scheme: Scheme, text: &str) -> Size {
        Source::parse(text).and_then(|source| source.check_alone(scheme)).map(|program| program.size()).expect(text)
    }

    #[test]
    fn every_scheme_has_its_own_bytes_rounds_and_memory() {
        let text = "scale 16; input x[1000, 2] from 1 to 9; input y[1000] from 1 to 9;
            s = column(sort(x), 2);
            return sqrt(s) * y, scan_max(s, s > y), column(compact(x, y > 3), 1);";
        let [three, checked, two] = Scheme::ALL.map(|scheme| size(scheme, text));
        assert!(three.products == checked.products && three.products == two.products);
        assert!(3 * three.bytes < checked.bytes && 10 * three.bytes < two.bytes, "{three:?} {checked:?} {two:?}");
        assert!(2 * three.rounds < checked.rounds && three.memory < checked.memory && three.memory < two.memory);
    }

    #[test]
    fn proofs_come_with_what_is_recorded_and_matrices_of_two_parties_with_their_shapes() {
        let dot = |rows: usize| format!("scale 8; input x[{rows}] from 0 to 1; return dot(x, x);");
        let (few, many) = (size(Scheme::Checked, &dot(1 << 10)), size(Scheme::Checked, &dot(1 << 19)));
        // Inputs are compared twice; a record for each term, too.
        assert!(many.rounds > few.rounds + 4 * CHECK.rounds, "{few:?} {many:?}");
        let matrices = |side: usize| {
            size(Scheme::Two, &format!("scale 8; input x[{side}, {side}] from 0 to 1; return column(matmul(x, x), 1);"))
        };
        let (small, large) = (matrices(8), matrices(128));
        assert!(large.bytes > small.bytes && large.bytes < 128 * 128 * 128 * 1548, "{small:?} {large:?}");
        let sorted = |rows: usize| format!("scale 8; input x[{rows}] from 0 to 1; return sort(x);");
        let (usual, checked) = (size(Scheme::Three, &sorted(1 << 20)), size(Scheme::Checked, &sorted(1 << 20)));
        assert!(usual.memory < 2 << 30 && checked.memory > 2 << 30, "{usual:?} {checked:?}");
        // What moves, and what is added up, takes memory until it is proven.
        let of = |columns: u64, call: &str| {
            let text = format!("scale 8; input x[90000, {columns}] from 0 to 1; return {call};");
            size(Scheme::Checked, &text).memory
        };
        let (moved, usual) = (of(1, "compact(x, x > 0)"), of(1, "x + x"));
        assert!(moved > usual + 90_000 * 2 * MOVED, "{moved} {usual}");
        let (added, usual) = (of(11, "matmul(transpose(x), x)"), of(11, "x + x"));
        assert!(added > usual + 90_000 * 11 * 11 * RECORD, "{added} {usual}");
    }
}
