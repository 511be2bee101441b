//! What a node answers to its peers' questions: blocks, transactions, and pieces of a state.

use base_types::{Digest, Height};
use base_wire::{Decode, Encode};

use crate::{
    compact::MAX_ASKED,
    ledger::Ledger,
    net::{Answer, Ask},
    sync::MAX_BLOCKS,
    view::Shared,
};

/// Bytes after which an answer gets no further block or transaction.
const MAX_ANSWER: usize = 8 << 20;

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
                // Pruned, perhaps between two of them.
                Err(_) if blocks.is_empty() => return Answer::Unable,
                Err(_) => break,
            }
        }
        Answer::Blocks(blocks)
    }
}
