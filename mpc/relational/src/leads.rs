//! Which of a carrier's rows count towards a threshold, proven on the shares: of a person's rows of one group, one.
//!
//! Where a party may deviate, the carrier's owner puts its rows in by (no key, key, group), and it is checked that they rise. Then
//! all rows of one key and group are neighbours: a run, which neighbours' equality shows. A row without key is a run of its own: a
//! person of its own, as in SQL it has no partner.
//!
//! * A valid row leads exactly where it does not follow a row of its run: `lead = valid · (1 - follows)`. A row that is not valid
//!   sorts behind all groups and counts nowhere, but it stands in its run: it cannot hide that the next one follows.
//! * A value's lead is the first row of the run that has it, which need not be the run's first. So the owner puts in
//!   `so_far`, whether one of the run's rows up to this one has the value, which must be `had` or `nonnull`, where `had = follows ·
//!   so_far` of the row before; the lead is `nonnull · (1 - had)`. By induction from the first row each `so_far` is the one word
//!   that it may be, so the owner has no choice left: its rows say which lead.
//!
//! So a group counts as many people as it has keys (and rows without), whatever the owner sends. Against the owner's word for it
//! this costs about two products for each bit of a key and a group, one comparison, and two products a value, for every row of the
//! carrier: far less than the sorts. Without a side no key is shared and nobody else's rows are in the answer, so there the
//! owner's leads stand.

use mpc_core::Abort;
use mpc_share::Arith;

use crate::Scheme;
use crate::audit::Audit;
use crate::layout::Layout;
use crate::products::equals_before;
use crate::rules::{Part, in_order, steps};

/// Checks order and leads of a carrier's rows.
///
/// The answer has, for each value, the column of the rows that lead with it: it takes the place of what the owner put in.
///
/// # Errors
/// [`Abort`] that blames the owner of rows that break a rule, else when a peer is gone or misbehaves.
pub(crate) async fn check<S: Scheme>(
    audit: &mut Audit<'_, S>,
    layout: &Layout,
    part: &Part<'_>,
) -> Result<Vec<Arith>, Abort> {
    let follows = follows(audit, layout, part).await?;
    let (owner, valid, lead) = (part.table.owner, part.of(layout.valid), part.of(layout.lead));
    let later = audit.party.mul(&valid.to_shared(), &follows).await?;
    audit.zero(owner, lead.minus(valid).add(&later)).await?;
    let mut leads = Vec::with_capacity(layout.values.len());
    for at in &layout.values {
        let (so_far, nonnull) = (part.of(at.lead), part.of(at.nonnull));
        let before = so_far.range(0..part.table.rows - 1).to_shared();
        let had = audit.party.mul(&follows.range(1..part.table.rows).to_shared(), &before).await?;
        let had = Arith::concat([Arith::zeros(1).view(), had.view()]);
        let again = audit.party.mul(&had, &nonnull.to_shared()).await?;
        let first = nonnull.minus(again.view());
        audit.zero(owner, so_far.minus(had.view()).sub(&first)).await?;
        leads.push(first);
    }
    Ok(leads)
}

/// Whether each row has a key and is of the same key and group as the one before; checks that rows rise by both.
async fn follows<S: Scheme>(audit: &mut Audit<'_, S>, layout: &Layout, part: &Part<'_>) -> Result<Arith, Abort> {
    let rows = part.table.rows;
    let columns: Vec<Arith> = layout.order.clone().map(|column| part.of(column).to_shared()).collect();
    let bits: Vec<&Arith> = columns.iter().collect();
    let same_key = equals_before(audit.party, &bits, rows, vec![]).await?.range(1..rows).to_shared();
    // Where the key is another one its step decides, which is not 0, else the group's: one number has the sign of both.
    let by_group = audit.party.mul(&same_key, &steps(&part.number(layout.group.clone()))).await?;
    let by_key = steps(&part.number(layout.order.start + 1..layout.order.end));
    in_order(audit, layout, part, &by_key.add(&by_group)).await?;
    let keyed = audit.party.not(&columns[0].range(1..rows).to_shared());
    let columns: Vec<Arith> = layout.group.clone().map(|column| part.of(column).to_shared()).collect();
    let bits: Vec<&Arith> = columns.iter().collect();
    equals_before(audit.party, &bits, rows, vec![same_key, keyed]).await
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{CARRIER, blamed};

    /// Columns of the carrier's table: valid, lead, the group's bit, value, nonnull, so far, no_key, three key bits.
    const VALID: usize = 0;
    const LEAD: usize = 1;
    const GROUP: usize = 2;
    const NONNULL: usize = 4;
    const SO_FAR: usize = 5;
    const NO_KEY: usize = 6;

    /// Sets a word of the carrier's table, which stands column by column.
    fn set(words: &mut [u64], column: usize, row: usize, word: u64) {
        words[column * CARRIER + row] = word;
    }

    /// Gives a row another key.
    fn key(words: &mut [u64], row: usize, key: u64) {
        for bit in 0..3 {
            set(words, NO_KEY + 1 + bit, row, key >> (2 - bit) & 1);
        }
    }

    #[tokio::test]
    async fn an_owner_whose_leads_are_false_is_blamed_by_both_others() {
        let changes: [fn(&mut [u64]); 13] = [
            // Rows 0 to 2 have the keys 2, 5, 5 in group 1, row 3 is a dummy; the value of row 1 is NULL.
            |words| set(words, LEAD, 2, 1),
            |words| set(words, LEAD, 1, 0),
            |words| set(words, LEAD, 3, 1),
            |words| set(words, LEAD, 0, 2),
            |words| set(words, SO_FAR, 1, 1),
            |words| set(words, SO_FAR, 2, 0),
            |words| set(words, SO_FAR, 0, 2),
            // Two rows of a key and group that are no neighbours: by another key between them, or one without key.
            |words| {
                key(words, 0, 5);
                key(words, 1, 2);
                set(words, LEAD, 2, 1);
            },
            |words| {
                key(words, 0, 5);
                key(words, 1, 0);
                set(words, NO_KEY, 1, 1);
                set(words, LEAD, 2, 1);
            },
            // A group that falls, with leads as they were if it rose.
            |words| {
                set(words, GROUP, 2, 0);
                set(words, LEAD, 2, 1);
            },
            // A row that is not valid between two of its person: the second still follows.
            |words| {
                (0..3).for_each(|row| key(words, row, 5));
                set(words, VALID, 1, 0);
                set(words, LEAD, 1, 0);
                set(words, SO_FAR, 1, 1);
                set(words, LEAD, 2, 1);
            },
            |words| {
                (0..3).for_each(|row| key(words, row, 5));
                set(words, VALID, 1, 0);
                set(words, LEAD, 1, 0);
            },
            |words| set(words, NONNULL, 0, 3),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            blamed(0, change, &format!("change {number} of the carrier")).await;
        }
    }
}
