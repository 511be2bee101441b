//! What surrounds an execution: the hard fork, the rules that are switched off, the block and the transaction.

use base_gm::sm3;
use base_types::Digest;
use revm::{
    context::{BlockEnv, CfgEnv, TxEnv},
    primitives::{Address as EvmAddress, B256, Bytes, TxKind, U256, hardfork::SpecId},
};

use super::{database::Sender, leading};
use crate::Env;

/// The hard fork: Osaka, on Ethereum's main network since December 2025. A change of it changes results.
pub(super) const SPEC: SpecId = SpecId::OSAKA;

/// Longest code of a contract, in bytes (EIP-170).
pub const MAX_CODE_SIZE: usize = 24_576;
/// Gas that a transaction's limit must hold for every byte of code that it reads beside that of the contract it calls.
///
/// On Ethereum a cold access costs 2,600 gas whatever the code's length. A node reads, hashes and analyses some 24 KiB in
/// about 0.1 ms, so 400 million gas of a block could keep it busy for 15 s with contracts that its cache cannot hold
/// together. Blocks are bounded by the gas asked for: with this they read at most 100 MB of such code, in less than half a
/// second, and as much again of the contracts that their 4,000 transactions call. The gas that is used stays Ethereum's.
pub const GAS_PER_CODE_BYTE: u64 = 4;
/// Longest code that makes a contract, the constructor's arguments included, in bytes (EIP-3860).
pub const MAX_INITCODE_SIZE: usize = 2 * MAX_CODE_SIZE;

/// A chain's number for the CHAINID instruction and for wallets: the first 6 bytes of its genesis digest, so that it is
/// an exact number in JavaScript too; never 0.
pub fn chain_id(chain: &Digest) -> u64 {
    leading(chain, 6).max(1)
}

/// The nonce that a transaction's sender has while it runs: 63 bits of its digest, so that adding 1 never overflows.
pub(super) fn nonce(tx: &Digest) -> u64 {
    leading(tx, 8) & (u64::MAX >> 1)
}

pub(super) fn config(env: &Env) -> CfgEnv {
    let mut config = CfgEnv::new_with_spec(SPEC);
    config.chain_id = chain_id(&env.chain);
    config.limit_contract_code_size = Some(MAX_CODE_SIZE);
    config.limit_contract_initcode_size = Some(MAX_INITCODE_SIZE);
    // The ledger's own bound on gas was checked before; EIP-7825's is lower.
    config.tx_gas_limit_cap = Some(u64::MAX);
    config.disable_block_gas_limit = true;
    config.disable_nonce_check = true;
    config.disable_balance_check = true;
    config.disable_eip3607 = true;
    config.disable_base_fee = true;
    // Nobody is charged and nobody is rewarded: neither the sender's nor the block's account changes.
    config.disable_fee_charge = true;
    config
}

pub(super) fn block(env: &Env) -> BlockEnv {
    // Known to everybody as soon as the height is: contracts that want randomness must not take it from here.
    let prevrandao = sm3::tagged("heqi/evm/prevrandao/1", &[&env.chain.0, &env.height.to_be_bytes()]);
    BlockEnv {
        number: U256::from(env.height),
        beneficiary: EvmAddress::ZERO,
        timestamp: U256::from(env.time / 1000),
        gas_limit: u64::MAX,
        basefee: 0,
        prevrandao: Some(B256::new(prevrandao.0)),
        ..BlockEnv::default()
    }
}

pub(super) fn transaction(env: &Env, sender: &Sender, kind: TxKind, input: Vec<u8>, gas: u64) -> TxEnv {
    TxEnv {
        caller: EvmAddress::new(sender.address.0),
        gas_limit: gas,
        gas_price: 0,
        kind,
        value: U256::ZERO,
        data: Bytes::from(input),
        nonce: sender.nonce,
        chain_id: Some(chain_id(&env.chain)),
        ..TxEnv::default()
    }
}

#[cfg(test)]
mod tests {
    use revm::primitives::{eip170, eip3860};

    use super::*;

    #[test]
    fn limits_of_code_are_the_forks() {
        let fork = (eip170::MAX_CODE_SIZE, eip3860::MAX_INITCODE_SIZE);
        assert_eq!((MAX_CODE_SIZE, MAX_INITCODE_SIZE), fork);
    }

    #[test]
    fn numbers_that_come_from_digests_keep_their_bounds() {
        assert_eq!(chain_id(&Digest([0; 32])), 1);
        assert_eq!(chain_id(&Digest([0xff; 32])), (1 << 48) - 1);
        assert_eq!(nonce(&Digest([0xff; 32])), u64::MAX / 2);
        let mut digest = [0; 32];
        digest[5] = 7;
        assert_eq!(chain_id(&Digest(digest)), 7);
        assert_eq!(nonce(&Digest(digest)), 7 << 16);
    }
}
