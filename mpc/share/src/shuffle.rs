//! An oblivious shuffle of rows: three hops, in each of which two parties permute and the third sees fresh shares.
//!
//! Laur, Willemson and Zhang, "Round-Efficient Oblivious Database Manipulation" (ISC 2011), on replicated shares as in
//! Chida et al., "An Efficient Secure Three-Party Sorting Protocol with an Honest Majority" (ePrint 2019/695), algorithm
//! 9. In hop `i`, parties `i` and `i+1` know the permutation from their common stream; they turn the secret into two
//! parts, `x_i + x_{i+1}` and `x_{i+2}`, permute them, and give party `i+2` its two components under fresh masks. No
//! party knows all three permutations.

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::stream::Stream;
use crate::{Rep3, Ring, Shared};

/// The columns of a table, of two rings: all move together.
pub(crate) struct Columns<R: Ring, S: Ring> {
    pub(crate) first: Vec<Shared<R>>,
    pub(crate) second: Vec<Shared<S>>,
}

impl<R: Ring, S: Ring> Columns<R, S> {
    fn lens(&self) -> impl Iterator<Item = usize> + '_ {
        self.first.iter().map(Shared::len).chain(self.second.iter().map(Shared::len))
    }

    fn split(&self, own: &[u64], next: &[u64], rows: usize) -> Self {
        let border = self.first.len() * rows;
        Self {
            first: split(&own[..border], &next[..border], rows),
            second: split(&own[border..], &next[border..], rows),
        }
    }
}

fn split<R: Ring>(own: &[u64], next: &[u64], rows: usize) -> Vec<Shared<R>> {
    own.chunks(rows).zip(next.chunks(rows)).map(|(own, next)| Shared::new(own.to_vec(), next.to_vec())).collect()
}

/// Which of the two parties that permute: the first leaves the sum of its components, the second its next component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    First,
    Second,
}

/// Appends one column's two new components: the one that is sent, and the one that both parties draw.
fn leave<R: Ring>(role: Role, stream: &mut Stream, from: &[u32], column: &Shared<R>, out: [&mut Vec<u64>; 2]) {
    let [sent, kept] = out;
    let at = sent.len();
    let masks = [(); 2].map(|()| Zeroizing::new(stream.words(from.len())));
    kept.extend(masks[0].iter().zip(masks[1].iter()).map(|(first, second)| R::add(*first, *second)));
    let (own, next) = (column.own.as_slice(), column.next.as_slice());
    match role {
        Role::First => sent.extend(from.iter().map(|row| R::add(own[*row as usize], next[*row as usize]))),
        Role::Second => sent.extend(from.iter().map(|row| next[*row as usize])),
    }
    let mask = &masks[usize::from(role == Role::Second)];
    sent[at..].iter_mut().zip(mask.iter()).for_each(|(word, mask)| *word = R::sub(*word, *mask));
}

impl Rep3 {
    /// Puts the rows of equally long columns into a uniformly random order that no party knows. Three rounds.
    ///
    /// # Errors
    /// [`Abort`] when a peer is gone or misbehaves.
    pub async fn shuffle<R: Ring>(&mut self, columns: Vec<Shared<R>>) -> Result<Vec<Shared<R>>, Abort> {
        let both = Columns { first: columns, second: Vec::<Shared<R>>::new() };
        Ok(self.shuffle_both(both).await?.first)
    }

    /// As [`Rep3::shuffle`], for columns of two rings.
    pub(crate) async fn shuffle_both<R: Ring, S: Ring>(
        &mut self,
        mut columns: Columns<R, S>,
    ) -> Result<Columns<R, S>, Abort> {
        let rows = columns.lens().next().unwrap_or(0);
        assert!(columns.lens().all(|len| len == rows), "columns have one length");
        if rows < 2 {
            return Ok(columns);
        }
        for hop in 0..3 {
            columns = self.hop(hop, columns, rows).await?;
        }
        Ok(columns)
    }

    async fn hop<R: Ring, S: Ring>(
        &mut self,
        hop: usize,
        columns: Columns<R, S>,
        rows: usize,
    ) -> Result<Columns<R, S>, Abort> {
        let (before, after, cells) = (self.before(), self.after(), columns.lens().count() * rows);
        let role = match (self.me() + 3 - hop) % 3 {
            0 => Role::First,
            1 => Role::Second,
            _ => {
                let (mut own, mut next) = (Zeroizing::new(vec![0u64; cells]), Zeroizing::new(vec![0u64; cells]));
                self.pass(None, Some((before, own.as_mut_slice()))).await?;
                self.pass(None, Some((after, next.as_mut_slice()))).await?;
                return Ok(columns.split(&own, &next, rows));
            }
        };
        let count = u32::try_from(rows).map_err(|_| self.ctx.name(Abort::local("more than 2^32 rows")))?;
        let stream = if role == Role::First { &mut self.next } else { &mut self.own };
        let from = stream.permutation(count);
        let empty = || Zeroizing::new(Vec::with_capacity(cells));
        let (mut sent, mut kept) = (empty(), empty());
        for column in &columns.first {
            leave(role, stream, &from, column, [&mut *sent, &mut *kept]);
        }
        for column in &columns.second {
            leave(role, stream, &from, column, [&mut *sent, &mut *kept]);
        }
        let to = if role == Role::First { before } else { after };
        self.pass(Some((to, sent.as_slice())), None).await?;
        let (own, next) = if role == Role::First { (&sent, &kept) } else { (&kept, &sent) };
        Ok(columns.split(own, next, rows))
    }
}
