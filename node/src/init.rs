//! Founding: an organisation's keys and certificates, the consortium's genesis, a node's folder.

use std::{collections::BTreeMap, path::Path};

use base_gm::{
    cert::{self, Certificate, Subject},
    keyfile,
    sm2::{PublicKey, SecretKey},
};
use base_secret::Password;
use base_types::{
    OrgId, PersonId, TimeMs,
    fault::{Code, Fault},
};
use base_wire::Encode;
use ledger_light::{Epoch, Genesis, Member, Organisation, Role, Validator};
use serde::{Deserialize, Serialize};

use crate::{
    config::{Config, Folder, Peer, bad, read_key, unwritten, write_file},
    files::make_folder,
};

const DAY_MS: u64 = 86_400_000;

/// What an organisation gives to the others; holds no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its identifier.
    pub org: OrgId,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its CA's certificate, PEM.
    pub ca: String,
    /// The node's key.
    pub node_key: PublicKey,
    /// The node's control plane.
    pub control: String,
    /// The node's data links.
    pub data: String,
    /// Its first people.
    pub people: Vec<CardPerson>,
}

/// What an organisation brings to the chain.
pub struct Newcomer {
    /// The organisation.
    pub organisation: Organisation,
    /// Its node and its first people.
    pub members: Vec<Member>,
    /// Its node as a validator.
    pub validator: Validator,
}

impl Card {
    /// What the card's organisation brings to the chain.
    ///
    /// # Errors
    /// [`Code::CertificateInvalid`] when the CA cannot be read or is another's, [`Code::BadRequest`] for a person of
    /// another organisation or an unknown role.
    pub fn newcomer(&self, step: &str) -> Result<Newcomer, Fault> {
        let org = &self.org;
        let ca = Certificate::from_pem(&self.ca)
            .map_err(|e| Fault::new(Code::CertificateInvalid, step, e.to_string()).at(org))?;
        if ca.subject_org() != *org || !ca.is_ca() {
            return Err(Fault::new(Code::CertificateInvalid, step, "the CA is of another organisation").at(org));
        }
        let (name_zh, name_en) = (self.name_zh.clone(), self.name_en.clone());
        let organisation = Organisation { id: org.clone(), name_zh, name_en, ca: ca.der().to_vec() };
        let node = PersonId::new(format!("{org}/node")).map_err(|e| Fault::new(Code::Internal, step, e.to_string()))?;
        let mut members = vec![Member { id: node, key: self.node_key, roles: vec![Role::Node] }];
        for person in &self.people {
            if person.id.org() != *org {
                return Err(Fault::new(Code::BadRequest, step, format!("{} is of another organisation", person.id)));
            }
            let roles = person.roles.iter().map(|r| role(r)).collect::<Result<_, _>>()?;
            members.push(Member { id: person.id.clone(), key: person.key, roles });
        }
        Ok(Newcomer { organisation, members, validator: Validator { org: org.clone(), key: self.node_key } })
    }
}

/// A person on a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardPerson {
    /// `org/name`.
    pub id: PersonId,
    /// The person's key.
    pub key: PublicKey,
    /// `owner`, `analyst`, `auditor`, `administrator`, `developer`.
    pub roles: Vec<String>,
}

/// What `heqi init org` asks for.
pub struct NewOrg<'a> {
    /// Its identifier.
    pub org: OrgId,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Control, data and portal addresses.
    pub addresses: [String; 3],
    /// People to make keys for: name and roles; their key files go to `people`.
    pub people: Vec<(String, Vec<String>)>,
    /// Where the people's key files go: on their own media, not the node's folder.
    pub people_folder: &'a Path,
    /// The present moment.
    pub now: TimeMs,
}

fn gm(step: &str) -> impl Fn(base_gm::GmError) -> Fault + '_ {
    move |e| Fault::new(Code::Internal, step, e.to_string())
}

/// A role's word.
pub fn role(word: &str) -> Result<Role, Fault> {
    match word {
        "owner" => Ok(Role::Owner),
        "analyst" => Ok(Role::Analyst),
        "auditor" => Ok(Role::Auditor),
        "administrator" => Ok(Role::Administrator),
        "developer" => Ok(Role::Developer),
        _ => Err(Fault::new(
            Code::BadRequest,
            "roles",
            format!("'{word}' is no role: owner, analyst, auditor, administrator or developer"),
        )),
    }
}

/// The key in a file that a founding which was cut off has left, or a new one that is in its file when this returns.
fn key_in(path: &Path, name: &str, password: &Password, step: &str) -> Result<SecretKey, Fault> {
    if path.symlink_metadata().is_err() {
        let key = SecretKey::generate().map_err(gm(step))?;
        keyfile::write(path, name, &key, password).map_err(gm(step))?;
        return Ok(key);
    }
    let (found, key) = read_key(path, password)?;
    if found == name { Ok(key) } else { Err(bad(path, &format!("it is the key of {found}"))) }
}

/// The people whose keys are to be made, by the names that they will have.
fn people_of(new: &NewOrg<'_>, step: &str) -> Result<Vec<(PersonId, Vec<String>)>, Fault> {
    let named = |(name, roles): &(String, Vec<String>)| {
        roles.iter().try_for_each(|r| role(r).map(|_| ()))?;
        let id = PersonId::new(format!("{}/{name}", new.org));
        Ok((id.map_err(|e| Fault::new(Code::BadRequest, step, e.to_string()))?, roles.clone()))
    };
    new.people.iter().map(named).collect()
}

/// Makes an organisation's CA, its node's key and certificate, its people's keys, and its card. One that was cut off goes on with
/// the keys that are there.
///
/// # Errors
/// [`Code::BadRequest`] when the folder already holds an organisation, for an unknown role or a name that no person has, before
/// anything is made, and for a key of somebody else's; [`Code::WrongPassword`] for keys under another password.
pub fn organisation(folder: &Folder, new: &NewOrg<'_>, password: &Password, people: &Password) -> Result<Card, Fault> {
    let step = "init org";
    if folder.card().exists() {
        return Err(Fault::new(Code::BadRequest, step, format!("{} already holds one", folder.0.display())));
    }
    let named = people_of(new, step)?;
    let keys = folder.0.join("keys");
    make_folder(&keys).map_err(|e| unwritten(&keys, &e))?;
    let ca_key = key_in(&folder.ca_key(), &format!("{}/ca", new.org), password, step)?;
    let node_key = key_in(&folder.node_key(), &format!("{}/node", new.org), password, step)?;
    let (from, ca_to, to) = (new.now - DAY_MS, new.now + 3650 * DAY_MS, new.now + 730 * DAY_MS);
    let ca = cert::self_signed_ca(&new.org, &ca_key, from, ca_to).map_err(gm(step))?;
    let subject = Subject { org: new.org.clone(), name: "node".into() };
    let node = cert::issue(&ca, &ca_key, &subject, &node_key.public(), from, to).map_err(gm(step))?;
    write_file(&folder.ca_certificate(), ca.pem().as_bytes(), false)?;
    write_file(&folder.node_certificate(), node.pem().as_bytes(), false)?;
    let mut card_people = Vec::new();
    for (id, roles) in named {
        let key = person_key(new.people_folder, &id, people)?;
        card_people.push(CardPerson { id, key, roles });
    }
    let [control, data, _] = new.addresses.clone();
    let card = Card {
        org: new.org.clone(),
        name_zh: new.name_zh.clone(),
        name_en: new.name_en.clone(),
        ca: ca.pem(),
        node_key: node_key.public(),
        control,
        data,
        people: card_people,
    };
    let text = serde_json::to_vec_pretty(&card).map_err(|e| Fault::new(Code::Internal, step, e.to_string()))?;
    // Last, so that a card stands for a whole organisation.
    write_file(&folder.card(), &text, false)?;
    Ok(card)
}

/// Makes a person's key file, `org-name.key.json`, unless it is there, and returns its public key.
///
/// # Errors
/// [`Code::Internal`] when it cannot be written; [`Code::WrongPassword`] or [`Code::BadRequest`] when the password does not open
/// the one that is there, or it is another person's.
pub fn person_key(folder: &Path, id: &PersonId, password: &Password) -> Result<PublicKey, Fault> {
    make_folder(folder).map_err(|e| unwritten(folder, &e))?;
    Ok(key_in(&person_file(folder, id), id.as_str(), password, "person key")?.public())
}

/// Where a person's key file is kept.
pub fn person_file(folder: &Path, id: &PersonId) -> std::path::PathBuf {
    folder.join(format!("{}.key.json", id.as_str().replace('/', "-")))
}

/// The genesis of a consortium, from all cards; everybody who has the same cards and time makes the same.
///
/// # Errors
/// [`Code::CertificateInvalid`] for a card whose CA cannot be read, [`Code::BadRequest`] for fewer than four
/// organisations or one given twice.
pub fn genesis(name: &str, time: TimeMs, interval_ms: u32, cards: &[Card]) -> Result<Genesis, Fault> {
    let step = "init genesis";
    let sorted: BTreeMap<_, _> = cards.iter().map(|c| (c.org.clone(), c)).collect();
    if sorted.len() != cards.len() || cards.len() < 4 {
        return Err(Fault::new(Code::BadRequest, step, "four or more different organisations are needed"));
    }
    let (mut organisations, mut members, mut validators) = (Vec::new(), Vec::new(), Vec::new());
    for card in sorted.into_values() {
        let Newcomer { organisation, members: own, validator } = card.newcomer(step)?;
        organisations.push(organisation);
        members.extend(own);
        validators.push(validator);
    }
    members.sort_by(|a, b| a.id.cmp(&b.id));
    let epoch = Epoch { number: 0, engine: 1, first_height: 1, validators, interval_ms };
    Ok(Genesis { name: name.to_owned(), time, organisations, members, epoch })
}

/// Puts genesis and configuration into a node's folder. An organisation that the genesis lacks joins later, by vote.
///
/// # Errors
/// [`Code::BadRequest`] when this organisation has no card or there are neither three computing ones nor two.
pub fn node(
    folder: &Folder,
    genesis: &Genesis,
    cards: &[Card],
    me: &OrgId,
    portal: &str,
    compute: &[OrgId],
    purposes: &[String],
) -> Result<Config, Fault> {
    let step = "init node";
    let card = cards.iter().find(|c| &c.org == me);
    let card = card.ok_or_else(|| Fault::new(Code::BadRequest, step, format!("{me} has no card")))?;
    // Two suffice for what two owners ask of each other; a star join then names three in its request.
    if !(2..=3).contains(&compute.len()) || !compute.iter().all(|org| cards.iter().any(|c| &c.org == org)) {
        return Err(Fault::new(Code::BadRequest, step, "three computing organisations are needed, or two"));
    }
    let peers = cards
        .iter()
        .filter(|c| &c.org != me)
        .map(|c| (c.org.clone(), Peer { control: c.control.clone(), data: c.data.clone() }))
        .collect();
    let mut compute = compute.to_vec();
    compute.sort();
    let config = Config {
        org: me.clone(),
        control: card.control.clone(),
        data: card.data.clone(),
        portal: portal.to_owned(),
        compute,
        purposes: purposes.to_vec(),
        silence_seconds: 20,
        ledger: None,
        key_tables_mib: None,
        state_cache_mib: None,
        runs_memory_mib: None,
        runs_at_once: None,
        scrub_mib: None,
        // The others cannot have the address of one that joins later in their configuration.
        announce: (!genesis.organisations.iter().any(|o| &o.id == me))
            .then(|| Peer { control: card.control.clone(), data: card.data.clone() }),
        metrics: None,
        traces: None,
        history: None,
        peers,
    };
    write_file(&folder.genesis(), &genesis.to_wire(), false)?;
    let text = toml::to_string_pretty(&config).map_err(|e| Fault::new(Code::Internal, step, e.to_string()))?;
    write_file(&folder.config(), text.as_bytes(), false)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn new<'a>(org: &str, role: &str, people_folder: &'a Path) -> NewOrg<'a> {
        NewOrg {
            org: OrgId::new(org).expect("a name"),
            name_zh: "某局".into(),
            name_en: "a bureau".into(),
            addresses: Default::default(),
            people: vec![("owner".into(), vec![role.into()])],
            people_folder,
            now: 1_700_000_000_000,
        }
    }

    #[test]
    fn a_founding_that_was_cut_off_goes_on_with_the_keys_that_are_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let (folder, people) = (Folder(dir.path().join("health")), dir.path().join("people"));
        let found = |org: &str, role: &str, password: &str| {
            let (password, first) = (Password::new(password), Password::new("first"));
            organisation(&folder, &new(org, role, &people), &password, &first).map_err(|fault| fault.code)
        };
        assert_eq!(found("health", "minister", "right").map(|_| ()), Err(Code::BadRequest));
        assert!(!folder.0.exists() && !people.exists(), "nothing is made of what is refused");
        let founded = found("health", "owner", "right").expect("founded");
        // What a process that was killed on its way has not come to.
        for path in [folder.card(), folder.node_certificate(), folder.node_key()] {
            fs::remove_file(path).expect("removed");
        }
        assert_eq!(found("civil", "owner", "right").map(|_| ()), Err(Code::BadRequest), "not with another's keys");
        assert_eq!(found("health", "owner", "wrong").map(|_| ()), Err(Code::WrongPassword));
        let again = found("health", "owner", "right").expect("founded");
        let authority = |card: &Card| Certificate::from_pem(&card.ca).expect("a certificate").key();
        assert_eq!(authority(&again), authority(&founded));
        assert_eq!((again.people.len(), again.people[0].key), (1, founded.people[0].key));
        assert_ne!(again.node_key, founded.node_key);
        let (_, key) = read_key(&folder.node_key(), &Password::new("right")).expect("a key");
        let certificate = Folder::read_certificate(&folder.node_certificate()).expect("a certificate");
        assert_eq!((again.node_key, certificate.key()), (key.public(), key.public()));
        assert_eq!(found("health", "owner", "right").map(|_| ()), Err(Code::BadRequest), "it is founded");
    }
}
