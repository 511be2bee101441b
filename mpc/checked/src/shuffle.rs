//! An oblivious shuffle of rows, each of its three hops recorded and proven.
//!
//! Laur, Willemson and Zhang, "Round-Efficient Oblivious Database Manipulation" (ISC 2011), on replicated shares as in Chida
//! et al. (ePrint 2019/695), algorithm 9. In hop `i`, parties `i` and `i+1` draw a permutation and masks `r`, `s` from their
//! common stream; the moved rows have the components `x'_i = p(x_i + x_{i+1}) - r` (sent by party `i`), `x'_{i+1} = r + s`
//! and `x'_{i+2} = p(x_{i+2}) - s` (sent by party `i+1`). No party knows all three permutations.
//!
//! Each message is proven like a product: party `i` proves `p(x_i) = x'_i + (r - p(x_{i+1}))`, of which the party before
//! knows `x_i` and `x'_i`, the party after `p` and the rest; party `i+1` proves `p(x_{i+2}) = s + x'_{i+2}`, of which the party
//! before knows `p` and `s`, the party after `x_{i+2}` and `x'_{i+2}`. Weighted sums of the moved rows are inner products of
//! the source with the weights in the order of `p`.

use mpc_core::{Abort, words};
use mpc_share::{Arith, Ring, Z64};
use zeroize::Zeroizing;

use crate::party::Checked;
use crate::record::Hop;
use crate::stream::Stream;
use crate::wiped::reserve;

/// What both movers draw from their common stream, in this order.
struct Draw {
    to: Vec<u32>,
    r: Zeroizing<Vec<u64>>,
    s: Zeroizing<Vec<u64>>,
}

impl Draw {
    fn new(stream: &mut Stream, rows: usize, cells: usize) -> Result<Self, Abort> {
        let rows = u32::try_from(rows).map_err(|_| Abort::local("more than 2^32 rows"))?;
        let to = stream.permutation(rows);
        Ok(Self { to, r: Zeroizing::new(stream.words(cells)), s: Zeroizing::new(stream.words(cells)) })
    }
}

/// Moves the word at `j` of each column to `to[j]`.
pub(crate) fn placed(words: &[u64], rows: usize, to: &[u32]) -> Zeroizing<Vec<u64>> {
    let mut out = Zeroizing::new(vec![0; words.len()]);
    for (column, out) in words.chunks(rows).zip(out.chunks_mut(rows)) {
        column.iter().zip(to).for_each(|(word, place)| out[*place as usize] = *word);
    }
    out
}

fn zip(x: &[u64], y: &[u64], op: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    x.iter().zip(y).map(|(x, y)| op(*x, *y)).collect()
}

/// What a hop gives a party: the moved rows' components, and `w_i`, `w_{i+1}`, `f_i` of its relations.
struct Moved {
    parts: [Vec<u64>; 2],
    w: [Zeroizing<Vec<u64>>; 2],
    f: Zeroizing<Vec<u64>>,
    to: Vec<u32>,
}

impl Checked {
    /// Puts the rows of equally long columns into a uniformly random order that no party knows. Three rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn shuffle(&mut self, columns: Vec<Arith>) -> Result<Vec<Arith>, Abort> {
        let rows = columns.first().map_or(0, Arith::len);
        assert!(columns.iter().all(|column| column.len() == rows), "columns have one length");
        if rows < 2 {
            return Ok(columns);
        }
        self.begin()?;
        let outcome = self.hops(&columns, rows).await;
        self.end(outcome)
    }

    async fn hops(&mut self, columns: &[Arith], rows: usize) -> Result<Vec<Arith>, Abort> {
        let mut cells = Arith::concat(columns.iter().map(Arith::view));
        for hop in 0..3 {
            let side = (self.me() + 3 - hop) % 3;
            let (own, next) = cells.parts();
            let moved = match side {
                0 => self.move_first(own, next, rows).await?,
                1 => self.move_second(own, next, rows).await?,
                _ => self.receive(own.len()).await?,
            };
            let source = [own.to_vec(), next.to_vec()];
            let Moved { parts: [own, next], w, f, to } = moved;
            let records = &mut self.integers;
            for (all, new) in records.w.iter_mut().chain([&mut records.f]).zip(w.iter().chain([&f])) {
                reserve(all, new.len());
                all.extend_from_slice(new);
            }
            records.hop(Hop { source, to, side, rows });
            cells = Arith::from_parts(own, next);
            self.verify_when_full().await?;
        }
        Ok(cells.pieces(rows))
    }

    async fn move_first(&mut self, own: &[u64], next: &[u64], rows: usize) -> Result<Moved, Abort> {
        let link = &mut self.link;
        let Draw { to, r, s } = Draw::new(&mut link.next, rows, own.len())?;
        let sum = Zeroizing::new(zip(own, next, Z64::add));
        let moved = zip(&placed(&sum, rows, &to), &r, Z64::sub);
        let before = link.before();
        link.ctx.round(vec![(before, words::encode(&moved))], &[]).await?;
        let zeros = Zeroizing::new(vec![0; own.len()]);
        Ok(Moved { w: [Zeroizing::new(moved.clone()), s.clone()], parts: [moved, zip(&r, &s, Z64::add)], f: zeros, to })
    }

    async fn move_second(&mut self, own: &[u64], next: &[u64], rows: usize) -> Result<Moved, Abort> {
        let link = &mut self.link;
        let Draw { to, r, s } = Draw::new(&mut link.own, rows, own.len())?;
        let moved = zip(&placed(next, rows, &to), &s, Z64::sub);
        let f = Zeroizing::new(zip(&r, &placed(own, rows, &to), Z64::sub));
        let after = link.after();
        link.ctx.round(vec![(after, words::encode(&moved))], &[]).await?;
        let zeros = Zeroizing::new(vec![0; own.len()]);
        Ok(Moved { parts: [zip(&r, &s, Z64::add), moved], w: [s, zeros], f, to })
    }

    async fn receive(&mut self, cells: usize) -> Result<Moved, Abort> {
        let link = &mut self.link;
        let (before, after, len) = (link.before(), link.after(), words::bytes(cells));
        let got = link.ctx.round(vec![], &[(before, len), (after, len)]).await?;
        let parts: Vec<Vec<u64>> = got.iter().map(|bytes| words::decode(bytes)).collect();
        let [own, next] = parts.as_slice() else {
            return Err(link.ctx.name(Abort::local("a round without its messages")));
        };
        let w = [Zeroizing::new(vec![0; cells]), Zeroizing::new(next.clone())];
        Ok(Moved { parts: [own.clone(), next.clone()], w, f: Zeroizing::new(own.clone()), to: Vec::new() })
    }
}
