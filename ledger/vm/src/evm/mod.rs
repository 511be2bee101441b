//! Ethereum's machine: revm behind [`Vm`], on the ledger's state, for members who pay nothing.
//!
//! What differs from Ethereum: nobody holds or pays anything unless a contract says so, so prices and fees are 0 and no
//! block has a receiver; a caller's account has no nonce, since the ledger itself tells transactions apart; hashes of
//! earlier blocks are not known here and read as 0; PREVRANDAO is equal on all nodes and known beforehand: it is no
//! randomness. A transaction may ask for more gas than EIP-7825 allows, and its limit has to cover what code it reads
//! ([`GAS_PER_CODE_BYTE`]); the gas that it uses is Ethereum's.

mod account;
mod cache;
mod database;
mod effects;
mod environment;
mod precompiles;
mod words;

use base_types::Digest;
use revm::{
    Context, ExecuteEvm, MainBuilder,
    context::result::{EVMError, ExecutionResult, Output, ResultAndState},
    handler::MainnetContext,
    primitives::{Address as EvmAddress, TxKind},
    state::EvmState,
};

pub use account::{Account, account_key, code_key, slot_key};
pub use environment::{GAS_PER_CODE_BYTE, MAX_CODE_SIZE, MAX_INITCODE_SIZE, chain_id};
pub use precompiles::{SM2_VERIFY, SM3};

use crate::{Address, Effects, Env, Halt, MAX_EVENTS, MAX_GAS, MAX_INPUT, MAX_OUTPUT, StateView, Task, Vm};
use cache::CodeCache;
use database::{CodeReads, Ended, Sender, StateDatabase};

/// Ethereum's machine, shared by threads. It keeps nothing but analysed code, which its hash names.
#[derive(Default)]
pub struct Evm {
    codes: CodeCache,
}

impl Evm {
    /// A machine that has seen no code yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Vm for Evm {
    fn execute(&self, view: &dyn StateView, env: &Env, task: Task<'_>, gas: u64) -> Result<Effects, Halt> {
        check_limits(&task, gas)?;
        let (kind, input, target) = match task {
            Task::Deploy { code, input } => (TxKind::Create, [code, input].concat(), None),
            Task::Call { to, input } => {
                let target = contract(view, to)?;
                (TxKind::Call(EvmAddress::new(to.0)), input.to_vec(), Some((to, target)))
            }
        };
        let sender = Sender::read(view, env)?;
        let database = StateDatabase { view, codes: &self.codes, sender, target, reads: CodeReads::within(gas) };
        let context: MainnetContext<StateDatabase<'_>> = Context::new(database, environment::SPEC);
        let context = context.with_cfg(environment::config(env)).with_block(environment::block(env));
        let mut machine = context.build_mainnet();
        machine.precompiles = precompiles::all();
        match machine.transact(environment::transaction(env, &sender, kind, input, gas)) {
            Ok(done) => settle(done, &sender, gas),
            Err(EVMError::Database(Ended::Unavailable(unavailable))) => Err(Halt::Unavailable(unavailable)),
            Err(EVMError::Database(Ended::TooMuchCode)) => Err(reverted(words::TOO_MUCH_CODE, gas)),
            Err(EVMError::Transaction(why)) => Err(reverted(words::refused(&why), gas)),
            Err(EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_)) => {
                Err(reverted("the machine refuses the transaction", gas))
            }
        }
    }
}

fn reverted(why: impl Into<String>, gas: u64) -> Halt {
    Halt::Reverted { why: why.into(), gas, output: Vec::new() }
}

fn check_limits(task: &Task<'_>, gas: u64) -> Result<(), Halt> {
    if gas > MAX_GAS {
        return Err(reverted(format!("more than {MAX_GAS} gas is asked for"), 0));
    }
    match *task {
        Task::Deploy { code, input } if code.len().saturating_add(input.len()) > MAX_INITCODE_SIZE => {
            Err(reverted(words::initcode_too_long(), 0))
        }
        Task::Call { input, .. } if input.len() > MAX_INPUT => {
            Err(reverted(format!("the input is longer than {MAX_INPUT} bytes"), 0))
        }
        _ => Ok(()),
    }
}

/// The account that is called, which must have code: a call that reaches nobody is a mistake, and paid for by nobody.
fn contract(view: &dyn StateView, at: Address) -> Result<Account, Halt> {
    account::load(view, &at)?
        .filter(Account::has_code)
        .ok_or_else(|| reverted(format!("there is no contract at {at}"), 0))
}

/// What a transaction that ran to its end led to.
fn settle(done: ResultAndState, sender: &Sender, limit: u64) -> Result<Effects, Halt> {
    let ResultAndState { result, state } = done;
    let gas = result.tx_gas_used().min(limit);
    let (logs, output) = match result {
        ExecutionResult::Success { logs, output, .. } => (logs, output),
        ExecutionResult::Revert { output, .. } => {
            let kept: &[u8] = if output.len() > MAX_OUTPUT { &[] } else { &output };
            return Err(Halt::Reverted { why: words::reason(&output), gas, output: kept.to_vec() });
        }
        ExecutionResult::Halt { reason, .. } => return Err(reverted(words::halted(&reason), gas)),
    };
    if logs.len() > MAX_EVENTS {
        return Err(reverted(format!("there are more than {MAX_EVENTS} events"), gas));
    }
    let (output, contract) = match output {
        Output::Call(bytes) if bytes.len() > MAX_OUTPUT => {
            return Err(reverted(format!("the output is longer than {MAX_OUTPUT} bytes"), gas));
        }
        Output::Call(bytes) => (bytes.to_vec(), None),
        Output::Create(_, address) => {
            let made = address.filter(|at| has_code(&state, at));
            let made = made.ok_or_else(|| reverted("the code made no contract", gas))?;
            (Vec::new(), Some(Address(made.into_array())))
        }
    };
    let changes = effects::changes(&state, sender);
    Ok(Effects { changes, gas, output, events: logs.iter().map(effects::event).collect(), contract })
}

fn has_code(state: &EvmState, at: &EvmAddress) -> bool {
    state.get(at).is_some_and(|account| !account.is_selfdestructed() && !account.info.is_empty_code_hash())
}

/// The first `count` bytes of a digest as a number, most significant first; at most 8.
fn leading(digest: &Digest, count: usize) -> u64 {
    digest.0.iter().take(count.min(8)).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
