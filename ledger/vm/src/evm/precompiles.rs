//! Contracts that are part of the machine: the hard fork's own, and SM3 and SM2 at fixed addresses.

use std::sync::LazyLock;

use base_gm::{sm2, sm3};
use revm::{
    handler::EthPrecompiles,
    precompile::{
        Precompile, PrecompileHalt, PrecompileId, PrecompileOutput, PrecompileResult, PrecompileSpecId, Precompiles,
        calc_linear_cost, u64_to_address,
    },
    primitives::Bytes,
};

use super::environment::SPEC;
use crate::Address;

const SM3_NUMBER: u64 = 0x1_0001;
const SM2_VERIFY_NUMBER: u64 = 0x1_0002;

/// SM3 (GB/T 32905) of the input, 32 bytes. Gas: 60 and 12 for every 32 bytes begun, as SHA-256 has.
pub const SM3: Address = numbered(SM3_NUMBER);

/// Verifies an SM2 signature (GB/T 32918) under the identity of GM/T 0009. Input: the public key `x‖y`, the signature
/// `r‖s`, 64 bytes each, and the message itself, which the machine hashes with the key. Output: 1 in 32 bytes, or no
/// bytes when the signature is not good or the input has no such form, as P256VERIFY answers (EIP-7951).
/// Gas: 5000 and 12 for every 32 bytes of message begun.
pub const SM2_VERIFY: Address = numbered(SM2_VERIFY_NUMBER);

const fn numbered(number: u64) -> Address {
    Address(u64_to_address(number).into_array())
}

static ALL: LazyLock<Precompiles> = LazyLock::new(|| {
    let mut all = Precompiles::new(PrecompileSpecId::from_spec_id(SPEC)).clone();
    all.extend([
        Precompile::new(PrecompileId::custom("SM3"), u64_to_address(SM3_NUMBER), hash),
        Precompile::new(PrecompileId::custom("SM2VERIFY"), u64_to_address(SM2_VERIFY_NUMBER), verify),
    ]);
    all
});

/// All of them, as revm takes them.
pub(super) fn all() -> EthPrecompiles {
    EthPrecompiles { precompiles: LazyLock::force(&ALL), spec: SPEC }
}

fn hash(input: &[u8], gas_limit: u64, reservoir: u64) -> PrecompileResult {
    let cost = calc_linear_cost(input.len(), 60, 12);
    answer(cost, gas_limit, reservoir, || Bytes::copy_from_slice(&sm3::sm3(input).0))
}

fn verify(input: &[u8], gas_limit: u64, reservoir: u64) -> PrecompileResult {
    let cost = calc_linear_cost(input.len().saturating_sub(128), 5000, 12);
    answer(cost, gas_limit, reservoir, || {
        let mut one = [0; 32];
        one[31] = 1;
        if is_signed(input) { Bytes::copy_from_slice(&one) } else { Bytes::new() }
    })
}

/// Works only when the gas covers it.
fn answer(cost: u64, gas_limit: u64, reservoir: u64, work: impl FnOnce() -> Bytes) -> PrecompileResult {
    if cost > gas_limit {
        return Ok(PrecompileOutput::halt(PrecompileHalt::OutOfGas, reservoir));
    }
    Ok(PrecompileOutput::new(cost, work(), reservoir))
}

fn is_signed(input: &[u8]) -> bool {
    let Some((key, rest)) = input.split_first_chunk::<64>() else { return false };
    let Some((signature, message)) = rest.split_first_chunk::<64>() else { return false };
    let Ok(key) = sm2::PublicKey::from_bytes(key) else { return false };
    let Ok(signature) = sm2::Signature::from_bytes(signature) else { return false };
    sm2::tables().verify_apart(&key, message, &signature).is_ok()
}
