//! Users' own programs as circuits: Garble source, ciphers and hashes by name, Bristol-fashion text; values are typed JSON.
//!
//! Garble is a purely functional language in Rust's syntax whose programs always end; `garble_lang` (MIT) parses and checks it.
//! [`Program::compile`] turns the function `main` into a [`mpc_garble::circuit::Circuit`] for [`mpc_garble`] or `mpc-authgarble`:
//! one input an argument, two outputs, [`PANIC`] and [`RESULT`]. Values go in and out as JSON ([`Program::encode`],
//! [`Program::decode`]). A source that names a circuit, such as `circuit sm4;` or `circuit bristol;` with its text, needs no compiler:
//! the library of [`mpc_garble`] builds it, and everything else stays the same.
//!
//! What a source may be is bounded before each stage ([`Bounds`]): its length and nesting before it is parsed, its types before it
//! is checked, the work of its compilation before it is compiled, its gates while they are copied. The compiler runs on a
//! stack of its own; where it panics there is an error, and no program.
//!
//! ```
//! use mpc_program::{Bounds, PANIC, Program, RESULT};
//!
//! let program = Program::compile("pub fn main(a: u32, b: u32) -> bool { a > b }", Bounds::default())?;
//! let mut bits = program.encode(0, "7")?.to_vec();
//! bits.extend_from_slice(&program.encode(1, "5")?);
//! let out = program.circuit().evaluate(&bits)?;
//! let (panic, result) = out.split_at(program.circuit().outputs()[PANIC] as usize);
//! assert_eq!(program.circuit().outputs()[RESULT], 1);
//! assert_eq!(program.decode(panic, result)?, "true");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bounds;
mod cost;
mod error;
mod json;
mod kind;
mod library;
mod program;
mod rows;

pub use bounds::Bounds;
pub use error::{Problem, ProgramError};
pub use kind::Kind;
pub use program::{Argument, PANIC, Program, RESULT};
pub use rows::{Field, Rows};
