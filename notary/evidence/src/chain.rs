//! Checks the links one after the other and stops at the first that does not hold.

use base_gm::sm3;
use base_types::Digest;
use base_wire::{Decode, Encode};
use ledger_light::{Genesis, epoch_at};
use ledger_vm::notary::{Entry, count_key, record_key};

use crate::{Bundle, EvidenceEntry, Report, Step, story};

/// The links so far.
pub(crate) struct Links(pub(crate) Vec<Step>);

impl Links {
    /// Notes a link; `Err` stops the walk.
    pub(crate) fn check(&mut self, name: &str, name_zh: &str, found: Result<String, String>) -> Result<(), ()> {
        let ok = found.is_ok();
        let detail = found.unwrap_or_else(|why| why);
        self.0.push(Step { name: name.into(), name_zh: name_zh.into(), ok, detail });
        if ok { Ok(()) } else { Err(()) }
    }
}

/// Verifies a bundle file; `pinned` is the genesis digest that the verifier knows from elsewhere.
pub fn verify(file: &[u8], pinned: Option<&Digest>) -> Report {
    let mut links = Links(Vec::new());
    let mut genesis = String::new();
    let summary = walk(file, pinned, &mut links, &mut genesis).ok();
    let first_broken = links.0.iter().find(|s| !s.ok).map(|s| s.name.clone());
    Report { valid: first_broken.is_none(), anchored: pinned.is_some(), genesis, steps: links.0, first_broken, summary }
}

fn walk(file: &[u8], pinned: Option<&Digest>, links: &mut Links, genesis: &mut String) -> Result<story::Summary, ()> {
    let bundle = Bundle::from_file(file);
    let read = bundle.as_ref().map(|b| format!("{} entries", b.entries.len())).map_err(ToString::to_string);
    links.check("file format", "文件格式", read)?;
    let bundle = bundle.map_err(|_| ())?;
    *genesis = bundle.genesis.digest().to_string();
    links.check("genesis", "创世块", anchored(&bundle.genesis, pinned))?;
    links.check("certified header", "区块头证书", certified(&bundle))?;
    links.check("number of entries", "条目数量", counted(&bundle))?;
    let mut entries = Vec::new();
    for (place, item) in bundle.entries.iter().enumerate() {
        let name = format!("entry {} ({})", place + 1, item.record.kind.word());
        let name_zh = format!("条目 {}（{}）", place + 1, item.record.kind.word_zh());
        let entry = proven(&bundle, place, item);
        let detail = entry.as_ref().map(|_| {
            let record = &item.record;
            format!("{} at height {}, transaction {}", record.sender, record.height, record.tx)
        });
        links.check(&name, &name_zh, detail.map_err(Clone::clone))?;
        entries.push((&item.record, entry.map_err(|_| ())?));
    }
    links.check("signatures", "签名", signed(&bundle))?;
    story::check(&bundle.subject, &entries, links)
}

fn anchored(genesis: &Genesis, pinned: Option<&Digest>) -> Result<String, String> {
    let digest = genesis.digest();
    match pinned {
        None => Ok(format!("unanchored: pin {digest} to be sure of the chain")),
        Some(pin) if *pin == digest => Ok(format!("{} is the pinned chain", genesis.name)),
        Some(pin) => Err(format!("the bundle is of chain {digest}, pinned is {pin}")),
    }
}

fn certified(bundle: &Bundle) -> Result<String, String> {
    let Bundle { genesis, handovers, header, certificate, .. } = bundle;
    if header.version != 1 || header.chain != genesis.digest() {
        return Err("the header is of another chain".into());
    }
    let epoch = epoch_at(genesis, handovers, header.height).map_err(|e| e.to_string())?;
    // What is not needed for the header is checked by nobody, so it must not be there.
    if handovers.len() as u64 != epoch.number.saturating_sub(genesis.epoch.number) {
        return Err("the bundle has handovers that its header does not need".into());
    }
    certificate.verify(header, &epoch).map_err(|e| e.to_string())?;
    let (signed, all) = (certificate.signatures.len(), epoch.validators.len());
    Ok(format!("height {}, signed by {signed} of {all} validators of epoch {}", header.height, epoch.number))
}

fn counted(bundle: &Bundle) -> Result<String, String> {
    let count = u32::try_from(bundle.entries.len()).map_err(|_| "too many entries".to_owned())?;
    if count == 0 {
        return Err("there is no entry".into());
    }
    let key = count_key(&bundle.subject);
    bundle.count_proof.verify(&bundle.header.state_root, &key, Some(&count.to_wire())).map_err(|e| e.to_string())?;
    Ok(format!("all {count} entries of the job are here"))
}

/// Every transaction bears its sender's signature; checked after the digests, which cost far less.
fn signed(bundle: &Bundle) -> Result<String, String> {
    for (place, item) in bundle.entries.iter().enumerate() {
        let at = |e| format!("entry {} ({}): {e}", place + 1, item.record.kind.word());
        item.transaction.verify(&bundle.header.chain).map_err(at)?;
    }
    Ok(format!("all {} entries are signed by their senders", bundle.entries.len()))
}

/// The entry of a transaction, once transaction, record and state agree.
fn proven(bundle: &Bundle, place: usize, item: &EvidenceEntry) -> Result<Entry, String> {
    let EvidenceEntry { transaction, record, proof } = item;
    let entry = Entry::from_wire(&transaction.payload).map_err(|e| e.to_string())?;
    let seq = u32::try_from(place).map_err(|_| "too many entries".to_owned())?;
    proof
        .verify(&bundle.header.state_root, &record_key(&bundle.subject, seq), Some(&record.to_wire()))
        .map_err(|e| e.to_string())?;
    let same = record.tx == transaction.digest()
        && record.subject == bundle.subject
        && entry.subject == bundle.subject
        && record.seq == seq
        && record.kind == entry.kind
        && record.attempt == entry.attempt
        && record.expires == entry.expires
        && record.parties == entry.parties
        && record.body == sm3::sm3(&entry.body)
        && record.height < bundle.header.height;
    if same { Ok(entry) } else { Err("the record and the transaction differ".into()) }
}
