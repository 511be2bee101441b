//! One node's part in an intersection with published keys: a table that is made and fetched once, and what every run asks of it.

use base_types::{DatasetId, fault::Fault};
use mpc_core::{Abort, Context};
use mpc_psi::{
    element::Elements,
    unbalanced::{self, Cache, Level, most_bytes},
};
use notary_terms::{Label, Plan, Published, Read, Spares};

mod announce;
mod releases;
mod serve;

pub use releases::{Releases, Shelf};

use crate::{
    Answer, Site,
    apart::apart,
    intersect::{Side, parameters},
    keys::elements,
    matching::{Collected, Matching, malformed, payload_bytes},
    run::abort_fault,
};

/// Runs the part; the receiver gets the answer.
pub(crate) async fn answer(
    plan: &Plan,
    program: Published,
    context: Context,
    side: Side,
    site: &Site,
) -> Result<Option<Answer>, Fault> {
    let plan = plan.clone();
    let (releases, entropy) = (site.releases.clone(), site.entropy.clone());
    let part = move || async move {
        let job = Job::of(&plan, &program.label, &side)?;
        if side.place == 0 {
            return job.ask(context, &releases).await.map(Some);
        }
        job.serve(context, &releases, entropy).await.map(|()| None)
    };
    apart("match keys", part).await
}

/// What both nodes know of the run, and this node's rows.
struct Job<'a> {
    plan: &'a Plan,
    label: &'a Label,
    side: &'a Side,
    /// The data set whose keys are published.
    dataset: &'a DatasetId,
    /// Places of the owner of the table and of the receiver among the nodes.
    owner: usize,
    client: usize,
    /// Keys that are asked for, and keys of the table.
    queries: usize,
    bound: usize,
    /// Bytes that are sealed under a key.
    sealed: usize,
}

impl<'a> Job<'a> {
    fn of(plan: &'a Plan, label: &'a Label, side: &'a Side) -> Result<Self, Fault> {
        let known = parameters(plan, Spares::Time)?;
        let (owner, client) = (known.sender, known.receiver);
        let (queries, bound) = (known.receiver_elements, known.sender_elements);
        let dataset = &plan.reads.get(1).ok_or_else(|| malformed("no other read"))?.dataset;
        Ok(Self {
            plan,
            label,
            side,
            dataset,
            owner,
            client,
            queries,
            bound,
            sealed: payload_bytes(label).unwrap_or(0),
        })
    }

    fn read(&self) -> Result<&'a Read, Fault> {
        self.plan.reads.get(self.side.place).ok_or_else(|| malformed("no such read"))
    }

    fn fault(&self, abort: &Abort) -> Fault {
        match self.read() {
            Ok(read) => abort_fault(self.plan, &read.owner, abort),
            Err(fault) => fault,
        }
    }

    /// This node's rows, and their keys as elements of a release; nothing is padded here.
    fn keyed(&self, id: &[u8; 32]) -> Result<(Matching<'a>, Elements), Fault> {
        let (matching, keys) = Matching::of(self.plan, self.label, self.side)?;
        let elements = elements(&matching.rows, keys, &matching.kept, id)?;
        if elements.blocks().len() > matching.rows.read.rows_bound as usize {
            return Err(matching.too_many_keys());
        }
        Ok((matching, elements))
    }

    /// Fetches the table unless it is here, asks, and puts together the rows that match. What the other owner sealed wrongly is
    /// left out, as in every intersection: a fault would tell it that a key of its choice is among this side's.
    async fn ask(&self, mut context: Context, releases: &Releases) -> Result<Answer, Fault> {
        let level = self.fetched(&mut context, releases).await.map_err(|abort| self.fault(&abort))?;
        let blame = |why: unbalanced::BadRelease| self.fault(&Abort::peer(self.owner, why.to_string()).at("published"));
        let cache = Cache::new(level).map_err(blame)?;
        let (matching, elements) = self.keyed(&cache.element_id())?;
        let found = unbalanced::query(&mut context, self.owner, &cache, self.queries, elements.blocks()).await;
        let mut collected = Collected::of(&matching)?;
        for found in found.map_err(|abort| self.fault(&abort))? {
            collected.add(rows_of(&elements, found.element), Some(found.label.as_slice()))?;
        }
        Ok(collected.answer())
    }

    /// The table that the owner announces, from between the runs or from the owner.
    async fn fetched(&self, context: &mut Context, releases: &Releases) -> Result<Level, Abort> {
        let mut fork = announce::open(context);
        let digest = announce::hear(&mut fork, self.owner).await?;
        let kept = releases.fetched(self.dataset, &digest);
        announce::reply(&mut fork, self.owner, kept.is_some()).await?;
        let level = match kept {
            Some(level) => level,
            None => {
                let most = most_bytes(self.bound, self.queries, self.sealed);
                let level = unbalanced::receive(context, self.owner, &digest, most).await?;
                releases.put(self.dataset, &digest, &level);
                level
            }
        };
        if level.release().label_bytes() == self.sealed {
            return Ok(level);
        }
        Err(fork.name(Abort::peer(self.owner, "a table whose cells have another length than the plan says")))
    }
}

/// The rows that have an element, by place among those kept.
fn rows_of(elements: &Elements, element: usize) -> impl ExactSizeIterator<Item = usize> {
    elements.rows_of(element).iter().map(|row| *row as usize)
}
