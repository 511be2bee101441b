//! Questions over the network, many under way at a time, and their answers compared with what the generator knows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use base_types::{Digest, Height};
use base_wire::Decode;
use ledger_chain::{Certified, Placed};
use ledger_rpc::{LedgerClient, ReadCall, StateAt};
use ledger_vm::Address;

use crate::{
    book::Book,
    clients::{Clients, read_balance},
    sign::mix,
    token::{GAS, balance_of, recipient},
};

/// Questions under way.
const UNDER_WAY: usize = 64;
/// Of the answers that take long to take apart, one in so many is.
const JUDGED: u64 = 16;
/// Different questions of each kind.
const QUESTIONS: u64 = 20_000;

/// One question and, where it is short, its answer.
pub enum Question {
    /// A header by its height.
    Header(Height),
    /// A transaction by its digest.
    Transaction(Digest),
    /// What an address holds, in a state.
    Balance {
        /// The address.
        holder: Address,
        /// The state.
        state: StateAt,
        /// The answer.
        held: u64,
    },
}

/// Headers up to a height, in no order.
pub fn headers(newest: Height) -> Vec<Question> {
    (0..QUESTIONS).map(|draw| Question::Header(1 + mix(draw) % newest.max(1))).collect()
}

/// Transactions of these, in no order.
pub fn transactions(known: &[Digest]) -> Vec<Question> {
    let draws = (0..QUESTIONS).filter_map(|draw| known.get((mix(draw) % known.len().max(1) as u64) as usize));
    draws.map(|digest| Question::Transaction(*digest)).collect()
}

/// What recipients hold now or, with a range of heights, held at heights drawn from it.
pub fn balances(book: &Book, heights: Option<(Height, Height)>) -> Vec<Question> {
    let draw = |draw: u64| {
        let to = (mix(draw) % u64::from(book.recipients().max(1))) as u32;
        let state = match heights {
            None => StateAt::Latest,
            Some((from, until)) => StateAt::Height(from + mix(!draw) % (until.saturating_sub(from) + 1)),
        };
        Question::Balance { holder: recipient(to), state, held: book.held(to, state) }
    };
    (0..QUESTIONS).map(draw).collect()
}

async fn ask(client: &LedgerClient, token: Address, question: &Question, judge: bool) -> anyhow::Result<()> {
    match question {
        Question::Header(height) => {
            let found = client.header(*height).await?.with_context(|| format!("there is no header {height}"))?;
            let right = !judge || Certified::from_wire(&found)?.header.height == *height;
            ensure!(right, "another header than {height} is given");
        }
        Question::Transaction(digest) => {
            let found = client.transaction(digest).await?.with_context(|| format!("there is no {digest}"))?;
            let right = !judge || Placed::from_wire(&found)?.transaction.digest() == *digest;
            ensure!(right, "another transaction than {digest} is given");
        }
        Question::Balance { holder, state, held } => {
            let call = ReadCall { at: *state, to: token.0, input: balance_of(holder), gas: GAS, from: None };
            let told = read_balance(&client.call(call).await?)?;
            ensure!(told == *held, "{holder} holds {told} in {state:?}, {held} were given");
        }
    }
    Ok(())
}

/// Answers a second of one validator, over its kept connections.
///
/// # Errors
/// When there is nothing to ask, a question is not answered, or an answer is wrong.
pub async fn per_second(
    clients: &Arc<Clients>,
    at: usize,
    token: Address,
    questions: &Arc<Vec<Question>>,
    time: Duration,
) -> anyhow::Result<f64> {
    ensure!(!questions.is_empty(), "there is nothing to ask");
    let began = Instant::now();
    let asking: Vec<_> = (0..UNDER_WAY)
        .map(|first| {
            let (clients, questions) = (Arc::clone(clients), Arc::clone(questions));
            tokio::spawn(async move {
                let mut done = 0u64;
                while began.elapsed() < time {
                    let place = (first + done as usize * UNDER_WAY) % questions.len();
                    ask(clients.node(at), token, &questions[place], done % JUDGED == 0).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut answers = 0;
    for asked in asking {
        answers += asked.await??;
    }
    Ok(answers as f64 / began.elapsed().as_secs_f64())
}
