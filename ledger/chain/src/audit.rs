//! Proves a stored chain that nobody runs: headers from the genesis, the state by building its root again from its leaves.

use base_types::{Digest, Height};
use ledger_light::{Epoch, Genesis, merkle_root};
use ledger_state::{Leaf, Part, State, verify_part};
use ledger_store::Store;

use crate::{
    Certified, ChainFault, Options,
    history::is_partial,
    ledger::{HEADERS, Ledger, read},
    stored_chain,
};

/// Headers that are read at once.
const PAGE: usize = 512;
/// Bytes of leaves that are read at once.
const PART_BYTES: usize = 16 << 20;

/// What was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The genesis digest.
    pub chain: Digest,
    /// The newest height.
    pub height: Height,
    /// The root of the state after it, built again from its leaves.
    pub state_root: Digest,
    /// The newest height whose root, built again likewise, is the one that a certified header carries; `None` where no
    /// stored header covers a state that is kept.
    pub certified: Option<Height>,
    /// Headers whose certificates and links were verified.
    pub headers: u64,
    /// Transactions that their headers bind.
    pub transactions: u64,
    /// Keys that the newest state holds.
    pub keys: u64,
}

fn damaged(what: impl Into<String>) -> ChainFault {
    ChainFault::Damaged(what.into())
}

/// Checks everything in a store against a genesis: that handovers lead from it to every epoch, that every header is
/// certified and follows the one before, that blocks have the transactions that their headers bind, and that the leaves
/// of the newest two states give the roots that are stored and certified. The store must be opened by nobody else; nothing
/// in it is changed.
///
/// # Errors
/// [`ChainFault::OtherGenesis`] for another chain, [`ChainFault::NotFound`] for a store without one,
/// [`ChainFault::NotReady`] where a state was being taken over, [`ChainFault::Damaged`] for the first thing that does not
/// hold.
pub fn audit(store: &Store, genesis: &Genesis) -> Result<Audit, ChainFault> {
    let chain = genesis.digest();
    match stored_chain(store)? {
        None => return Err(ChainFault::NotFound("chain in that folder")),
        Some(other) if other != chain => return Err(ChainFault::OtherGenesis),
        Some(_) => {}
    }
    if is_partial(store)? {
        return Err(ChainFault::NotReady(0));
    }
    let ledger = Ledger::open(store.clone(), genesis.clone(), Options::default())?;
    let (height, state_root) = ledger.state.latest()?.ok_or_else(|| damaged("there is no state"))?;
    let epochs = epochs(&ledger)?;
    let mut audit = Audit { chain, height, state_root, certified: None, headers: 0, transactions: 0, keys: 0 };
    let newest = headers(&ledger, &epochs, &mut audit)?;
    if newest != height {
        return Err(damaged(format!("the newest header is that of height {newest}, the state is that of {height}")));
    }
    states(&ledger, &mut audit)?;
    Ok(audit)
}

/// The epochs from the genesis' on, every one handed over by the one before.
fn epochs(ledger: &Ledger) -> Result<Vec<Epoch>, ChainFault> {
    let mut epochs = vec![ledger.genesis.epoch.clone()];
    for handover in ledger.handovers()? {
        if let Some(last) = epochs.last() {
            handover.verify(&ledger.chain, last).map_err(|why| damaged(why.to_string()))?;
        }
        epochs.push(handover.epoch);
    }
    Ok(epochs)
}

/// Checks all headers in order, and their blocks; answers with the newest height.
fn headers(ledger: &Ledger, epochs: &[Epoch], audit: &mut Audit) -> Result<Height, ChainFault> {
    let first_whole = ledger.first_whole()?;
    let (mut newest, mut parent, mut from) = (0, ledger.chain, Vec::new());
    loop {
        let page = ledger.store.rows(HEADERS, &[], &from, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(newest) };
        from.clone_from(last);
        from.push(0);
        for (_, row) in &page {
            let certified: Certified = read(row, "header")?;
            let height = certified.header.height;
            // A node that took a state over has headers from some height on, and then every one.
            let begins = audit.headers == 0 && ledger.began()?.is_some();
            if !begins && (height != newest.saturating_add(1) || certified.header.parent != parent) {
                return Err(damaged(format!("header {height} does not follow from header {newest}")));
            }
            header(ledger, epochs, &certified)?;
            if height >= first_whole {
                audit.transactions = audit.transactions.saturating_add(block(ledger, &certified)?);
            }
            audit.headers = audit.headers.saturating_add(1);
            (newest, parent) = (height, certified.header.digest());
        }
    }
}

fn header(ledger: &Ledger, epochs: &[Epoch], certified: &Certified) -> Result<(), ChainFault> {
    let Certified { header, certificate, .. } = certified;
    let height = header.height;
    if header.chain != ledger.chain {
        return Err(damaged(format!("header {height} is of another chain")));
    }
    let epoch = epochs.iter().rev().find(|epoch| epoch.first_height <= height);
    let epoch = epoch.ok_or_else(|| damaged(format!("no epoch is known for height {height}")))?;
    certificate.verify(header, epoch).map_err(|why| damaged(format!("header {height}: {why}")))?;
    let below = height.saturating_sub(1);
    // Roots stay when their states are pruned; before the first state of this node there are none.
    if ledger.began()?.is_none_or(|began| below >= began) && ledger.state.root_at(below)? != header.state_root {
        return Err(damaged(format!("the root of the state of height {below} is not the one that was certified")));
    }
    Ok(())
}

/// Checks a block's transactions; answers with their number.
fn block(ledger: &Ledger, certified: &Certified) -> Result<u64, ChainFault> {
    let height = certified.header.height;
    let digests = ledger.contents(height)?.ok_or_else(|| damaged(format!("block {height} is missing")))?;
    if merkle_root(&digests) != certified.header.transactions_root {
        return Err(damaged(format!("the transactions are not those of block {height}")));
    }
    for (index, digest) in (0u32..).zip(&digests) {
        let placed = ledger.placed(digest)?;
        let placed = placed.ok_or_else(|| damaged(format!("a transaction of block {height} is missing")))?;
        let at = (placed.executed.height, placed.executed.index);
        if placed.transaction.digest() != *digest || at != (height, index) {
            return Err(damaged(format!("a transaction of block {height} is another")));
        }
    }
    Ok(digests.len() as u64)
}

/// Builds the roots of the newest state, and of the one before that is certified, again from their leaves.
fn states(ledger: &Ledger, audit: &mut Audit) -> Result<(), ChainFault> {
    let below = audit.height.saturating_sub(1);
    let covering = ledger.header(audit.height)?.filter(|_| audit.height > 0);
    if let Some(Certified { header, .. }) = covering
        && below >= ledger.state.oldest()?
    {
        rebuilt(&ledger.state, below, &header.state_root)?;
        audit.certified = Some(below);
    }
    audit.keys = rebuilt(&ledger.state, audit.height, &audit.state_root)?;
    Ok(())
}

/// The number of a state's keys, once the leaves of every part were found to give the spine, and the spine the root.
fn rebuilt(state: &State, height: Height, root: &Digest) -> Result<u64, ChainFault> {
    let other = |why: String| damaged(format!("the state of height {height}: {why}"));
    let spine = state.spine(height)?;
    spine.verify(root).map_err(|why| other(why.to_string()))?;
    let mut keys = 0u64;
    for index in spine.parts() {
        let leaves = leaves(state, height, index)?;
        keys = keys.saturating_add(leaves.len() as u64);
        verify_part(&spine, index, &leaves).map_err(|why| other(why.to_string()))?;
    }
    Ok(keys)
}

fn leaves(state: &State, height: Height, index: u8) -> Result<Vec<Leaf>, ChainFault> {
    let mut leaves: Vec<Leaf> = Vec::new();
    loop {
        let after = leaves.last().map(|(key, _)| *key);
        let Part { leaves: page, more } = state.part(height, index, after, PART_BYTES)?;
        let empty = page.is_empty();
        leaves.extend(page);
        if !more || empty {
            return Ok(leaves);
        }
    }
}
