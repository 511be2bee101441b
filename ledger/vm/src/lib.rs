//! Virtual machines and native contracts: what a transaction changes, decided from the state and the block alone.

mod address;
pub mod evm;
pub mod govern;
mod keys;
mod machine;
mod machines;
mod native;
pub mod notary;
mod payload;
pub mod wasm;

pub use address::{Address, AddressForm, native_address};
pub use keys::{genesis_changes, member_key, organisation_key, outcomes_key};
pub use machine::{
    Effects, Event, Halt, MAX_CODE, MAX_EVENT_BYTES, MAX_EVENTS, MAX_GAS, MAX_INPUT, MAX_OUTPUT, Machine, Task, Vm,
};
pub use machines::{Contract, Machines, Outcome, contract_key};
pub use native::{Change, Env, Native, Refusal, StateView, Stop, Unavailable};
pub use payload::{Command, MARK, NativeContract, Payload, gas_of};
