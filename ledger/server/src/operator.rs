//! The chain's operator: backups for who shows the node's token.

use std::path::PathBuf;

use async_trait::async_trait;
use base_gm::sm3::sm3;
use base_types::{
    Digest,
    fault::{Code, Fault},
};
use base_wire::Encode;
use ledger_chain::Chain;
use ledger_rpc::OperatorHandler;

const STEP: &str = "backup";

/// Does what the operator asks.
pub(crate) struct Operator {
    pub(crate) chain: Chain,
    /// SM3 of the token.
    pub(crate) token: Digest,
}

/// Whether two digests are one; takes the same time wherever they differ.
fn same(one: &Digest, other: &Digest) -> bool {
    one.0.iter().zip(&other.0).fold(0u8, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[async_trait]
impl OperatorHandler for Operator {
    async fn backup(&self, token: &str, folder: &str) -> Result<Vec<u8>, Fault> {
        if !same(&sm3(token.as_bytes()), &self.token) {
            return Err(Fault::new(Code::NotAllowed, STEP, "that is not the token of the node's folder"));
        }
        let (chain, folder) = (self.chain.clone(), PathBuf::from(folder));
        if !folder.is_absolute() {
            return Err(Fault::new(Code::BadRequest, STEP, "the folder is no absolute path"));
        }
        let made = tokio::task::spawn_blocking(move || chain.backup(&folder)).await;
        let made = made.map_err(|why| Fault::new(Code::Internal, STEP, why.to_string()))?;
        Ok(made.map_err(|fault| fault.fault(STEP))?.to_wire())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_makes_another_digest() {
        let token = sm3(b"token");
        assert!(same(&token, &sm3(b"token")));
        for at in 0..32 {
            let mut other = token;
            other.0[at] ^= 1 << (at % 8);
            assert!(!same(&token, &other));
        }
    }
}
