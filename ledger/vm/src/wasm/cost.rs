//! What everything costs: every number that decides how much gas a WebAssembly contract uses, frozen with the version.
//!
//! One unit is about a nanosecond of a slow processor. A contract pays for a stretch of code without branches when it
//! enters it; what depends on a length is paid before it is done.

use wasmparser::Operator;

use super::{MAX_ELEMENTS, MAX_PAGES};

/// A deployment, before its code is looked at.
pub const DEPLOY: u64 = 50_000;
/// A byte of code that is deployed: it is checked, instrumented and compiled.
pub const DEPLOY_BYTE: u64 = 50;
/// A call of a contract.
pub const CALL: u64 = 1_000;
/// A byte of instrumented code that is loaded for a call, and may have to be compiled.
pub const CODE_BYTE: u64 = 20;
/// A value that the compiler carries across an instruction that parts or joins ways.
pub const JOIN: u64 = 100;
/// A page of memory, at the start or by `memory.grow`.
pub const PAGE: u64 = 8_192;
/// A byte that `memory.copy`, `memory.fill` or `memory.init` is asked to write.
pub const BYTE: u64 = 1;
/// A table element that `table.copy` or `table.init` is asked to write.
pub const ELEMENT: u64 = 8;
/// Values that a call holds beside its parameters, locals and operands.
pub const FRAME: u32 = 16;
/// Bytes of a function's body that count as one value more in its frame: code that is long may be spilled badly.
pub const FRAME_BYTES: u32 = 16;

/// A host function that only copies, and a byte that it copies.
pub const HOST: (u64, u64) = (100, 1);
/// `get`, and a byte of the key or the value.
pub const GET: (u64, u64) = (2_000, 2);
/// `set` or `remove`, and a byte of the key or the value.
pub const SET: (u64, u64) = (5_000, 20);
/// `event`, and a byte of its topics or its data.
pub const EVENT: (u64, u64) = (1_000, 20);
/// `sm3`, and a byte that is hashed.
pub const SM3: (u64, u64) = (500, 5);
/// `sm2_verify`, and a byte of the message.
pub const SM2: (u64, u64) = (150_000, 5);

/// What an instruction costs by itself. Marks of structure, which do nothing, are free.
pub(super) fn of(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Block { .. } | Operator::Loop { .. } | Operator::Else | Operator::End => 0,
        Operator::Call { .. } => 10,
        Operator::CallIndirect { .. } => 15,
        Operator::BrTable { .. } => 2,
        Operator::MemoryGrow { .. } => 100,
        Operator::MemoryCopy { .. }
        | Operator::MemoryFill { .. }
        | Operator::MemoryInit { .. }
        | Operator::DataDrop { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. } => 20,
        Operator::I32DivS
        | Operator::I32DivU
        | Operator::I32RemS
        | Operator::I32RemU
        | Operator::I64DivS
        | Operator::I64DivU
        | Operator::I64RemS
        | Operator::I64RemU
        | Operator::F32Div
        | Operator::F64Div
        | Operator::F32Sqrt
        | Operator::F64Sqrt => 4,
        _ => 1,
    }
}

/// What an instruction costs for every unit of the length on top of its operands, and the length above which it costs no
/// more, since it fails or traps for want of so much memory; `None` when it has no length.
pub(super) fn by_length(operator: &Operator<'_>) -> Option<(u64, u64)> {
    match operator {
        Operator::MemoryGrow { .. } => Some((PAGE, MAX_PAGES)),
        Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. } => {
            Some((BYTE, MAX_PAGES << 16))
        }
        Operator::TableCopy { .. } | Operator::TableInit { .. } => Some((ELEMENT, MAX_ELEMENTS)),
        _ => None,
    }
}
