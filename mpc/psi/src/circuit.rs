//! Circuit PSI: counts and sums over the intersection of two parties' keys, of which neither side learns the members.
//!
//! Tier A: semi-honest, two parties, no dealer. The receiver learns the [`Function`]s, where there is a threshold only when enough
//! keys match, or each only when enough keys bring something to it, and nothing else; the sender learns nothing. Sizes and declared ranges are public ([`Parameters`]). A party that
//! departs from the protocol can make the answer wrong or learn more than the answer. What is caught nonetheless is what
//! belongs to another session, to other parameters or has another length: it ends the session with blame.
//!
//! After Pinkas, Schneider, Tkachenko and Yanai ("Efficient Circuit-Based PSI with Linear Communication", EUROCRYPT 2019), with the
//! oblivious programmable pseudorandom function from OKVS and VOLE (Rindal and Schoppmann, EUROCRYPT 2021; Raghuraman and
//! Rindal, CCS 2022):
//!
//! 1. **Bins** (`cuckoo`): the receiver places its `n` keys into `⌊1.3·n⌋ + 1024` bins, at most one a bin, each in one of three.
//! 2. **Targets** (`opprf`): in every bin both sides get a word, equal when the receiver's key is one of the sender's and
//!    unrelated when not, and additive shares of the sender's payload.
//! 3. **Comparison** (`sums`): bin by bin the words are compared under sharing, so each side holds a share of 'this bin matches'. One
//!    word is compared with one word in a bin; `40 + log2(bins)` of its bits bound the probability that any bin matches falsely by
//!    2^-40. (Keys are compared as hashes of 128 bits, more than the `40 + 2·log2 n` that hashed keys need.)
//! 4. **Sums** (`sums`): values are selected by those shares, added up locally, compared with the threshold, revealed.
//!
//! *Duplicates and NULLs* follow SQL: [`Input::by_key`]. *Failure to place* has probability below 2^-45 and ends the session at the
//! receiver before anything is asked; a new session draws other bins.

mod cuckoo;
mod input;
mod opprf;
mod parameters;
mod sums;

use mpc_block::Block;
use mpc_core::{Abort, Context};

pub use input::{Column, Input};
pub use parameters::{Bound, Function, MAX_KEYS, Parameters, Refused, Side};

/// What the receiver learns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The functions, in the order of [`Parameters::functions`].
    Values(Vec<i64>),
    /// Fewer keys match than the threshold asks for, and nothing more is known.
    Below,
    /// The functions, those left out whose counts do not reach the threshold; where [`Parameters::told_by`] names counts.
    Each(Vec<Option<i64>>),
}

/// Runs the protocol with the other party of a session of two. The receiver gets the answer, the sender `None`.
///
/// # Errors
/// [`Abort`] when the input contradicts the parameters, the keys do not fit their bins (once in 2^45), or the peer is gone, sends
/// what is not due or runs with other parameters.
///
/// ```
/// # use mpc_core::{Abort, memory};
/// use mpc_block::Block;
/// use mpc_psi::circuit::{Answer, Bound, Function, Input, Parameters, Side, run};
///
/// # async fn example() -> Result<(), Abort> {
/// # let mut contexts = memory::contexts(memory::network(2), [1; 32]).into_iter();
/// # let (mut zero, mut one) = (contexts.next().unwrap(), contexts.next().unwrap());
/// let amounts = Side { keys: 2, columns: vec![Bound { each: 100, total: 200 }] };
/// let people = Side { keys: 3, columns: vec![] };
/// // Party 1 learns how many of its people occur, and what their amounts are together.
/// let functions = vec![Function::Cardinality, Function::Sender(0)];
/// let parameters = Parameters::new(1, people, amounts, functions, Some(1)).unwrap();
/// let theirs = Input::new([5, 9].map(Block::from_u128).to_vec(), vec![vec![70, -30]]).unwrap();
/// let ours = Input::new([7, 8, 9].map(Block::from_u128).to_vec(), vec![]).unwrap();
/// let (sent, received) = tokio::join!(run(&mut zero, &parameters, &theirs), run(&mut one, &parameters, &ours));
/// assert_eq!((sent?, received?), (None, Some(Answer::Values(vec![1, -30]))));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
pub async fn run(ctx: &mut Context, parameters: &Parameters, input: &Input) -> Result<Option<Answer>, Abort> {
    if ctx.parties() != 2 {
        return Err(ctx.name(Abort::local("circuit PSI is for two parties")));
    }
    let mut fork = ctx.fork_bound("circuit", &parameters.encode());
    fork.enter("input");
    let (me, peer) = (fork.me(), 1 - fork.me());
    input.keeps(parameters.side(me)).map_err(|refused| fork.name(Abort::local(refused.to_string())))?;
    // One frame each way shows that both mean the same: two receivers would wait for each other.
    fork.enter("agreement");
    fork.round(vec![(peer, vec![0])], &[(peer, 1)]).await?;
    if parameters.receiving().keys == 0 || parameters.sending().keys == 0 {
        return Ok((me == parameters.receiver()).then(|| nothing(parameters)));
    }
    let binned = if me == parameters.receiver() {
        opprf::obtain(&mut fork, peer, parameters, input).await?
    } else {
        opprf::program(&mut fork, peer, parameters, input).await?
    };
    sums::reveal(&mut fork, parameters, binned).await
}

/// A side has no keys, so the public sizes say the answer.
fn nothing(parameters: &Parameters) -> Answer {
    let functions = parameters.functions().len();
    match (parameters.threshold().is_some_and(|least| least > 0), parameters.counts().is_empty()) {
        (true, true) => Answer::Below,
        (false, true) => Answer::Values(vec![0; functions]),
        (below, false) => Answer::Each(vec![(!below).then_some(0); functions]),
    }
}

fn first_half(digest: &[u8; 32]) -> Block {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    Block::from_bytes(half)
}
