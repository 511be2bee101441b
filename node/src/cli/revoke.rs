//! `heqi chain revoke`: ends a certificate or a person's key, for the own organisation.

use std::path::PathBuf;

use base_gm::sm2::PublicKey;
use base_types::{
    Digest, OrgId, PersonId,
    fault::{Code, Fault},
};
use clap::Args;
use ledger_light::Member;
use ledger_vm::{
    govern::{Action, ChangeRecord, Revocation, change_key, changes_key},
    member_key,
};
use serde_json::{Value, json};

use super::{
    Signed,
    govern::{act, wrong},
};
use crate::{config::Folder, ledger_client::Ledger};

#[derive(Args)]
#[group(id = "revoked", required = true, multiple = false)]
struct Revoked {
    /// The certificate that ends, with the key in it.
    #[arg(long, value_name = "PEM")]
    certificate: Option<PathBuf>,
    /// The person whose key ends.
    #[arg(long = "person", value_name = "PERSON")]
    whom: Option<PersonId>,
    /// The member's key that ends, in hexadecimal.
    #[arg(long = "public-key", value_name = "KEY")]
    public_key: Option<String>,
}

#[derive(Args)]
pub struct RevokeArgs {
    #[command(flatten)]
    revoked: Revoked,
    #[command(flatten)]
    signed: Signed,
}

/// Ends a certificate or a key of the own organisation.
///
/// # Errors
/// [`Code::NotFound`] for a person without a known key; the node's fault; the contract's refusal.
pub fn revoke(args: &RevokeArgs) -> Result<Value, Fault> {
    let (ledger, key) = args.signed.ledger()?;
    let (org, serial, ended) = args.revoked.read(&ledger)?;
    let mut second = false;
    loop {
        // It may take effect at one of the two heights after its block's: this one is right for the next two blocks.
        let from = ledger.status()?.0.saturating_add(3);
        let revocation = Revocation { org: org.clone(), serial, key: ended, from };
        match act(&ledger, &key, "revoke", &Action::Revoke(revocation)) {
            Err(fault) if !second && fault.detail.contains("takes effect at height") => second = true,
            done => {
                let (digest, executed) = done?;
                return Ok(json!({
                    "transaction": digest,
                    "height": executed.height,
                    "org": org,
                    "serial": hex::encode(serial),
                    "key": ended.map(|key| key.to_hex()),
                    "from": from,
                }));
            }
        }
    }
}

/// Whose certificate or key, the certificate's serial number, and the key where it is a member's.
type Ended = (OrgId, [u8; 16], Option<PublicKey>);

impl Revoked {
    fn read(&self, ledger: &Ledger) -> Result<Ended, Fault> {
        if let Some(path) = &self.certificate {
            let certificate = Folder::read_certificate(path)?;
            let (org, key) = (certificate.subject_org(), certificate.key());
            let member = ledger.read::<Member>(member_key(&key))?.filter(|member| member.id.org() == org);
            return Ok((org, certificate.serial(), member.map(|member| member.key)));
        }
        let key = match (&self.public_key, &self.whom) {
            (Some(text), _) => PublicKey::from_hex(text).map_err(|why| wrong("revoke", why.to_string()))?,
            (None, Some(person)) => key_of(ledger, person)?,
            (None, None) => return Err(wrong("revoke", "give --certificate, --person or --public-key")),
        };
        let member: Option<Member> = ledger.read(member_key(&key))?;
        let member = member.ok_or_else(|| Fault::new(Code::NotFound, "revoke", "the key is no member's"))?;
        // No certificate has the serial number 0, so only the key ends.
        Ok((member.id.org(), [0; 16], Some(key)))
    }
}

/// The key with which a person came to the chain: at its genesis, or with an organisation that joined.
fn key_of(ledger: &Ledger, person: &PersonId) -> Result<PublicKey, Fault> {
    let (genesis, _) = ledger.epochs()?;
    let mut members = genesis.members;
    for digest in ledger.read::<Vec<Digest>>(changes_key())?.unwrap_or_default() {
        if let Some(record) = ledger.read::<ChangeRecord>(change_key(&digest))? {
            members.extend(record.change.members);
        }
    }
    let found = members.iter().rev().find(|member| member.id == *person);
    let missing =
        || Fault::new(Code::NotFound, "revoke", format!("the key of {person} is not known: give --public-key"));
    found.map(|member| member.key).ok_or_else(missing)
}
