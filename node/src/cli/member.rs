//! `heqi chain member`: registers, changes and removes a member of the own organisation.

use base_gm::sm2::PublicKey;
use base_types::{
    Height, PersonId,
    fault::{Code, Fault},
};
use base_wire::Encode;
use clap::Args;
use ledger_light::{Member, Role};
use ledger_vm::{
    govern::revoked_key,
    member_key,
    notary::{Entry, EntryKind},
};
use serde_json::{Value, json};

use super::{Signed, govern::wrong};
use crate::{
    init::role,
    wiring::{people::subject, portal::role_word},
};

const STEP: &str = "register member";

#[derive(Args)]
pub struct MemberArgs {
    /// The member, such as `health/owner` or, for the node's key, `health/node`.
    whom: PersonId,
    /// The member's key, in hexadecimal.
    #[arg(long = "public-key", value_name = "KEY")]
    public_key: String,
    /// What the key may do from now on: owner, analyst, auditor, administrator, developer or node; may be repeated. Without
    /// one the key is a member's no longer.
    #[arg(long = "role", value_delimiter = ',', value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    signed: Signed,
}

fn role_of(word: &str) -> Result<Role, Fault> {
    if word == role_word(Role::Node) { Ok(Role::Node) } else { role(word) }
}

/// Registers, changes or removes a member.
///
/// # Errors
/// [`Code::BadRequest`] for an unknown role, a malformed key, or one that was revoked; [`Code::NotFound`] when a key is to
/// be removed that is not the member's; the node's fault; the contract's refusal.
pub fn member(args: &MemberArgs) -> Result<Value, Fault> {
    let key = PublicKey::from_hex(&args.public_key).map_err(|why| wrong(STEP, why.to_string()))?;
    let mut roles = Vec::new();
    for word in &args.roles {
        let role = role_of(word)?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let (ledger, signer) = args.signed.ledger()?;
    if roles.is_empty() {
        let known: Option<Member> = ledger.read(member_key(&key))?;
        if known.is_none_or(|known| known.id != args.whom) {
            let why = format!("the key is not registered for {}; to register it give --role", args.whom);
            return Err(Fault::new(Code::NotFound, STEP, why));
        }
    } else if ledger.read::<Height>(revoked_key(&key))?.is_some() {
        return Err(wrong(STEP, "the key was revoked, which is for good: register another one"));
    }
    let words: Vec<_> = roles.iter().map(|role| role_word(*role)).collect();
    let body = Member { id: args.whom.clone(), key, roles }.to_wire();
    let kind = EntryKind::MemberAdded;
    let entry = Entry { subject: subject(&args.whom), kind, attempt: 0, parties: Vec::new(), expires: 0, body };
    let (digest, executed) = ledger.enter(STEP, &signer, &entry)?;
    Ok(json!({
        "member": args.whom,
        "key": key.to_hex(),
        "roles": words,
        "transaction": digest,
        "height": executed.height,
    }))
}
