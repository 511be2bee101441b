//! The command line's way to the ledger itself: asks the node of a folder over gRPC, and signs commands with a person's key.

use std::fs;

use base_gm::sm2::SecretKey;
use base_rt::{Entropy, OsEntropy};
use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use base_wire::{Decode, Encode};
use futures::StreamExt;
use ledger_chain::{Backup, Certified, Executed, Proven};
use ledger_light::{Genesis, Handover, Transaction};
use ledger_rpc::{Happening, LedgerClient, ReadCall, StateAt, Subscription};
use ledger_vm::{Command, notary::Entry};
use tokio::runtime::{Builder, Runtime};

use crate::{config::Folder, wiring::journal::LIFE};

/// The ledger of the node that runs in a folder.
pub struct Ledger {
    client: LedgerClient,
    runtime: Runtime,
    chain: Digest,
}

/// What a call that changes nothing led to.
pub struct Answer {
    /// Why the contract refused it.
    pub refusal: Option<String>,
    /// Gas that it used.
    pub gas: u64,
    /// What the contract returned.
    pub output: Vec<u8>,
}

fn decoded<T: Decode>(what: &str, bytes: &[u8]) -> Result<T, Fault> {
    T::from_wire(bytes).map_err(|why| Fault::new(Code::PeerMisbehaved, format!("read {what}"), why.to_string()))
}

fn accepted(step: &str, sent: (Digest, Executed)) -> Result<(Digest, Executed), Fault> {
    match &sent.1.refusal {
        Some(why) => Err(Fault::new(Code::TransactionRefused, step, why.clone())),
        None => Ok(sent),
    }
}

impl Ledger {
    /// The ledger of a folder's node; connects with the first question.
    ///
    /// # Errors
    /// [`Code::PeerGone`] when no node has run in the folder, [`Code::NotFound`] when it is no node's folder.
    pub fn open(folder: &Folder) -> Result<Self, Fault> {
        let chain = folder.read_genesis()?.digest();
        let address = fs::read_to_string(folder.ledger_address()).map_err(|why| {
            let why = format!("the node's ledger does not answer ({why}); is `heqi node` running?");
            Fault::new(Code::PeerGone, "find the node", why)
        })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|why| Fault::new(Code::Internal, "connect", why.to_string()))?;
        let client = runtime.block_on(async { LedgerClient::plain(address.trim()) })?;
        Ok(Self { client, runtime, chain })
    }

    /// The newest height and the state root after it.
    ///
    /// # Errors
    /// The node's fault; [`Code::PeerMisbehaved`] when it runs another chain than the folder's.
    pub fn status(&self) -> Result<(Height, Digest), Fault> {
        let status = self.runtime.block_on(self.client.status())?;
        let (chain, newest): (Digest, (Height, Digest)) = decoded("status", &status)?;
        if chain != self.chain {
            return Err(Fault::new(Code::PeerMisbehaved, "find the node", "the node runs another chain"));
        }
        Ok(newest)
    }

    /// Signs a command, sends it, and waits until it is executed; answers with its digest and what became of it. The
    /// signature is for the chain of the folder's genesis, whatever the node says.
    ///
    /// # Errors
    /// The node's fault; a contract's refusal is in what became of it.
    pub fn send(&self, key: &SecretKey, command: &Command) -> Result<(Digest, Executed), Fault> {
        self.submit(key, command.to_payload())
    }

    /// Signs a notary entry, sends it, and waits until it is executed; a refusal is a fault.
    ///
    /// # Errors
    /// The node's fault, or [`Code::TransactionRefused`] with the reason.
    pub fn enter(&self, step: &str, key: &SecretKey, entry: &Entry) -> Result<(Digest, Executed), Fault> {
        accepted(step, self.submit(key, entry.to_wire())?)
    }

    fn submit(&self, key: &SecretKey, payload: Vec<u8>) -> Result<(Digest, Executed), Fault> {
        let (height, _) = self.status()?;
        let mut nonce = [0; 16];
        OsEntropy.fill(&mut nonce);
        let until = height.saturating_add(LIFE);
        let transaction = Transaction::sign(self.chain, key, nonce, until, payload);
        let digest = transaction.digest();
        let submitted = self.runtime.block_on(self.client.submit(transaction.to_wire()))?;
        Ok((digest, decoded("outcome", &submitted.outcome)?))
    }

    /// The same, where a refusal is a fault.
    ///
    /// # Errors
    /// The node's fault, or [`Code::TransactionRefused`] with the reason.
    pub fn done(&self, step: &str, key: &SecretKey, command: &Command) -> Result<(Digest, Executed), Fault> {
        accepted(step, self.send(key, command)?)
    }

    /// A header and its certificate, neither of them verified.
    ///
    /// # Errors
    /// The node's fault, or [`Code::NotFound`].
    pub fn header(&self, height: Height) -> Result<Certified, Fault> {
        let found = self.runtime.block_on(self.client.header(height))?;
        let found = found.ok_or_else(|| Fault::new(Code::NotFound, "read header", format!("no header {height}")))?;
        decoded("header", &found)
    }

    /// The genesis that the node tells, and the handovers to later epochs; nothing of it is verified.
    ///
    /// # Errors
    /// The node's fault.
    pub fn epochs(&self) -> Result<(Genesis, Vec<Handover>), Fault> {
        decoded("epochs", &self.runtime.block_on(self.client.epochs())?)
    }

    /// Calls a contract and changes nothing.
    ///
    /// # Errors
    /// The node's fault.
    pub fn call(&self, call: ReadCall) -> Result<Answer, Fault> {
        let answer = self.runtime.block_on(self.client.call(call))?;
        let (refusal, (gas, output)): (Option<String>, (u64, Vec<u8>)) = decoded("answer", &answer)?;
        Ok(Answer { refusal, gas, output })
    }

    /// What a state holds under a key.
    ///
    /// # Errors
    /// The node's fault.
    pub fn value(&self, at: StateAt, key: Vec<u8>) -> Result<Option<Vec<u8>>, Fault> {
        decoded("value", &self.runtime.block_on(self.client.value(at, key, false))?)
    }

    /// What the newest state holds under a key, decoded.
    ///
    /// # Errors
    /// The node's fault, or [`Code::PeerMisbehaved`] when it is no such value.
    pub fn read<T: Decode>(&self, key: Vec<u8>) -> Result<Option<T>, Fault> {
        self.value(StateAt::Latest, key)?.map(|value| decoded("value", &value)).transpose()
    }

    /// What a state holds under a key, with the proof, which is not verified here.
    ///
    /// # Errors
    /// The node's fault.
    pub fn proven(&self, at: StateAt, key: Vec<u8>) -> Result<Proven, Fault> {
        decoded("proof", &self.runtime.block_on(self.client.value(at, key, true))?)
    }

    /// Makes the node copy its chain into a new folder.
    ///
    /// # Errors
    /// The node's fault; [`Code::NotAllowed`] for another token than the folder's.
    pub fn backup(&self, token: &str, folder: &str) -> Result<Backup, Fault> {
        decoded("backup", &self.runtime.block_on(self.client.backup(token, folder))?)
    }

    /// Makes the node put a part of its ledger into a folder on a further disk; answers with all such folders and the bytes
    /// that each of the ledger's columns should put there.
    ///
    /// # Errors
    /// The node's fault; [`Code::NotAllowed`] for another token than the folder's.
    pub fn add_disk(&self, token: &str, folder: &str, bytes: u64) -> Result<Vec<(String, u64)>, Fault> {
        decoded("disks", &self.runtime.block_on(self.client.add_disk(token, folder, bytes))?)
    }

    /// Shows happenings one after another until there are no more, or until `see` has seen enough and answers false.
    ///
    /// # Errors
    /// The node's fault, or that of `see`.
    pub fn follow(
        &self,
        subscription: Subscription,
        mut see: impl FnMut(&Happening) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        self.runtime.block_on(async {
            let mut happenings = self.client.events(subscription).await?;
            while let Some(happening) = happenings.next().await {
                if !see(&happening?)? {
                    break;
                }
            }
            Ok(())
        })
    }
}
