//! The two-party engine: what a caller sees of a session.

use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::compare::signs;
use crate::convert::{select, to_bits, to_words};
use crate::multiply::{by_transfers, multiply};
use crate::parameters::Parameters;
use crate::party::Party;
use crate::rlwe;
use crate::shares::{Additive, BitShares, WORD};
use crate::truncate::{Rounding, truncate, truncate_small};
use crate::{bits, compare};

mod open;
mod order;
mod scan;
mod tables;

/// One party's end of a two-party session. Both parties call the same operations in the same order with equal public
/// arguments; parties that differ abort. The state exists once a session: it cannot be copied, and an abort or a
/// cancelled call ends it.
///
/// Every operation on shares fails with [`Abort`] when the peer is gone, its frames are not what the protocol allows,
/// or the session has ended before; with blame on this party, and without a message, when its arguments do not fit each
/// other.
pub struct Two {
    me: usize,
    party: Option<Box<Party>>,
}

/// From so many products of words on, a matrix product takes less time by ring LWE than by transfers.
const FEW: usize = 1024;

/// Bytes that each party sends for a product of two words, its transfers included.
const PRODUCT_BYTES: u64 = 774;

/// Whether a product of matrices of this shape is made of products of words.
fn by_words([n, m, k]: [usize; 3]) -> bool {
    n.checked_mul(m).and_then(|nm| nm.checked_mul(k)).is_some_and(|products| products <= FEW)
}

/// What a party says that goes on after an abort.
fn ended() -> Abort {
    Abort::local("this two-party session has ended with an abort")
}

fn same(one: usize, other: usize) -> Result<(), Abort> {
    if one == other { Ok(()) } else { Err(Abort::local(format!("vectors of {one} and {other} elements"))) }
}

fn divides(by: u32) -> Result<(), Abort> {
    if (1..u64::BITS).contains(&by) { Ok(()) } else { Err(Abort::local(format!("a division by two to the {by}"))) }
}

/// As [`divides`], of numbers with a bit to spare.
fn divides_small(by: u32) -> Result<(), Abort> {
    if by < u64::BITS - 1 {
        divides(by)
    } else {
        Err(Abort::local(format!("a division of 62 bits by two to the {by}")))
    }
}

/// The words without a copy.
fn words_of(mut words: Zeroizing<Vec<u64>>) -> Vec<u64> {
    std::mem::take(&mut *words)
}

impl Two {
    /// Forks the session of two parties, with [`Parameters::default`].
    ///
    /// # Errors
    /// [`Abort`] when the peer is gone or misbehaves, or the session has not two parties.
    pub async fn setup(ctx: &mut Context) -> Result<Self, Abort> {
        Self::setup_with(ctx, Parameters::default()).await
    }

    /// Forks the session of two parties.
    ///
    /// # Errors
    /// As [`Self::setup`]; also when the peer has other parameters.
    pub async fn setup_with(ctx: &mut Context, parameters: Parameters) -> Result<Self, Abort> {
        let party = Party::setup(ctx, parameters).await?;
        Ok(Self { me: party.me(), party: Some(Box::new(party)) })
    }

    /// This party's number, 0 or 1.
    pub fn me(&self) -> usize {
        self.me
    }

    fn open(&mut self) -> Result<Box<Party>, Abort> {
        self.party.take().ok_or_else(ended)
    }

    /// Puts the state back after an operation that has succeeded.
    fn close(&mut self, party: Box<Party>) {
        self.party = Some(party);
    }

    /// Element by element: the product modulo 2^64. One round.
    ///
    /// # Errors
    /// As all operations.
    pub async fn mul(&mut self, x: &Additive, y: &Additive) -> Result<Additive, Abort> {
        same(x.len(), y.len())?;
        let mut party = self.open()?;
        let product = multiply(&mut party, x.words(), y.words()).await?;
        self.close(party);
        Ok(Additive::of(words_of(product)))
    }

    /// Element by element: the product divided by `2^by`, at most one unit off: fixed point with `by` bits behind the
    /// point, from 1 to 62. The product itself must be from −2^62 to 2^62 − 1.
    ///
    /// # Errors
    /// As all operations.
    pub async fn mul_fixed(&mut self, x: &Additive, y: &Additive, by: u32) -> Result<Additive, Abort> {
        divides_small(by)?;
        let product = self.mul(x, y).await?;
        self.truncate_small(&product, by).await
    }

    /// As [`Self::matmul`], divided by `2^by` as [`Self::mul_fixed`] does.
    ///
    /// # Errors
    /// As all operations.
    pub async fn matmul_fixed(
        &mut self,
        x: &Additive,
        y: &Additive,
        shape: [usize; 3],
        by: u32,
    ) -> Result<Additive, Abort> {
        divides_small(by)?;
        let product = self.matmul(x, y, shape).await?;
        self.truncate_small(&product, by).await
    }

    /// Element by element: the signed value divided by `2^by`, rounded down or one more, `by` from 1 to 62. Right for values from
    /// −2^62 to 2^62 − 1, at about a hundredth of the cost of [`Self::truncate`].
    ///
    /// # Errors
    /// As all operations.
    pub async fn truncate_small(&mut self, x: &Additive, by: u32) -> Result<Additive, Abort> {
        divides_small(by)?;
        let mut party = self.open()?;
        let quotient = truncate_small(&mut party, x.words(), by).await?;
        self.close(party);
        Ok(Additive::of(words_of(quotient)))
    }

    /// Element by element: the signed value divided by `2^by`, `by` from 1 to 63. Right for all values of 64 bits.
    ///
    /// # Errors
    /// As all operations.
    pub async fn truncate(&mut self, x: &Additive, by: u32, rounding: Rounding) -> Result<Additive, Abort> {
        divides(by)?;
        let mut party = self.open()?;
        let quotient = truncate(&mut party, x.words(), by, rounding).await?;
        self.close(party);
        Ok(Additive::of(words_of(quotient)))
    }

    /// The sum of the products of two vectors, a vector of length 1.
    ///
    /// # Errors
    /// As all operations.
    pub async fn dot(&mut self, x: &Additive, y: &Additive) -> Result<Additive, Abort> {
        self.matmul(x, y, [1, x.len(), 1]).await
    }

    /// The product of a matrix of `n` rows and `m` columns with one of `m` rows and `k` columns, `[n, m, k]` the shape,
    /// all stored row after row, modulo 2^64. No matrix has more than 2^28 entries. Two rounds, and two for each
    /// further 64 MiB of ciphertexts.
    ///
    /// # Errors
    /// As all operations.
    pub async fn matmul(&mut self, x: &Additive, y: &Additive, shape: [usize; 3]) -> Result<Additive, Abort> {
        let [n, m, k] = shape;
        let fits = |rows: usize, columns: usize, len: usize| {
            rows.checked_mul(columns).is_some_and(|entries| entries == len && entries <= rlwe::MAX_ENTRIES)
        };
        if !fits(n, m, x.len()) || !fits(m, k, y.len()) || !fits(n, k, n.saturating_mul(k)) {
            return Err(Abort::local(format!("{} and {} elements are no {n}×{m} and {m}×{k}", x.len(), y.len())));
        }
        let mut party = self.open()?;
        let product = if by_words(shape) {
            by_transfers(&mut party, x.words(), y.words(), shape).await?
        } else {
            rlwe::matmul(&mut party, x.words(), y.words(), shape).await?
        };
        self.close(party);
        Ok(Additive::of(words_of(product)))
    }

    /// Bytes that each party sends for [`Self::matmul`] of this shape over [`crate::Network::Lan`], about; the first one that is not
    /// small takes 192 KiB more for keys. No dimension is 0. For estimates before a session.
    pub fn matmul_bytes(shape: [usize; 3]) -> u64 {
        if by_words(shape) {
            return PRODUCT_BYTES * shape.iter().map(|size| *size as u64).product::<u64>();
        }
        8 * rlwe::words_sent(shape, crate::Network::Lan) as u64
    }

    /// At each place, whether this party's value equals the peer's in the `bits` lowest bits, from 1 to 64.
    ///
    /// # Errors
    /// As all operations.
    pub async fn equal(&mut self, mine: &[u64], bits: u32) -> Result<BitShares, Abort> {
        if !(1..=u64::BITS).contains(&bits) {
            return Err(Abort::local(format!("a comparison of {bits} bits")));
        }
        let mut party = self.open()?;
        let mut line = party.line("equal", &[mine.len(), bits as usize]);
        let equal = compare::equal(&mut party, &mut line, mine, bits).await?;
        self.close(party);
        Ok(BitShares::of(words_of(equal), mine.len()))
    }

    /// Element by element, whether `x < y` as signed numbers, for numbers whose difference fits 64 bits with its sign.
    ///
    /// # Errors
    /// As all operations.
    pub async fn less(&mut self, x: &Additive, y: &Additive) -> Result<BitShares, Abort> {
        same(x.len(), y.len())?;
        self.negative(&x.sub(y)).await
    }

    /// Element by element, whether the signed number is below 0: its top bit.
    ///
    /// # Errors
    /// As all operations.
    pub async fn negative(&mut self, x: &Additive) -> Result<BitShares, Abort> {
        let mut party = self.open()?;
        let mut line = party.line("sign", &[x.len()]);
        let signs = signs(&mut party, &mut line, x.words()).await?;
        self.close(party);
        Ok(BitShares::of(words_of(signs), x.len()))
    }

    /// Element by element, whether `x < y` as signed numbers, for all numbers: three times the cost of [`Self::less`].
    ///
    /// # Errors
    /// As all operations.
    pub async fn less_any(&mut self, x: &Additive, y: &Additive) -> Result<BitShares, Abort> {
        same(x.len(), y.len())?;
        let x_sign = self.negative(x).await?;
        let y_sign = self.negative(y).await?;
        let difference = self.negative(&x.sub(y)).await?;
        // Where the signs differ the difference may overflow; then the sign of x decides.
        let correction = self.and(&x_sign.xor(&y_sign), &x_sign.xor(&difference)).await?;
        Ok(difference.xor(&correction))
    }

    /// Element by element: and. One round.
    ///
    /// # Errors
    /// As all operations.
    pub async fn and(&mut self, x: &BitShares, y: &BitShares) -> Result<BitShares, Abort> {
        same(x.len(), y.len())?;
        let mut party = self.open()?;
        let mut line = party.line("and", &[x.len()]);
        let [both] = bits::and(&mut party, &mut line, x.words(), [y.words()]).await?;
        self.close(party);
        Ok(BitShares::of(words_of(both), x.len()))
    }

    /// Element by element: not.
    pub fn not(&self, x: &BitShares) -> BitShares {
        let flip = if self.me == 0 { u64::MAX } else { 0 };
        BitShares::of(x.words().iter().map(|word| word ^ flip).collect(), x.len())
    }

    /// The bits as numbers 0 and 1 modulo 2^64. One round.
    ///
    /// # Errors
    /// As all operations.
    pub async fn to_arith(&mut self, bits: &BitShares) -> Result<Additive, Abort> {
        let mut party = self.open()?;
        let numbers = to_words(&mut party, bits.words(), bits.len()).await?;
        self.close(party);
        Ok(Additive::of(words_of(numbers)))
    }

    /// The 64 bits of every number, the lowest first: bit `i` of element `e` is at place `64·e + i`. Seven rounds.
    ///
    /// # Errors
    /// As all operations.
    pub async fn to_bits(&mut self, x: &Additive) -> Result<BitShares, Abort> {
        let mut party = self.open()?;
        let bits = to_bits(&mut party, x.words()).await?;
        self.close(party);
        Ok(BitShares::of(words_of(bits), WORD * x.len()))
    }

    /// Element by element: `x` where the bit is set, else 0. One round.
    ///
    /// # Errors
    /// As all operations.
    pub async fn select(&mut self, bit: &BitShares, x: &Additive) -> Result<Additive, Abort> {
        same(bit.len(), x.len())?;
        let mut party = self.open()?;
        let chosen = select(&mut party, bit.words(), x.words()).await?;
        self.close(party);
        Ok(Additive::of(words_of(chosen)))
    }
}
