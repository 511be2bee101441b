//! One task from its first charge to its effects, and the words for every way in which a contract can end.

use std::rc::Rc;

use base_wire::{Decode, Encode};
use wasmtime::{Instance, Store, Trap, Val};

use super::{
    Code, INSTRUMENTATION, STACK_VALUES, Shared,
    check::check,
    code_key, cost,
    host::{Ended, Host, Places},
    interface::{CALL, DEPLOY, GAS, MAX_REASON, MEMORY, STACK},
    meter::instrument,
    reverted,
    worker::{Job, Port, Work},
};
use crate::{Address, Change, Effects, Env, Halt, Unavailable};

/// Gas of one task.
struct Gas {
    limit: u64,
    left: u64,
}

impl Gas {
    fn pay(&mut self, cost: u64) -> Result<(), Halt> {
        self.left = self.left.checked_sub(cost).ok_or_else(|| exhausted(self.limit))?;
        Ok(())
    }

    fn used(&self) -> u64 {
        self.limit.saturating_sub(self.left)
    }
}

fn exhausted(limit: u64) -> Halt {
    reverted("out of gas", limit)
}

/// What is entered at which contract.
struct Entry<'a> {
    name: &'static str,
    contract: Address,
    code: &'a [u8],
    env: Env,
    input: Vec<u8>,
}

/// Runs a task.
pub(super) fn run(shared: &Shared, port: &Rc<Port>, job: Job) -> Result<Effects, Halt> {
    let Job { env, work, input, gas } = job;
    let gas = Gas { limit: gas, left: gas };
    match work {
        Work::Deploy { code } => deploy(shared, port, env, &code, input, gas),
        Work::Call { to } => call(shared, port, env, to, input, gas),
    }
}

fn deploy(
    shared: &Shared,
    port: &Rc<Port>,
    env: Env,
    code: &[u8],
    input: Vec<u8>,
    mut gas: Gas,
) -> Result<Effects, Halt> {
    gas.pay(cost::DEPLOY_BYTE.saturating_mul(code.len() as u64).saturating_add(cost::DEPLOY))?;
    let checked = check(code).map_err(|words| reverted(words, gas.used()))?;
    gas.pay(cost::JOIN.saturating_mul(checked.joins))?;
    let code = instrument(code, &checked).map_err(|words| reverted(words, gas.used()))?;
    let contract = Address::of_deployment(&env.tx);
    let entry = Entry { name: DEPLOY, contract, code: &code, env, input };
    let mut effects = enter(shared, port, entry, gas)?;
    // Its key sorts before those of its slots.
    let kept: Change = (code_key(&contract), Some(Code { version: INSTRUMENTATION, code }.to_wire()));
    effects.changes.insert(0, kept);
    effects.contract = Some(contract);
    Ok(effects)
}

fn call(
    shared: &Shared,
    port: &Rc<Port>,
    env: Env,
    to: Address,
    input: Vec<u8>,
    mut gas: Gas,
) -> Result<Effects, Halt> {
    gas.pay(cost::CALL)?;
    let kept = port.read(code_key(&to))?.ok_or_else(|| reverted("no contract stands at this address", gas.used()))?;
    let Code { version, code } = Code::from_wire(&kept).map_err(|error| Unavailable(format!("{to}: {error}")))?;
    if version != INSTRUMENTATION {
        return Err(Unavailable(format!("{to} has the unknown instrumentation {version}")).into());
    }
    gas.pay(cost::CODE_BYTE.saturating_mul(code.len() as u64))?;
    enter(shared, port, Entry { name: CALL, contract: to, code: &code, env, input }, gas)
}

fn enter(shared: &Shared, port: &Rc<Port>, entry: Entry<'_>, mut gas: Gas) -> Result<Effects, Halt> {
    let module = shared.cache.module(shared, entry.code)?;
    let host = Host::new(port, entry.env, entry.contract, entry.input);
    let mut store = Store::new(&shared.engine, host);
    store.limiter(|host| &mut host.limits);
    let instance = module.instantiate(&mut store).map_err(|error| ended(error, &gas, false, false))?;
    let places = places(&instance, &mut store)?;
    store.data_mut().places = Some(places);
    gas.pay(cost::PAGE.saturating_mul(places.memory.size(&store)))?;
    let left = Val::I64(i64::try_from(gas.left).unwrap_or(i64::MAX));
    places.gas.set(&mut store, left).map_err(broken)?;
    let function = instance.get_typed_func::<(), ()>(&mut store, entry.name).map_err(broken)?;
    let outcome = function.call(&mut store, ());
    let left = places.gas.get(&mut store).i64().unwrap_or(-1);
    let stack = places.stack.get(&mut store).i32().unwrap_or(0).cast_unsigned();
    gas.left = u64::try_from(left).unwrap_or(0);
    outcome.map_err(|error| ended(error, &gas, left < 0, stack > STACK_VALUES))?;
    let Host { changes, events, output, .. } = store.into_data();
    Ok(Effects { changes: changes.into_iter().collect(), gas: gas.used(), output, events, contract: None })
}

fn places(instance: &Instance, store: &mut Store<Host>) -> Result<Places, Unavailable> {
    let missing = || Unavailable("a contract lacks what the instrumentation exports".into());
    let memory = instance.get_memory(&mut *store, MEMORY).ok_or_else(missing)?;
    let gas = instance.get_global(&mut *store, GAS).ok_or_else(missing)?;
    let stack = instance.get_global(&mut *store, STACK).ok_or_else(missing)?;
    Ok(Places { memory, gas, stack })
}

fn broken(error: wasmtime::Error) -> Unavailable {
    Unavailable(format!("a contract cannot be run: {error}"))
}

/// The halt for an error that ended an instance.
fn ended(error: wasmtime::Error, gas: &Gas, no_gas: bool, full: bool) -> Halt {
    let error = match error.downcast::<Ended>() {
        Ok(Ended::Unavailable(why)) => return why.into(),
        Ok(Ended::Gas) => return exhausted(gas.limit),
        Ok(Ended::Reverted(output)) => {
            return Halt::Reverted { why: reason(&output).to_owned(), gas: gas.used(), output };
        }
        Ok(Ended::Pointer) => return reverted("a pointer for the host lies outside the memory", gas.used()),
        Ok(Ended::Limit(words)) => return reverted(words, gas.used()),
        Err(error) => error,
    };
    let trap = error.downcast_ref::<Trap>().copied();
    match trap {
        Some(Trap::UnreachableCodeReached) if no_gas => exhausted(gas.limit),
        Some(Trap::UnreachableCodeReached) if full => reverted("the stack is full", gas.used()),
        // The native stack is no trap of the contract: the meter has to end it first.
        Some(trap) => words(trap).map_or_else(|| broken(error).into(), |words| reverted(words, gas.used())),
        None => broken(error).into(),
    }
}

/// Our own words for the traps that the standard knows.
fn words(trap: Trap) -> Option<&'static str> {
    Some(match trap {
        Trap::UnreachableCodeReached => "the contract stopped at what must not be reached",
        Trap::MemoryOutOfBounds => "the memory was used outside its bounds",
        Trap::TableOutOfBounds => "a table was used outside its bounds",
        Trap::IndirectCallToNull => "an empty table element was called",
        Trap::BadSignature => "a table element was called with another type than it has",
        Trap::IntegerOverflow => "an integer operation overflowed",
        Trap::IntegerDivisionByZero => "an integer was divided by zero",
        Trap::BadConversionToInteger => "what is not a number was converted to an integer",
        _ => return None,
    })
}

/// What a contract gave as its reason, if it is short text.
fn reason(output: &[u8]) -> &str {
    let text = std::str::from_utf8(output).ok().filter(|text| !text.is_empty());
    text.filter(|text| text.chars().count() <= MAX_REASON).unwrap_or("reverted")
}
