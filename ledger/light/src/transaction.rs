//! A signed transaction.

use base_gm::{
    sm2::{self, PublicKey, SecretKey, Signature},
    sm3,
};
use base_types::{Digest, Height};
use base_wire::wire_struct;
use thiserror::Error;

/// One signed request to change the ledger's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The chain's genesis digest: no other chain accepts it.
    pub chain: Digest,
    /// The sender's key; must belong to a member.
    pub sender: PublicKey,
    /// Chosen at random, so that equal payloads differ.
    pub nonce: [u8; 16],
    /// Last height at which it may be executed.
    pub valid_until: Height,
    /// What the native contract executes.
    pub payload: Vec<u8>,
    /// Over all of the above.
    pub signature: Signature,
}
wire_struct!(Transaction { chain, sender, nonce, valid_until, payload, signature });

/// Why a transaction is refused before execution.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransactionFault {
    /// Signed for another chain.
    #[error("the transaction is for another chain")]
    OtherChain,
    /// The signature is not the sender's over these bytes.
    #[error("the transaction's signature is wrong")]
    BadSignature,
}

/// The purpose of a transaction's digest.
const NAME: &str = "heqi/transaction/1";

fn signed_bytes(chain: &Digest, sender: &PublicKey, nonce: &[u8; 16], valid_until: Height, payload: &[u8]) -> Digest {
    sm3::tagged(NAME, &[&chain.0, &sender.to_bytes(), nonce, &valid_until.to_be_bytes(), payload])
}

impl Transaction {
    /// Signs a payload.
    pub fn sign(chain: Digest, key: &SecretKey, nonce: [u8; 16], valid_until: Height, payload: Vec<u8>) -> Self {
        let sender = key.public();
        let message = signed_bytes(&chain, &sender, &nonce, valid_until, &payload);
        let signature = key.sign(&message.0);
        Self { chain, sender, nonce, valid_until, payload, signature }
    }

    /// Names the transaction: the digest of what is signed, so that a signature's form cannot rename it.
    pub fn digest(&self) -> Digest {
        let Self { chain, sender, nonce, valid_until, payload, signature: _ } = self;
        signed_bytes(chain, sender, nonce, *valid_until, payload)
    }

    /// The names of many transactions, in their order.
    pub fn digests(transactions: &[Self]) -> Vec<Digest> {
        let mut many = sm3::Many::new();
        for Self { chain, sender, nonce, valid_until, payload, signature: _ } in transactions {
            let until = valid_until.to_be_bytes();
            many.tagged(NAME, &[&chain.0[..], &sender.to_bytes(), nonce, &until, payload]);
        }
        many.digests()
    }

    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        let Self { chain, sender: _, nonce, valid_until: _, payload, signature: _ } = self;
        // The payload's length takes four bytes, the height eight, key and signature 64 each.
        chain.0.len() + nonce.len() + payload.len() + 4 + 8 + 64 + 64
    }

    /// Checks chain and signature where the digest is known.
    ///
    /// # Errors
    /// [`TransactionFault`].
    pub fn verify_named(&self, chain: &Digest, digest: &Digest) -> Result<(), TransactionFault> {
        if &self.chain != chain {
            return Err(TransactionFault::OtherChain);
        }
        sm2::verify(&self.sender, &digest.0, &self.signature).map_err(|_| TransactionFault::BadSignature)
    }

    /// Checks chain and signature; answers with the digest.
    ///
    /// # Errors
    /// [`TransactionFault`].
    pub fn verify(&self, chain: &Digest) -> Result<Digest, TransactionFault> {
        let digest = self.digest();
        self.verify_named(chain, &digest).map(|()| digest)
    }
}
