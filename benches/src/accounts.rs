//! A contract that gives every recipient one token, many in a call, so that accounts are there before anything is measured.

use anyhow::{Context, ensure};
use base_types::Height;
use futures::{StreamExt, TryStreamExt, stream};
use ledger_light::Transaction;
use ledger_vm::{Address, Command, Machine};

use crate::{
    clients::Clients,
    sign::{LIFE, nonce},
    token::{address_word, recipient, transfer},
    world::{VALIDATORS, World},
};

/// Copies what follows it into the contract: `PUSH1 len, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN`, one byte to spare.
const PREFIX: [u8; 10] = [0x60, CODE.len() as u8, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3, 0x00];
/// The call's words are the token's address, then addresses: `transfer(address, 1)` of the token for each of these.
const CODE: [u8; 57] = [
    // Memory: the selector of `transfer(address,uint256)` at 0, room for the address at 4, the word 1 at 36.
    0x63, 0xa9, 0x05, 0x9c, 0xbb, 0x60, 0xe0, 0x1b, 0x5f, 0x52, 0x60, 0x01, 0x60, 0x24, 0x52, //
    // At 15, the place of the first address: 32. At 17, `while place < CALLDATASIZE`.
    0x60, 0x20, 0x5b, 0x36, 0x81, 0x10, 0x60, 0x19, 0x57, 0x00, //
    // At 25: the address goes into memory, the token is called, and what it refuses reverts everything.
    0x5b, 0x80, 0x35, 0x60, 0x04, 0x52, 0x5f, 0x5f, 0x60, 0x44, 0x5f, 0x5f, 0x5f, 0x35, 0x5a, 0xf1, //
    0x15, 0x60, 0x35, 0x57, //
    // At 45: the next place.
    0x60, 0x20, 0x01, 0x60, 0x11, 0x56, 0x00, 0x00, //
    // At 53: revert.
    0x5b, 0x5f, 0x5f, 0xfd,
];
/// Gas of the deployment, and of a call: about 27,000 an account.
const DEPLOY_GAS: u64 = 1_000_000;
const CALL_GAS: u64 = 12_000_000;
/// Accounts of a call, and calls under way: a block has room for the gas of 33.
const EACH: u32 = 400;
const AT_ONCE: usize = 64;

/// Gives each of `recipients` one token of the developer's; the height after which all have it.
///
/// # Errors
/// When a transaction is refused, or a validator does not answer.
pub async fn open(clients: &Clients, world: &World, token: Address, recipients: u32) -> anyhow::Result<Height> {
    let until = clients.height().await? + LIFE;
    let sign = |name: &str, at: u64, command: Command| {
        Transaction::sign(world.chain, &world.developer, nonce(name, at), until, command.to_payload())
    };
    let code = [&PREFIX[..], &CODE].concat();
    let deploy = Command::Deploy { machine: Machine::Evm, code, input: Vec::new(), gas: DEPLOY_GAS };
    let made = clients.submit(0, &sign("disperse", 0, deploy)).await?;
    let giver = made.contract.context("no contract was made")?;
    clients.submit(0, &sign("disperse", 1, transfer(token, &giver, u64::from(recipients)))).await?;
    let calls = (0..recipients).step_by(EACH as usize).map(|first| {
        let to =
            (first..recipients.min(first.saturating_add(EACH))).flat_map(|number| address_word(&recipient(number)));
        let input = address_word(&token).into_iter().chain(to).collect();
        let call = sign("open", u64::from(first), Command::Call { to: giver, input, gas: CALL_GAS });
        let at = (first / EACH) as usize % VALIDATORS;
        async move { clients.submit(at, &call).await }
    });
    let ended: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).try_collect().await?;
    ensure!(!ended.is_empty(), "there are no recipients");
    Ok(ended.iter().map(|executed| executed.height).max().unwrap_or(0))
}
