//! The host functions themselves: every one takes its gas first, then looks at lengths, then at pointers.

use base_gm::{
    sm2::{PublicKey, Signature, tables},
    sm3,
};
use base_types::Digest;
use wasmtime::{Caller, Engine, Linker, Result};

use super::{
    cost,
    host::{Ended, Host, array, bounded, charge, gas_left, read, slot, unsigned, value, write},
    interface::{MAX_TOPICS, MODULE},
};
use crate::{Address, Event, MAX_EVENTS, MAX_OUTPUT};

/// All host functions, under the names and with the types of the interface.
pub(super) fn linker(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker: Linker<Host> = Linker::new(engine);
    linker
        .func_wrap(MODULE, "input_len", input_len)?
        .func_wrap(MODULE, "input", input)?
        .func_wrap(MODULE, "output", output)?
        .func_wrap(MODULE, "get", get)?
        .func_wrap(MODULE, "set", set)?
        .func_wrap(MODULE, "remove", remove)?
        .func_wrap(MODULE, "event", event)?
        .func_wrap(MODULE, "caller", sender)?
        .func_wrap(MODULE, "address", address)?
        .func_wrap(MODULE, "height", height)?
        .func_wrap(MODULE, "time", time)?
        .func_wrap(MODULE, "sm3", digest)?
        .func_wrap(MODULE, "sm2_verify", sm2_verify)?
        .func_wrap(MODULE, "revert", revert)?
        .func_wrap(MODULE, "gas_left", gas)?;
    Ok(linker)
}

/// A length as the contract gets it; nothing that it is told the length of is longer than an `i32` can say.
fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

fn input_len(mut caller: Caller<'_, Host>) -> Result<i32> {
    charge(&mut caller, cost::HOST, 0)?;
    Ok(length(&caller.data().input))
}

fn input(mut caller: Caller<'_, Host>, pointer: i32) -> Result<()> {
    let bytes = caller.data().input.len() as u64;
    charge(&mut caller, cost::HOST, bytes)?;
    let input = caller.data().input.clone();
    Ok(write(&mut caller, pointer, &input)?)
}

fn output(mut caller: Caller<'_, Host>, pointer: i32, length: i32) -> Result<()> {
    charge(&mut caller, cost::HOST, unsigned(length))?;
    let output = returned(&caller, pointer, length)?;
    caller.data_mut().output = output;
    Ok(())
}

fn returned(caller: &Caller<'_, Host>, pointer: i32, length: i32) -> std::result::Result<Vec<u8>, Ended> {
    bounded(caller, pointer, length, MAX_OUTPUT as u32, "the output is longer than allowed")
}

fn get(mut caller: Caller<'_, Host>, key: i32, key_length: i32, to: i32, capacity: i32) -> Result<i32> {
    charge(&mut caller, cost::GET, unsigned(key_length))?;
    let key = slot(&caller, key, key_length)?;
    let Some(value) = caller.data().value(key).map_err(Ended::from)? else { return Ok(-1) };
    let (_, by_byte) = cost::GET;
    charge(&mut caller, (0, by_byte), value.len() as u64)?;
    let copied = value.len().min(capacity.cast_unsigned() as usize);
    write(&mut caller, to, value.get(..copied).unwrap_or_default())?;
    Ok(length(&value))
}

fn set(mut caller: Caller<'_, Host>, key: i32, key_length: i32, from: i32, bytes: i32) -> Result<()> {
    charge(&mut caller, cost::SET, unsigned(key_length).saturating_add(unsigned(bytes)))?;
    let (key, value) = (slot(&caller, key, key_length)?, value(&caller, from, bytes)?);
    caller.data_mut().changes.insert(key, Some(value));
    Ok(())
}

fn remove(mut caller: Caller<'_, Host>, key: i32, key_length: i32) -> Result<()> {
    charge(&mut caller, cost::SET, unsigned(key_length))?;
    let key = slot(&caller, key, key_length)?;
    caller.data_mut().changes.insert(key, None);
    Ok(())
}

fn event(mut caller: Caller<'_, Host>, topics: i32, count: i32, data: i32, bytes: i32) -> Result<()> {
    let topic_bytes = unsigned(count).saturating_mul(32);
    charge(&mut caller, cost::EVENT, topic_bytes.saturating_add(unsigned(bytes)))?;
    if count.cast_unsigned() > MAX_TOPICS {
        return Err(Ended::Limit("an event has more than 4 topics").into());
    }
    if caller.data().events.len() >= MAX_EVENTS {
        return Err(Ended::Limit("more events than allowed").into());
    }
    let topics = read(&caller, topics, count.saturating_mul(32))?;
    let topics = topics.chunks_exact(32).filter_map(|topic| topic.try_into().ok().map(Digest)).collect();
    let data = value(&caller, data, bytes)?;
    let contract = caller.data().contract;
    caller.data_mut().events.push(Event { contract, topics, data });
    Ok(())
}

fn sender(mut caller: Caller<'_, Host>, to: i32) -> Result<()> {
    charge(&mut caller, cost::HOST, 20)?;
    let address = Address::of_key(&caller.data().env.sender.key);
    Ok(write(&mut caller, to, &address.0)?)
}

fn address(mut caller: Caller<'_, Host>, to: i32) -> Result<()> {
    charge(&mut caller, cost::HOST, 20)?;
    let address = caller.data().contract;
    Ok(write(&mut caller, to, &address.0)?)
}

fn height(mut caller: Caller<'_, Host>) -> Result<i64> {
    charge(&mut caller, cost::HOST, 0)?;
    Ok(caller.data().env.height.cast_signed())
}

fn time(mut caller: Caller<'_, Host>) -> Result<i64> {
    charge(&mut caller, cost::HOST, 0)?;
    Ok(caller.data().env.time.cast_signed())
}

fn digest(mut caller: Caller<'_, Host>, from: i32, bytes: i32, to: i32) -> Result<()> {
    charge(&mut caller, cost::SM3, unsigned(bytes))?;
    let digest = sm3::sm3(&read(&caller, from, bytes)?);
    Ok(write(&mut caller, to, &digest.0)?)
}

fn sm2_verify(mut caller: Caller<'_, Host>, key: i32, signature: i32, from: i32, bytes: i32) -> Result<i32> {
    charge(&mut caller, cost::SM2, unsigned(bytes))?;
    let (key, signature) = (array::<64>(&caller, key)?, array::<64>(&caller, signature)?);
    let message = read(&caller, from, bytes)?;
    let (Ok(key), Ok(signature)) = (PublicKey::from_bytes(&key), Signature::from_bytes(&signature)) else {
        return Ok(0);
    };
    Ok(i32::from(tables().verify_apart(&key, &message, &signature).is_ok()))
}

fn revert(mut caller: Caller<'_, Host>, pointer: i32, length: i32) -> Result<()> {
    charge(&mut caller, cost::HOST, unsigned(length))?;
    Err(Ended::Reverted(returned(&caller, pointer, length)?).into())
}

fn gas(mut caller: Caller<'_, Host>) -> Result<i64> {
    charge(&mut caller, cost::HOST, 0)?;
    Ok(gas_left(&mut caller)?)
}
