//! What a transaction carries: a notary entry, or a command to a contract.
//!
//! A command begins with [`MARK`], which no subject of an entry begins with but by a chance of 2^-64; so entries keep the
//! form that they had before there were contracts.

use base_wire::{Decode, Encode, wire_enum};

use crate::{Address, MAX_GAS, Machine, native_address};

/// The first bytes of a command.
pub const MARK: [u8; 8] = *b"heqi/cmd";

/// A command to a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make a contract.
    Deploy {
        /// The machine it runs on.
        machine: Machine,
        /// Its code, as the compiler gave it.
        code: Vec<u8>,
        /// What its constructor is given.
        input: Vec<u8>,
        /// Most gas it may use.
        gas: u64,
    },
    /// Call a contract.
    Call {
        /// Which.
        to: Address,
        /// What it is given.
        input: Vec<u8>,
        /// Most gas it may use.
        gas: u64,
    },
}
wire_enum!(Command { 0 => Deploy { machine, code, input, gas }, 1 => Call { to, input, gas } });

/// The native contracts, by the last byte of their address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativeContract {
    /// Keeps the entries about data and its use.
    Notary = 1,
    /// Changes the chain's own rules and members.
    Government = 2,
}

impl NativeContract {
    /// Where it stands.
    pub fn address(self) -> Address {
        native_address(self as u8)
    }
}

/// The payload of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A notary entry's encoding.
    Entry(&'a [u8]),
    /// A command.
    Command(Command),
    /// It begins as a command and is none.
    Malformed,
}

impl<'a> Payload<'a> {
    /// Reads a transaction's payload.
    pub fn parse(bytes: &'a [u8]) -> Self {
        match bytes.strip_prefix(&MARK) {
            None => Self::Entry(bytes),
            Some(command) => Command::from_wire(command).map_or(Self::Malformed, Self::Command),
        }
    }
}

impl Command {
    /// The payload that carries this command.
    pub fn to_payload(&self) -> Vec<u8> {
        let mut out = MARK.to_vec();
        self.encode(&mut out);
        out
    }
}

/// Gas that a transaction's payload may use. What asks for more than any may is refused before it runs, and costs nothing.
pub fn gas_of(payload: &[u8]) -> u64 {
    match Payload::parse(payload) {
        Payload::Command(Command::Deploy { gas, .. } | Command::Call { gas, .. }) if gas <= MAX_GAS => gas,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_back_and_entries_stay_what_they_are() {
        let command = Command::Call { to: NativeContract::Notary.address(), input: vec![1, 2], gas: 7 };
        let bytes = command.to_payload();
        assert_eq!(Payload::parse(&bytes), Payload::Command(command));
        assert_eq!(Payload::parse(&bytes[..bytes.len() - 1]), Payload::Malformed);
        assert_eq!(Payload::parse(&[7; 50]), Payload::Entry(&[7; 50]));
        assert_ne!(NativeContract::Notary.address(), NativeContract::Government.address());
    }
}
