//! What a member learns before it takes part when it remembers nothing of an epoch under way: how far the terms have got.
//!
//! It may have lost its log, and with it which votes it gave and which leaders it left. A vote of its that made a leader
//! had those of a majority but one beside it, and whoever gave one has been at that term since. So it keeps still until
//! it has heard so many of the others that one of them was among these, whichever vote it was: then it goes on in the
//! highest of their terms, as one that has voted there. What it had acknowledged needs no such care: the chain lets it
//! speak again only after heights that more than two thirds have sealed, and whoever seals has the log up to there.

use std::collections::BTreeMap;

use base_types::Height;

use super::wire::Message;

/// The terms that the others have told.
pub(crate) struct Terms {
    /// More than half of the others: every majority that this member was in has another of them.
    needed: usize,
    /// By place in the epoch.
    told: BTreeMap<usize, u64>,
    /// The others are to be asked.
    due: bool,
}

/// The sender's term; a seal names none.
fn term_of(message: &Message) -> Option<u64> {
    match message {
        // Who asks whether it would be elected names the term that it would have.
        Message::Ask { pre: true, term, .. } => Some(term.saturating_sub(1)),
        Message::Ask { term, .. }
        | Message::Answer { term, .. }
        | Message::Append { term, .. }
        | Message::Appended { term, .. }
        | Message::Beat { term, .. }
        | Message::Heard { term, .. }
        | Message::Snapshot { term, .. } => Some(*term),
        Message::Seal { .. } => None,
    }
}

impl Terms {
    /// Nothing has been heard in a group of so many members.
    pub fn of(members: usize) -> Self {
        Self { needed: members.div_ceil(2), told: BTreeMap::new(), due: false }
    }

    /// Time passes: those who have not answered may not have heard.
    pub fn tick(&mut self) {
        self.due = true;
    }

    /// What is to be sent to all others, once a tick: they refuse to elect a member without a log, change nothing, and
    /// name their terms.
    pub fn question(&mut self, height: Height) -> Option<Message> {
        let question = Message::Ask { height, pre: true, term: 1, index: 0, log_term: 0 };
        std::mem::take(&mut self.due).then_some(question)
    }

    /// Notes what the member at a place says; the highest term once enough have spoken.
    pub fn hear(&mut self, place: usize, message: &Message) -> Option<u64> {
        let term = term_of(message)?;
        let told = self.told.entry(place).or_insert(term);
        *told = term.max(*told);
        let highest = self.told.values().copied().max();
        highest.filter(|_| self.told.len() >= self.needed)
    }
}

#[cfg(test)]
mod tests {
    use base_wire::Encode;

    use super::*;

    #[test]
    fn the_highest_term_counts_once_a_majority_cannot_have_been_missed() {
        let beat = |term| Message::Beat { height: 5, term, commit: 0 };
        let ask = |pre| Message::Ask { height: 5, pre, term: 9, index: 0, log_term: 0 };
        // A majority is three of four or four of seven, this member among them.
        for (members, needed) in [(2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (7, 4), (10, 5)] {
            let mut terms = Terms::of(members);
            assert_eq!(terms.question(5), None);
            terms.tick();
            let question = terms.question(5).expect("a question");
            assert_eq!(Message::parse(&question.to_wire(), 1 << 10), Ok(question), "it is read");
            assert_eq!(terms.question(5), None);
            for place in 1..needed {
                assert_eq!(terms.hear(place, &beat(7)), None);
                assert_eq!(terms.hear(place, &beat(3)), None, "no other is heard");
            }
            assert_eq!(terms.hear(0, &ask(true)), Some(8));
            assert_eq!(terms.hear(0, &ask(false)), Some(9));
        }
    }
}
