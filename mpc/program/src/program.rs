//! A program that is compiled or built: its circuit, its arguments and its result.

use std::thread;

use garble_lang::circuit::{Circuit as Compiled, Gate};
use garble_lang::{CompileTimeError, TypedFnDef, TypedProgram, ast, scan};
use mpc_garble::circuit::{Bit, Builder, Circuit, CircuitError, Limits};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::bounds::{self, Bounds};
use crate::cost;
use crate::error::{Problem, ProgramError};
use crate::json::{decode, encode, number};
use crate::kind::{Kind, Kinds};
use crate::library;

/// The output that tells whether, why and where the program stopped; whoever decodes a result needs it too.
pub const PANIC: usize = 0;
/// The output that is the result of `main`; without meaning where the program stopped.
pub const RESULT: usize = 1;

/// Whether it stopped, then the reason and the first and last line and column, of 32 bits each.
pub(crate) const PANIC_BITS: usize = 1 + 5 * 32;
/// Stack of the compiler, which walks the syntax tree by recursion. It takes no memory that is not used.
const STACK: usize = 512 << 20;

/// An argument of `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name; the elements of a single array are arguments of their own, such as `bids[2]`.
    pub name: String,
    /// Its type, with all definitions.
    pub ty: String,
    /// Bits of the circuit's input for it.
    pub bits: u32,
}

/// A program that was checked and compiled. One source gives one circuit, wherever it is compiled.
pub struct Program {
    circuit: Circuit,
    arguments: Vec<Argument>,
    kinds: Vec<Kind>,
    result: Kind,
}

impl Program {
    /// Compiles the function `main` of a source, or builds the circuit that it names: `circuit aes128;`, `circuit sm4;`,
    /// `circuit sha256(64);`, `circuit sm3(64);` of a message of so many bytes or, as `circuit sm3(32, 20);`, of its parts, or
    /// `circuit bristol;` and Bristol-fashion text.
    ///
    /// # Errors
    /// [`ProgramError::Source`] with lines and columns where the source is wrong or not supported;
    /// [`ProgramError::TooLarge`] or [`ProgramError::Circuit`] beyond the bounds; [`ProgramError::Compiler`] when the compiler fails.
    pub fn compile(source: &str, bounds: Bounds) -> Result<Self, ProgramError> {
        if let Some(built) = library::compile(source, &bounds) {
            return built;
        }
        bounds::check(source, &bounds)?;
        thread::scope(|scope| {
            let compiler = thread::Builder::new().stack_size(STACK);
            let work = compiler.spawn_scoped(scope, || compile(source, &bounds));
            work.map_err(|_| ProgramError::Compiler)?.join().map_err(|_| ProgramError::Compiler)?
        })
    }

    /// The program of a circuit whose inputs and whose result are of these types.
    pub(crate) fn new(circuit: Circuit, inputs: Vec<(String, Kind)>, result: Kind) -> Self {
        let mut arguments = Vec::with_capacity(inputs.len());
        for ((name, kind), bits) in inputs.iter().zip(circuit.inputs()) {
            arguments.push(Argument { name: name.clone(), ty: kind.to_string(), bits: *bits });
        }
        let kinds = inputs.into_iter().map(|(_, kind)| kind).collect();
        Self { circuit, arguments, kinds, result }
    }

    /// The circuit: an input an argument, and the outputs [`PANIC`] and [`RESULT`].
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The arguments of `main` or of the circuit, in order.
    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// The types of the arguments, in order.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The type of the result, with all definitions.
    pub fn result(&self) -> &Kind {
        &self.result
    }

    /// The bits of an argument from its value as JSON.
    ///
    /// # Errors
    /// [`ProgramError::NoArgument`]; [`ProgramError::Value`] when the text is no JSON or the value not of the argument's type.
    pub fn encode(&self, argument: usize, json: &str) -> Result<Zeroizing<Vec<bool>>, ProgramError> {
        let none = || ProgramError::NoArgument { number: argument, has: self.kinds.len() };
        let (kind, Argument { name, .. }) =
            self.kinds.get(argument).zip(self.arguments.get(argument)).ok_or_else(none)?;
        let other = |_| ProgramError::Value { path: name.clone(), due: kind.to_string() };
        let value: Value = serde_json::from_str(json).map_err(other)?;
        // A vector that never grows leaves no copy behind.
        let mut bits = Zeroizing::new(Vec::with_capacity(kind.bits() as usize));
        encode(kind, &value, name, &mut bits)?;
        Ok(bits)
    }

    /// The result as JSON, from the bits of both outputs.
    ///
    /// # Errors
    /// [`ProgramError::Panicked`] when the program stopped; [`ProgramError::Bits`] when the bits are no value of the result's type.
    pub fn decode(&self, panic: &[bool], result: &[bool]) -> Result<String, ProgramError> {
        let fault = || ProgramError::Bits(self.result.to_string());
        let (stopped, parts) = panic.split_first().filter(|_| panic.len() == PANIC_BITS).ok_or_else(fault)?;
        if *stopped {
            let part = |at: usize| number(&parts[32 * at..32 * (at + 1)]) as usize;
            let why = match part(0) {
                1 => "a number out of the range of its type",
                2 => "a division by zero",
                3 => "an index out of the bounds of its array",
                _ => return Err(fault()),
            };
            return Err(ProgramError::Panicked { line: part(1) + 1, column: part(2) + 1, why });
        }
        let mut rest = result;
        let value = decode(&self.result, &mut rest)?;
        if rest.is_empty() { Ok(value.to_string()) } else { Err(fault()) }
    }
}

fn compile(source: &str, bounds: &Bounds) -> Result<Program, ProgramError> {
    let parsed = scan::scan(source).map_err(CompileTimeError::from)?.parse().map_err(CompileTimeError::from)?;
    // Types without end would take the checker with them.
    Kinds::new(&parsed)?;
    let checked: TypedProgram = parsed.type_check().map_err(CompileTimeError::from)?;
    let kinds = Kinds::new(&checked)?;
    let no_main = || ProgramError::source(Problem::anywhere("no public function main"));
    let main = checked.fn_defs.get("main").filter(|main| main.is_pub).ok_or_else(no_main)?;
    cost::check(&checked, &kinds, main, bounds.work)?;
    let limit = bounds.circuit.bits.into();
    if main.params.iter().any(|parameter| kinds.size(&parameter.ty) > limit) {
        return Err(ProgramError::TooLarge { what: "bits of one argument", limit });
    }
    let inputs = parameters(main, &kinds, bounds)?;
    let result = kinds.resolve(&main.ty)?;
    let (compiled, _) = checked.compile("main").map_err(CompileTimeError::from)?;
    let circuit = convert(&compiled, &inputs, &result, bounds.circuit)?;
    Ok(Program::new(circuit, inputs, result))
}

/// The inputs of `main`: its parameters, or the elements of a single parameter that is an array.
fn parameters(
    main: &TypedFnDef,
    kinds: &Kinds<'_, ast::Type>,
    bounds: &Bounds,
) -> Result<Vec<(String, Kind)>, ProgramError> {
    let mut inputs = Vec::with_capacity(main.params.len());
    for parameter in &main.params {
        inputs.push((parameter.name.clone(), kinds.resolve(&parameter.ty)?));
    }
    if let [(name, Kind::Array(element, len))] = inputs.as_slice() {
        bounds.arguments(*len)?;
        return Ok((0..*len).map(|at| (format!("{name}[{at}]"), (**element).clone())).collect());
    }
    bounds.arguments(inputs.len() as u64)?;
    Ok(inputs)
}

/// The circuit in our form, of the inputs and outputs that are due.
fn convert(
    compiled: &Compiled,
    inputs: &[(String, Kind)],
    result: &Kind,
    limits: Limits,
) -> Result<Circuit, ProgramError> {
    let widths: Vec<u32> = compiled.input_gates.iter().map(|bits| u32::try_from(*bits).unwrap_or(u32::MAX)).collect();
    let due = inputs.iter().map(|(_, kind)| kind.bits());
    let outputs = PANIC_BITS as u64 + result.bits();
    if !widths.iter().map(|bits| u64::from(*bits)).eq(due) || compiled.output_gates.len() as u64 != outputs {
        return Err(ProgramError::Compiler);
    }
    let mut builder = Builder::new(&widths, limits)?;
    let mut wires: Vec<Bit> = (0..widths.len()).flat_map(|input| builder.input(input)).collect();
    let read = |wires: &[Bit], at: usize| wires.get(at).copied().ok_or(CircuitError::Foreign);
    for gate in &compiled.gates {
        let bit = match gate {
            Gate::Xor(x, y) => {
                let (x, y) = (read(&wires, *x)?, read(&wires, *y)?);
                builder.xor(x, y)
            }
            Gate::And(x, y) => {
                let (x, y) = (read(&wires, *x)?, read(&wires, *y)?);
                builder.and(x, y)
            }
            Gate::Not(x) => !read(&wires, *x)?,
        };
        wires.push(bit);
    }
    let (panic, result) = compiled.output_gates.split_at(PANIC_BITS);
    for output in [panic, result] {
        let bits = output.iter().map(|at| read(&wires, *at)).collect::<Result<Vec<Bit>, CircuitError>>()?;
        builder.output(&bits);
    }
    Ok(builder.finish()?)
}
