//! Intersection of two parties' sets of blocks: the receiver learns which of its elements the sender has too.
//!
//! Raghuraman and Rindal (CCS 2022): the receiver evaluates [`crate::oprf`] on its elements, the sender on its own and
//! sends the outputs, 128 bits each, in the order of their values; the receiver looks for its outputs among them. Where
//! both parties are to learn the intersection, the receiver names the masks that it found and proves each with the
//! other 128 bits of the output.
//!
//! *Revealed*: both numbers of elements, which are public, and to each party that has an output, which of its elements
//! are in the intersection; a sender with an output also learns nothing more. *A malicious receiver* has an
//! intersection with up to 2.3 times as many elements as it says and 500 more (see [`crate::oprf`]), and may keep matches
//! from the sender, but cannot claim one that is none. *A malicious sender* may leave elements out, as any party may by its
//! choice of input; for two elements to share one mask it needs 2^64 evaluations of SM3.

mod matches;

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::Mode;
use crate::line::{Line, encode_numbers};
use crate::okvs::MAX_KEYS;
use crate::oprf;
use crate::order::Sorted;
use crate::records::{self, Found, Held, Layout};

/// Who learns the intersection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outputs {
    /// The receiver alone.
    Receiver,
    /// The receiver, and after it the sender.
    Both,
}

/// What both parties know of a run; bound into the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// The number of the party that holds the function.
    pub sender: usize,
    /// The number of the party that learns the intersection first. With unequal sets the smaller one is the cheaper
    /// here.
    pub receiver: usize,
    /// Elements of the sender.
    pub sender_elements: usize,
    /// Elements of the receiver.
    pub receiver_elements: usize,
    /// Who learns the intersection.
    pub outputs: Outputs,
    /// What the run spares.
    pub mode: Mode,
}

impl Parameters {
    /// Number of elements of party `me`.
    fn own(&self, me: usize) -> usize {
        if me == self.sender { self.sender_elements } else { self.receiver_elements }
    }

    /// No element is in an empty set: nothing is to be computed.
    fn is_empty(&self) -> bool {
        self.sender_elements == 0 || self.receiver_elements == 0
    }

    /// Forks the session for this party, which has `count` elements; `payload` bytes go with each of the sender's.
    fn open(&self, ctx: &mut Context, count: usize, payload: usize) -> Result<Line, Abort> {
        let Self { sender, receiver, sender_elements, receiver_elements, outputs, mode } = *self;
        let me = ctx.me();
        if sender == receiver || ![sender, receiver].contains(&me) {
            return Err(ctx.name(Abort::local("this party is neither the sender nor the receiver")));
        }
        if sender_elements.max(receiver_elements) > MAX_KEYS {
            return Err(ctx.name(Abort::local("more elements than a run takes")));
        }
        if count != self.own(me) {
            return Err(ctx.name(Abort::local("another number of elements than agreed")));
        }
        let both = usize::from(outputs == Outputs::Both);
        let numbers = [sender, receiver, sender_elements, receiver_elements, both, payload];
        let parameters = [encode_numbers(&numbers).as_slice(), &[mode.encode()]].concat();
        let line = Line::open(ctx, if me == sender { receiver } else { sender }, "psi", &parameters);
        line.phase("evaluate keys");
        Ok(line)
    }
}

/// Intersects; both parties call it with equal parameters and their own elements, which are distinct and outputs of a
/// hash ([`crate::element`]). The indices of this party's elements that are in the intersection, ascending; `None` for
/// a sender without output.
///
/// A party keeps about 130 bytes an element of its own; see [`crate::partitioned`] for sets beyond its memory.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, or the parameters do not fit this party.
///
/// ```
/// # use mpc_core::{Abort, memory};
/// use mpc_block::Block;
/// use mpc_psi::{Mode, two};
///
/// # async fn example() -> Result<(), Abort> {
/// # let mut contexts = memory::contexts(memory::network(2), [1; 32]).into_iter();
/// # let (mut at_sender, mut at_receiver) = (contexts.next().unwrap(), contexts.next().unwrap());
/// let parameters = two::Parameters {
///     sender: 0,
///     receiver: 1,
///     sender_elements: 2,
///     receiver_elements: 3,
///     outputs: two::Outputs::Receiver,
///     mode: Mode::Fast,
/// };
/// let (theirs, ours) = ([5, 9].map(Block::from_u128), [7, 8, 9].map(Block::from_u128));
/// let sending = two::run(&mut at_sender, &parameters, &theirs);
/// let receiving = two::run(&mut at_receiver, &parameters, &ours);
/// let (sent, received) = tokio::join!(sending, receiving);
/// assert_eq!((sent?, received?), (None, Some(vec![2])));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
pub async fn run(ctx: &mut Context, parameters: &Parameters, elements: &[Block]) -> Result<Option<Vec<usize>>, Abort> {
    if ctx.me() == parameters.sender {
        return give(ctx, parameters, elements, 0, &[]).await;
    }
    let found = take(ctx, parameters, elements, 0).await?;
    Ok(Some(found.iter().map(|found| found.own as usize).collect()))
}

/// The sender's part; `payload` bytes of `payloads` go with each element.
pub(crate) async fn give(
    ctx: &mut Context,
    parameters: &Parameters,
    elements: &[Block],
    payload: usize,
    payloads: &[u8],
) -> Result<Option<Vec<usize>>, Abort> {
    let both = parameters.outputs == Outputs::Both;
    let mut line = parameters.open(ctx, elements.len(), payload)?;
    if parameters.is_empty() {
        return Ok(both.then(Vec::new));
    }
    let mut pairs = Zeroizing::new(vec![[Block::ZERO; 2]; elements.len()]);
    let (peer, count, mode) = (line.peer(), parameters.receiver_elements, parameters.mode);
    drop(oprf::Sender::setup_with(line.ctx(), peer, count, mode, elements, &mut pairs).await?);
    let layout = Layout::new(elements.len(), payload);
    let sorted = Sorted::new(pairs.iter().map(|pair| pair[0]), layout.bits());
    line.enter("masks");
    line.phase("compare masks");
    records::send(&mut line, &layout, &sorted, &pairs, payloads).await?;
    if !both {
        return Ok(None);
    }
    line.enter("matches");
    matches::receive(&mut line, &sorted, &pairs, count).await.map(Some)
}

/// The receiver's part: its elements in the intersection, in order, with what the sender attached to them.
pub(crate) async fn take(
    ctx: &mut Context,
    parameters: &Parameters,
    elements: &[Block],
    payload: usize,
) -> Result<Vec<Found>, Abort> {
    let mut line = parameters.open(ctx, elements.len(), payload)?;
    if parameters.is_empty() {
        return Ok(Vec::new());
    }
    let (layout, sorted, pairs) = evaluated(&mut line, parameters, elements, payload).await?;
    let mut found = records::receive(&mut line, &layout, &sorted, &pairs).await?;
    if parameters.outputs == Outputs::Both {
        line.enter("matches");
        matches::send(&mut line, &found, &pairs).await?;
    }
    found.sort_unstable_by_key(|found| found.own);
    Ok(found)
}

/// As [`take`] for a receiver that alone has an output: in no order, and what the sender attached still sealed.
pub(crate) async fn take_sealed(
    ctx: &mut Context,
    parameters: &Parameters,
    elements: &[Block],
    payload: usize,
) -> Result<Vec<Held>, Abort> {
    let mut line = parameters.open(ctx, elements.len(), payload)?;
    if parameters.is_empty() {
        return Ok(Vec::new());
    }
    let (layout, sorted, pairs) = evaluated(&mut line, parameters, elements, payload).await?;
    records::receive_sealed(&mut line, &layout, &sorted, &pairs).await
}

/// The function at the receiver's elements, and what the sender's records look like.
async fn evaluated(
    line: &mut Line,
    parameters: &Parameters,
    elements: &[Block],
    payload: usize,
) -> Result<(Layout, Sorted, Zeroizing<Vec<[Block; 2]>>), Abort> {
    let peer = line.peer();
    let pairs = oprf::evaluate_pairs(line.ctx(), peer, parameters.mode, elements).await?;
    let layout = Layout::new(parameters.sender_elements, payload);
    let sorted = Sorted::new(pairs.iter().map(|pair| pair[0]), layout.bits());
    line.enter("masks");
    line.phase("compare masks");
    Ok((layout, sorted, pairs))
}
