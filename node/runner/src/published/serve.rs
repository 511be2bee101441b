//! The owner's side of published keys: a table of the rows that were read, made once for each state and receiver, and its answers.

use std::{sync::Arc, thread::available_parallelism};

use base_gm::sm3;
use base_rt::entropy::Entropy;
use base_types::fault::{Code, Fault};
use base_wire::Encode;
use mpc_core::{Abort, Context};
use mpc_psi::unbalanced::{self, Owner, Refused, Set};
use notary_terms::Read;
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinHandle, spawn_blocking},
};
use zeroize::Zeroizing;

use super::{Job, Releases, announce, rows_of};
use crate::beats::Beating;

/// Every release has a key of its own, so none is an epoch's second.
const EPOCH: u64 = 0;

impl Job<'_> {
    /// Announces the table of the rows that were read, sends it where it is needed, and answers.
    pub(super) async fn serve(
        &self,
        mut context: Context,
        releases: &Arc<Releases>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(), Fault> {
        let mut beating = Beating::start(announce::open(&mut context), self.client, announce::DIGEST_BYTES);
        let (owner, fresh) = self.table(&mut beating, releases, entropy).await?;
        let served = async {
            let mut fork = beating.end().await?;
            self.answer_all((&mut context, &mut fork), releases, &owner, fresh).await
        };
        served.await.map_err(|abort| self.fault(&abort))
    }

    /// The table of the rows that were read: one that was made before, or a fresh one, when it is this run's turn to make one.
    async fn table(
        &self,
        beating: &mut Beating,
        releases: &Arc<Releases>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(Arc<Owner>, Option<unbalanced::Published>), Fault> {
        let of = self.fingerprint()?;
        if let Some(owner) = releases.made(&of, self.queries) {
            return Ok((owner, None));
        }
        let turn = beating.unless_over(releases.turn()).await.map_err(|abort| self.fault(&abort))?;
        // The run before may have made this very table, for a receiver that did not wait for it.
        if let Some(owner) = releases.made(&of, self.queries) {
            return Ok((owner, None));
        }
        let making = self.make(of, (releases.clone(), turn), entropy)?;
        let made = beating.unless_over(making).await.map_err(|abort| self.fault(&abort))?;
        let made = made.map_err(|why| Fault::new(Code::Internal, "publish keys", why.to_string()))?;
        made.map(|(owner, published)| (owner, Some(published))).map_err(|why| refused(&why))
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

    /// Starts to make a table of this node's rows, under a fresh key that never leaves this process. It is made to its end and kept
    /// for the next run of the same name, whoever has left meanwhile; until then nobody else has its turn.
    fn make(
        &self,
        of: [u8; 32],
        (releases, turn): (Arc<Releases>, Option<OwnedSemaphorePermit>),
        entropy: Arc<dyn Entropy>,
    ) -> Result<JoinHandle<Made>, Fault> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        let mut owner = Owner::new(&seed, EPOCH, self.queries, self.sealed).map_err(|why| refused(&why))?;
        let (matching, elements) = self.keyed(&owner.element_id())?;
        let blocks = Zeroizing::new(elements.blocks().to_vec());
        let mut labels = Zeroizing::new(Vec::<u8>::with_capacity(blocks.len() * self.sealed));
        for element in 0..blocks.len() {
            matching.attach(rows_of(&elements, element), &mut labels)?;
        }
        let (dataset, bound, queries) = (self.dataset.clone(), self.bound, self.queries);
        // One core is left to what else the node does, its part in the ledger above all.
        let workers = available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
        Ok(spawn_blocking(move || -> Made {
            let set = Set { elements: &blocks, labels: &labels, bound };
            let published = owner.publish(set, workers, &mut |out: &mut [u8]| entropy.fill(out))?;
            let owner = releases.keep((of, &dataset), (owner, &published), queries);
            drop(turn);
            Ok((owner, published))
        }))
    }
}

/// A table and its owner, or why there is none.
type Made = Result<(Arc<Owner>, unbalanced::Published), Refused>;

fn refused(why: &Refused) -> Fault {
    Fault::new(Code::Internal, "publish keys", why.to_string())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Mutex};

    use base_rt::SeededEntropy;
    use base_types::{
        Digest,
        column::{Column, ColumnType, Table},
    };
    use mpc_core::memory;
    use notary_terms::{Label, Plan, Program, Published, ReadRole, Request, Tier};

    use super::*;
    use crate::{Shelf, intersect::Side};

    /// Tables in memory.
    #[derive(Default)]
    struct Memory(Mutex<BTreeMap<[u8; 32], Vec<u8>>>);

    impl Shelf for Memory {
        fn keep(&self, name: &Digest, bytes: &[u8]) {
            self.0.lock().unwrap().insert(name.0, bytes.to_vec());
        }

        fn holds(&self, name: &Digest) -> bool {
            self.find(name).is_some()
        }

        fn find(&self, name: &Digest) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(&name.0).cloned()
        }
    }

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

    fn side(ids: &[i64]) -> Side {
        let (name, ty) = ("id".to_owned(), ColumnType::Int);
        let (values, valid) = (ids.to_vec(), vec![true; ids.len()]);
        let column = Column { name, ty, values, valid, dictionary: vec![] };
        Side { place: 1, table: Table { columns: vec![column], rows: ids.len() } }
    }

    #[tokio::test]
    async fn one_table_is_made_at_a_time_and_is_kept_for_the_next_run_when_its_receiver_has_left() {
        let (plan, label, side) = (plan("statistics"), Label::Count, side(&[1, 2]));
        let job = Job::of(&plan, &label, &side).unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(b"tables"));
        let releases = Arc::new(Releases::new(Box::new(Memory::default())));
        let turn = releases.turn().await;
        let mut contexts = memory::contexts(memory::network(2), [5; 32]);
        let (mut context, gone) = (contexts.remove(0), contexts.pop());
        drop(gone);
        let mut beating = Beating::start(announce::open(&mut context), 1, announce::DIGEST_BYTES);
        let waited = job.table(&mut beating, &releases, entropy.clone()).await;
        assert_eq!(waited.map(|_| ()).map_err(|fault| fault.code), Err(Code::PeerGone), "it waits no longer");
        let of = job.fingerprint().unwrap();
        drop(job.make(of, (releases.clone(), turn), entropy).unwrap());
        assert!(releases.turn().await.is_some(), "when it is made");
        assert!(releases.made(&of, job.queries).is_some() && releases.made(&[9; 32], job.queries).is_none());
    }

    #[test]
    fn a_table_serves_one_receiver_one_bound_and_one_state() {
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
