//! Payloads sealed under keys that serve once: a stream of AES-128 and a tag of SM3 over what was encrypted.

use base_gm::sm3::{Many, sm3};
use base_secret::equal;
use mpc_block::{Block, BlockPrg};
use zeroize::Zeroizing;

/// Length of a tag.
const TAG_BYTES: usize = 16;

/// Bytes of a sealed payload; an empty one takes none.
pub(super) fn bytes(payload: usize) -> usize {
    if payload == 0 { 0 } else { payload + TAG_BYTES }
}

/// Adds the stream of `key` to `text`; the key of the tag, which is the stream's first block.
fn crypt(key: Block, text: &mut [u8]) -> [u8; 16] {
    let mut prg = BlockPrg::new(key);
    let tag_key = prg.next().to_bytes();
    let mut stream = Zeroizing::new(vec![0; text.len()]);
    prg.fill_bytes(&mut stream);
    text.iter_mut().zip(stream.iter()).for_each(|(text, stream)| *text ^= stream);
    tag_key
}

/// The payloads of the given elements, each encrypted under `pairs[i][1]` with its tag behind it.
pub(super) fn seal(indices: &[usize], pairs: &[[Block; 2]], payloads: &[u8], payload: usize) -> Vec<u8> {
    if payload == 0 {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(indices.len() * bytes(payload));
    let mut many = Zeroizing::new(Many::new());
    for index in indices {
        let start = out.len();
        out.extend_from_slice(&payloads[index * payload..][..payload]);
        let tag_key = crypt(pairs[*index][1], &mut out[start..]);
        many.plain(&[&tag_key, &out[start..]]);
        out.extend_from_slice(&[0; TAG_BYTES]);
    }
    for (record, digest) in out.chunks_exact_mut(bytes(payload)).zip(many.digests()) {
        record[payload..].copy_from_slice(&digest.0[..TAG_BYTES]);
    }
    out
}

/// The payload that was sealed under `key`; `None` when the tag is wrong.
pub(super) fn open(key: Block, sealed: &[u8], payload: usize) -> Option<Zeroizing<Vec<u8>>> {
    if payload == 0 {
        return Some(Zeroizing::new(Vec::new()));
    }
    let (text, tag) = sealed.split_at_checked(payload)?;
    let mut out = Zeroizing::new(text.to_vec());
    let tag_key = crypt(key, &mut out);
    let digest = sm3(&[tag_key.as_slice(), text].concat());
    equal(&digest.0[..TAG_BYTES], tag).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_and_every_changed_bit_is_noticed() {
        for payload in [1, 8, 16, 37, 100] {
            let pairs: Vec<[Block; 2]> = (0..5).map(|at| [Block::ZERO, Block::from_u128(at * 7 + 1)]).collect();
            let payloads: Vec<u8> = (0..5 * payload).map(|at| at as u8).collect();
            let sealed = seal(&[4, 0, 2], &pairs, &payloads, payload);
            assert_eq!(sealed.len(), 3 * bytes(payload));
            for (record, index) in sealed.chunks_exact(bytes(payload)).zip([4, 0, 2]) {
                let due = &payloads[index * payload..][..payload];
                assert!(record[..payload] != *due || payload == 1);
                assert!(open(pairs[index][1], record, payload).is_some_and(|got| got[..] == *due));
                assert!(open(pairs[1][1], record, payload).is_none());
                for bit in 0..record.len() * 8 {
                    let mut changed = record.to_vec();
                    changed[bit / 8] ^= 1 << (bit % 8);
                    assert!(open(pairs[index][1], &changed, payload).is_none(), "{payload}, {bit}");
                }
            }
        }
        assert!(seal(&[0], &[[Block::ZERO; 2]], &[], 0).is_empty() && bytes(0) == 0);
        assert!(open(Block::ZERO, &[], 0).is_some_and(|none| none.is_empty()));
    }
}
