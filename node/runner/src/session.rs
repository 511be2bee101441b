//! Opens the links of a run and agrees on its session, which no earlier attempt, and no earlier connection of it, can have had.

use std::{sync::Arc, time::Duration};

use base_gm::sm3;
use base_rt::{
    entropy::Entropy,
    links::{Link, LinkFault, LinkHub},
};
use base_types::{
    Digest, OrgId,
    fault::{Code, Fault},
};
use futures::future::try_join_all;
use notary_terms::{MAX_RESUMES, Plan};

const OPEN: &str = "open links";
const NONCES: &str = "exchange nonces";

/// What the session is bound to besides the fresh nonces.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Genesis digest.
    pub chain: Digest,
    /// Transactions of the approvals, sorted.
    pub approvals: Vec<Digest>,
    /// The Start transaction.
    pub start: Digest,
    /// Its attempt.
    pub attempt: u32,
}

impl Binding {
    /// What names the links before nonces are known.
    fn rendezvous(&self, plan: &Plan) -> Digest {
        let approvals: Vec<u8> = self.approvals.iter().flat_map(|d| d.0).collect();
        let parts = [&self.chain.0[..], &plan.digest().0, &approvals, &self.start.0, &self.attempt.to_be_bytes()];
        sm3::tagged("heqi/rendezvous/1", &parts)
    }
}

pub(crate) fn link_fault(party: &OrgId, step: &str, fault: &LinkFault) -> Fault {
    let code = match fault {
        LinkFault::Silent => Code::PeerSilent,
        LinkFault::Gone => Code::PeerGone,
        LinkFault::Garbage(_) => Code::PeerMisbehaved,
        LinkFault::Certificate(code, _) => *code,
        _ => Code::PeerGone,
    };
    Fault::new(code, step, fault.to_string()).at(party)
}

/// Links in the plan's order of nodes; `None` at this party's own place.
pub(crate) type Links = Vec<(OrgId, Option<Link>)>;

/// Where the nodes of a run meet.
pub(crate) struct Meeting {
    rendezvous: Digest,
    pub(crate) nodes: Vec<OrgId>,
    pub(crate) me: OrgId,
    hub: Arc<LinkHub>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Meeting {
    /// That of a run at this node.
    pub(crate) fn of(
        plan: &Plan,
        binding: &Binding,
        me: &OrgId,
        hub: &Arc<LinkHub>,
        entropy: &Arc<dyn Entropy>,
    ) -> Self {
        Self {
            rendezvous: binding.rendezvous(plan),
            nodes: plan.nodes.clone(),
            me: me.clone(),
            hub: hub.clone(),
            entropy: entropy.clone(),
        }
    }

    /// Links of their own for what is told before anybody reads.
    pub(crate) async fn room(&self, patience: Duration) -> Result<Links, Fault> {
        self.links(&self.rendezvous, "room", patience).await
    }

    /// The first session's digest and its links.
    pub(crate) async fn first(&self, patience: Duration) -> Result<(Digest, Links), Fault> {
        let mut links = self.links(&self.rendezvous, "share", patience).await?;
        let nonces = self.exchange(&mut links, &self.nonce(), patience).await?.concat();
        Ok((sm3::tagged("heqi/session/1", &[&self.rendezvous.0, &nonces]), links))
    }

    /// Meets once more after the links of the session `first`, or of one after it, have broken: the number of the connection, its
    /// session's digest and its links. `number` is the one that this party would give it. One party may have had a connection that
    /// the other never knew to be open, so the higher of their numbers counts; it is bound into the session like the nonces.
    pub(crate) async fn again(
        &self,
        first: &Digest,
        number: u32,
        patience: Duration,
    ) -> Result<(u32, Digest, Links), Fault> {
        let rendezvous = sm3::tagged("heqi/rendezvous/resumed/1", &[&self.rendezvous.0, &first.0]);
        let mut links = self.links(&rendezvous, "share", patience).await?;
        let word = [&number.to_be_bytes()[..], &self.nonce()].concat();
        let words = self.exchange(&mut links, &word, patience).await?;
        let mut agreed = number;
        for (org, word) in self.nodes.iter().zip(&words) {
            let told = word.first_chunk::<4>().map_or(0, |told| u32::from_be_bytes(*told));
            if !(1..=MAX_RESUMES).contains(&told) {
                let why = "it numbers a connection as no run does";
                return Err(Fault::new(Code::PeerMisbehaved, NONCES, why).at(org));
            }
            agreed = agreed.max(told);
        }
        let parts = [&rendezvous.0[..], &agreed.to_be_bytes(), &words.concat()];
        Ok((agreed, sm3::tagged("heqi/session/resumed/1", &parts), links))
    }

    fn nonce(&self) -> [u8; 32] {
        let mut nonce = [0; 32];
        self.entropy.fill(&mut nonce);
        nonce
    }

    async fn links(&self, rendezvous: &Digest, label: &str, patience: Duration) -> Result<Links, Fault> {
        // All at once: who waited for one that does not come would not be there for the next, who would take it for silent.
        let each = self.nodes.iter().map(|org| self.link(rendezvous, label, org, patience));
        try_join_all(each).await
    }

    async fn link(
        &self,
        rendezvous: &Digest,
        label: &str,
        org: &OrgId,
        patience: Duration,
    ) -> Result<(OrgId, Option<Link>), Fault> {
        if *org == self.me {
            return Ok((org.clone(), None));
        }
        let opened = self.hub.open(rendezvous.0, label, org, patience).await;
        Ok((org.clone(), Some(opened.map_err(|f| link_fault(org, OPEN, &f))?)))
    }

    /// Tells every party the same word; the words of all, which are of one length, in the order of the nodes.
    async fn exchange(&self, links: &mut Links, word: &[u8], patience: Duration) -> Result<Vec<Vec<u8>>, Fault> {
        for (org, link) in links.iter_mut().filter_map(|(org, link)| link.as_mut().map(|l| (&*org, l))) {
            link.send(word).await.map_err(|f| link_fault(org, NONCES, &f))?;
        }
        let mut words = Vec::new();
        for (org, link) in links {
            let theirs = match link {
                None => word.to_vec(),
                Some(link) => link.recv(word.len(), patience).await.map_err(|f| link_fault(org, NONCES, &f))?,
            };
            if theirs.len() != word.len() {
                let why = "a nonce has 32 bytes, and a number before it four";
                return Err(Fault::new(Code::PeerMisbehaved, NONCES, why).at(org));
            }
            words.push(theirs);
        }
        Ok(words)
    }
}
