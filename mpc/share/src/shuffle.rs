//! An oblivious shuffle of rows: three hops, in each of which two parties permute and the third sees fresh shares.
//!
//! Laur, Willemson and Zhang, "Round-Efficient Oblivious Database Manipulation" (ISC 2011), on replicated shares as in
//! Chida et al., "An Efficient Secure Three-Party Sorting Protocol with an Honest Majority" (ePrint 2019/695), algorithm
//! 9. In hop `i`, parties `i` and `i+1` know the permutation from their common stream; they turn the secret into two
//! parts, `x_i + x_{i+1}` and `x_{i+2}`, permute them, and give party `i+2` its two components under fresh masks. No
//! party knows all three permutations.

use mpc_core::{Abort, Prg, words};

use crate::shared::{permuted, zip};
use crate::{Rep3, Ring, Shared};

/// What both parties that permute draw from their common stream, in this order.
struct Draw {
    to: Vec<u32>,
    first: Vec<u64>,
    second: Vec<u64>,
}

impl Draw {
    fn new(stream: &mut Prg, rows: usize, cells: usize) -> Result<Self, Abort> {
        let rows = u32::try_from(rows).map_err(|_| Abort::local("more than 2^32 rows"))?;
        Ok(Self { to: stream.permutation(rows), first: stream.words(cells), second: stream.words(cells) })
    }
}

fn split<R: Ring>(own: &[u64], next: &[u64], rows: usize) -> Vec<Shared<R>> {
    own.chunks(rows).zip(next.chunks(rows)).map(|(own, next)| Shared::new(own.to_vec(), next.to_vec())).collect()
}

impl Rep3 {
    /// Puts the rows of equally long columns into a uniformly random order that no party knows. Three rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn shuffle<R: Ring>(&mut self, mut columns: Vec<Shared<R>>) -> Result<Vec<Shared<R>>, Abort> {
        let rows = columns.first().map_or(0, Shared::len);
        assert!(columns.iter().all(|column| column.len() == rows), "columns have one length");
        if rows < 2 {
            return Ok(columns);
        }
        for hop in 0..3 {
            columns = self.hop(hop, columns, rows).await?;
        }
        Ok(columns)
    }

    async fn hop<R: Ring>(
        &mut self,
        hop: usize,
        columns: Vec<Shared<R>>,
        rows: usize,
    ) -> Result<Vec<Shared<R>>, Abort> {
        let (before, after, cells) = (self.before(), self.after(), columns.len() * rows);
        let permute = |part: fn(&Shared<R>) -> Vec<u64>, to: &[u32]| -> Vec<u64> {
            columns.iter().flat_map(|column| permuted(&part(column), to)).collect()
        };
        match (self.me() + 3 - hop) % 3 {
            0 => {
                let draw = Draw::new(&mut self.next, rows, cells)?;
                let sum = permute(|column| zip(&column.own, &column.next, R::add), &draw.to);
                let own = zip(&sum, &draw.first, R::sub);
                self.ctx.round(vec![(before, words::encode(&own))], &[]).await?;
                Ok(split(&own, &zip(&draw.first, &draw.second, R::add), rows))
            }
            1 => {
                let draw = Draw::new(&mut self.own, rows, cells)?;
                let last = permute(|column| column.next.clone(), &draw.to);
                let next = zip(&last, &draw.second, R::sub);
                self.ctx.round(vec![(after, words::encode(&next))], &[]).await?;
                Ok(split(&zip(&draw.first, &draw.second, R::add), &next, rows))
            }
            _ => {
                let len = words::bytes(cells);
                let got = self.ctx.round(vec![], &[(before, len), (after, len)]).await?;
                let parts: Vec<Vec<u64>> = got.iter().map(|bytes| words::decode(bytes)).collect();
                let [own, next] = parts.as_slice() else {
                    return Err(self.ctx.name(Abort::local("a round without its messages")));
                };
                Ok(split(own, next, rows))
            }
        }
    }
}
