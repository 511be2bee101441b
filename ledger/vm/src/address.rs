//! Where contracts and callers stand: 20 bytes, as on Ethereum, so that its tools and its machine fit.

use std::fmt;

use base_gm::{sm2::PublicKey, sm3};
use base_types::Digest;
use base_wire::{Decode, Encode, Reader, WireError};

/// An address of a contract or a caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 20]);

impl Address {
    fn of_digest(digest: &Digest) -> Self {
        let mut address = [0; 20];
        address.iter_mut().zip(digest.0.iter().skip(12)).for_each(|(to, from)| *to = *from);
        Self(address)
    }

    /// The address of a member's key: the last 20 bytes of SM3 of `x‖y`.
    pub fn of_key(key: &PublicKey) -> Self {
        Self::of_digest(&sm3::sm3(&key.to_bytes()))
    }

    /// The address of the contract that a transaction makes, on machines that leave it to the ledger.
    pub fn of_deployment(tx: &Digest) -> Self {
        Self::of_digest(&sm3::tagged("heqi/contract/1", &[&tx.0]))
    }
}

/// The address of the n-th native contract.
pub fn native_address(n: u8) -> Address {
    let mut address = [0; 20];
    address.iter_mut().zip(b"heqi").for_each(|(to, from)| *to = *from);
    if let Some(last) = address.last_mut() {
        *last = n;
    }
    Address(address)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an address is 0x and 40 hexadecimal digits")]
pub struct AddressForm;

impl std::str::FromStr for Address {
    type Err = AddressForm;
    fn from_str(text: &str) -> Result<Self, AddressForm> {
        let digits = text.strip_prefix("0x").filter(|d| d.len() == 40 && d.is_ascii()).ok_or(AddressForm)?;
        let mut address = [0; 20];
        for (byte, pair) in address.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| AddressForm)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| AddressForm)?;
        }
        Ok(Self(address))
    }
}

impl Encode for Address {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Address {
    const MIN_BYTES: usize = 20;
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self(input.array("address")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_from_their_text() {
        let address = Address::of_deployment(&Digest([7; 32]));
        assert_eq!(address.to_string().parse(), Ok(address));
        for bad in [
            "",
            "0x",
            "0x12",
            "12345678901234567890123456789012345678901234",
            "0xzz00000000000000000000000000000000000000",
        ] {
            assert_eq!(bad.parse::<Address>(), Err(AddressForm), "{bad}");
        }
    }
}
