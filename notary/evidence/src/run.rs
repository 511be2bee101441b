//! One run of a job: what was read, what crossed between the parties, who received the answer, how each party ended.

use std::collections::{BTreeMap, BTreeSet};

use base_types::OrgId;
use base_wire::Decode;
use ledger_vm::notary::EntryKind;
use notary_terms::{DeliveredBody, MAX_RESUMES, Outcome, ProposalBody, ReadBody, ReceiptBody, Stream, TransferBody};

use crate::story::{Told, body, printable};

/// A run's entries, and which parties say that it ended as planned.
pub(crate) struct Run<'a> {
    attempt: u32,
    proposal: &'a ProposalBody,
    entries: &'a [Told<'a>],
    done: BTreeSet<OrgId>,
    /// How often the run went on over another connection, by those who tell.
    resumed: BTreeMap<OrgId, u32>,
}

/// Streams by the number of their connection and their ends.
type Streams = BTreeMap<(u32, OrgId, OrgId), Stream>;

impl<'a> Run<'a> {
    pub(crate) fn of(attempt: u32, proposal: &'a ProposalBody, entries: &'a [Told<'a>]) -> Self {
        let mut run = Self { attempt, proposal, entries, done: BTreeSet::new(), resumed: BTreeMap::new() };
        let mut ended: BTreeMap<OrgId, bool> = BTreeMap::new();
        // A receipt that cannot be read is refused by its own link; until then it counts as none.
        for (org, receipt) in run.each::<ReceiptBody>(EntryKind::Receipt).flatten() {
            *ended.entry(org.clone()).or_insert(true) &= receipt.outcome == Outcome::Done;
            run.resumed.insert(org, receipt.resumed);
        }
        run.done = ended.into_iter().filter(|(_, done)| *done).map(|(org, _)| org).collect();
        run
    }

    /// The run's entries of a kind: their senders, which must be its parties, and bodies.
    fn each<T: Decode>(&self, kind: EntryKind) -> impl Iterator<Item = Result<(OrgId, T), String>> + use<'a, T> {
        let (attempt, proposal) = (self.attempt, self.proposal);
        let mine = self.entries.iter().filter(move |(r, _)| r.kind == kind && r.attempt == attempt);
        mine.map(move |(record, entry)| {
            let org = record.sender.org();
            if proposal.nodes.contains(&org) {
                Ok((org, body(entry)?))
            } else {
                Err(format!("{org} takes no part in the run"))
            }
        })
    }

    /// True when every party says that the run ended as planned.
    fn all_done(&self) -> bool {
        self.proposal.nodes.iter().all(|node| self.done.contains(node))
    }

    /// Each data set of the plan is read by its owner, once; all of them when the run ended as planned.
    pub(crate) fn reads(&self) -> Result<String, String> {
        let (planned, mut seen) = (&self.proposal.datasets, BTreeSet::new());
        for read in self.each::<ReadBody>(EntryKind::Read) {
            let (org, ReadBody { dataset, commitment: _ }) = read?;
            if dataset.owner() != org || !planned.contains(&dataset) {
                return Err(format!("{org} read {dataset}, which is not its part of the plan"));
            }
            if !seen.insert(dataset.clone()) {
                return Err(format!("{dataset} was read twice in one attempt"));
            }
        }
        match planned.iter().find(|dataset| !seen.contains(dataset)) {
            Some(unread) if self.all_done() => Err(format!("all parties ended as planned, yet {unread} was not read")),
            _ => Ok(format!("{} of {} data sets read, each once", seen.len(), planned.len())),
        }
    }

    /// Both ends of a stream saw the same, wherever both say that they ended as planned; a run that was broken off, and a
    /// connection after which it went on over another, may leave ends that differ by what was under way.
    pub(crate) fn transfers(&self, bytes: &mut u64) -> Result<String, String> {
        let (sent, received) = self.streams()?;
        let resumed = self.connections(&sent, &received)?;
        for from in &self.done {
            for to in self.done.iter().filter(|to| *to != from) {
                for number in 0..=resumed {
                    let ends = (number, from.clone(), to.clone());
                    compared((from, to), (sent.get(&ends), received.get(&ends)), number, resumed)?;
                }
            }
        }
        *bytes = sent.values().fold(0, |sum: u64, stream| sum.saturating_add(stream.bytes));
        let agree = if self.all_done() { ", both ends agree" } else { "" };
        let again = match resumed {
            0 => String::new(),
            times => format!("; resumed over another connection, {times} of at most {MAX_RESUMES} times"),
        };
        Ok(format!("{} streams, {bytes} bytes{agree}{again}", sent.len()))
    }

    /// How often the run was resumed: those who ended as planned say the same, and nobody tells of a connection beyond its count.
    fn connections(&self, sent: &Streams, received: &Streams) -> Result<u32, String> {
        let mine = sent.iter().map(|((number, from, _), _)| (from, *number));
        let theirs = received.iter().map(|((number, _, to), _)| (to, *number));
        for (org, number) in mine.chain(theirs) {
            if self.resumed.get(org).is_some_and(|resumed| number > *resumed) {
                return Err(format!("{org} tells of connection {number}, and of fewer in its receipt"));
            }
        }
        let mut told = self.done.iter().filter_map(|org| Some((org, *self.resumed.get(org)?)));
        let Some((first, resumed)) = told.next() else {
            return Ok(self.resumed.values().copied().max().unwrap_or(0));
        };
        match told.find(|(_, other)| *other != resumed) {
            Some((org, other)) => {
                Err(format!("{first} says that the run was resumed {resumed} times, {org} that it was {other} times"))
            }
            None => Ok(resumed),
        }
    }

    fn streams(&self) -> Result<(Streams, Streams), String> {
        let (mut sent, mut received) = (Streams::new(), Streams::new());
        for reported in self.each::<TransferBody>(EntryKind::Transferred) {
            let (me, report) = reported?;
            for (number, stream) in report.numbered() {
                let ends = (number, stream.from.clone(), stream.to.clone());
                let (side, peer) = if stream.from == me { (&mut sent, &ends.2) } else { (&mut received, &ends.1) };
                let own = (ends.1 == me) != (ends.2 == me) && self.proposal.nodes.contains(peer);
                if !own || side.insert(ends, stream.clone()).is_some() {
                    return Err(format!("{me} reports a stream that is not its own, or twice"));
                }
            }
        }
        Ok((sent, received))
    }

    /// Only the plan's receiver has the answer, once.
    pub(crate) fn delivery(&self) -> Result<String, String> {
        let (receiver, mut told) = (&self.proposal.receiver, None);
        for delivered in self.each::<DeliveredBody>(EntryKind::Delivered) {
            let (org, delivered) = delivered?;
            if &delivered.receiver != receiver || &org != receiver {
                let to = delivered.receiver;
                return Err(format!("{org} says that {to} received the answer, which the plan does not say"));
            }
            let what = match delivered.bytes {
                0 => "the answer".to_owned(),
                bytes => format!("{bytes} bytes"),
            };
            if told.replace(format!("{receiver} received {what}")).is_some() {
                return Err("the answer was delivered twice".into());
            }
        }
        match told {
            None if self.all_done() => Err("all parties ended as planned, yet nobody received the answer".into()),
            told => Ok(told.unwrap_or_else(|| "no answer was delivered".to_owned())),
        }
    }

    /// How the run ended: one party that broke it off outweighs all that did not.
    pub(crate) fn receipts(&self) -> Result<String, String> {
        let mut aborted = Vec::new();
        for receipt in self.each::<ReceiptBody>(EntryKind::Receipt) {
            let (org, receipt) = receipt?;
            if let Outcome::Aborted { code, blamed, step } = receipt.outcome {
                let by = blamed.map_or_else(|| "nobody".to_owned(), |b| b.to_string());
                let (code, step) = (printable(&code), printable(&step));
                aborted.push(format!("{org} reports {code} at '{step}', blaming {by}"));
            }
        }
        Ok(if !aborted.is_empty() {
            format!("aborted: {}", aborted.join("; "))
        } else if self.all_done() {
            "done".to_owned()
        } else {
            "running".to_owned()
        })
    }
}

/// Holds what one end sent over a connection against what the other received.
fn compared(
    (from, to): (&OrgId, &OrgId),
    (sent, received): (Option<&Stream>, Option<&Stream>),
    number: u32,
    last: u32,
) -> Result<(), String> {
    let differ = |left: &Stream, right: &Stream| {
        if left.bytes == right.bytes {
            format!("{from} and {to} saw different bytes in their stream")
        } else {
            format!("{from} sent {} bytes to {to}, which saw {}", left.bytes, right.bytes)
        }
    };
    match (sent, received) {
        (Some(left), Some(right)) if left == right => Ok(()),
        // Of a connection that broke an end may have sent what never arrived, but not the other way round.
        (Some(left), Some(right)) if number < last && right.frames < left.frames && right.bytes <= left.bytes => Ok(()),
        (Some(left), Some(right)) => Err(differ(left, right)),
        // One that broke while it was opened may be known to one end alone, which then heard nothing over it.
        (_, None) if (1..last).contains(&number) => Ok(()),
        (None, Some(right)) if (1..last).contains(&number) && right.frames == 0 => Ok(()),
        (None, _) => Err(format!("{from} does not report its stream to {to}")),
        (_, None) => Err(format!("{to} does not report the stream of {from}")),
    }
}
