//! All machines behind one door: who may deploy, which machine a contract runs on, what a transaction led to.

use base_types::{Digest, Height, PersonId};
use base_wire::{Encode, wire_struct};
use ledger_light::Role;

use crate::{
    Address, Change, Command, Effects, Env, Event, Halt, MAX_CODE, MAX_EVENT_BYTES, MAX_GAS, MAX_INPUT, Machine,
    Native, NativeContract, Payload, StateView, Stop, Task, Unavailable, Vm,
    evm::Evm,
    govern::{Government, revoked_key},
    keys::joined,
    native::read,
    notary::Notary,
    wasm::Wasm,
};

/// A deployed contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// What it runs on.
    pub machine: Machine,
    /// Who deployed it.
    pub deployer: PersonId,
    /// With which transaction.
    pub tx: Digest,
    /// At which height.
    pub height: Height,
    /// SM3 of the code as it was deployed.
    pub code: Digest,
}
wire_struct!(Contract { machine, deployer, tx, height, code });

/// Where a [`Contract`] is kept.
pub fn contract_key(address: &Address) -> Vec<u8> {
    joined(b"contract/", &[&address.0])
}

/// What a transaction led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why it changed nothing; what follows but gas and output is empty then.
    pub refusal: Option<String>,
    /// Gas that was used; native contracts are free.
    pub gas: u64,
    /// What the contract returned, also while reverting.
    pub output: Vec<u8>,
    /// What it announced.
    pub events: Vec<Event>,
    /// The contract that was made.
    pub contract: Option<Address>,
    /// Changes of the state.
    pub changes: Vec<Change>,
    /// True for an accepted entry of the notary, whose record is indexed.
    pub entry: bool,
}

/// The native contracts as a machine: they stand at fixed addresses and cost no gas.
#[derive(Debug, Clone, Copy, Default)]
struct Natives;

impl Vm for Natives {
    fn execute(&self, view: &dyn StateView, env: &Env, task: Task<'_>, _gas: u64) -> Result<Effects, Halt> {
        let refuse = |why: String| Err(Halt::Reverted { why, gas: 0, output: Vec::new() });
        let Task::Call { to, input } = task else { return refuse("native contracts are part of the program".into()) };
        let outcome = if to == NativeContract::Notary.address() {
            Notary.execute(view, env, input)
        } else if to == NativeContract::Government.address() {
            Government.execute(view, env, input)
        } else {
            return refuse(format!("there is no contract at {to}"));
        };
        match outcome {
            Ok(changes) => Ok(Effects { changes, ..Effects::default() }),
            Err(Stop::Refused(why)) => refuse(why.0),
            Err(Stop::Unavailable(why)) => Err(why.into()),
        }
    }
}

/// The machines of a chain; shared by all threads.
pub struct Machines {
    natives: Natives,
    evm: Evm,
    wasm: Wasm,
}

impl Machines {
    /// Starts them.
    ///
    /// # Errors
    /// [`Unavailable`] when a machine cannot run on this processor.
    pub fn new() -> Result<Self, Unavailable> {
        Ok(Self { natives: Natives, evm: Evm::new(), wasm: Wasm::new()? })
    }

    fn machine(&self, machine: Machine) -> &dyn Vm {
        match machine {
            Machine::Evm => &self.evm,
            Machine::Wasm => &self.wasm,
        }
    }

    /// The machine of a contract. What contracts of the EVM make is not registered, so an unknown address is the EVM's,
    /// which refuses one without code.
    fn machine_of(&self, view: &dyn StateView, to: &Address) -> Result<&dyn Vm, Unavailable> {
        let native = [NativeContract::Notary, NativeContract::Government].map(NativeContract::address).contains(to);
        if native {
            return Ok(&self.natives);
        }
        let contract = read::<Contract>(view, &contract_key(to))?;
        Ok(self.machine(contract.map_or(Machine::Evm, |contract| contract.machine)))
    }

    /// Runs a transaction's payload.
    ///
    /// # Errors
    /// [`Unavailable`] when the state cannot be read; whatever a sender does wrong is the outcome's refusal.
    pub fn execute(&self, view: &dyn StateView, env: &Env, payload: &[u8]) -> Result<Outcome, Unavailable> {
        if env.sender.roles.is_empty() {
            return Ok(refused(format!("{} is no longer a member", env.sender.id)));
        }
        if read::<Height>(view, &revoked_key(&env.sender.key))?.is_some_and(|from| from <= env.height) {
            return Ok(refused(format!("the key of {} was revoked", env.sender.id)));
        }
        match Payload::parse(payload) {
            Payload::Malformed => Ok(refused("the payload is no command".into())),
            Payload::Entry(input) => {
                let outcome = told(self.natives.execute(view, env, entry_task(input), 0))?;
                Ok(Outcome { entry: outcome.refusal.is_none(), ..outcome })
            }
            // An entry has one form, so that what is evidence of it has one too.
            Payload::Command(Command::Call { to, .. }) if to == NativeContract::Notary.address() => {
                Ok(refused("an entry of the notary is a payload of its own".into()))
            }
            Payload::Command(Command::Call { to, input, gas }) => self.call(view, env, to, &input, gas),
            Payload::Command(Command::Deploy { machine, code, input, gas }) => {
                self.deploy(view, env, machine, &code, &input, gas)
            }
        }
    }

    /// Runs a call; for a read-only one the caller drops the changes.
    ///
    /// # Errors
    /// [`Unavailable`] when the state cannot be read.
    pub fn call(
        &self,
        view: &dyn StateView,
        env: &Env,
        to: Address,
        input: &[u8],
        gas: u64,
    ) -> Result<Outcome, Unavailable> {
        if gas > MAX_GAS || input.len() > MAX_INPUT {
            return Ok(refused(format!("a call has at most {MAX_GAS} gas and {MAX_INPUT} bytes of input")));
        }
        let machine = self.machine_of(view, &to)?;
        told(machine.execute(view, env, Task::Call { to, input }, gas))
    }

    fn deploy(
        &self,
        view: &dyn StateView,
        env: &Env,
        machine: Machine,
        code: &[u8],
        input: &[u8],
        gas: u64,
    ) -> Result<Outcome, Unavailable> {
        if !env.sender.roles.contains(&Role::Developer) {
            return Ok(refused(format!("{} is no developer", env.sender.id)));
        }
        if gas > MAX_GAS || code.len() > MAX_CODE || input.len() > MAX_INPUT {
            return Ok(refused(format!("a deployment has at most {MAX_GAS} gas and {MAX_CODE} bytes of code")));
        }
        let mut outcome = told(self.machine(machine).execute(view, env, Task::Deploy { code, input }, gas))?;
        if let Some(address) = outcome.contract {
            let (deployer, tx, height) = (env.sender.id.clone(), env.tx, env.height);
            let contract = Contract { machine, deployer, tx, height, code: base_gm::sm3::sm3(code) };
            outcome.changes.push((contract_key(&address), Some(contract.to_wire())));
        }
        Ok(outcome)
    }
}

fn entry_task(input: &[u8]) -> Task<'_> {
    Task::Call { to: NativeContract::Notary.address(), input }
}

fn refused(why: String) -> Outcome {
    Outcome { refusal: Some(why), ..Outcome::default() }
}

fn told(result: Result<Effects, Halt>) -> Result<Outcome, Unavailable> {
    match result {
        Ok(Effects { gas, ref events, .. })
            if events.iter().map(|event| event.data.len()).fold(0, usize::saturating_add) > MAX_EVENT_BYTES =>
        {
            Ok(Outcome { gas, ..refused("the events are longer than allowed".into()) })
        }
        Ok(Effects { changes, gas, output, events, contract }) => {
            Ok(Outcome { refusal: None, gas, output, events, contract, changes, entry: false })
        }
        Err(Halt::Reverted { why, gas, output }) => Ok(Outcome { gas, output, ..refused(why) }),
        Err(Halt::Unavailable(why)) => Err(why),
    }
}
