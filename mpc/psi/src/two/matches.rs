//! The receiver tells the sender which masks it found, and proves each.
//!
//! Only who evaluated the function at an element knows the rest of its output.

use base_secret::equal;
use mpc_block::Block;
use mpc_core::Abort;

use crate::line::Line;
use crate::order::Sorted;
use crate::records::Found;

/// The number of matches.
const COUNT_BYTES: usize = 8;
/// A place in the order of the masks, and the proof.
const MATCH_BYTES: usize = 4 + 16;

/// Sends the places of the matches, in the order of the masks.
pub(super) async fn send(line: &mut Line, found: &[Found], pairs: &[[Block; 2]]) -> Result<(), Abort> {
    line.send((found.len() as u64).to_be_bytes().to_vec()).await?;
    let mut message = Vec::with_capacity(found.len() * MATCH_BYTES);
    for found in found {
        message.extend_from_slice(&found.position.to_be_bytes());
        message.extend_from_slice(&pairs[found.own as usize][1].to_bytes());
    }
    line.send(message).await
}

/// The indices of the sender's elements that the receiver, which has `most` elements, proves to have, ascending.
pub(super) async fn receive(
    line: &mut Line,
    sorted: &Sorted,
    pairs: &[[Block; 2]],
    most: usize,
) -> Result<Vec<usize>, Abort> {
    let count = line.receive(COUNT_BYTES).await?;
    let count = count.first_chunk().map_or(u64::MAX, |bytes| u64::from_be_bytes(*bytes));
    let most = most.min(sorted.entries().len());
    let count = usize::try_from(count).ok().filter(|count| *count <= most);
    let count = count.ok_or_else(|| line.blame("more matches than elements"))?;
    let message = line.receive(count * MATCH_BYTES).await?;
    let mut indices = Vec::with_capacity(count);
    let mut next = 0;
    for record in message.as_chunks::<MATCH_BYTES>().0 {
        let ([a, b, c, d, ..], proof) = (record, &record[4..]);
        let position = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let entry = sorted.entries().get(position).filter(|_| position >= next);
        let index = entry.map(|entry| entry.index as usize);
        let proven = index.filter(|index| equal(&pairs[*index][1].to_bytes(), proof));
        indices.push(proven.ok_or_else(|| line.blame("a match that is none"))?);
        next = position + 1;
    }
    indices.sort_unstable();
    Ok(indices)
}

#[cfg(test)]
mod tests {
    use mpc_block::BlockPrg;
    use mpc_core::{Blame, memory};

    use super::*;

    const COUNT: usize = 20;

    /// What the sender makes of claimed matches: places, and the index of the element whose proof goes with each.
    async fn claim(claims: &[(u32, usize)], announced: u64) -> Result<Vec<usize>, Abort> {
        let mut blocks = vec![Block::ZERO; 2 * COUNT];
        BlockPrg::new(Block::from_u128(1)).fill(&mut blocks);
        let pairs: Vec<[Block; 2]> = blocks.as_chunks::<2>().0.to_vec();
        let sorted = Sorted::new(pairs.iter().map(|pair| pair[0]), 1);
        let mut contexts = memory::contexts(memory::network(2), [1; 32]);
        let mut receiver = Line::open(&mut contexts[0], 1, "x", &[]);
        let mut sender = Line::open(&mut contexts[1], 0, "x", &[]);
        receiver.send(announced.to_be_bytes().to_vec()).await?;
        let proof = |at: usize| sorted.entries().get(at).map_or(Block::ZERO, |entry| pairs[entry.index as usize][1]);
        let record = |(place, of): &(u32, usize)| [&place.to_be_bytes()[..], &proof(*of).to_bytes()].concat();
        receiver.send(claims.iter().flat_map(record).collect()).await?;
        super::receive(&mut sender, &sorted, &pairs, COUNT - 2).await
    }

    #[tokio::test]
    async fn proven_matches_are_believed_and_nothing_else_is() {
        assert_eq!(claim(&[], 0).await, Ok(vec![]));
        assert!(claim(&[(0, 0), (7, 7), (19, 19)], 3).await.is_ok_and(|found| found.len() == 3 && found.is_sorted()));
        let lies: [(&[(u32, usize)], u64); 6] = [
            (&[(3, 4)], 1),
            (&[(3, 3), (3, 3)], 2),
            (&[(4, 4), (3, 3)], 2),
            (&[(20, 20)], 1),
            (&[], COUNT as u64 - 1),
            (&[], u64::MAX),
        ];
        for (claims, announced) in lies {
            let outcome = claim(claims, announced).await;
            assert!(outcome.is_err_and(|abort| abort.blame == Blame::Peer(0)), "{claims:?}");
        }
    }
}
