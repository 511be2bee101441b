//! What a module must be to become a contract: valid under frozen features, within limits, importing and exporting exactly.

use wasmparser::{
    Export, ExternalKind, FuncToValidate, FuncType, FuncValidatorAllocations, FunctionBody, Import, Operator,
    OperatorsReader, Parser, Payload, TypeRef, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use super::{
    MAX_ELEMENTS, MAX_PAGES, cost,
    interface::{CALL, DEPLOY, FUNCTIONS, MODULE, RESERVED},
};
use crate::MAX_CODE;

/// WebAssembly 1.0 with what today's compilers expect; of the reference types only how an index may be written.
pub(super) const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG);

const MAX_FUNCTIONS: u32 = 10_000;
const MAX_GLOBALS: u32 = 1_000;
/// Most locals of a function, parameters counted.
const MAX_LOCALS: u32 = 1_000;
/// Longest body of a function, in bytes.
const MAX_BODY: usize = 64 << 10;
/// Values that a function, and a module, carries across instructions that part or join ways: what compiling costs. Without
/// these bounds eight thousand bytes keep a compiler busy for half a minute.
const MAX_JOINS: u64 = 1 << 15;
const MAX_ALL_JOINS: u64 = 1 << 20;

/// Why a module is refused, in words of our own: a parser's words change with its version.
pub(super) type Words = &'static str;
/// Why a module is refused that is malformed, or uses what is not allowed.
pub(super) const INVALID: Words = "the code is no valid WebAssembly of the allowed kind";

/// A function that the module defines.
pub(super) struct Defined {
    /// Index of its type.
    pub(super) ty: u32,
    /// Values that a call of it holds.
    pub(super) values: i32,
}

/// What the instrumentation needs to know of a module that passed.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) types: Vec<FuncType>,
    /// Types of the imported functions.
    pub(super) imported: Vec<u32>,
    pub(super) defined: Vec<Defined>,
    pub(super) globals: u32,
    /// Values carried across instructions that part or join ways.
    pub(super) joins: u64,
    memories: u32,
    /// Index of the function that runs when the contract is made.
    pub(super) deploy: Option<u32>,
    /// Index of the function that runs when it is called.
    pub(super) call: Option<u32>,
}

/// A parser that knows only the allowed features.
pub(super) fn parser() -> Parser {
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    parser
}

/// Checks a module.
pub(super) fn check(code: &[u8]) -> Result<Checked, Words> {
    if code.len() > MAX_CODE {
        return Err("the code is longer than allowed");
    }
    Validator::new_with_features(FEATURES).validate_all(code).map_err(invalid)?;
    // Once more, function by function, for the height of its operands.
    let mut validator = Validator::new_with_features(FEATURES);
    let mut allocations = FuncValidatorAllocations::default();
    let (mut checked, mut place) = (Checked::default(), 0);
    for payload in parser().parse_all(code) {
        let payload = payload.map_err(invalid)?;
        checked.section(&payload)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(invalid)? {
            let (values, joins, again) = values(function, &body, allocations)?;
            checked.joins = checked.joins.saturating_add(joins);
            at_most(checked.joins, MAX_ALL_JOINS, "the code branches with too many values")?;
            checked.defined.get_mut(place).ok_or(INVALID)?.values = values;
            (place, allocations) = (place + 1, again);
        }
    }
    checked.complete()
}

pub(super) fn invalid<E>(_: E) -> Words {
    INVALID
}

fn at_most<T: PartialOrd>(value: T, max: T, words: Words) -> Result<(), Words> {
    if value > max { Err(words) } else { Ok(()) }
}

impl Checked {
    fn section(&mut self, payload: &Payload<'_>) -> Result<(), Words> {
        match payload {
            Payload::TypeSection(types) => {
                for ty in types.clone().into_iter_err_on_gc_types() {
                    self.types.push(ty.map_err(invalid)?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    self.import(&import.map_err(invalid)?)?;
                }
            }
            Payload::FunctionSection(functions) => {
                at_most(functions.count(), MAX_FUNCTIONS, "the code has more than 10,000 functions")?;
                for ty in functions.clone() {
                    self.defined.push(Defined { ty: ty.map_err(invalid)?, values: 0 });
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    let elements = table.map_err(invalid)?.ty.initial;
                    at_most(elements, MAX_ELEMENTS, "the code has a table of more than 10,000 elements")?;
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    self.memories = self.memories.saturating_add(1);
                    let pages = memory.map_err(invalid)?.initial;
                    at_most(pages, MAX_PAGES, "the memory starts with more than 256 pages")?;
                }
            }
            Payload::GlobalSection(globals) => {
                self.globals = globals.count();
                at_most(self.globals, MAX_GLOBALS, "the code has more than 1,000 globals")?;
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone() {
                    self.export(&export.map_err(invalid)?)?;
                }
            }
            Payload::StartSection { .. } => return Err("the code has a start function"),
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &Import<'_>) -> Result<(), Words> {
        let TypeRef::Func(ty) = import.ty else { return Err("the code imports what is not a function") };
        let own = self.types.get(ty as usize).ok_or(INVALID)?;
        let known = FUNCTIONS.iter().find(|(name, ..)| import.module == MODULE && *name == import.name);
        let (_, params, results) = known.ok_or("the code imports a function that there is not")?;
        if own.params() != *params || own.results() != *results {
            return Err("the code imports a function with another type than it has");
        }
        at_most(self.imported.len(), FUNCTIONS.len(), "the code imports functions more than once")?;
        self.imported.push(ty);
        Ok(())
    }

    fn export(&mut self, export: &Export<'_>) -> Result<(), Words> {
        if export.name.starts_with(RESERVED) {
            return Err("the code exports a reserved name");
        }
        let place = match export.name {
            DEPLOY => &mut self.deploy,
            CALL => &mut self.call,
            _ => return Ok(()),
        };
        if export.kind == ExternalKind::Func {
            *place = Some(export.index);
        }
        Ok(())
    }

    /// True for a function without parameters and results.
    fn is_plain(&self, function: u32) -> bool {
        let place = function as usize;
        let defined = || self.defined.get(place.checked_sub(self.imported.len())?).map(|function| function.ty);
        let ty = self.imported.get(place).copied().or_else(defined);
        let ty = ty.and_then(|ty| self.types.get(ty as usize));
        ty.is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty())
    }

    fn complete(self) -> Result<Self, Words> {
        if self.memories != 1 {
            return Err("the code does not have exactly one memory");
        }
        for entry in [self.deploy, self.call] {
            if !entry.is_some_and(|entry| self.is_plain(entry)) {
                return Err("the code does not export the functions deploy and call without parameters and results");
            }
        }
        Ok(self)
    }
}

/// Values that a call of a function holds, and the memory for the next function.
fn values(
    function: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: FuncValidatorAllocations,
) -> Result<(i32, u64, FuncValidatorAllocations), Words> {
    let bytes = body.range().len();
    at_most(bytes, MAX_BODY, "a function is longer than 64 KiB")?;
    let mut validator = function.into_validator(allocations);
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader).map_err(invalid)?;
    at_most(validator.len_locals(), MAX_LOCALS, "a function has more than 1,000 locals")?;
    let mut operators = OperatorsReader::new(reader);
    let (mut highest, mut joins) = (0, 0_u64);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset().map_err(invalid)?;
        let before = validator.operand_stack_height();
        validator.op(offset, &operator).map_err(invalid)?;
        let after = validator.operand_stack_height();
        highest = highest.max(after);
        joins = joins.saturating_add(carried(&operator, before, after, validator.len_locals()));
    }
    at_most(joins, MAX_JOINS, "a function branches with too many values")?;
    let long = u32::try_from(bytes).map_err(invalid)? / cost::FRAME_BYTES;
    let values = [cost::FRAME, validator.len_locals(), highest, long].iter().sum::<u32>();
    Ok((i32::try_from(values).map_err(invalid)?, joins, validator.into_allocations()))
}

/// Values that a compiler carries across an instruction, or makes at once.
fn carried(operator: &Operator<'_>, before: u32, after: u32, locals: u32) -> u64 {
    let held = u64::from(before.max(after)).saturating_add(u64::from(locals));
    match operator {
        Operator::BrTable { targets } => held.saturating_mul(u64::from(targets.len()).saturating_add(1)),
        Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::If { .. }
        | Operator::Else
        | Operator::End
        | Operator::Br { .. }
        | Operator::BrIf { .. } => held,
        // Calls with many results; 0 for all that is ordinary.
        _ => u64::from(before.abs_diff(after)) / 4,
    }
}
