//! Authenticated bits that were opened, and the check that everybody opened what it holds.

use mpc_block::{Block, blocks_of};
use mpc_core::Abort;
use zeroize::Zeroize;

use crate::combination::Combination;
use crate::net::Net;
use crate::shares::Shares;

/// Shares that were opened, and the values that came of it.
pub(crate) struct Opened {
    shares: Shares,
    values: Vec<u8>,
}

impl Opened {
    /// Opens `shares`: one bit each on the wire. Nothing is checked yet.
    pub(crate) async fn open(net: &mut Net, shares: Shares) -> Result<Self, Abort> {
        let values = net.open(&shares.bits).await?;
        Ok(Self { shares, values })
    }

    /// The values, 0 or 1.
    pub(crate) fn values(&self) -> &[u8] {
        &self.values
    }
}

/// Every party draws a challenge and gets from each peer the combination of the peer's blocks by it. With its own blocks they are
/// `Δ` times the combination of the values that it saw; a false value needs a guess of `Δ`.
pub(crate) async fn check(net: &mut Net, delta: Block, all: &[Opened]) -> Result<(), Abort> {
    let me = net.me();
    let challenges = challenges(net).await?;
    let combine = |party: usize| {
        let mut sum = Combination::new(challenges[party]);
        all.iter().for_each(|opened| sum.add(&opened.shares.columns[party]));
        sum.finish()
    };
    let mut due = Combination::new(challenges[me]);
    all.iter().for_each(|opened| due.add_bits(&opened.values));
    let due = due.finish().gf_mul(delta);
    let sums = (0..net.parties()).map(combine).collect();
    if !sums_to(net, sums, due).await? {
        return Err(net.cheated("an opened bit is not the one that was shared"));
    }
    Ok(())
}

/// Every party's challenge, this party's among them.
pub(crate) async fn challenges(net: &mut Net) -> Result<Vec<Block>, Abort> {
    let own = net.random_block();
    let all = net.broadcast(own.to_bytes().to_vec(), |_| 16).await?;
    Ok(all.iter().flat_map(|bytes| blocks_of(bytes).unwrap_or_default()).collect())
}

/// Sends every party the block at its place of `sums`. True when this party's own and those it receives sum up to `due`.
pub(crate) async fn sums_to(net: &mut Net, mut sums: Vec<Block>, due: Block) -> Result<bool, Abort> {
    let me = net.me();
    let mut sum = sums[me];
    sums[me] = Block::ZERO;
    let out = sums.iter().map(|sum| sum.to_bytes().to_vec()).collect();
    for message in net.scatter(out, |_| 16).await? {
        blocks_of(&message).unwrap_or_default().iter().for_each(|block| sum ^= *block);
    }
    let equal = sum.ct_eq(due);
    sum.zeroize();
    Ok(equal)
}
