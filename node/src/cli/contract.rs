//! `heqi contract`: deploys, calls and reads contracts.

use std::path::PathBuf;

use alloy_json_abi::Function;
use base_gm::sm2::SecretKey;
use base_types::{
    Digest,
    fault::{Code, Fault},
};
use clap::{Args, Subcommand, ValueEnum};
use ledger_chain::Executed;
use ledger_rpc::ReadCall;
use ledger_vm::{Address, Command, Contract, Machine, contract_key};
use serde_json::{Value, json};

use super::{
    Local, Show, Signed, abi,
    chain::{fields, word},
    state::{AtArgs, unhex},
};

/// Gas of a command that names none.
const GAS: u64 = 10_000_000;

#[derive(Subcommand)]
pub enum ContractCommand {
    /// Put a contract on the ledger; needs the role of developer.
    Deploy(DeployArgs),
    /// Call a contract with a transaction.
    Call(CallArgs),
    /// Ask a contract, on the newest or an earlier state; nothing is written.
    Read(ReadArgs),
    /// What a contract runs on, and who deployed it when.
    Show(ShowArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum MachineWord {
    Evm,
    Wasm,
}

#[derive(Args)]
pub struct DeployArgs {
    /// The code: a hexadecimal file as solc writes it, or a .wasm file.
    file: PathBuf,
    /// The machine it runs on.
    #[arg(long, value_enum)]
    machine: MachineWord,
    /// The constructor's signature and arguments, such as `'constructor(string,uint256)' Coin 100`.
    #[arg(long, num_args = 1.., allow_negative_numbers = true, value_names = ["SIGNATURE", "VALUE"], conflicts_with = "data")]
    args: Vec<String>,
    /// The constructor's input itself, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    data: Option<String>,
    /// Most gas it may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    signed: Signed,
}

/// What a contract is given.
#[derive(Args)]
struct Input {
    /// The function, such as `transfer(address,uint256)` or, to read the answer, `balanceOf(address)(uint256)`.
    #[arg(conflicts_with_all = ["data", "text"])]
    signature: Option<String>,
    /// Its arguments.
    #[arg(allow_negative_numbers = true)]
    values: Vec<String>,
    /// The input itself, in hexadecimal.
    #[arg(long, value_name = "HEX", conflicts_with = "text")]
    data: Option<String>,
    /// The input itself, as text.
    #[arg(long)]
    text: Option<String>,
}

impl Input {
    /// The bytes, and the function by whose signature they were made.
    fn read(&self) -> Result<(Vec<u8>, Option<Function>), Fault> {
        match (&self.signature, &self.data, &self.text) {
            (Some(signature), _, _) => {
                let function = abi::function(signature)?;
                Ok((abi::call_input(&function, &self.values)?, Some(function)))
            }
            (None, Some(data), _) => Ok((unhex(data)?, None)),
            (None, None, Some(text)) => Ok((text.clone().into_bytes(), None)),
            (None, None, None) => {
                Err(Fault::new(Code::BadRequest, "call contract", "give a signature, --data or --text"))
            }
        }
    }
}

#[derive(Args)]
pub struct CallArgs {
    /// The contract's address.
    address: Address,
    #[command(flatten)]
    input: Input,
    /// Most gas it may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    signed: Signed,
}

#[derive(Args)]
pub struct ReadArgs {
    /// The contract's address.
    address: Address,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    at: AtArgs,
    /// Most gas it may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct ShowArgs {
    /// The contract's address.
    address: Address,
    #[command(flatten)]
    local: Local,
}

pub fn run(command: ContractCommand, show: Show) -> Result<(), Fault> {
    let value = match command {
        ContractCommand::Deploy(args) => deploy(&args)?,
        ContractCommand::Call(args) => call(&args)?,
        ContractCommand::Read(args) => return read(&args, show),
        ContractCommand::Show(args) => registered(&args)?,
    };
    show.value(&value, fields);
    Ok(())
}

fn deploy(args: &DeployArgs) -> Result<Value, Fault> {
    let bytes = std::fs::read(&args.file).map_err(|why| crate::config::bad(&args.file, &why))?;
    let (machine, code) = match args.machine {
        MachineWord::Wasm => (Machine::Wasm, bytes),
        MachineWord::Evm => {
            let text = String::from_utf8(bytes).map_err(|why| crate::config::bad(&args.file, &why))?;
            (Machine::Evm, unhex(&text).map_err(|fault| crate::config::bad(&args.file, &fault.detail))?)
        }
    };
    let input = match (args.args.split_first(), &args.data) {
        (Some((signature, values)), _) => abi::constructor_input(signature, values)?,
        (None, Some(data)) => unhex(data)?,
        (None, None) => Vec::new(),
    };
    let (ledger, key) = args.signed.ledger()?;
    let command = Command::Deploy { machine, code, input, gas: args.gas };
    let (digest, executed) = ledger.done("deploy contract", &key, &command)?;
    let address = executed.contract;
    let address = address.ok_or_else(|| Fault::new(Code::PeerMisbehaved, "deploy contract", "no contract was made"))?;
    let mut told = told(&key, &digest, &executed);
    if let Some(fields) = told.as_object_mut() {
        fields.insert("address".into(), Value::String(address.to_string()));
    }
    Ok(told)
}

fn call(args: &CallArgs) -> Result<Value, Fault> {
    let (input, function) = args.input.read()?;
    let (ledger, key) = args.signed.ledger()?;
    let command = Command::Call { to: args.address, input, gas: args.gas };
    let (digest, executed) = ledger.done("call contract", &key, &command)?;
    let mut told = told(&key, &digest, &executed);
    let answer = answer(function.as_ref(), &executed.output)?;
    if let (Some(fields), Value::Object(answer)) = (told.as_object_mut(), answer) {
        fields.extend(answer);
    }
    Ok(told)
}

/// What every transaction's answer says.
fn told(key: &SecretKey, digest: &Digest, executed: &Executed) -> Value {
    json!({
        "transaction": digest,
        "height": executed.height,
        "gas": executed.gas,
        "from": Address::of_key(&key.public()).to_string(),
        "events": executed.events.len(),
    })
}

/// What a contract returned: its bytes, its values where the signature tells types, and text where it is text.
fn answer(function: Option<&Function>, output: &[u8]) -> Result<Value, Fault> {
    let mut told = serde_json::Map::new();
    told.insert("output".into(), Value::String(format!("0x{}", hex::encode(output))));
    if let Some(function) = function.filter(|function| !function.outputs.is_empty()) {
        told.insert("values".into(), Value::Array(abi::outputs(function, output)?));
    }
    let printable = |text: &&str| !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_whitespace());
    if let Some(text) = std::str::from_utf8(output).ok().filter(printable) {
        told.insert("text".into(), Value::String(text.to_owned()));
    }
    Ok(Value::Object(told))
}

fn read(args: &ReadArgs, show: Show) -> Result<(), Fault> {
    let (input, function) = args.input.read()?;
    let call = ReadCall { at: args.at.state(), to: args.address.0, input, gas: args.gas, from: None };
    let read = args.local.ledger()?.call(call)?;
    if let Some(why) = read.refusal {
        return Err(Fault::new(Code::TransactionRefused, "read contract", why));
    }
    let mut told = answer(function.as_ref(), &read.output)?;
    if let Some(fields) = told.as_object_mut() {
        fields.insert("gas".into(), Value::from(read.gas));
    }
    show.value(&told, |told| match told.get("values").and_then(Value::as_array) {
        Some(values) => values.iter().map(word).collect::<Vec<_>>().join("\n"),
        None => ["text", "output"].iter().find_map(|name| told.get(name)).map(word).unwrap_or_default(),
    });
    Ok(())
}

fn registered(args: &ShowArgs) -> Result<Value, Fault> {
    let contract: Option<Contract> = args.local.ledger()?.read(contract_key(&args.address))?;
    let missing = || Fault::new(Code::NotFound, "look for contract", format!("none was deployed at {}", args.address));
    let Contract { machine, deployer, tx, height, code } = contract.ok_or_else(missing)?;
    let machine = match machine {
        Machine::Evm => "evm",
        Machine::Wasm => "wasm",
    };
    Ok(json!({
        "address": args.address.to_string(),
        "machine": machine,
        "deployer": deployer,
        "transaction": tx,
        "height": height,
        "code": code,
    }))
}
