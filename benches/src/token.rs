//! The ERC-20 token that is moved: its code, and the words that its functions are called with.

use anyhow::{Context, ensure};
use base_gm::sm3::tagged;
use ledger_vm::{Address, Command, Machine};

/// Compiled by a stock compiler from `ledger/vm/tests/contracts/Token.sol`.
const CODE: &str = include_str!("../../ledger/vm/tests/contracts/Token.hex");
/// The first bytes of keccak256 of `transfer(address,uint256)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// The first bytes of keccak256 of `balanceOf(address)`.
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];

/// Most gas of a transfer or a read.
pub const GAS: u64 = 100_000;
/// Most gas of the deployment.
const DEPLOY_GAS: u64 = 16_000_000;
/// What the maker has at first.
const SUPPLY: u64 = 1_000_000_000_000_000_000;
/// What each sender is given.
pub const GRANT: u64 = 100_000_000_000;

fn word(value: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

/// An address as a word of a call.
pub fn address_word(address: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

fn text_words(text: &str) -> Vec<u8> {
    let mut words = [&word(text.len() as u64)[..], text.as_bytes()].concat();
    words.resize(words.len().next_multiple_of(32), 0);
    words
}

/// Deploys the token; its whole supply belongs to the sender.
///
/// # Errors
/// When the code in the tree is not hexadecimal.
pub fn deployment() -> anyhow::Result<Command> {
    let code = hex::decode(CODE.trim()).context("the token's code")?;
    let (name, symbol) = (text_words("Bench"), text_words("BNC"));
    let head = [word(0x60), word(0x60 + name.len() as u64), word(SUPPLY)].concat();
    Ok(Command::Deploy { machine: Machine::Evm, code, input: [head, name, symbol].concat(), gas: DEPLOY_GAS })
}

/// Moves tokens of the sender.
pub fn transfer(token: Address, to: &Address, value: u64) -> Command {
    let input = [&TRANSFER[..], &address_word(to), &word(value)].concat();
    Command::Call { to: token, input, gas: GAS }
}

/// The input that asks what an address holds.
pub fn balance_of(holder: &Address) -> Vec<u8> {
    [&BALANCE_OF[..], &address_word(holder)].concat()
}

/// The number in a word that a contract returned.
///
/// # Errors
/// When it is no word, or more than 64 bits.
pub fn number(output: &[u8]) -> anyhow::Result<u64> {
    ensure!(
        output.len() == 32 && output[..24].iter().all(|byte| *byte == 0),
        "{} is no small number",
        hex::encode(output)
    );
    let (_, low) = output.split_last_chunk::<8>().context("a word")?;
    Ok(u64::from_be_bytes(*low))
}

/// A recipient by number: 20 bytes as good as random, of whom nobody has the key.
pub fn recipient(number: u32) -> Address {
    let mut address = [0; 20];
    address.copy_from_slice(&tagged("heqi/bench-recipient/1", &[&number.to_be_bytes()]).0[..20]);
    Address(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_ethereum_encodes_them() {
        assert_eq!(number(&word(77)).expect("a number"), 77);
        assert!(number(&[1; 32]).is_err() && number(&[]).is_err());
        assert_eq!(text_words("abc").len(), 64);
        let Command::Call { input, .. } = transfer(Address([1; 20]), &Address([2; 20]), 3) else { panic!("a call") };
        assert_eq!(input.len(), 68);
        assert_eq!((&input[..4], &input[16..36], input[67]), (&TRANSFER[..], &[2; 20][..], 3));
    }
}
