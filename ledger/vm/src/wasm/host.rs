//! What a running contract holds at the host: its gas and memory, what it wrote, announced and returned.

use std::{collections::BTreeMap, rc::Rc};

use thiserror::Error;
use wasmtime::{Caller, Global, Memory, ResourceLimiter, Val};

use super::{
    interface::{MAX_KEY, MAX_VALUE},
    slot_key,
    worker::Port,
};
use crate::{Address, Env, Event, Unavailable};

/// Why a host function ended the contract.
#[derive(Debug, Error)]
pub(super) enum Ended {
    #[error("out of gas")]
    Gas,
    #[error("a pointer lies outside the memory")]
    Pointer,
    #[error("{0}")]
    Limit(&'static str),
    #[error("reverted")]
    Reverted(Vec<u8>),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What of an instance the host uses.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) memory: Memory,
    pub(super) gas: Global,
    pub(super) stack: Global,
}

pub(super) struct Host {
    port: Rc<Port>,
    pub(super) env: Env,
    pub(super) contract: Address,
    pub(super) input: Vec<u8>,
    /// Set when the instance stands, before anything of it runs.
    pub(super) places: Option<Places>,
    pub(super) changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    pub(super) events: Vec<Event>,
    pub(super) output: Vec<u8>,
    pub(super) limits: Limits,
}

impl Host {
    pub(super) fn new(port: &Rc<Port>, env: Env, contract: Address, input: Vec<u8>) -> Self {
        Self {
            port: Rc::clone(port),
            env,
            contract,
            input,
            places: None,
            changes: BTreeMap::new(),
            events: Vec::new(),
            output: Vec::new(),
            limits: Limits,
        }
    }

    /// The value of a key of the state, own changes seen.
    pub(super) fn value(&self, key: Vec<u8>) -> Result<Option<Vec<u8>>, Unavailable> {
        match self.changes.get(&key) {
            Some(value) => Ok(value.clone()),
            None => self.port.read(key),
        }
    }
}

/// Keeps apart what the contract may not have, which is the same everywhere, and what this system does not give.
pub(super) struct Limits;

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(maximum.is_some_and(|maximum| desired <= maximum))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Ended::Unavailable(Unavailable(format!("no memory for a contract: {error}"))).into())
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum))
    }
}

fn places(caller: &Caller<'_, Host>) -> Result<Places, Ended> {
    caller.data().places.ok_or_else(|| Unavailable("a contract ran before it was ready".into()).into())
}

/// A length that a contract gave.
pub(super) fn unsigned(length: i32) -> u64 {
    u64::from(length.cast_unsigned())
}

/// Gas that is left; below zero when it ran out.
pub(super) fn gas_left(caller: &mut Caller<'_, Host>) -> Result<i64, Ended> {
    match places(caller)?.gas.get(&mut *caller) {
        Val::I64(left) => Ok(left),
        _ => Err(Unavailable("a contract has no gas counter".into()).into()),
    }
}

/// Takes a price and so much for each of `bytes`, from the same counter that the code's own meters use.
pub(super) fn charge(caller: &mut Caller<'_, Host>, (price, by_byte): (u64, u64), bytes: u64) -> Result<(), Ended> {
    let cost = by_byte.saturating_mul(bytes).saturating_add(price);
    let left = gas_left(caller)?.saturating_sub(i64::try_from(cost).unwrap_or(i64::MAX));
    let gas = places(caller)?.gas;
    gas.set(&mut *caller, Val::I64(left)).map_err(|error| Unavailable(error.to_string()))?;
    if left < 0 { Err(Ended::Gas) } else { Ok(()) }
}

/// Bytes of the contract's memory.
pub(super) fn read(caller: &Caller<'_, Host>, pointer: i32, length: i32) -> Result<Vec<u8>, Ended> {
    let start = pointer.cast_unsigned() as usize;
    let end = start.saturating_add(length.cast_unsigned() as usize);
    let memory = places(caller)?.memory.data(caller);
    memory.get(start..end).map(<[u8]>::to_vec).ok_or(Ended::Pointer)
}

/// As many bytes of the contract's memory as the array has.
pub(super) fn array<const N: usize>(caller: &Caller<'_, Host>, pointer: i32) -> Result<[u8; N], Ended> {
    let start = pointer.cast_unsigned() as usize;
    let memory = places(caller)?.memory.data(caller);
    let bytes = memory.get(start..start.saturating_add(N)).ok_or(Ended::Pointer)?;
    bytes.try_into().map_err(|_| Ended::Pointer)
}

/// Bytes of the contract's memory, at most `max`.
pub(super) fn bounded(
    caller: &Caller<'_, Host>,
    pointer: i32,
    length: i32,
    max: u32,
    words: &'static str,
) -> Result<Vec<u8>, Ended> {
    if length.cast_unsigned() > max { Err(Ended::Limit(words)) } else { read(caller, pointer, length) }
}

/// A value of the contract's storage, or data of an event.
pub(super) fn value(caller: &Caller<'_, Host>, pointer: i32, length: i32) -> Result<Vec<u8>, Ended> {
    bounded(caller, pointer, length, MAX_VALUE, "a value is longer than 64 KiB")
}

/// Where the contract's key is kept in the state.
pub(super) fn slot(caller: &Caller<'_, Host>, pointer: i32, length: i32) -> Result<Vec<u8>, Ended> {
    let key = bounded(caller, pointer, length, MAX_KEY, "a key is longer than 256 bytes")?;
    Ok(slot_key(&caller.data().contract, &key))
}

/// Writes to the contract's memory.
pub(super) fn write(caller: &mut Caller<'_, Host>, pointer: i32, bytes: &[u8]) -> Result<(), Ended> {
    let memory = places(caller)?.memory;
    memory.write(&mut *caller, pointer.cast_unsigned() as usize, bytes).map_err(|_| Ended::Pointer)
}
