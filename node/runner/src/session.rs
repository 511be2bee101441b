//! Opens the links of a run and agrees on its session, which no earlier attempt can have had.

use std::time::Duration;

use base_gm::sm3;
use base_rt::{
    entropy::Entropy,
    links::{Link, LinkFault, LinkHub},
};
use base_types::{
    Digest, OrgId,
    fault::{Code, Fault},
};
use notary_terms::Plan;

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

/// The session's digest and the links, in the plan's order of nodes; `None` at this party's own place.
pub(crate) async fn open(
    plan: &Plan,
    binding: &Binding,
    me: &OrgId,
    hub: &LinkHub,
    entropy: &dyn Entropy,
    patience: Duration,
) -> Result<(Digest, Vec<(OrgId, Option<Link>)>), Fault> {
    let rendezvous = binding.rendezvous(plan);
    let mut links = Vec::new();
    for org in &plan.nodes {
        let link = if org == me {
            None
        } else {
            let opened = hub.open(rendezvous.0, "share", org, patience).await;
            Some(opened.map_err(|f| link_fault(org, "open links", &f))?)
        };
        links.push((org.clone(), link));
    }
    let mut nonce = [0; 32];
    entropy.fill(&mut nonce);
    for (org, link) in links.iter_mut().filter_map(|(org, link)| link.as_mut().map(|l| (&*org, l))) {
        link.send(&nonce).await.map_err(|f| link_fault(org, "exchange nonces", &f))?;
    }
    let mut nonces = Vec::new();
    for (org, link) in &mut links {
        let theirs = match link {
            None => nonce.to_vec(),
            Some(link) => link.recv(32, patience).await.map_err(|f| link_fault(org, "exchange nonces", &f))?,
        };
        if theirs.len() != 32 {
            return Err(Fault::new(Code::PeerMisbehaved, "exchange nonces", "a nonce has 32 bytes").at(org));
        }
        nonces.extend(theirs);
    }
    Ok((sm3::tagged("heqi/session/1", &[&rendezvous.0, &nonces]), links))
}
