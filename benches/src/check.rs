//! The checks at the end of a run: one state on all validators, its certificate, the balances, nothing lost.

use std::sync::Arc;

use anyhow::{Context, ensure};
use base_types::Digest;
use base_wire::Decode;
use ledger_light::epoch_at;
use ledger_rpc::StateAt;
use ledger_vm::{Address, notary::Record};

use crate::{
    book::Book,
    clients::Clients,
    sign::{mix, subject},
    token::recipient,
    world::VALIDATORS,
};

/// Recipients whose balances are compared.
const SAMPLE: u32 = 1000;
/// Subjects whose records are counted.
const SUBJECTS: u32 = 200;
/// Questions under way at a time, for each validator.
const AT_ONCE: usize = 32;

/// Waits until the validators rest, and compares their states, the certificate of the newest header and the balances of
/// some recipients with the generator's book.
///
/// # Errors
/// When anything differs.
pub async fn close(clients: &Arc<Clients>, book: &mut Book, token: Address) -> anyhow::Result<()> {
    let (height, root) = clients.settled().await?;
    certified(clients).await?;
    book.resolve(clients).await?;
    let (mut told, mut booked) = (0, 0);
    for draw in 0..SAMPLE {
        let to = (mix(u64::from(draw)) % u64::from(book.recipients().max(1))) as u32;
        let (at, holder) = (draw as usize % VALIDATORS, recipient(to));
        let balance = clients.balance(at, token, &holder, StateAt::Latest).await?;
        let wanted = book.held(to, StateAt::Latest);
        ensure!(balance == wanted, "recipient {to} holds {balance} at validator {at}, {wanted} were given");
        (told, booked) = (told + balance, booked + wanted);
    }
    ensure!(told == booked, "the sample holds {told}, {booked} were given");
    let (accepted, lost) = (book.accepted(), book.lost());
    eprintln!(
        "all validators have the state {root} at height {height}; {SAMPLE} balances of {accepted} transfers agree"
    );
    eprintln!("transactions that neither were executed nor refused: {lost}");
    Ok(())
}

/// Checks that the newest header that all validators have is one, and certified by its epoch's validators.
async fn certified(clients: &Arc<Clients>) -> anyhow::Result<()> {
    let (height, _) = clients.settled().await?;
    let first = clients.header(0, height).await?;
    for at in 1..VALIDATORS {
        let other = clients.header(at, height).await?;
        ensure!(other.header == first.header, "validators 0 and {at} have different blocks at height {height}");
    }
    let (genesis, handovers) = clients.epochs(0).await?;
    let epoch = epoch_at(&genesis, &handovers, height)?;
    first.certificate.verify(&first.header, &epoch).context("the newest header's certificate")
}

/// Compares how many records some senders' subjects have with the generator's book of notes.
///
/// # Errors
/// When a number differs.
pub async fn notes(clients: &Arc<Clients>, book: &mut Book) -> anyhow::Result<()> {
    clients.settled().await?;
    book.resolve(clients).await?;
    for draw in 0..SUBJECTS.min(book.recipients()) {
        let at = draw as usize % VALIDATORS;
        let records = Vec::<Record>::from_wire(&clients.node(at).records(&subject(draw)).await?)?;
        let (told, wanted) = (records.len() as u64, book.held(draw, StateAt::Latest));
        ensure!(told == wanted, "sender {draw} has {told} records at validator {at}, {wanted} were acknowledged");
    }
    eprintln!("the records of {SUBJECTS} senders of {} notes agree", book.accepted());
    Ok(())
}

/// Transactions that were acknowledged and that some validator does not have.
///
/// # Errors
/// When a validator does not answer.
pub async fn missing(clients: &Arc<Clients>, acknowledged: &[Digest]) -> anyhow::Result<u64> {
    let part = acknowledged.len().div_ceil(AT_ONCE).max(1);
    let mut asking = Vec::new();
    for at in 0..VALIDATORS {
        for digests in acknowledged.chunks(part) {
            let (clients, digests) = (Arc::clone(clients), digests.to_vec());
            asking.push(tokio::spawn(async move {
                let mut missing = 0u64;
                for digest in &digests {
                    missing += u64::from(clients.node(at).transaction(digest).await?.is_none());
                }
                anyhow::Ok(missing)
            }));
        }
    }
    let mut missing = 0;
    for asked in asking {
        missing += asked.await??;
    }
    Ok(missing)
}
