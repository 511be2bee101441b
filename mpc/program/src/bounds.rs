//! How large a program may be, and how deep its source is nested.

use mpc_garble::circuit::Limits;

use crate::error::ProgramError;

/// Bounds that are checked before time and memory are spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Bytes of the source.
    pub source: usize,
    /// Steps of its compilation: about the gates before the compiler finds equal and unused ones.
    pub work: u64,
    /// Arguments: each is of one owner, and takes some 200 bytes whatever its type.
    pub arguments: u32,
    /// Gates and bits of the circuit.
    pub circuit: Limits,
}

impl Default for Bounds {
    /// 64 KiB of source, 2^24 steps, 2^10 arguments, 2^24 gates, 2^20 bits of inputs and of outputs.
    fn default() -> Self {
        let circuit = Limits { gates: 1 << 24, bits: 1 << 20, text: 0 };
        Self { source: 1 << 16, work: 1 << 24, arguments: 1 << 10, circuit }
    }
}

impl Bounds {
    /// Refuses more arguments than there may be.
    pub(crate) fn arguments(&self, count: u64) -> Result<(), ProgramError> {
        let limit = u64::from(self.arguments);
        if count > limit { Err(ProgramError::TooLarge { what: "arguments", limit }) } else { Ok(()) }
    }
}

/// Brackets that may be open at once.
const OPEN: usize = 64;
/// How deep a syntax tree may be.
const DEPTH: usize = 2048;

/// Refuses a source that is too long, or so deep that walking its tree could take too much stack.
///
/// A tree is no deeper than what is open at a place: the words of every unfinished statement, element or branch that is
/// around it. After a closing brace a word begins anew, unless it goes on with what was there.
pub(crate) fn check(source: &str, bounds: &Bounds) -> Result<(), ProgramError> {
    if source.len() > bounds.source {
        return Err(ProgramError::TooLarge { what: "bytes of source", limit: bounds.source as u64 });
    }
    let (mut open, mut word, mut closed) = (vec![0_usize], String::new(), false);
    for symbol in source.chars().chain([' ']) {
        if symbol.is_alphanumeric() || symbol == '_' {
            word.push(symbol);
            continue;
        }
        if let Some(run) = open.last_mut() {
            let anew = closed && !word.is_empty() && word != "else" && word != "as";
            *run = usize::from(!word.is_empty()) + usize::from(!symbol.is_whitespace()) + if anew { 0 } else { *run };
        }
        closed = symbol == '}' || (closed && word.is_empty() && symbol.is_whitespace());
        word.clear();
        match symbol {
            '(' | '[' | '{' => open.push(0),
            ')' | ']' | '}' if open.len() > 1 => {
                open.pop();
            }
            ';' | ',' => {
                if let Some(run) = open.last_mut() {
                    *run = 0;
                }
            }
            _ => (),
        }
        if open.len() > OPEN {
            return Err(ProgramError::TooLarge { what: "brackets open at once", limit: OPEN as u64 });
        }
        if open.iter().sum::<usize>() > DEPTH {
            return Err(ProgramError::TooLarge { what: "words in one statement", limit: DEPTH as u64 });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(source: &str) -> bool {
        check(source, &Bounds::default()).is_ok()
    }

    #[test]
    fn long_sources_deep_brackets_and_endless_statements_are_refused() {
        assert!(fits("pub fn main(a: u8) -> u8 { a + 1u8 }"));
        assert!(!fits(&" ".repeat((1 << 16) + 1)) && fits(&" ".repeat(1 << 16)));
        assert!(fits(&"(".repeat(OPEN - 1)) && !fits(&"(".repeat(OPEN)));
        assert!(fits(&"a+".repeat(DEPTH / 2)) && !fits(&"a+".repeat(DEPTH / 2 + 1)));
        assert!(!fits(&"!".repeat(DEPTH + 1)) && fits(&"!;".repeat(DEPTH + 1)));
        assert!(!fits(&"if a { b } else ".repeat(DEPTH / 2)) && fits(&"if a { b }\n".repeat(DEPTH / 2)));
        assert!(!fits(&"S {} + ".repeat(DEPTH / 2)) && !fits(&format!("S {{}}{}", " as u8".repeat(DEPTH))));
        assert!(!fits(&format!("{}(", "!".repeat(100)).repeat(30)));
    }
}
