//! The state of any height or root: values with their proofs, and calls that change nothing.

use base_gm::sm2::PublicKey;
use base_types::{Digest, Height};
use base_wire::{wire_enum, wire_struct};
use ledger_light::{Certificate, Header, state::StateProof};
use ledger_vm::{Address, Env, Outcome};

use crate::{
    Certified, Chain, ChainFault,
    ledger::{View, read},
};

/// Which state is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The newest.
    Latest,
    /// That after the block of a height.
    Height(Height),
    /// That of a state root.
    Root(Digest),
}
wire_enum!(At { 0 => Latest, 1 => Height(height), 2 => Root(root) });

/// A value of the state, or its absence, with all that a verifier needs who knows the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The header whose state root covers it: that of the height after the state's.
    pub header: Header,
    /// Its certificate.
    pub certificate: Certificate,
    /// The value, `None` when there is none.
    pub value: Option<Vec<u8>>,
    /// The proof under the header's state root.
    pub proof: StateProof,
}
wire_struct!(Proven { header, certificate, value, proof });

impl Chain {
    /// The height of a state.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when there is no such state here.
    pub fn state_height(&self, at: At) -> Result<Height, ChainFault> {
        self.stored(|ledger| {
            let newest = ledger.state.latest()?.map_or(0, |(height, _)| height);
            match at {
                At::Latest => Ok(newest),
                At::Height(height) if height <= newest => Ok(height),
                At::Height(_) => Err(ChainFault::NotFound("state of that height")),
                At::Root(root) => ledger.state.root_height(&root)?.ok_or(ChainFault::NotFound("state of that root")),
            }
        })
    }

    /// The root of the state after the block of a height.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when there is no such state here.
    pub fn state_root(&self, height: Height) -> Result<Digest, ChainFault> {
        self.state_height(At::Height(height))?;
        self.stored(|ledger| Ok(ledger.state.root_at(height)?))
    }

    /// What a state holds under a key.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when there is no such state here.
    pub fn value(&self, at: At, key: &[u8]) -> Result<Option<Vec<u8>>, ChainFault> {
        if at == At::Latest {
            return self.stored(|ledger| Ok(ledger.state.get(key)?));
        }
        let height = self.state_height(at)?;
        self.stored(|ledger| Ok(ledger.state.get_at(height, key)?))
    }

    /// What a state holds under a key, with its proof. The newest state is covered by no header yet: [`At::Latest`] means
    /// the newest that is.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when there is no such state here, or no header covers it yet.
    pub fn proven(&self, at: At, key: &[u8]) -> Result<Proven, ChainFault> {
        let named = if at == At::Latest { None } else { Some(self.state_height(at)?) };
        self.stored(|ledger| {
            let height = named.unwrap_or_else(|| self.height().saturating_sub(1));
            let covering = ledger.header(height.saturating_add(1))?;
            let Certified { header, certificate, .. } = covering.ok_or(ChainFault::NotFound("header of that state"))?;
            let value = ledger.state.get_at(height, key)?;
            Ok(Proven { header, certificate, value, proof: ledger.state.proof_at(height, key)? })
        })
    }

    /// Calls a contract on a state and changes nothing. Without a key the caller is the first validator's node.
    ///
    /// # Errors
    /// [`ChainFault::NotFound`] when there is no such state here; what the contract refuses is in the outcome.
    pub fn call(
        &self,
        at: At,
        from: Option<&PublicKey>,
        to: Address,
        input: &[u8],
        gas: u64,
    ) -> Result<Outcome, ChainFault> {
        let height = self.state_height(at)?;
        if height < self.ledger.state.oldest()? {
            return Err(ChainFault::NotFound("state of that height any more"));
        }
        let view = View { state: &self.ledger.state, height };
        let first = self.ledger.genesis.epoch.validators.first().map(|validator| validator.key);
        let key = from.copied().or(first).ok_or(ChainFault::NotFound("caller"))?;
        let sender = self.ledger.genesis.members.iter().find(|member| member.key == key).cloned();
        let sender = match sender {
            Some(sender) => sender,
            None => self.member(&key)?.ok_or(ChainFault::NotFound("member of that key"))?,
        };
        let time = self.ledger.header(height)?.map_or(self.ledger.genesis.time, |newest| newest.header.time);
        let env = Env { chain: self.ledger.chain, height, time, tx: Digest::default(), sender };
        let outcome = self.ledger.machines.call(&view, &env, to, input, gas);
        // What the contract read may have been pruned meanwhile, or replaced: then it is no damage.
        if height < self.ledger()?.state.oldest()? {
            return Err(ChainFault::NotFound("state of that height any more"));
        }
        Ok(outcome?)
    }

    /// A header and its certificate.
    ///
    /// # Errors
    /// [`ChainFault`] when storage cannot be read.
    pub fn header(&self, height: Height) -> Result<Option<Certified>, ChainFault> {
        self.stored(|ledger| ledger.header(height))
    }

    /// A value of the newest state, decoded.
    ///
    /// # Errors
    /// [`ChainFault::Damaged`] when it is no such value.
    pub fn read<T: base_wire::Decode>(&self, key: &[u8]) -> Result<Option<T>, ChainFault> {
        let row = self.value(At::Latest, key)?;
        row.map(|row| read(&row, "value of the state")).transpose()
    }
}
