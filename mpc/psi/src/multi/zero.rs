//! Zero sharing: pairwise keys, and a party's shares, which add up to zero over all parties at every element.

use base_secret::equal;
use mpc_block::{Aes, Block, xor_into};
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

/// Length of a contribution to a key, of a key and of its confirmation.
const KEY_BYTES: usize = 32;
/// Elements that are hashed together; they stay in the first-level cache.
const CHUNK: usize = 512;

/// The keys that this party shares with each other one, in the order of their numbers.
pub(super) struct Keys(Zeroizing<Vec<[u8; KEY_BYTES]>>);

impl Keys {
    /// Agrees on a key with every other party. Both contribute, so a key belongs to this session even where one of them
    /// repeats itself; each shows that it has the key, so a contribution that was changed ends the run here.
    pub(super) async fn agree(ctx: &mut Context) -> Result<Self, Abort> {
        ctx.enter("pairwise keys");
        let me = ctx.me();
        let peers: Vec<usize> = (0..ctx.parties()).filter(|peer| *peer != me).collect();
        let mut own = Zeroizing::new(vec![[0_u8; KEY_BYTES]; peers.len()]);
        own.iter_mut().for_each(|share| ctx.random(share));
        let theirs = exchange(ctx, &peers, own.iter().map(|share| share.to_vec()).collect()).await?;
        let mut keys = Zeroizing::new(Vec::<[u8; KEY_BYTES]>::with_capacity(peers.len()));
        for ((peer, own), theirs) in peers.iter().zip(own.iter()).zip(theirs.iter()) {
            let (own, theirs) = (own.as_slice(), theirs.as_slice());
            let (first, second) = if me < *peer { (own, theirs) } else { (theirs, own) };
            let pair = [me.min(*peer), me.max(*peer)].map(|party| (party as u64).to_be_bytes());
            keys.push(ctx.digest("heqi/mpc/psi/multi/key/1", &[pair.as_flattened(), first, second]));
        }
        let shown = |ctx: &Context, key: &[u8; KEY_BYTES], party: usize| {
            ctx.digest("heqi/mpc/psi/multi/confirm/1", &[key, &(party as u64).to_be_bytes()])
        };
        let mine = keys.iter().map(|key| shown(&*ctx, key, me).to_vec()).collect();
        let confirmed = exchange(ctx, &peers, mine).await?;
        for ((peer, key), confirmed) in peers.iter().zip(keys.iter()).zip(confirmed.iter()) {
            if !equal(&shown(&*ctx, key, *peer), confirmed) {
                return Err(ctx.name(Abort::peer(*peer, "another pairwise key than agreed")));
            }
        }
        Ok(Self(keys))
    }

    /// This party's shares at `elements` in the run of `receiver`: the sum of `p(x) ^ x` over its pairs, `p` being AES under the
    /// pair's key for that run. The other end of each pair adds the same, so the sum over all parties is zero.
    pub(super) fn shares(&self, ctx: &Context, receiver: usize, elements: &[Block]) -> Zeroizing<Vec<Block>> {
        let run = (receiver as u64).to_be_bytes();
        let cipher = |key: &[u8; KEY_BYTES]| {
            let digest = Zeroizing::new(ctx.digest("heqi/mpc/psi/multi/zero/1", &[key, &run]));
            Aes::new(Block::from_bytes(digest.as_chunks::<16>().0[0]))
        };
        let ciphers: Vec<Aes> = self.0.iter().map(cipher).collect();
        let mut shares = Zeroizing::new(vec![Block::ZERO; elements.len()]);
        let mut hashed = Zeroizing::new(Vec::<Block>::with_capacity(CHUNK));
        for (elements, shares) in elements.chunks(CHUNK).zip(shares.chunks_mut(CHUNK)) {
            for cipher in &ciphers {
                hashed.clear();
                hashed.extend_from_slice(elements);
                cipher.encrypt_all(&mut hashed);
                xor_into(&mut hashed, elements);
                xor_into(shares, &hashed);
            }
        }
        shares
    }
}

/// Sends every peer its message, of [`KEY_BYTES`] bytes, and takes as many from each.
async fn exchange(
    ctx: &mut Context,
    peers: &[usize],
    messages: Vec<Vec<u8>>,
) -> Result<Zeroizing<Vec<Vec<u8>>>, Abort> {
    let expect: Vec<(usize, usize)> = peers.iter().map(|peer| (*peer, KEY_BYTES)).collect();
    let out = peers.iter().copied().zip(messages).collect();
    Ok(Zeroizing::new(ctx.round(out, &expect).await?))
}
