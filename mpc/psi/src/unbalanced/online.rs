//! The session: the client asks in batches, the owner answers with proofs, the client looks up.

use std::collections::VecDeque;

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use super::MAX_QUERIES;
use super::cache::Cache;
use super::owner::Owner;
use super::suite::ELEMENT_BYTES;
use super::value::Value;
use super::voprf::{Asked, Client};

/// Elements under one proof.
const BATCH: usize = 1024;
/// Batches under way: one at the owner while the client works on another.
const WINDOW: usize = 2;

/// An element of the client's that is in the set.
pub struct Match {
    /// Its index in the client's elements.
    pub element: usize,
    /// Its label; empty where the set has none.
    pub label: Vec<u8>,
}

/// The fork of a session: it binds roles, the number of queries and the state of the set.
fn open(ctx: &mut Context, owner: usize, client: usize, queries: usize, tip: &[u8; 32]) -> Context {
    let numbers = [owner, client, queries].map(|number| (number as u64).to_be_bytes());
    let mut fork = ctx.fork_bound("psi/unbalanced", &[numbers.as_flattened(), tip].concat());
    fork.enter("evaluate");
    fork.phase("evaluate keys");
    fork
}

/// Lengths of the batches of `queries` elements.
fn batches(queries: usize) -> impl Iterator<Item = usize> {
    (0..queries).step_by(BATCH).map(move |first| BATCH.min(queries - first))
}

/// The owner's side: answers exactly `queries` elements, which the plan bounds.
///
/// # Errors
/// [`Abort`] when `queries` is more than this epoch's tables are made for, nothing is published, or the client is gone or sends
/// what is no point.
pub async fn serve(ctx: &mut Context, client: usize, owner: &Owner, queries: usize) -> Result<(), Abort> {
    let Some(tip) = owner.tip() else {
        return Err(ctx.name(Abort::local("no set is published in this epoch")));
    };
    if queries > owner.queries() {
        return Err(ctx.name(Abort::local(format!("{queries} queries where {} are allowed", owner.queries()))));
    }
    let me = ctx.me();
    let mut fork = open(ctx, me, client, queries, &tip);
    for batch in batches(queries) {
        let request = fork.round(vec![], &[(client, batch * ELEMENT_BYTES)]).await?.pop().unwrap_or_default();
        let answer = owner.key().answer(&request, &mut |out: &mut [u8]| fork.random(out));
        let answer = answer.map_err(|why| fork.name(Abort::peer(client, why.to_string())))?;
        fork.round(vec![(client, answer)], &[]).await?;
    }
    Ok(())
}

/// The client's side: which of its elements, at most `queries` of them, are in the set; ascending by index. What is missing from
/// `queries` is made up, so the owner does not see how many there are. Nothing is looked up before the last answer: opening a label
/// takes time, so the moments of the requests would tell how many elements of a batch are members.
///
/// # Errors
/// [`Abort`] when there are more elements than `queries`, or the owner is gone or answers with another key than the cache's.
pub async fn query(
    ctx: &mut Context,
    owner: usize,
    cache: &Cache,
    queries: usize,
    elements: &[Block],
) -> Result<Vec<Match>, Abort> {
    if elements.len() > queries || queries > MAX_QUERIES {
        return Err(ctx.name(Abort::local(format!("{} elements where {queries} may be asked for", elements.len()))));
    }
    let me = ctx.me();
    let fork = open(ctx, owner, me, queries, &cache.tip());
    let client = Client::new(cache.public().clone());
    // A vector that never grows leaves no copy behind.
    let mut asking = Asking { fork, owner, client, waiting: VecDeque::new(), values: Vec::with_capacity(queries) };
    let mut first = 0;
    for batch in batches(queries) {
        let inputs = (first..first + batch).map(|at| match elements.get(at) {
            Some(element) => Zeroizing::new(element.to_bytes()),
            None => asking.filler(),
        });
        let inputs: Vec<Input> = inputs.collect();
        asking.ask(inputs).await?;
        first += batch;
    }
    while !asking.waiting.is_empty() {
        asking.turn(None).await?;
    }
    let values = asking.values.iter().take(elements.len()).enumerate();
    Ok(values.filter_map(|(element, value)| cache.find(value).map(|label| Match { element, label })).collect())
}

/// What the function is evaluated at: an element, or what stands for none; wiped when dropped.
type Input = Zeroizing<[u8; 16]>;

/// The client in a session.
struct Asking {
    fork: Context,
    owner: usize,
    client: Client,
    waiting: VecDeque<Asked<Input>>,
    /// The function's values of what was answered.
    values: Vec<Value>,
}

impl Asking {
    /// An input that stands for no element.
    fn filler(&self) -> Input {
        let mut input = Zeroizing::new([0; 16]);
        self.fork.random(&mut *input);
        input
    }

    /// Sends a batch, and takes an answer when enough batches are under way.
    async fn ask(&mut self, inputs: Vec<Input>) -> Result<(), Abort> {
        let fork = &self.fork;
        let (asked, request) = self.client.ask(inputs, &mut |out: &mut [u8]| fork.random(out));
        if self.waiting.len() < WINDOW {
            self.fork.round(vec![(self.owner, request)], &[]).await?;
        } else {
            self.turn(Some(request)).await?;
        }
        self.waiting.push_back(asked);
        Ok(())
    }

    /// Sends a request where there is one, and takes the oldest answer.
    async fn turn(&mut self, request: Option<Vec<u8>>) -> Result<(), Abort> {
        let Some(asked) = self.waiting.pop_front() else {
            return Ok(());
        };
        let out = request.map(|request| (self.owner, request)).into_iter().collect();
        let answer = self.fork.round(out, &[(self.owner, asked.due())]).await?.pop().unwrap_or_default();
        let outputs = self.client.finish(asked, &answer);
        let outputs = outputs.map_err(|why| self.fork.name(Abort::peer(self.owner, why.to_string())))?;
        self.values.extend(outputs.iter().map(Value::of));
        Ok(())
    }
}
