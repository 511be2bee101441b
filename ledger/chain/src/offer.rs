//! States for others to take over: what is offered, what is answered, and how an offer is checked from the genesis.

use base_types::{Digest, Height};
use base_wire::Encode;
use ledger_light::{Epoch, Genesis, Handover, MAX_HANDOVERS, epoch_at, merkle_root};

use crate::{
    ChainFault,
    check::MAX_BLOCK_TRANSACTIONS,
    ledger::Ledger,
    net::{Answer, Contents, Offer},
};

/// Most blocks whose digests are asked for at once.
pub(crate) const MAX_CONTENTS: u32 = 512;
/// Bytes after which an answer gets no further block's digests.
const MAX_ANSWER: usize = 4 << 20;
/// Bytes of keys and values in one answer, one leaf always being given.
const MAX_PART: usize = 4 << 20;

impl Ledger {
    pub(crate) fn answer_snapshot(&self) -> Answer {
        self.offered().ok().flatten().map_or(Answer::Unable, Answer::Snapshot)
    }

    /// The newest state that others may take over.
    fn offered(&self) -> Result<Option<Offer>, ChainFault> {
        let newest = self.state.latest()?.map_or(0, |(height, _)| height);
        let height = self.options.offered(newest);
        if height == 0 || height < self.state.oldest()? {
            return Ok(None);
        }
        let after = height.saturating_add(1);
        let (Some(at), Some(over)) = (self.header(height)?, self.header(after)?) else { return Ok(None) };
        let mut handovers = self.handovers()?;
        handovers.retain(|handover| handover.epoch.first_height <= after);
        Ok(Some(Offer { handovers, at, over, spine: self.state.spine(height)? }))
    }

    pub(crate) fn answer_part(&self, height: Height, index: u8, after: Option<Digest>) -> Answer {
        self.state.part(height, index, after, MAX_PART).map_or(Answer::Unable, Answer::Part)
    }

    pub(crate) fn answer_digests(&self, from: Height, limit: u32) -> Answer {
        let (mut list, mut size) = (Vec::new(), 0usize);
        for height in (from..=Height::MAX).take(limit.min(MAX_CONTENTS) as usize) {
            let (header, digests) = match (self.header(height), self.contents(height)) {
                (Ok(Some(header)), Ok(Some(digests))) => (header, digests),
                (Ok(_), Ok(_)) => break,
                _ => return Answer::Unable,
            };
            let contents = Contents { header: header.header, certificate: header.certificate, digests };
            size = size.saturating_add(contents.to_wire().len());
            if !list.is_empty() && size > MAX_ANSWER {
                break;
            }
            list.push(contents);
        }
        Answer::Digests(list)
    }
}

/// The epoch in force at a height, by handovers that were verified up to there.
fn epoch_of<'a>(genesis: &'a Genesis, handovers: &'a [Handover], height: Height) -> &'a Epoch {
    let last = handovers.iter().rev().find(|handover| handover.epoch.first_height <= height);
    last.map_or(&genesis.epoch, |handover| &handover.epoch)
}

impl Offer {
    /// Checks that the chain of a genesis has this state: what the peer says counts for nothing.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub(crate) fn verify(&self, genesis: &Genesis) -> Result<(), String> {
        let Self { handovers, at, over, spine } = self;
        let (below, above, chain) = (&at.header, &over.header, genesis.digest());
        if below.chain != chain || above.chain != chain {
            return Err("the offered state is of another chain".into());
        }
        let follows = below.height.checked_add(1) == Some(above.height) && above.parent == below.digest();
        if below.height == 0 || !follows {
            return Err("the offer's headers do not follow one another".into());
        }
        // Every handover that comes with it is stored, so every one is checked.
        let checked = |handover: &Handover| handover.epoch.first_height <= above.height;
        if handovers.len() > MAX_HANDOVERS || !handovers.iter().all(checked) {
            return Err("the offer has handovers to later epochs".into());
        }
        for certified in [over, at] {
            let epoch = epoch_at(genesis, handovers, certified.header.height).map_err(|why| why.to_string())?;
            certified.certificate.verify(&certified.header, &epoch).map_err(|why| why.to_string())?;
        }
        spine.verify(&above.state_root).map_err(|why| why.to_string())
    }

    /// Checks digests of blocks from a height on, up to the offer's; what goes beyond it is left out.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub(crate) fn check_contents(
        &self,
        genesis: &Genesis,
        from: Height,
        mut list: Vec<Contents>,
    ) -> Result<Vec<Contents>, String> {
        let (chain, last) = (genesis.digest(), self.at.header.height);
        list.truncate(usize::try_from(last.saturating_add(1).saturating_sub(from)).unwrap_or(usize::MAX));
        for (height, Contents { header, certificate, digests }) in (from..=last).zip(&list) {
            if header.height != height || header.chain != chain {
                return Err(format!("what came is not block {height}"));
            }
            let epoch = epoch_of(genesis, &self.handovers, height);
            certificate.verify(header, epoch).map_err(|why| why.to_string())?;
            if digests.len() > MAX_BLOCK_TRANSACTIONS || merkle_root(digests) != header.transactions_root {
                return Err(format!("the digests are not those of block {height}"));
            }
        }
        Ok(list)
    }
}
