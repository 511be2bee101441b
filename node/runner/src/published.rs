//! One node's part in an intersection with published keys: a table that is made and fetched once, and what every run asks of it.

use std::{sync::Arc, thread::available_parallelism};

use base_gm::sm3;
use base_rt::entropy::Entropy;
use base_types::{
    DatasetId,
    fault::{Code, Fault},
};
use base_wire::Encode;
use mpc_core::{Abort, Context};
use mpc_psi::{
    element::Elements,
    unbalanced::{self, Cache, Level, Owner, Refused, Set, most_bytes},
};
use notary_terms::{Label, Plan, Published, Read, Spares};
use tokio::task::{JoinHandle, spawn_blocking};
use zeroize::Zeroizing;

mod announce;
mod releases;

pub use releases::{Releases, Shelf};

use crate::{
    Answer, Site,
    intersect::{Side, apart, parameters},
    keys::elements,
    matching::{Collected, Matching, malformed, payload_bytes},
    run::abort_fault,
};

/// Every release has a key of its own, so none is an epoch's second.
const EPOCH: u64 = 0;

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
            return Err(matching.rows.fault(Code::SourceChanged, "more keys than the bound on rows"));
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

    /// Announces the table of the rows that were read, sends it where it is needed, and answers.
    async fn serve(&self, mut context: Context, releases: &Releases, entropy: Arc<dyn Entropy>) -> Result<(), Fault> {
        let of = self.fingerprint()?;
        let mut fork = announce::open(&mut context);
        let (owner, fresh) = match releases.made(&of, self.queries) {
            Some(owner) => (owner, None),
            None => {
                let making = self.make(entropy)?;
                let made = announce::while_working(&mut fork, self.client, making).await;
                let (owner, published) = made.map_err(|abort| self.fault(&abort))?.map_err(|why| refused(&why))?;
                (releases.keep((of, self.dataset), (owner, &published), self.queries), Some(published))
            }
        };
        let served = self.answer_all((&mut context, &mut fork), releases, &owner, fresh).await;
        served.map_err(|abort| self.fault(&abort))
    }

    /// Sends the table, which is at hand when it is fresh, to a receiver that lacks it, and answers.
    async fn answer_all(
        &self,
        (context, fork): (&mut Context, &mut Context),
        releases: &Releases,
        owner: &Owner,
        fresh: Option<unbalanced::Published>,
    ) -> Result<(), Abort> {
        let digest = owner.tip().unwrap_or_default();
        if !announce::tell(fork, self.client, &digest).await? {
            let Some(published) = fresh.or_else(|| releases.published(self.dataset, &digest)) else {
                releases.forget(self.dataset, &digest);
                return Err(
                    fork.name(Abort::local("the table is gone from this node; ask again, and it makes another"))
                );
            };
            unbalanced::send(context, self.client, &published).await?;
        }
        unbalanced::serve(context, self.client, owner, self.queries).await
    }

    /// Names the state of the data set, what of it is published, to whom, and for which plans: the next run with the same name
    /// uses the same table, any other gets a new one under a fresh key. Without the receiver one would hear by a table that is
    /// there already what another has asked, and values that one was given would open the table of another.
    fn fingerprint(&self) -> Result<[u8; 32], Fault> {
        let read = Read { alias: String::new(), ..self.read()?.clone() };
        let (asked, rows) = ((self.queries as u64).to_be_bytes(), self.side.table.commitment_bytes());
        let receiver = self.plan.request.receiver.as_str().as_bytes();
        Ok(sm3::tagged("heqi/published/1", &[receiver, &read.to_wire(), &self.label.to_wire(), &asked, &rows]).0)
    }

    /// Starts to make a table of this node's rows, under a fresh key that never leaves this process.
    fn make(&self, entropy: Arc<dyn Entropy>) -> Result<JoinHandle<Made>, Fault> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        let mut owner = Owner::new(&seed, EPOCH, self.queries, self.sealed).map_err(|why| refused(&why))?;
        let (matching, elements) = self.keyed(&owner.element_id())?;
        let blocks = Zeroizing::new(elements.blocks().to_vec());
        let mut labels = Zeroizing::new(Vec::<u8>::with_capacity(blocks.len() * self.sealed));
        for element in 0..blocks.len() {
            matching.attach(rows_of(&elements, element), &mut labels)?;
        }
        let bound = self.bound;
        let workers = available_parallelism().map_or(1, usize::from);
        Ok(spawn_blocking(move || -> Made {
            let set = Set { elements: &blocks, labels: &labels, bound };
            let published = owner.publish(set, workers, &mut |out: &mut [u8]| entropy.fill(out))?;
            Ok((owner, published))
        }))
    }
}

/// The rows that have an element, by place among those kept.
fn rows_of(elements: &Elements, element: usize) -> impl ExactSizeIterator<Item = usize> {
    elements.rows_of(element).iter().map(|row| *row as usize)
}

/// A table and its owner, or why there is none.
type Made = Result<(Owner, unbalanced::Published), Refused>;

fn refused(why: &Refused) -> Fault {
    Fault::new(Code::Internal, "publish keys", why.to_string())
}

#[cfg(test)]
mod tests {
    use base_types::column::{Column, ColumnType, Table};
    use notary_terms::{Program, ReadRole, Request, Tier};

    use super::*;

    fn read(owner: &str) -> Read {
        Read {
            owner: owner.parse().unwrap(),
            dataset: format!("{owner}/visits").parse().unwrap(),
            alias: "v".into(),
            columns: vec!["id".into()],
            types: vec![ColumnType::Int],
            key: None,
            filter: None,
            values: vec![],
            rows_bound: 64,
            role: ReadRole::Set { keys: vec![] },
        }
    }

    fn plan(receiver: &str) -> Plan {
        let request = Request {
            sql: String::new(),
            purpose: "health-statistics".into(),
            analyst: format!("{receiver}/analyst").parse().unwrap(),
            receiver: receiver.parse().unwrap(),
            expires: 9_000,
            salt: [7; 32],
            tier: None,
        };
        let reads = vec![read(receiver), read("health")];
        Plan {
            planner: 1,
            catalogue_height: 8,
            request,
            tier: Tier::C,
            nodes: reads.iter().map(|read| read.owner.clone()).collect(),
            reads,
            program: Program::Published(Published { label: Label::Count }),
            outputs: vec![],
            order: vec![],
            limit: None,
        }
    }

    #[test]
    fn a_table_serves_one_receiver_one_bound_and_one_state() {
        let side = |ids: &[i64]| {
            let (name, ty) = ("id".to_owned(), ColumnType::Int);
            let (values, valid) = (ids.to_vec(), vec![true; ids.len()]);
            let column = Column { name, ty, values, valid, dictionary: vec![] };
            Side { place: 1, table: Table { columns: vec![column], rows: ids.len() } }
        };
        let name = |plan: &Plan, side: &Side, queries: usize| {
            let label = Label::Count;
            let job = Job { queries, ..Job::of(plan, &label, side).unwrap() };
            job.fingerprint().unwrap()
        };
        let (one, other) = (plan("statistics"), plan("civil"));
        let (before, after) = (side(&[1, 2]), side(&[1, 3]));
        let first = name(&one, &before, 64);
        let again = Plan { catalogue_height: 9, ..plan("statistics") };
        assert_eq!(name(&again, &before, 64), first);
        for another in [name(&other, &before, 64), name(&one, &after, 64), name(&one, &before, 65)] {
            assert_ne!(another, first);
        }
    }
}
