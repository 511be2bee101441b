//! `heqi chain state` and `heqi chain header`: the ledger as a light client sees it, which believes no node.

use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use clap::Args;
use ledger_chain::{Certified, Proven};
use ledger_light::{Certificate, Epoch, Genesis, Handover, Header, epoch_at};
use ledger_rpc::StateAt;
use serde_json::{Value, json};

use super::{Local, Show};
use crate::{ledger_client::Ledger, wiring::portal::engine_word};

/// Which state is meant.
#[derive(Args)]
pub struct AtArgs {
    /// The state after the block of this height; the newest without --at and --root.
    #[arg(long, value_name = "HEIGHT", conflicts_with = "root")]
    at: Option<Height>,
    /// The state of this root.
    #[arg(long, value_name = "ROOT")]
    root: Option<Digest>,
}

impl AtArgs {
    /// The state that is meant.
    pub fn state(&self) -> StateAt {
        match (self.root, self.at) {
            (Some(root), _) => StateAt::Root(root),
            (None, Some(height)) => StateAt::Height(height),
            (None, None) => StateAt::Latest,
        }
    }
}

#[derive(Args)]
pub struct HeaderArgs {
    /// Its height.
    height: Height,
    /// Verify it on this machine: from the genesis by the handovers to its certificate.
    #[arg(long)]
    verify: bool,
    /// The chain's genesis hash as you know it; without it the verdict is 'unanchored'. Verifies too.
    #[arg(long, value_name = "HASH")]
    genesis: Option<Digest>,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct ValueArgs {
    /// The key, such as `epoch/now`.
    key: String,
    /// The key is given in hexadecimal.
    #[arg(long)]
    hex: bool,
    #[command(flatten)]
    at: AtArgs,
    /// Ask for the proof and verify it on this machine: from the genesis by the handovers to the value.
    #[arg(long)]
    proof: bool,
    /// The chain's genesis hash as you know it; without it the verdict is 'unanchored'. Asks for the proof too.
    #[arg(long, value_name = "HASH")]
    genesis: Option<Digest>,
    #[command(flatten)]
    local: Local,
}

/// What is believed from the beginning: the genesis, by its hash; everything else is verified from there.
struct Anchor {
    genesis: Genesis,
    handovers: Vec<Handover>,
    anchored: bool,
}

fn broken(link: &str, why: impl ToString) -> Fault {
    Fault::new(Code::EvidenceInvalid, format!("link '{link}'"), why.to_string())
}

impl Anchor {
    /// Takes the genesis that the node tells, if it is the pinned one.
    fn new(ledger: &Ledger, pinned: Option<&Digest>) -> Result<Self, Fault> {
        let (genesis, handovers) = ledger.epochs()?;
        let told = genesis.digest();
        if pinned.is_some_and(|pinned| *pinned != told) {
            return Err(broken("genesis", format!("the node's chain begins with {told}")));
        }
        Ok(Self { genesis, handovers, anchored: pinned.is_some() })
    }

    /// Verifies a header and answers with the epoch whose validators certified it.
    fn verify(&self, header: &Header, certificate: &Certificate) -> Result<Epoch, Fault> {
        if header.chain != self.genesis.digest() {
            return Err(broken("header", "it is of another chain"));
        }
        let epoch = epoch_at(&self.genesis, &self.handovers, header.height).map_err(|why| broken("epoch", why))?;
        certificate.verify(header, &epoch).map_err(|why| broken("certificate", why))?;
        Ok(epoch)
    }

    /// What was verified of a header, in words.
    fn told(&self, epoch: &Epoch, certificate: &Certificate, show: Show) -> Value {
        let signer = |(place, _): &(u16, _)| epoch.validators.get(usize::from(*place)).map(|v| v.org.to_string());
        let signers: Vec<String> = certificate.signatures.iter().filter_map(signer).collect();
        let said = match self.anchored {
            true => show.pick("核验通过", "verified"),
            false => show
                .pick("核验通过，但未锚定：用 --genesis 给出创世哈希", "verified, but unanchored: pin --genesis HASH"),
        };
        json!({
            "anchored": self.anchored,
            "genesis": self.genesis.digest(),
            "handovers": epoch.number,
            "epoch": epoch.number,
            "engine": engine_word(epoch.engine),
            "quorum": epoch.quorum(),
            "signers": signers,
            "verdict": said,
        })
    }
}

fn header_json(header: &Header) -> Value {
    let Header { version, chain, height, parent, time, proposer, transactions_root, state_root, epoch, next_epoch } =
        header;
    json!({
        "height": height,
        "digest": header.digest(),
        "version": version,
        "chain": chain,
        "parent": parent,
        "time": time,
        "proposer": proposer,
        "transactions_root": transactions_root,
        "state_root": state_root,
        "epoch": epoch,
        "next_epoch": next_epoch,
    })
}

/// A header, verified if that was asked for.
///
/// # Errors
/// The node's fault, or [`Code::EvidenceInvalid`] naming the link that does not hold.
pub fn header(args: &HeaderArgs, show: Show) -> Result<Value, Fault> {
    let ledger = args.local.ledger()?;
    let Certified { header, certificate, transactions } = ledger.header(args.height)?;
    let mut told = header_json(&header);
    let mut add = |name: &str, value: Value| {
        if let Some(fields) = told.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    add("transactions", json!(transactions));
    add("round", json!(certificate.round));
    if args.verify || args.genesis.is_some() {
        if header.height != args.height {
            return Err(broken("header", format!("it is that of height {}", header.height)));
        }
        let anchor = Anchor::new(&ledger, args.genesis.as_ref())?;
        let epoch = anchor.verify(&header, &certificate)?;
        add("verified", anchor.told(&epoch, &certificate, show));
    }
    Ok(told)
}

/// A value of a state, proven if that was asked for; null where there is none.
///
/// # Errors
/// The node's fault, or [`Code::EvidenceInvalid`] naming the link that does not hold.
pub fn value(args: &ValueArgs, show: Show) -> Result<Value, Fault> {
    let key = match args.hex {
        true => unhex(&args.key)?,
        false => args.key.clone().into_bytes(),
    };
    let (ledger, at) = (args.local.ledger()?, args.at.state());
    if !args.proof && args.genesis.is_none() {
        let value = ledger.value(at, key.clone())?;
        return Ok(json!({"key": hex::encode(key), "value": value.map(hex::encode)}));
    }
    let Proven { header, certificate, value, proof } = ledger.proven(at, key.clone())?;
    let anchor = Anchor::new(&ledger, args.genesis.as_ref())?;
    let epoch = anchor.verify(&header, &certificate)?;
    let height = header.height.saturating_sub(1);
    let other = match at {
        StateAt::Latest => false,
        StateAt::Height(asked) => asked != height,
        StateAt::Root(asked) => asked != header.state_root,
    };
    if other {
        return Err(broken("header", format!("it covers the state of height {height}, another was asked for")));
    }
    proof.verify(&header.state_root, &key, value.as_deref()).map_err(|why| broken("proof", why))?;
    Ok(json!({
        "key": hex::encode(key),
        "value": value.map(hex::encode),
        "height": height,
        "state_root": header.state_root,
        "header": header.digest(),
        "steps": proof.siblings.len(),
        "verified": anchor.told(&epoch, &certificate, show),
    }))
}

/// Bytes in hexadecimal, with or without `0x`; spaces and line ends are no part of them.
///
/// # Errors
/// [`Code::BadRequest`].
pub fn unhex(text: &str) -> Result<Vec<u8>, Fault> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    hex::decode(digits).map_err(|why| Fault::new(Code::BadRequest, "read hexadecimal", why.to_string()))
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;
    use base_types::OrgId;
    use ledger_light::{BFT, Validator, VoteKind, vote_bytes};

    use super::*;

    fn key(number: u8) -> SecretKey {
        SecretKey::from_seed(&[number])
    }

    fn genesis() -> Genesis {
        let validator = |n: u8| Validator { org: OrgId::new(format!("org{n}")).unwrap(), key: key(n).public() };
        let validators = (0..4).map(validator).collect();
        let epoch = Epoch { number: 0, engine: BFT, first_height: 1, validators, interval_ms: 100 };
        Genesis { name: "test".into(), time: 1, organisations: vec![], members: vec![], epoch }
    }

    fn certified(chain: Digest, epoch: &Epoch) -> (Header, Certificate) {
        let header = Header {
            version: 1,
            chain,
            height: 7,
            parent: Digest([1; 32]),
            time: 2,
            proposer: OrgId::new("org0").unwrap(),
            transactions_root: Digest([2; 32]),
            state_root: Digest([3; 32]),
            epoch: epoch.digest(),
            next_epoch: epoch.digest(),
        };
        let block = header.digest();
        let message = vote_bytes(&chain, VoteKind::Precommit, 7, 0, Some(&block));
        let signatures = (0u8..3).map(|n| (u16::from(n), key(n).sign(&message.0))).collect();
        (header, Certificate { height: 7, round: 0, block, signatures })
    }

    #[test]
    fn a_header_is_believed_from_its_certificate_alone() {
        let genesis = genesis();
        let (chain, epoch) = (genesis.digest(), genesis.epoch.clone());
        let anchor = Anchor { genesis, handovers: vec![], anchored: true };
        let (header, mut certificate) = certified(chain, &epoch);
        assert_eq!(anchor.verify(&header, &certificate).map(|epoch| epoch.number), Ok(0));
        let mut other = header.clone();
        other.state_root = Digest([4; 32]);
        let step = |result: Result<Epoch, Fault>| result.unwrap_err().step;
        assert_eq!(step(anchor.verify(&other, &certificate)), "link 'certificate'");
        certificate.signatures.pop();
        assert_eq!(step(anchor.verify(&header, &certificate)), "link 'certificate'");
        let (foreign, certificate) = certified(Digest([9; 32]), &epoch);
        assert_eq!(step(anchor.verify(&foreign, &certificate)), "link 'header'");
    }

    #[test]
    fn hexadecimal_is_read_as_compilers_write_it() {
        assert_eq!(unhex("0x0aFF\n"), Ok(vec![10, 255]));
        assert_eq!(unhex("0a ff"), Ok(vec![10, 255]));
        assert!(unhex("0x0").is_err() && unhex("zz").is_err());
    }
}
