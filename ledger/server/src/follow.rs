//! Carries out what the government decides: whom to trust, where peers are, and that this node is ready for a change.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use base_gm::{cert::Certificate, sm2::SecretKey};
use base_rt::{Entropy, tls::TrustRoots};
use base_types::{Digest, Height, OrgId};
use base_wire::Encode;
use ledger_chain::{Chain, ChainFault, MAX_LIFE};
use ledger_light::{BFT, Organisation, RAFT, Transaction};
use ledger_rpc::PeerClient;
use ledger_vm::{
    Command, NativeContract,
    govern::{
        Action, Addresses, ChangeRecord, ChangeStatus, Revocation, addresses_key, change_key, open_key,
        organisations_key, revocations_key,
    },
    organisation_key,
};
use tokio::sync::watch;

use crate::Moved;

/// What follows the chain's government.
pub(crate) struct Follower {
    pub(crate) chain: Chain,
    pub(crate) me: OrgId,
    pub(crate) key: Arc<SecretKey>,
    pub(crate) roots: Arc<TrustRoots>,
    pub(crate) peers: Arc<PeerClient>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Where this node is to be found, if others are to be told.
    pub(crate) announce: Option<Addresses>,
    /// Told when a peer has moved.
    pub(crate) moved: Moved,
    pub(crate) known: Known,
}

/// What was carried out already.
#[derive(Default)]
pub(crate) struct Known {
    organisations: usize,
    revocations: BTreeSet<(OrgId, [u8; 16])>,
    addresses: BTreeMap<OrgId, Addresses>,
    /// Actions under way: the digest of a change, or all zeroes for the announcement.
    sent: Arc<Mutex<BTreeSet<Digest>>>,
}

impl Follower {
    /// Follows until the node ends. Heights alone never say so, since this holds the chain, and with it the folder.
    pub(crate) async fn run(mut self, end: impl Future<Output = ()> + Send) {
        let mut heights: watch::Receiver<Height> = self.chain.heights();
        let mut end = pin!(end);
        loop {
            let height = *heights.borrow_and_update();
            if let Err(fault) = self.look(height) {
                tracing::warn!(%fault, "the government's decisions cannot be read");
            }
            tokio::select! {
                changed = heights.changed() => if changed.is_err() {
                    return;
                },
                () = &mut end => return,
            }
        }
    }

    fn look(&mut self, height: Height) -> Result<(), ChainFault> {
        self.joined()?;
        self.revoked(height)?;
        self.peers()?;
        self.ready()
    }

    /// Organisations that joined are trusted from now on.
    fn joined(&mut self) -> Result<(), ChainFault> {
        let joined: Vec<OrgId> = self.chain.read(&organisations_key())?.unwrap_or_default();
        for org in joined.iter().skip(self.known.organisations) {
            let Some(organisation) = self.chain.read::<Organisation>(&organisation_key(org))? else { continue };
            match Certificate::from_der(&organisation.ca) {
                Ok(ca) => self.roots.trust(org.clone(), ca),
                Err(why) => tracing::error!(%org, %why, "the authority of an organisation that joined cannot be read"),
            }
            tracing::info!(%org, "an organisation has joined");
        }
        self.known.organisations = joined.len();
        Ok(())
    }

    /// Revoked certificates are refused from their height on.
    fn revoked(&mut self, height: Height) -> Result<(), ChainFault> {
        let all: Vec<Revocation> = self.chain.read(&revocations_key())?.unwrap_or_default();
        for Revocation { org, serial, key: _, from } in all {
            if from <= height.saturating_add(1) && self.known.revocations.insert((org.clone(), serial)) {
                tracing::warn!(%org, from, "a certificate is revoked");
                self.roots.revoke(org, serial);
            }
        }
        Ok(())
    }

    /// Peers are looked for where they say that they are.
    fn peers(&mut self) -> Result<(), ChainFault> {
        let joined: Vec<OrgId> = self.chain.read(&organisations_key())?.unwrap_or_default();
        let founders = self.chain.genesis().organisations.iter().map(|o| o.id.clone());
        for org in founders.chain(joined).filter(|org| *org != self.me).collect::<Vec<_>>() {
            let Some(addresses) = self.chain.read::<Addresses>(&addresses_key(&org))? else { continue };
            if self.known.addresses.get(&org) == Some(&addresses) {
                continue;
            }
            tracing::info!(%org, control = addresses.control, "a peer announces its address");
            if let Err(why) = self.peers.set_peer(org.clone(), addresses.control.clone()) {
                tracing::error!(%org, %why, "a peer cannot be reached");
            }
            (self.moved)(&org, &addresses);
            self.known.addresses.insert(org, addresses);
        }
        Ok(())
    }

    /// Says that this node is ready, where a change waits for it, and where it is to be found. A node that looks at this
    /// has executed the block in which the change was voted for, so it has all that came before.
    fn ready(&mut self) -> Result<(), ChainFault> {
        if self.chain.member(&self.key.public())?.is_none() {
            return Ok(());
        }
        if let Some(addresses) = self.announce.clone()
            && self.chain.read::<Addresses>(&addresses_key(&self.me))?.as_ref() != Some(&addresses)
        {
            // Nobody is ready whom the others cannot find.
            self.send(Digest::default(), Action::Announce(addresses));
            return Ok(());
        }
        let Some(open) = self.chain.read::<Digest>(&open_key())? else { return Ok(()) };
        let Some(record) = self.chain.read::<ChangeRecord>(&change_key(&open))? else { return Ok(()) };
        let ChangeRecord { change, ready, status, .. } = record;
        let mine = change.validators.iter().any(|v| v.org == self.me && v.key == self.key.public());
        let can = [BFT, RAFT].contains(&change.engine);
        if status == ChangeStatus::Passed && mine && can && !ready.contains(&self.me) {
            self.send(open, Action::Ready { change: open });
        }
        Ok(())
    }

    /// Sends an action once; when it was not written, the next block tries again. What the government refused once it
    /// would refuse again.
    fn send(&mut self, name: Digest, action: Action) {
        if !self.known.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(name) {
            return;
        }
        let sent = Arc::clone(&self.known.sent);
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce);
        let to = NativeContract::Government.address();
        let payload = Command::Call { to, input: action.to_wire(), gas: 0 }.to_payload();
        let until = self.chain.height().saturating_add(MAX_LIFE / 2);
        let transaction = Transaction::sign(self.chain.genesis().digest(), &self.key, nonce, until, payload);
        let chain = self.chain.clone();
        tokio::spawn(async move {
            match chain.submit(transaction).await {
                Ok(executed) => match executed.refusal {
                    None => tracing::info!(height = executed.height, "the government has heard from this node"),
                    Some(why) => tracing::warn!(why, "the government refuses this node's word"),
                },
                Err(fault) => {
                    tracing::warn!(%fault, "this node's word to the government was not written");
                    sent.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
                }
            }
        });
    }
}
