//! Reads circuits in Bristol fashion, the "new format": counts, the widths of inputs and outputs, then a gate a line.
//!
//! The format is that of the collection "'Bristol Fashion' MPC circuits" (COSIC, KU Leuven): the gates XOR, AND, INV,
//! EQ (a constant), EQW (a copy) and MAND (several AND gates in one line). The first wires are the inputs, the last
//! ones the outputs. INV, EQ and EQW become no gate, gates with a constant are folded; the others keep their order.

use super::{Bit, Builder, Circuit, CircuitError, Limits};

/// The shortest line of a gate, `1 1 0 9 EQ`, with its end.
const SHORTEST_LINE: usize = 11;

/// Reads a circuit. What the text claims is compared with the limits and with its own length before memory is taken.
///
/// # Errors
/// [`CircuitError::TooLarge`] beyond the limits; [`CircuitError::Line`] with the line where the text is no circuit: a
/// wire read before it is written or written twice, another number of gates than announced, anything behind them.
pub fn parse(text: &[u8], limits: Limits) -> Result<Circuit, CircuitError> {
    if text.len() > limits.text {
        return Err(CircuitError::TooLarge { what: "bytes of text", limit: limits.text as u64 });
    }
    let mut lines = Lines { rest: text, line: 0 };
    let [gates, wires] = lines.numbers()?[..] else {
        return Err(lines.wrong("not the numbers of gates and wires"));
    };
    let inputs = lines.widths()?;
    let outputs = lines.widths()?;
    if gates as usize > text.len() / SHORTEST_LINE {
        return Err(lines.wrong("the text is too short for so many gates"));
    }
    let bits = limits.total(&inputs)?;
    // A wire that is no input is written by name: at least a digit and a space.
    if wires < bits || (wires - bits) as usize > text.len() / 2 {
        return Err(lines.wrong("the text is too short for so many wires, or they are fewer than the inputs"));
    }
    let first = wires.checked_sub(limits.total(&outputs)?);
    let first = first.ok_or_else(|| lines.wrong("fewer wires than outputs"))?;
    let mut reader = Reader { builder: Builder::new(&inputs, limits)?, wires: vec![None; wires as usize] };
    let given = (0..inputs.len()).flat_map(|number| reader.builder.input(number)).collect::<Vec<Bit>>();
    reader.wires.iter_mut().zip(given).for_each(|(wire, bit)| *wire = Some(bit));
    for _ in 0..gates {
        let line = lines.next_line().ok_or_else(|| lines.wrong("fewer gates than announced"))?;
        reader.gate(line).map_err(|why| lines.wrong(why))?;
    }
    if lines.next_line().is_some() {
        return Err(lines.wrong("more gates than announced"));
    }
    let mut results = reader.wires[first as usize..].iter();
    for width in outputs {
        let word: Option<Vec<Bit>> = results.by_ref().take(width as usize).copied().collect();
        reader.builder.output(&word.ok_or_else(|| lines.wrong("an output that no gate writes"))?);
    }
    reader.builder.finish()
}

/// The lines that are not blank.
struct Lines<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Lines<'a> {
    fn next_line(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
            let line = &self.rest[..end];
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            self.line += 1;
            if !line.trim_ascii().is_empty() {
                return Some(line);
            }
        }
        None
    }

    fn wrong(&self, why: &'static str) -> CircuitError {
        CircuitError::Line { line: self.line, why }
    }

    fn numbers(&mut self) -> Result<Vec<u32>, CircuitError> {
        let line = self.next_line().ok_or_else(|| self.wrong("the text ends early"))?;
        words(line).map(number).collect::<Option<Vec<u32>>>().ok_or_else(|| self.wrong("not a number"))
    }

    /// A line that counts words and gives the width of each.
    fn widths(&mut self) -> Result<Vec<u32>, CircuitError> {
        let mut numbers = self.numbers()?.into_iter();
        let count = numbers.next().unwrap_or_default() as usize;
        if numbers.len() != count {
            return Err(self.wrong("not as many widths as announced"));
        }
        Ok(numbers.collect())
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Decimal digits alone, no sign.
fn number(word: &[u8]) -> Option<u32> {
    if !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The circuit so far, and what each wire of the text is in it.
struct Reader {
    builder: Builder,
    wires: Vec<Option<Bit>>,
}

impl Reader {
    fn gate(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let kind = words(line).last().unwrap_or_default();
        let count = words(line).count().saturating_sub(1);
        let numbers: Option<Vec<u32>> = words(line).take(count).map(number).collect();
        let numbers = numbers.ok_or("not a number")?;
        let [ins, outs, wires @ ..] = &numbers[..] else {
            return Err("a gate without its numbers of inputs and outputs");
        };
        if wires.len() as u64 != u64::from(*ins) + u64::from(*outs) {
            return Err("not as many wires as announced");
        }
        match (kind, wires) {
            (b"XOR", [x, y, to]) if *ins == 2 => {
                let bit = (self.read(*x)?, self.read(*y)?);
                let bit = self.builder.xor(bit.0, bit.1);
                self.write(*to, bit)
            }
            (b"AND", [x, y, to]) if *ins == 2 => self.and(*x, *y, *to),
            (b"INV", [x, to]) if *ins == 1 => {
                let bit = !self.read(*x)?;
                self.write(*to, bit)
            }
            (b"EQW", [x, to]) if *ins == 1 => {
                let bit = self.read(*x)?;
                self.write(*to, bit)
            }
            (b"EQ", [value @ (0 | 1), to]) if *ins == 1 => self.write(*to, Bit::constant(*value == 1)),
            (b"MAND", wires) if u64::from(*ins) == 2 * u64::from(*outs) => {
                let (x, rest) = wires.split_at(*outs as usize);
                let (y, to) = rest.split_at(*outs as usize);
                x.iter().zip(y).zip(to).try_for_each(|((x, y), to)| self.and(*x, *y, *to))
            }
            _ => Err("no gate of this form"),
        }
    }

    fn and(&mut self, x: u32, y: u32, to: u32) -> Result<(), &'static str> {
        let (x, y) = (self.read(x)?, self.read(y)?);
        let bit = self.builder.and(x, y);
        self.write(to, bit)
    }

    fn read(&self, wire: u32) -> Result<Bit, &'static str> {
        let bit = self.wires.get(wire as usize).ok_or("a wire that was not announced")?;
        bit.ok_or("a wire that is read before it is written")
    }

    fn write(&mut self, wire: u32, bit: Bit) -> Result<(), &'static str> {
        let place = self.wires.get_mut(wire as usize).ok_or("a wire that was not announced")?;
        if place.replace(bit).is_some() { Err("a wire that is written twice") } else { Ok(()) }
    }
}
