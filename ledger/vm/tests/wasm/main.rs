//! WebAssembly contracts from deployment to effects: what they can do, what it costs, and what is refused.

use std::collections::BTreeMap;

use base_gm::{sm2::SecretKey, sm3::sm3};
use base_types::PersonId;
use base_wire::Encode;
use ledger_light::{Member, Role};
use ledger_vm::{
    Address, Effects, Env, Halt, MAX_GAS, StateView, Task, Unavailable, Vm,
    wasm::{Wasm, cost},
};

mod contracts;
mod floats;
mod fuzz;
mod host;
mod meter;
mod refused;
mod stack;

const IMPORTS: &str = r#"
(import "heqi" "input_len" (func $input_len (result i32)))
(import "heqi" "input" (func $input (param i32)))
(import "heqi" "output" (func $output (param i32 i32)))
(import "heqi" "get" (func $get (param i32 i32 i32 i32) (result i32)))
(import "heqi" "set" (func $set (param i32 i32 i32 i32)))
(import "heqi" "remove" (func $remove (param i32 i32)))
(import "heqi" "event" (func $event (param i32 i32 i32 i32)))
(import "heqi" "caller" (func $caller (param i32)))
(import "heqi" "address" (func $address (param i32)))
(import "heqi" "height" (func $height (result i64)))
(import "heqi" "time" (func $time (result i64)))
(import "heqi" "sm3" (func $sm3 (param i32 i32 i32)))
(import "heqi" "sm2_verify" (func $sm2_verify (param i32 i32 i32 i32) (result i32)))
(import "heqi" "revert" (func $revert (param i32 i32)))
(import "heqi" "gas_left" (func $gas_left (result i64)))
"#;

/// A module with all imports, one page of memory and these fields.
fn module(fields: &str) -> String {
    format!("(module {IMPORTS} (memory 1) {fields})")
}

/// A module that does nothing when it is deployed and this when it is called.
fn calling(body: &str) -> String {
    module(&format!(r#"(func (export "deploy")) (func (export "call") {body})"#))
}

#[derive(Default)]
struct Map(BTreeMap<Vec<u8>, Vec<u8>>);

impl StateView for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.get(key).cloned())
    }
}

fn person(name: &str) -> Member {
    let id = PersonId::new(name).expect("name");
    Member { id, key: SecretKey::from_seed(name.as_bytes()).public(), roles: vec![Role::Analyst] }
}

/// A state, a machine, and who signs.
struct World {
    vm: Wasm,
    state: Map,
    sender: Member,
    tasks: u64,
}

impl World {
    fn new() -> Self {
        Self { vm: Wasm::new().expect("a machine"), state: Map::default(), sender: person("a/ann"), tasks: 0 }
    }

    /// Runs a task and makes its changes.
    fn run(&mut self, task: Task<'_>, gas: u64) -> Result<Effects, Halt> {
        self.tasks += 1;
        let (tx, sender) = (sm3(&self.tasks.to_wire()), self.sender.clone());
        let env = Env { chain: sm3(b"chain"), height: 7, time: 1_000, tx, sender };
        let effects = self.vm.execute(&self.state, &env, task, gas)?;
        assert!(effects.changes.windows(2).all(|pair| pair[0].0 < pair[1].0), "changes are sorted, each key once");
        for (key, value) in effects.changes.clone() {
            match value {
                Some(value) => self.state.0.insert(key, value),
                None => self.state.0.remove(&key),
            };
        }
        Ok(effects)
    }

    fn deploy_bytes(&mut self, code: &[u8]) -> Result<Address, Halt> {
        let effects = self.run(Task::Deploy { code, input: b"" }, MAX_GAS)?;
        Ok(effects.contract.expect("a contract"))
    }

    fn deploy(&mut self, text: &str) -> Address {
        self.deploy_bytes(&wat::parse_str(text).expect("text")).expect("deployed")
    }

    fn call(&mut self, to: Address, input: &[u8]) -> Result<Effects, Halt> {
        self.run(Task::Call { to, input }, MAX_GAS)
    }

    /// What a contract's call gives back for an input.
    fn output(&mut self, to: Address, input: &[u8]) -> Vec<u8> {
        self.call(to, input).expect("runs").output
    }

    /// The words with which a contract's call ends.
    fn words(&mut self, to: Address, input: &[u8]) -> String {
        why(self.call(to, input))
    }

    /// What a call of this contract costs before its first instruction.
    fn base(&self, contract: Address, pages: u64) -> u64 {
        cost::CALL + cost::CODE_BYTE * self.code(contract).len() as u64 + cost::PAGE * pages
    }

    /// The instrumented code of a contract.
    fn code(&self, contract: Address) -> Vec<u8> {
        use base_wire::Decode;
        use ledger_vm::wasm::{Code, INSTRUMENTATION, code_key};
        let kept = Code::from_wire(&self.state.0[&code_key(&contract)]).expect("code");
        assert_eq!(kept.version, INSTRUMENTATION);
        kept.code
    }
}

/// The words of a task that reverted.
fn why(outcome: Result<Effects, Halt>) -> String {
    match outcome {
        Err(Halt::Reverted { why, .. }) => why,
        other => panic!("must revert: {other:?}"),
    }
}
