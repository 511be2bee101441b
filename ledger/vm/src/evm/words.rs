//! Why an execution ended, in words that stay the same when revm's own change.

use revm::context::result::{HaltReason, InvalidTransaction};

use super::environment::{MAX_CODE_SIZE, MAX_INITCODE_SIZE};

/// Longest reason of a contract's own that is repeated, in characters.
const MAX_REASON: usize = 256;
/// Selector of `Error(string)`, which `require` and `revert` of Solidity send.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// Selector of `Panic(uint256)`, which Solidity's own checks send.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// What a contract said while it reverted. A reason of its own never reads like one of the machine's.
pub(super) fn reason(output: &[u8]) -> String {
    let said = match output.split_first_chunk::<4>() {
        Some((&ERROR, rest)) => text(rest),
        Some((&PANIC, rest)) => panic_words(rest),
        _ => None,
    };
    said.map_or_else(|| "reverted".to_owned(), |said| format!("reverted: {said}"))
}

/// The one `string` that an ABI encoding holds, without control characters, cut to [`MAX_REASON`].
fn text(encoded: &[u8]) -> Option<String> {
    let start = number(encoded, 0)?;
    let len = number(encoded, start)?;
    let from = start.checked_add(32)?;
    let bytes = encoded.get(from..from.checked_add(len)?)?;
    let said = std::str::from_utf8(bytes).ok()?;
    let said: String = said.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
    (!said.is_empty()).then_some(said)
}

/// The 32-byte word at `at`, if it is there and small enough to be a place or a length.
fn number(encoded: &[u8], at: usize) -> Option<usize> {
    let word = encoded.get(at..at.checked_add(32)?)?;
    let (high, low) = word.split_last_chunk::<4>()?;
    let small = high.iter().all(|byte| *byte == 0);
    usize::try_from(u32::from_be_bytes(*low)).ok().filter(|_| small)
}

/// The panic codes of Solidity's documentation, "Panic via assert and Error via require".
fn panic_words(encoded: &[u8]) -> Option<String> {
    let code = number(encoded, 0).filter(|_| encoded.len() == 32)?;
    let words = match code {
        0x01 => "an assertion does not hold",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "no such value of the enumeration",
        0x22 => "damaged byte array in storage",
        0x31 => "pop of an empty array",
        0x32 => "index out of bounds",
        0x41 => "too much memory",
        0x51 => "call of an unset function",
        _ => "panic",
    };
    Some(format!("{words} (0x{code:02x})"))
}

/// Why a transaction ended that reads code of many contracts.
pub(super) const TOO_MUCH_CODE: &str = "more code of other contracts is read than the gas limit covers";

/// Why code that would make a contract does not run.
pub(super) fn initcode_too_long() -> String {
    format!("the code that makes the contract is longer than {MAX_INITCODE_SIZE} bytes with its arguments")
}

/// Why the machine stopped a contract.
pub(super) fn halted(reason: &HaltReason) -> String {
    let words = match reason {
        HaltReason::OutOfGas(_) => "out of gas",
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "unknown instruction",
        HaltReason::InvalidFEOpcode => "invalid instruction",
        HaltReason::InvalidJump => "jump to no destination",
        HaltReason::StackUnderflow => "stack underflow",
        HaltReason::StackOverflow => "stack overflow",
        HaltReason::OutOfOffset => "read beyond the returned data",
        HaltReason::CreateCollision => "the new contract's address is taken",
        HaltReason::PrecompileError | HaltReason::PrecompileErrorWithContext(_) => "a precompiled contract failed",
        HaltReason::NonceOverflow => "nonce overflow",
        HaltReason::CreateContractSizeLimit => return format!("the contract is longer than {MAX_CODE_SIZE} bytes"),
        HaltReason::CreateContractStartingWithEF => "the contract starts with the byte 0xef",
        HaltReason::CreateInitCodeSizeLimit => return initcode_too_long(),
        HaltReason::OverflowPayment => "balance overflow",
        HaltReason::StateChangeDuringStaticCall => "change of state in a static call",
        HaltReason::CallNotAllowedInsideStatic => "payment in a static call",
        HaltReason::OutOfFunds => "balance too low",
        HaltReason::CallTooDeep => "calls are too deep",
    };
    words.to_owned()
}

/// Why the machine did not begin.
pub(super) fn refused(why: &InvalidTransaction) -> String {
    let words = match why {
        InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
        | InvalidTransaction::GasFloorMoreThanGasLimit { .. } => "the gas does not cover the transaction itself",
        InvalidTransaction::CreateInitCodeSizeLimit => return initcode_too_long(),
        _ => "the machine refuses the transaction",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(value: u64) -> [u8; 32] {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&value.to_be_bytes());
        word
    }

    fn error(start: u64, len: u64, bytes: &[u8]) -> Vec<u8> {
        [&ERROR[..], &word(start), &word(len), bytes].concat()
    }

    #[test]
    fn reasons_are_read_and_what_is_none_is_plainly_reverted() {
        assert_eq!(reason(&error(32, 3, b"low")), "reverted: low");
        assert_eq!(reason(&error(32, 3, &[b'l', 0x1b, b'w', 0, 0])), "reverted: lw");
        assert_eq!(reason(&error(32, 300, &[b'x'; 300])).len(), "reverted: ".len() + MAX_REASON);
        assert_eq!(reason(&[&PANIC[..], &word(0x11)].concat()), "reverted: arithmetic overflow (0x11)");
        assert_eq!(reason(&[&PANIC[..], &word(0x99)].concat()), "reverted: panic (0x99)");
        let bad = [
            vec![],
            ERROR.to_vec(),
            vec![1, 2, 3, 4, 5],
            error(32, 0, b""),
            error(32, 4, b"low"),
            error(33, 3, b"low"),
            error(u64::MAX, 3, b"low"),
            error(32, u64::from(u32::MAX), b"low"),
            error(32, 1, &[0xff]),
            [&ERROR[..], &[0xff; 64]].concat(),
            [&PANIC[..], &[0xff; 32]].concat(),
            [&PANIC[..], &word(1), &[0]].concat(),
        ];
        for bytes in bad {
            assert_eq!(reason(&bytes), "reverted", "{bytes:02x?}");
        }
    }
}
