//! Intersection in bounded memory: sets are dealt out to buckets on the caller's storage, and intersected one by one.
//!
//! A public hash under the job's identifier decides an element's bucket, so equal elements meet. Every bucket is filled
//! up with random elements to one bound ([`Plan::bucket`]), which the real ones exceed with probability 2^-50, so the
//! sizes tell nothing but the number of rows. A run then keeps some 250 bytes an element of one bucket, whatever the
//! size of the sets, and some 100 bytes for every further row of this party's own that has an element of the bucket again:
//! where many rows may have one key, that is put together before it is spilled.
//!
//! *Resuming*: the storage and the number of finished buckets are the checkpoint, since buckets come one after the other. A
//! later attempt has a fresh session, and so fresh correlations, masks and random elements for every remaining bucket;
//! nothing secret of an attempt is kept. The parties tell each other how many they have finished, and begin with the first
//! that one of them lacks. The receiver confirms each bucket that it has delivered, and only then has the sender finished
//! it: so they differ by the bucket under way at most, and a peer that says otherwise is blamed. *A malicious receiver* may
//! break off after the sender's last message of a bucket, and have this one bucket repeated with other elements: an attempt
//! more tells it of one bucket's elements more. It learns nothing more of a bucket that it confirmed. Where both learn the
//! intersection, a malicious sender may do the same with a bucket whose matches it has heard, until it says that it is finished.
//!
//! The job is known long before a run, so who may write many rows into a party's data can fill one bucket beyond the
//! bound, which ends the run. What is spilled is the owner's data (hashes of its keys, which can be guessed): the
//! storage is the owner's own.
//!
//! [`labelled`] is the same with bytes that go with each element.

mod checkpoint;
pub mod labelled;
mod spill;

use mpc_block::{Aes, Block, BlockPrg};
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::element::Elements;
use crate::line::{encode_numbers, halves};
use crate::okvs::{self, load_bound};
use crate::two;

pub use spill::{Spill, Writer};

/// Elements of a bucket that suit most machines: 2^20, for about 256 MiB.
pub const BUCKET_ELEMENTS: usize = 1 << 20;
/// Most buckets.
const MAX_BUCKETS: usize = 4096;

/// What both parties know of a job; the same in every attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    job: [u8; 32],
    two: two::Parameters,
    buckets: usize,
}

impl Plan {
    /// The job `job` with the given parties and sets; numbers of elements are those of all rows or bounds of them.
    /// Buckets have about `bucket_elements` elements of the larger set; see [`BUCKET_ELEMENTS`].
    ///
    /// `None` for more than 4096 buckets, or buckets that no store is large enough for.
    pub fn new(job: [u8; 32], two: two::Parameters, bucket_elements: usize) -> Option<Self> {
        let most = two.sender_elements.max(two.receiver_elements);
        let buckets = most.checked_div(bucket_elements)? + usize::from(!most.is_multiple_of(bucket_elements));
        let plan = Self { job, two, buckets: buckets.max(1) };
        let bucket = plan.bucket();
        let fits = bucket.sender_elements.max(bucket.receiver_elements) <= okvs::MAX_KEYS;
        (plan.buckets <= MAX_BUCKETS && fits).then_some(plan)
    }

    /// How many buckets there are.
    pub fn buckets(&self) -> usize {
        self.buckets
    }

    /// The identifier that elements are hashed under ([`crate::element::Hasher::new`]).
    pub fn job(&self) -> &[u8; 32] {
        &self.job
    }

    /// The run of one bucket: the bounds take the place of the numbers of elements.
    pub fn bucket(&self) -> two::Parameters {
        let bound = |count| if count == 0 { 0 } else { load_bound(count, self.buckets) };
        let (sender_elements, receiver_elements) = (bound(self.two.sender_elements), bound(self.two.receiver_elements));
        two::Parameters { sender_elements, receiver_elements, ..self.two }
    }

    /// The hash that decides buckets.
    fn cipher(&self) -> Aes {
        let digest = base_gm::sm3::tagged("heqi/mpc/psi/bucket/1", &[&self.job]).0;
        Aes::new(halves(&digest)[0])
    }

    fn encode(&self) -> Vec<u8> {
        let Self { job, two, buckets } = self;
        let two::Parameters { sender, receiver, sender_elements, receiver_elements, outputs, mode } = two;
        let both = usize::from(*outputs == two::Outputs::Both);
        let numbers = [*sender, *receiver, *sender_elements, *receiver_elements, both, *buckets];
        [job.as_slice(), &encode_numbers(&numbers), &[mode.encode()]].concat()
    }
}

/// Intersects bucket by bucket what both parties have spilled with a [`Writer`]. `finished` is how many buckets, from the
/// first, this party has delivered in earlier attempts.
///
/// After each bucket `deliver` gets its number and the rows of this party's elements in the intersection, ascending
/// (`None` at a sender without output). It makes both durable, the bucket's rows in place of those of an earlier
/// attempt; an error of its ends the run.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, when the storage or `deliver` fails, or the rows do not fit the plan.
pub async fn run<S, D>(
    ctx: &mut Context,
    plan: &Plan,
    finished: usize,
    spill: &mut S,
    mut deliver: D,
) -> Result<(), Abort>
where
    S: Spill,
    D: FnMut(usize, Option<Vec<u64>>) -> Result<(), String> + Send,
{
    let mut fork = ctx.fork_bound("partitioned psi", &plan.encode());
    for bucket in checkpoint::remaining(&mut fork, plan, finished).await? {
        let (elements, rows) = load(&fork, plan, spill, bucket)?;
        let mut part = fork.fork_bound("bucket", &encode_numbers(&[bucket]));
        let padded = pad(&part, plan, elements.blocks())?;
        let matched = two::run(&mut part, &plan.bucket(), &padded).await?;
        let matched = matched.map(|matched| rows_of_all(&matched, &elements, &rows));
        checkpoint::delivered(&mut part, plan, || deliver(bucket, matched)).await?;
    }
    Ok(())
}

/// Shows to `visit` the rows of every distinct element that was spilled, bucket by bucket, and so reads the storage once.
/// A party calls it before a run for what may end it by this party's own data: within a run, the bucket where that is
/// found would tell the peer of it.
///
/// # Errors
/// [`Abort`] when the storage or `visit` fails, or the rows do not fit the plan.
pub fn visit<S, V>(ctx: &Context, plan: &Plan, spill: &mut S, mut visit: V) -> Result<(), Abort>
where
    S: Spill,
    V: FnMut(&[u64]) -> Result<(), String>,
{
    for bucket in 0..plan.buckets {
        let (elements, rows) = load(ctx, plan, spill, bucket)?;
        for element in 0..elements.blocks().len() {
            visit(&rows_of(element, &elements, &rows)).map_err(|why| ctx.name(Abort::local(why)))?;
        }
    }
    Ok(())
}

/// The distinct elements of a bucket, and the rows that were spilled, which the elements' rows count.
fn load<S: Spill>(fork: &Context, plan: &Plan, spill: &mut S, bucket: usize) -> Result<(Elements, Vec<u64>), Abort> {
    let stored = spill.load(bucket).map(Zeroizing::new).map_err(|why| fork.name(Abort::local(why)))?;
    let (blocks, rows) = spill::parse(&stored).ok_or_else(|| fork.name(Abort::local("a torn spill")))?;
    let elements = Elements::group(&blocks, &(0..rows.len() as u32).collect::<Vec<u32>>());
    let bucket = plan.bucket();
    let bound = if fork.me() == plan.two.sender { bucket.sender_elements } else { bucket.receiver_elements };
    if elements.blocks().len() > bound {
        return Err(fork.name(Abort::local("more elements than planned")));
    }
    Ok((elements, rows))
}

/// The elements of a bucket, and random ones up to the bound.
fn pad(part: &Context, plan: &Plan, elements: &[Block]) -> Result<Zeroizing<Vec<Block>>, Abort> {
    let bucket = plan.bucket();
    let bound = if part.me() == plan.two.sender { bucket.sender_elements } else { bucket.receiver_elements };
    let mut padded = Zeroizing::new(vec![Block::ZERO; bound]);
    let (own, random) =
        padded.split_at_mut_checked(elements.len()).ok_or_else(|| part.name(Abort::local("a full bucket")))?;
    own.copy_from_slice(elements);
    let mut seed = Zeroizing::new([0_u8; 16]);
    part.random(&mut *seed);
    BlockPrg::new(Block::from_bytes(*seed)).fill(random);
    Ok(padded)
}

/// The rows of one element, ascending; what was filled up has none.
fn rows_of(element: usize, elements: &Elements, rows: &[u64]) -> Vec<u64> {
    elements.rows_of(element).iter().filter_map(|at| rows.get(*at as usize).copied()).collect()
}

/// The rows of the matched elements.
fn rows_of_all(matched: &[usize], elements: &Elements, rows: &[u64]) -> Vec<u64> {
    let mut out: Vec<u64> = matched.iter().flat_map(|element| rows_of(*element, elements, rows)).collect();
    out.sort_unstable();
    out
}
