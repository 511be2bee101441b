//! Questions over the network, many under way at a time, and their answers compared with what the generator knows.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use base_types::{Digest, Height};
use base_wire::Decode;
use ledger_chain::{Certified, Placed};
use ledger_rpc::{LedgerClient, ReadCall, StateAt};
use ledger_vm::Address;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{
    book::Book,
    clients::{Clients, read_balance},
    run::quantile,
    sign::{Planned, mix},
    token::{GAS, balance_of, recipient},
};

/// Questions under way.
const UNDER_WAY: usize = 64;
/// Questions under way at a pace; whoever asks at a pace has so many connections.
pub const PACED: u32 = 4;
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
        /// The answer, or between what it lies while the address is given more.
        held: RangeInclusive<u64>,
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
        let held = book.held(to, state);
        Question::Balance { holder: recipient(to), state, held: held..=held }
    };
    (0..QUESTIONS).map(draw).collect()
}

/// Headers up to a height and, in turn with them, what recipients hold while these transfers are made.
pub fn meanwhile(book: &Book, newest: Height, planned: &[Planned]) -> Vec<Question> {
    let mut coming = vec![0u64; book.recipients() as usize];
    for transfer in planned {
        if let Some(coming) = coming.get_mut(transfer.to as usize) {
            *coming += 1;
        }
    }
    let balance = |draw: u64| {
        let to = (mix(draw) % u64::from(book.recipients().max(1))) as u32;
        let held = book.held(to, StateAt::Latest);
        let most = held + coming.get(to as usize).copied().unwrap_or(0);
        Question::Balance { holder: recipient(to), state: StateAt::Latest, held: held..=most }
    };
    headers(newest).into_iter().zip((0..QUESTIONS).map(balance)).flat_map(|(header, held)| [header, held]).collect()
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
            ensure!(held.contains(&told), "{holder} holds {told} in {state:?}, {held:?} were given");
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

/// Questions that were answered at a pace: when, since the beginning, and after how long.
pub struct Answers(Vec<(Duration, Duration)>);

impl Answers {
    fn between(&self, from: Duration, to: Duration) -> Vec<Duration> {
        let within = self.0.iter().filter(|(done, _)| *done >= from && *done < to);
        within.map(|(_, took)| *took).collect()
    }

    /// Answers a second among those that came between two moments.
    pub fn per_second_between(&self, from: Duration, to: Duration) -> f64 {
        self.between(from, to).len() as f64 / to.saturating_sub(from).as_secs_f64().max(0.001)
    }

    /// Milliseconds from a question to its answer that a share of those answered between two moments did not exceed.
    pub fn ms_between(&self, share: f64, from: Duration, to: Duration) -> f64 {
        quantile(self.between(from, to), share).as_secs_f64() * 1000.0
    }
}

/// Asks one validator over its kept connections, so many questions a second at most: each of a few waits for its answer
/// before the next, and what was not asked in time is not made up for.
///
/// # Errors
/// When there is nothing to ask, a question is not answered, or an answer is wrong.
pub async fn at_pace(
    clients: Arc<Clients>,
    at: usize,
    token: Address,
    questions: Vec<Question>,
    rate: u32,
    time: Duration,
) -> anyhow::Result<Answers> {
    ensure!(!questions.is_empty() && rate > 0, "there is nothing to ask");
    let (questions, began) = (Arc::new(questions), Instant::now());
    let period = Duration::from_secs_f64(f64::from(PACED) / f64::from(rate));
    let asking: Vec<_> = (0..PACED)
        .map(|one| {
            let (clients, questions) = (Arc::clone(&clients), Arc::clone(&questions));
            tokio::spawn(async move {
                let first = one as usize * questions.len() / PACED as usize;
                let mut turns = interval_at(began + period * one / PACED, period);
                turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let mut answers = Vec::new();
                while began.elapsed() < time {
                    turns.tick().await;
                    let asked = Instant::now();
                    let question = &questions[(first + answers.len()) % questions.len()];
                    ask(clients.node(at), token, question, true).await?;
                    answers.push((began.elapsed(), asked.elapsed()));
                }
                anyhow::Ok(answers)
            })
        })
        .collect();
    let mut all = Vec::new();
    for asked in asking {
        all.extend(asked.await??);
    }
    Ok(Answers(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_count_where_they_came() {
        let ms = Duration::from_millis;
        let answers = Answers((0..100).map(|at| (ms(at * 10), ms(if at < 50 { 2 } else { at }))).collect());
        assert_eq!(answers.per_second_between(ms(0), ms(500)), 100.0);
        assert_eq!(answers.ms_between(0.99, ms(0), ms(500)), 2.0);
        assert_eq!(answers.ms_between(0.5, ms(500), ms(1000)), 74.0);
        assert_eq!(
            (answers.per_second_between(ms(2000), ms(3000)), answers.ms_between(0.99, ms(2000), ms(3000))),
            (0.0, 0.0)
        );
    }

    #[test]
    fn a_balance_under_load_lies_between_what_was_and_what_will_be_given() {
        let planned = |to| Planned { bytes: Vec::new(), digest: Digest::default(), to };
        let questions = meanwhile(&Book::new(1), 5, &[planned(0), planned(0), planned(7)]);
        assert_eq!(questions.len() as u64, 2 * QUESTIONS);
        for pair in questions.chunks(2) {
            let [Question::Header(height), Question::Balance { held, .. }] = pair else { panic!("in turn") };
            assert!((1..=5).contains(height) && *held == (0..=2), "{height} {held:?}");
        }
    }
}
