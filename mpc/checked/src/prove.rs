//! Distributed zero-knowledge proofs of inner products, three at once: each party proves to the two others.
//!
//! Boneh, Boyle, Corrigan-Gibbs, Gilboa and Ishai, "Zero-Knowledge Proofs on Secret-Shared Data via Fully Linear PCPs"
//! (CRYPTO 2019), in the recursive form of Boyle, Gilboa, Ishai and Nof, "Practical Fully Secure Three-Party Computation via
//! Sublinear Distributed Zero-Knowledge Proofs" (CCS 2019, section 4): every round folds the vectors.
//!
//! Vectors `a` and `y` are shared as everything is: party `i` holds components `i` and `i+1`. Party `i` proves that
//! `<a_i, y_{i+1}> + <a_{i+1}, y_i>` is a number of which the party before (which knows component `i`) and the party after
//! (which knows component `i+1`) hold additive shares. In a round the vectors are cut into 2^d pieces, the values of a
//! polynomial of degree one in each of d variables; the prover shares the values of the product polynomial on
//! {0, 1, infinity}^d, all but the last of {0, 1}^d, which follows from the claim; a coin picks a point, where the
//! polynomials' values are the next, shorter vectors, which take the place of the first pieces. The same coin serves all three
//! proofs, so each component is folded once. At length one each component is hidden by a fresh random line before the verifiers
//! exchange its value.
//!
//! A false claim survives a round with probability at most 2d/|F| (Schwartz and Zippel).

use mpc_core::Abort;
use zeroize::Zeroizing;

use crate::expand::{Room, bases, linear_weights, square_weights};
use crate::field::Field;
use crate::link::Link;
use crate::wiped::{reserve, wipe};

/// Entries of a piece that are worked on at a time, so that all rows stay in the cache.
const STRIP: usize = 64;
/// Vectors longer than this are cut into four, shorter ones into eight: fewer products, or fewer rounds.
const LONG: usize = 1 << 12;

/// This party's components, `[own, next]`, of two vectors of one length. What longer vectors left in their memory is wiped with them.
pub(crate) struct Vectors<F: Field> {
    pub(crate) a: [Vec<F::Element>; 2],
    pub(crate) y: [Vec<F::Element>; 2],
}

/// Shares of claims: `ahead` of what the party after proves, `behind` of what the party before proves.
pub(crate) struct Claim<E> {
    pub(crate) ahead: E,
    pub(crate) behind: E,
}

impl<F: Field> Drop for Vectors<F> {
    fn drop(&mut self) {
        self.a.iter_mut().chain(&mut self.y).for_each(wipe);
    }
}

/// How many variables the next round has.
fn dims_of(len: usize) -> u32 {
    if len > LONG { 2 } else { len.next_power_of_two().trailing_zeros().min(3) }
}

/// A strip of every piece.
fn strips<E>(vector: &[E], piece: usize, start: usize, len: usize) -> impl Iterator<Item = &[E]> {
    vector.chunks_exact(piece).map(move |part| &part[start..start + len])
}

impl<F: Field> Vectors<F> {
    fn len(&self) -> usize {
        self.a[0].len()
    }

    fn pad(&mut self, multiple: usize) {
        let len = self.len().next_multiple_of(multiple);
        for vector in self.a.iter_mut().chain(&mut self.y) {
            reserve(vector, len - vector.len());
            vector.resize(len, F::Element::default());
        }
    }

    /// The values at {0, 1, infinity}^dims of the polynomial that this party proves, but for the row that follows from the claim.
    fn products(&self, field: &F, dims: u32, without: usize) -> Zeroizing<Vec<F::Element>> {
        let piece = self.len() >> dims;
        let mut sums: Vec<F::Sum> = (0..3_usize.pow(dims)).map(|_| F::Sum::default()).collect();
        let mut rooms = [(); 4].map(|()| Room::new(dims, STRIP.min(piece)));
        for start in (0..piece).step_by(STRIP) {
            let len = STRIP.min(piece - start);
            let [first, second, third, fourth] = &mut rooms;
            let a_own = first.expand(field, strips(&self.a[0], piece, start, len), len);
            let a_next = second.expand(field, strips(&self.a[1], piece, start, len), len);
            let y_own = third.expand(field, strips(&self.y[0], piece, start, len), len);
            let y_next = fourth.expand(field, strips(&self.y[1], piece, start, len), len);
            let own = a_own.chunks_exact(len).zip(y_next.chunks_exact(len));
            let next = a_next.chunks_exact(len).zip(y_own.chunks_exact(len));
            let rows = sums.iter_mut().zip(own.zip(next)).enumerate();
            for (_, (sum, (own, next))) in rows.filter(|(row, _)| *row != without) {
                field.add_dot(sum, own.0, own.1);
                field.add_dot(sum, next.0, next.1);
            }
        }
        let mut values = Zeroizing::new(sums.into_iter().map(|sum| field.total(sum)).collect::<Vec<_>>());
        values.remove(without);
        values
    }

    /// The vectors' values at a point, from those at {0, 1}^d.
    fn fold(&mut self, field: &F, by: &[F::Element]) {
        let piece = self.len() / by.len();
        for vector in self.a.iter_mut().chain(&mut self.y) {
            field.combine(vector, by);
            vector.truncate(piece);
        }
    }
}

/// Shares what this party proves from: the party before gets what the common stream gives, the one after the rest. Returns
/// this party's shares of the party after's values and of the party before's.
pub(crate) async fn share<F: Field>(
    link: &mut Link,
    field: &F,
    values: &[F::Element],
) -> Result<[Vec<F::Element>; 2], Abort> {
    let masks = Zeroizing::new(field.draw_all(&mut link.own, values.len()));
    let ahead = field.draw_all(&mut link.next, values.len());
    let rest: Vec<F::Element> = values.iter().zip(masks.iter()).map(|(x, mask)| field.sub(*x, *mask)).collect();
    let got = link.pass_on(field.encode(&rest)).await?;
    Ok([ahead, field.decode(&got)])
}

/// Proves this party's inner product and verifies the two others'. The parties have agreed on the length. Of the vectors
/// nothing but their memory is of use afterwards.
///
/// # Errors
/// [`Abort`] when a proof fails, or a peer is gone or misbehaves.
pub(crate) async fn prove<F: Field>(
    link: &mut Link,
    field: &F,
    vectors: &mut Vectors<F>,
    mut claim: Claim<F::Element>,
) -> Result<(), Abort> {
    while vectors.len() > 1 {
        let dims = dims_of(vectors.len());
        vectors.pad(1 << dims);
        let bases = bases(dims);
        let last = bases.last().copied().unwrap_or_default();
        let values = vectors.products(field, dims, last);
        let mut shares = share(link, field, &values).await?;
        for (shares, claim) in shares.iter_mut().zip([claim.ahead, claim.behind]) {
            shares.insert(last, F::Element::default());
            shares[last] = bases.iter().fold(claim, |rest, row| field.sub(rest, shares[*row]));
        }
        let mut coin = link.coin("fold").await?;
        let point = field.draw_all(&mut coin, dims as usize);
        let weights = square_weights(field, &point);
        let [ahead, behind] = shares.map(|shares| field.inner(&weights, &shares));
        claim = Claim { ahead, behind };
        vectors.fold(field, &linear_weights(field, &point));
    }
    finish(link, field, vectors, claim).await
}

/// The last step, at length one: random lines through the components, whose values at a random point are exchanged.
async fn finish<F: Field>(
    link: &mut Link,
    field: &F,
    vectors: &Vectors<F>,
    claim: Claim<F::Element>,
) -> Result<(), Abort> {
    let entry = |vector: &Vec<F::Element>| field.reduced(vector.first().copied().unwrap_or_default());
    let [a_own, a_next, y_own, y_next] = [&vectors.a[0], &vectors.a[1], &vectors.y[0], &vectors.y[1]].map(entry);
    let own = Zeroizing::new(field.draw_all(&mut link.own, 2));
    let next = Zeroizing::new(field.draw_all(&mut link.next, 2));
    // (a_i + t own_0)(y_{i+1} + t next_1) + (a_{i+1} + t next_0)(y_i + t own_1), the coefficients of t and t^2.
    let slope = field.inner(&[a_own, own[0], a_next, next[0]], &[next[1], y_next, own[1], y_own]);
    let square = field.inner(&own, &[next[1], next[0]]);
    let shares = share(link, field, &[slope, square]).await?;
    let mut coin = link.coin("end").await?;
    let mut at = field.draw(&mut coin);
    while at == F::Element::default() {
        at = field.draw(&mut coin);
    }
    let powers = [field.one(), at, field.mul(at, at)];
    let value = |claim: F::Element, shares: &[F::Element]| field.inner(&powers, &[&[claim][..], shares].concat());
    let (ahead, behind) = (value(claim.ahead, &shares[0]), value(claim.behind, &shares[1]));
    let hidden = |x: F::Element, slope: F::Element| field.add(x, field.mul(at, slope));
    // What hides component i+1 is used up here: it must be the same point that the prover has.
    link.agree("coins").await?;
    let out = field.encode(&[hidden(a_next, next[0]), hidden(y_next, next[1]), ahead]);
    let got = field.decode(&link.pass_back(out).await?);
    let [a_missing, y_missing, share] = got[..] else {
        return Err(link.ctx.name(Abort::local("a round without its message")));
    };
    let product = field.inner(&[a_missing, hidden(a_own, own[0])], &[hidden(y_own, own[1]), y_missing]);
    if product != field.add(share, behind) {
        let (before, after) = (link.before(), link.after());
        return Err(link.undecided(format!("party {before}'s products do not hold against party {after}'s shares")));
    }
    Ok(())
}
