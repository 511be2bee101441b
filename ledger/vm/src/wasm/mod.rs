//! WebAssembly contracts: checked and metered when they are deployed, then run the same on every processor.
//!
//! A contract imports only the host functions that `interface.rs` lists and exports `deploy` and `call`, both without
//! parameters and results. What counts gas and the stack is written into the code when it is deployed (`meter.rs`), so no
//! verdict depends on limits of the machine below. The machine's own stack is chosen so large that it never ends first.

use std::sync::{Arc, Mutex, PoisonError};

use base_wire::wire_struct;
use wasmtime::{Config, Engine, Linker, WasmBacktraceDetails};

use crate::{
    Address, Effects, Env, Halt, MAX_CODE, MAX_GAS, MAX_INPUT, StateView, Task, Unavailable, Vm, keys::joined,
};

mod body;
mod cache;
mod check;
pub mod cost;
mod functions;
mod host;
mod interface;
mod meter;
mod run;
mod worker;

use cache::Cache;
use host::Host;
use worker::{Job, Work, Worker};

/// Version of the instrumentation: what is written into a contract and every number in [`cost`]. It is frozen; a change
/// is a new version beside this one.
pub const INSTRUMENTATION: u16 = 1;
/// Values that all open calls of a contract may hold together: parameters, locals, operands and [`cost::FRAME`] a call.
pub const STACK_VALUES: u32 = 64 << 10;
/// Most pages of 64 KiB that a contract's memory may have; `memory.grow` beyond them gives -1.
pub const MAX_PAGES: u64 = 256;
/// Most elements that a contract's table may have.
pub const MAX_ELEMENTS: u64 = 10_000;

/// Native stack for the code of contracts, in bytes: 128 a metered value. A value takes 8 bytes where it is spilled, or
/// 16 for a float; the rest is for frames that a register allocator packs badly.
const NATIVE_STACK: usize = 8 << 20;
/// Stack of the thread that runs them, in bytes: as much again for host functions and the compiler.
const THREAD_STACK: usize = 2 * NATIVE_STACK;
/// Bytes of address space of one instance's memory; with [`MAX_PAGES`] it never has to move.
const RESERVED: u64 = MAX_PAGES << 16;
/// Most threads that wait for work.
const MAX_IDLE: usize = 8;

/// What is kept of a contract's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The instrumentation that wrote it: [`INSTRUMENTATION`].
    pub version: u16,
    /// The instrumented module.
    pub code: Vec<u8>,
}
wire_struct!(Code { version, code });

/// Where the [`Code`] of a contract is kept.
pub fn code_key(contract: &Address) -> Vec<u8> {
    joined(b"wasm/code/", &[&contract.0])
}

/// Where a contract keeps the value of one of its keys.
pub fn slot_key(contract: &Address, key: &[u8]) -> Vec<u8> {
    joined(b"wasm/slot/", &[&contract.0, key])
}

/// What all threads of a machine share.
struct Shared {
    engine: Engine,
    linker: Linker<Host>,
    cache: Cache,
}

/// The machine for WebAssembly.
pub struct Wasm {
    shared: Arc<Shared>,
    idle: Mutex<Vec<Worker>>,
}

impl Wasm {
    /// Makes a machine with an empty cache.
    ///
    /// # Errors
    /// [`Unavailable`] when this processor or system cannot run it.
    pub fn new() -> Result<Self, Unavailable> {
        let failed = |error: wasmtime::Error| Unavailable(format!("no machine for WebAssembly: {error}"));
        let engine = Engine::new(&config()).map_err(failed)?;
        let linker = functions::linker(&engine).map_err(failed)?;
        let shared = Arc::new(Shared { engine, linker, cache: Cache::default() });
        Ok(Self { shared, idle: Mutex::new(Vec::new()) })
    }

    fn worker(&self) -> Result<Worker, Unavailable> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Worker::start(Arc::clone(&self.shared)), Ok)
    }
}

/// The machine below: exactly the allowed features, canonical NaNs, memory that never moves, no copies of it in files.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_features(wasmparser::WasmFeatures::all(), false)
        .wasm_features(check::FEATURES, true)
        .cranelift_nan_canonicalization(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(None)
        .async_stack_size(THREAD_STACK)
        .max_wasm_stack(NATIVE_STACK)
        .memory_reservation(RESERVED)
        .memory_reservation_for_growth(0)
        .memory_guard_size(1 << 16)
        .memory_may_move(false)
        .memory_init_cow(false);
    config
}

/// A task that ended on every node alike, having used `gas`.
fn reverted(why: &str, gas: u64) -> Halt {
    Halt::Reverted { why: why.to_owned(), gas, output: Vec::new() }
}

/// A job of its own, or why the task is refused before anything is charged.
fn job(env: &Env, task: Task<'_>, gas: u64) -> Result<Job, Halt> {
    let (work, input) = match task {
        Task::Deploy { code, .. } if code.len() > MAX_CODE => {
            return Err(reverted("the code is longer than allowed", 0));
        }
        Task::Deploy { code, input } => (Work::Deploy { code: code.to_vec() }, input),
        Task::Call { to, input } => (Work::Call { to }, input),
    };
    if gas > MAX_GAS {
        return Err(reverted("more gas is asked for than allowed", 0));
    }
    if input.len() > MAX_INPUT {
        return Err(reverted("the input is longer than allowed", 0));
    }
    Ok(Job { env: env.clone(), work, input: input.to_vec(), gas })
}

impl Vm for Wasm {
    fn execute(&self, view: &dyn StateView, env: &Env, task: Task<'_>, gas: u64) -> Result<Effects, Halt> {
        let job = job(env, task, gas)?;
        let worker = self.worker()?;
        let outcome = worker.run(view, job)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(worker);
        }
        outcome
    }
}
