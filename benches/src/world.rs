//! Who takes part: four validators, the generator's organisation with its senders, and the genesis that names them.

use std::{
    collections::BTreeMap,
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use base_gm::{
    cert::{Certificate, Subject, issue, self_signed_ca},
    sm2::SecretKey,
};
use base_rt::{
    Clock, SystemClock,
    tls::{NODE_NAME, NodeIdentity, TrustRoots},
};
use base_types::{Digest, OrgId, PersonId, TimeMs};
use base_wire::{Decode, Encode};
use ledger_light::{BFT, Epoch, Genesis, Member, Organisation, Role, Validator};

/// How many validators there are.
pub const VALIDATORS: usize = 4;
/// Time between blocks while there is work, in milliseconds.
pub const INTERVAL_MS: u32 = 500;
/// The generator's organisation; the validators' come before it, so that they are found first.
const GENERATOR: &str = "bench";
const DAY_MS: TimeMs = 86_400_000;

/// All that the generator knows.
pub struct World {
    /// The chain's first state.
    pub genesis: Genesis,
    /// Its digest.
    pub chain: Digest,
    /// The generator on TLS.
    pub identity: NodeIdentity,
    /// Keys of the members that send.
    pub senders: Vec<SecretKey>,
    /// Key of the member that deploys.
    pub developer: SecretKey,
    /// Where the validators listen.
    pub addresses: Vec<String>,
    /// Where everything lies.
    pub folder: PathBuf,
}

/// All that one validator knows.
pub struct Seat {
    /// The chain's first state.
    pub genesis: Genesis,
    /// This validator.
    pub identity: NodeIdentity,
    /// Where it listens.
    pub address: String,
    /// Where the others listen.
    pub peers: BTreeMap<OrgId, String>,
}

/// The organisation of a validator.
///
/// # Errors
/// Never for a validator's number.
pub fn org(at: usize) -> anyhow::Result<OrgId> {
    Ok(OrgId::new(format!("a{at}"))?)
}

fn key(org: &OrgId, name: &str) -> SecretKey {
    SecretKey::from_seed(format!("bench/{org}/{name}").as_bytes())
}

/// The key of a validator's node.
///
/// # Errors
/// Never for a validator's number.
pub fn node_key(at: usize) -> anyhow::Result<SecretKey> {
    Ok(key(&org(at)?, NODE_NAME))
}

/// The key of the administrator of a validator's organisation.
///
/// # Errors
/// Never for a validator's number.
pub fn admin_key(at: usize) -> anyhow::Result<SecretKey> {
    Ok(key(&org(at)?, "admin"))
}

fn member(org: &OrgId, name: &str, role: Role) -> anyhow::Result<Member> {
    Ok(Member { id: PersonId::new(format!("{org}/{name}"))?, key: key(org, name).public(), roles: vec![role] })
}

/// An organisation with a new authority, and the certificate of its node.
fn enrol(org: &OrgId, now: TimeMs) -> anyhow::Result<(Organisation, Certificate)> {
    let (from, until) = (now.saturating_sub(DAY_MS), now.saturating_add(30 * DAY_MS));
    let authority = key(org, "ca");
    let ca = self_signed_ca(org, &authority, from, until)?;
    let subject = Subject { org: org.clone(), name: NODE_NAME.into() };
    let certificate = issue(&ca, &authority, &subject, &key(org, NODE_NAME).public(), from, until)?;
    let (name_zh, name_en) = ("测试".into(), "bench".into());
    Ok((Organisation { id: org.clone(), name_zh, name_en, ca: ca.der().to_vec() }, certificate))
}

fn identity(org: &OrgId, certificate: Certificate) -> NodeIdentity {
    NodeIdentity { org: org.clone(), certificate, key: Arc::new(key(org, NODE_NAME)) }
}

fn sender_name(at: u32) -> String {
    format!("s{at:06}")
}

/// Whom a genesis trusts.
///
/// # Errors
/// When an authority's certificate cannot be read.
pub fn roots(genesis: &Genesis) -> anyhow::Result<Arc<TrustRoots>> {
    let mut authorities = BTreeMap::new();
    for Organisation { id, ca, .. } in &genesis.organisations {
        authorities.insert(id.clone(), Certificate::from_der(ca)?);
    }
    Ok(Arc::new(TrustRoots::new(authorities)))
}

/// Addresses on loopback that nobody else listens on now.
fn free_addresses(count: usize) -> anyhow::Result<Vec<String>> {
    // All are held at a time, so that no two are the same.
    let held = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    let addresses = held.iter().map(|listener| listener.local_addr().map(|address| address.to_string()));
    Ok(addresses.collect::<Result<Vec<_>, _>>()?)
}

impl World {
    /// Founds a chain with so many senders and writes into `folder` what its validators need.
    ///
    /// # Errors
    /// When a file cannot be written or a certificate not be issued.
    pub fn found(folder: &Path, senders: u32) -> anyhow::Result<Self> {
        let now = SystemClock.now_ms();
        let (mut organisations, mut members, mut validators) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..VALIDATORS {
            let org = org(at)?;
            let (organisation, certificate) = enrol(&org, now)?;
            fs::write(folder.join(format!("node{at}.der")), certificate.der())?;
            organisations.push(organisation);
            members.push(member(&org, "admin", Role::Administrator)?);
            members.push(member(&org, NODE_NAME, Role::Node)?);
            validators.push(Validator { org, key: node_key(at)?.public() });
        }
        let own = OrgId::new(GENERATOR)?;
        let (organisation, certificate) = enrol(&own, now)?;
        organisations.push(organisation);
        members.push(member(&own, "developer", Role::Developer)?);
        for at in 0..senders {
            members.push(member(&own, &sender_name(at), Role::Analyst)?);
        }
        members.sort_by(|a, b| a.id.cmp(&b.id));
        let epoch = Epoch { number: 0, engine: BFT, first_height: 1, validators, interval_ms: INTERVAL_MS };
        let genesis = Genesis { name: "bench".into(), time: now, organisations, members, epoch };
        let addresses = free_addresses(VALIDATORS)?;
        fs::write(folder.join("genesis"), genesis.to_wire())?;
        let world = Self {
            chain: genesis.digest(),
            genesis,
            identity: identity(&own, certificate),
            senders: (0..senders).map(|at| key(&own, &sender_name(at))).collect(),
            developer: key(&own, "developer"),
            addresses,
            folder: folder.to_owned(),
        };
        let known: [Vec<String>; VALIDATORS] = std::array::from_fn(|_| world.addresses.clone());
        world.route(&known)?;
        Ok(world)
    }

    /// Writes for each validator that is started from now on where it finds all of them.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn route(&self, known: &[Vec<String>]) -> io::Result<()> {
        let write = |(at, addresses): (usize, &Vec<String>)| fs::write(routes(&self.folder, at), addresses.join("\n"));
        known.iter().enumerate().try_for_each(write)
    }
}

/// The file with the addresses that a validator knows, a line for each of them.
fn routes(folder: &Path, at: usize) -> PathBuf {
    folder.join(format!("addresses{at}"))
}

impl Seat {
    /// Reads what [`World::found`] wrote for a validator.
    ///
    /// # Errors
    /// When a file is missing or cannot be read.
    pub fn read(folder: &Path, at: usize) -> anyhow::Result<Self> {
        let genesis = Genesis::from_wire(&fs::read(folder.join("genesis"))?)?;
        let certificate = Certificate::from_der(&fs::read(folder.join(format!("node{at}.der")))?)?;
        let text = fs::read_to_string(routes(folder, at))?;
        let mut peers = BTreeMap::new();
        for (place, address) in text.lines().enumerate() {
            peers.insert(org(place)?, address.to_owned());
        }
        let own = org(at)?;
        let address = peers.remove(&own).context("this validator has no address")?;
        Ok(Self { genesis, identity: identity(&own, certificate), address, peers })
    }
}
