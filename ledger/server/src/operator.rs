//! The chain's operator: backups and further disks for who shows the node's token.

use std::path::PathBuf;

use async_trait::async_trait;
use base_gm::sm3::sm3;
use base_types::{
    Digest,
    fault::{Code, Fault},
};
use base_wire::Encode;
use ledger_chain::{Chain, ChainFault};
use ledger_rpc::OperatorHandler;

const BACKUP: &str = "backup";
const ADD_DISK: &str = "add disk";

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

impl Operator {
    /// The folder that a request names, if the token it shows is the node's.
    fn admit(&self, step: &str, token: &str, folder: &str) -> Result<PathBuf, Fault> {
        if !same(&sm3(token.as_bytes()), &self.token) {
            return Err(Fault::new(Code::NotAllowed, step, "that is not the token of the node's folder"));
        }
        let folder = PathBuf::from(folder);
        if !folder.is_absolute() {
            return Err(Fault::new(Code::BadRequest, step, "the folder is no absolute path"));
        }
        Ok(folder)
    }
}

#[async_trait]
impl OperatorHandler for Operator {
    async fn backup(&self, token: &str, folder: &str) -> Result<Vec<u8>, Fault> {
        let folder = self.admit(BACKUP, token, folder)?;
        let chain = self.chain.clone();
        let made = tokio::task::spawn_blocking(move || chain.backup(&folder)).await;
        let made = made.map_err(|why| Fault::new(Code::Internal, BACKUP, why.to_string()))?;
        Ok(made.map_err(|fault| fault.fault(BACKUP))?.to_wire())
    }

    async fn add_disk(&self, token: &str, folder: &str, bytes: u64) -> Result<Vec<u8>, Fault> {
        let folder = self.admit(ADD_DISK, token, folder)?;
        if bytes == 0 {
            return Err(Fault::new(Code::BadRequest, ADD_DISK, "nothing could be put there"));
        }
        let chain = self.chain.clone();
        let added = tokio::task::spawn_blocking(move || chain.add_disk(&folder, bytes).map(|()| chain.disks())).await;
        let added = added.map_err(|why| Fault::new(Code::Internal, ADD_DISK, why.to_string()))?;
        let disks = added.map_err(|fault| match fault {
            // The storage is as before: what was asked for does not fit.
            ChainFault::Storage(why) => Fault::new(Code::BadRequest, ADD_DISK, why),
            other => other.fault(ADD_DISK),
        })?;
        Ok(disks.to_wire())
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
