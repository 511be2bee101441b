//! Renewing: another key and certificate of the node from the organisation's CA, with the old ones kept aside.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base_gm::{
    cert::{self, Subject},
    keyfile,
    sm2::{PublicKey, SecretKey},
};
use base_secret::Password;
use base_types::{
    OrgId, TimeMs,
    fault::{Code, Fault},
};

use crate::{
    config::{Folder, read_key, unwritten, write_file},
    files,
    serve::check_certificate,
};

const STEP: &str = "renew the node's key";
const DAY_MS: u64 = 86_400_000;

/// What a renewal made.
pub struct Renewed {
    /// The organisation.
    pub org: OrgId,
    /// The node's new key.
    pub key: PublicKey,
    /// Where the old key and certificate are now; fewer where some were lost.
    pub aside: Vec<PathBuf>,
}

fn internal(why: impl ToString) -> Fault {
    Fault::new(Code::Internal, STEP, why.to_string())
}

/// Makes a new key of the node and its certificate, and puts the key on the organisation's card. A running node goes on
/// with the old ones until it starts again. After a failure or a crash it may be run once more.
///
/// # Errors
/// [`Code::NotFound`] without a card, a CA certificate or the CA's key, [`Code::WrongPassword`] when the password does not
/// open that, [`Code::CertificateInvalid`] or [`Code::CertificateExpired`] when it is not the CA's or the CA has ended.
pub fn renew(folder: &Folder, ca_key: &Path, password: &Password, now: TimeMs) -> Result<Renewed, Fault> {
    let mut card = folder.read_card()?;
    let ca = Folder::read_certificate(&folder.ca_certificate())?;
    if !ca_key.exists() {
        let why = format!("the CA's key is not in {}: give --ca-key", ca_key.display());
        return Err(Fault::new(Code::NotFound, STEP, why));
    }
    let (_, ca_key) = read_key(ca_key, password)?;
    let key = SecretKey::generate().map_err(internal)?;
    let subject = Subject { org: card.org.clone(), name: "node".into() };
    let from = ca.not_before().max(now.saturating_sub(DAY_MS));
    let to = ca.not_after().min(now.saturating_add(730 * DAY_MS));
    let certificate = cert::issue(&ca, &ca_key, &subject, &key.public(), from, to)
        .map_err(|why| Fault::new(Code::CertificateInvalid, STEP, why.to_string()).at(&card.org))?;
    check_certificate(&certificate, &ca, now)?;
    // Written whole before anything is moved: a full disk changes nothing.
    let fresh = folder.node_key().with_file_name("node.key.new.json");
    if fresh.exists() {
        fs::remove_file(&fresh).map_err(|why| unwritten(&fresh, &why))?;
    }
    keyfile::write(&fresh, &format!("{}/node", card.org), &key, password).map_err(internal)?;
    let aside = move_aside(folder)?;
    rename(&fresh, &folder.node_key())?;
    write_file(&folder.node_certificate(), certificate.pem().as_bytes(), false)?;
    card.node_key = key.public();
    write_file(&folder.card(), &serde_json::to_vec_pretty(&card).map_err(internal)?, false)?;
    Ok(Renewed { org: card.org, key: key.public(), aside })
}

/// Moves the node's key and certificate to the first names that are free.
fn move_aside(folder: &Folder) -> Result<Vec<PathBuf>, Fault> {
    let key = &folder.node_key();
    let certificate = &folder.node_certificate();
    let names = |number: u32| {
        [
            (key, key.with_file_name(format!("node.key.old-{number}.json"))),
            (certificate, certificate.with_file_name(format!("node.old-{number}.pem"))),
        ]
    };
    let free = (1u32..).map(names).find(|names| names.iter().all(|(_, aside)| !aside.exists()));
    let free = free.ok_or_else(|| internal("no name is free"))?;
    let mut moved = Vec::new();
    for (from, to) in free {
        if from.exists() {
            rename(from, &to)?;
            moved.push(to);
        }
    }
    Ok(moved)
}

fn rename(from: &Path, to: &Path) -> Result<(), Fault> {
    files::rename(from, to).map_err(|why| unwritten(to, &why))
}
