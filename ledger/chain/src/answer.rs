//! What a node answers to its peers' questions: blocks, transactions, and pieces of a state.

use base_types::{Digest, Height};
use base_wire::{Decode, Encode};
use ledger_light::{Block, Certificate};

use crate::{
    check::MAX_BLOCK_BYTES,
    compact::MAX_ASKED,
    ledger::Ledger,
    net::{Answer, Ask},
    sync::MAX_BLOCKS,
    view::Shared,
};

/// Bytes after which an answer gets no further block or transaction.
const MAX_ANSWER: usize = 8 << 20;
/// Most bytes of a block with its certificate.
const LONGEST_BLOCK: usize = MAX_BLOCK_BYTES + (64 << 10);

/// Whether an honest peer that answers with these blocks has none behind them: one more would have found room.
pub(crate) fn is_to_the_end(blocks: &[(Block, Certificate)]) -> bool {
    let size = blocks.iter().map(|found| found.to_wire().len()).fold(0usize, usize::saturating_add);
    blocks.len() < MAX_BLOCKS as usize && size.saturating_add(LONGEST_BLOCK) <= MAX_ANSWER
}

impl Ledger {
    /// Answers a peer's question.
    pub(crate) fn answer(&self, shared: &Shared, bytes: &[u8]) -> Answer {
        let Ok(ask) = Ask::from_wire(bytes) else { return Answer::Unable };
        // What is half here, or damaged, is nobody's.
        let answer = shared.reading(|| {
            Ok(match &ask {
                Ask::Blocks { from, limit } => self.answer_blocks(*from, *limit),
                Ask::Transactions(digests) => self.answer_transactions(shared, digests),
                Ask::Snapshot => self.answer_snapshot(),
                Ask::Part { height, index, after } => self.answer_part(*height, *index, *after),
                Ask::Digests { from, limit } => self.answer_digests(*from, *limit),
            })
        });
        answer.unwrap_or(Answer::Unable)
    }

    /// Transactions that wait here or were executed already.
    fn answer_transactions(&self, shared: &Shared, digests: &[Digest]) -> Answer {
        let (mut found, mut size) = (Vec::new(), 0usize);
        for digest in digests.iter().take(MAX_ASKED) {
            let waiting = shared.pool().get(digest).cloned();
            let known = match waiting {
                Some(transaction) => Some(transaction),
                None => self.placed(digest).ok().flatten().map(|placed| placed.transaction),
            };
            let Some(transaction) = known else { continue };
            size = size.saturating_add(transaction.size());
            if size > MAX_ANSWER {
                break;
            }
            found.push(transaction);
        }
        Answer::Transactions(found)
    }

    fn answer_blocks(&self, from: Height, limit: u32) -> Answer {
        let (mut blocks, mut size) = (Vec::new(), 0usize);
        for height in (from..=Height::MAX).take(limit.min(MAX_BLOCKS) as usize) {
            match self.block(height) {
                Ok(Some(found)) => {
                    size = size.saturating_add(found.to_wire().len());
                    if !blocks.is_empty() && size > MAX_ANSWER {
                        break;
                    }
                    blocks.push(found);
                }
                Ok(None) => break,
                // Pruned, perhaps between two of them: those before it alone would say that there are no more.
                Err(_) => return Answer::Unable,
            }
        }
        Answer::Blocks(blocks)
    }
}

#[cfg(test)]
mod tests {
    use base_gm::sm2::SecretKey;
    use base_types::OrgId;
    use ledger_light::{Header, Transaction};

    use super::*;

    /// A block with transactions of about so many bytes together.
    fn block(bytes: usize) -> (Block, Certificate) {
        let header = Header {
            version: 1,
            chain: Digest::default(),
            height: 1,
            parent: Digest::default(),
            time: 1,
            proposer: OrgId::new("audit").expect("a name"),
            transactions_root: Digest::default(),
            state_root: Digest::default(),
            epoch: Digest::default(),
            next_epoch: Digest::default(),
        };
        let key = SecretKey::from_seed(b"sender");
        let transactions = vec![Transaction::sign(Digest::default(), &key, [0; 16], 9, vec![0; bytes])];
        let certificate = Certificate { height: 1, round: 0, block: header.digest(), signatures: vec![] };
        (Block { header, transactions }, certificate)
    }

    #[test]
    fn an_answer_tells_where_a_peer_s_chain_ends_unless_one_more_block_might_have_found_no_room() {
        let (small, most) = (block(9), MAX_BLOCKS as usize);
        assert!(is_to_the_end(&[]));
        assert!(is_to_the_end(&vec![small.clone(); most - 1]));
        assert!(!is_to_the_end(&vec![small; most]));
        let half = MAX_ANSWER / 2;
        assert!(is_to_the_end(&[block(half - (128 << 10))]));
        assert!(!is_to_the_end(&[block(half)]));
    }
}
