//! Faults of the storage, and of a source that has grown, before anything leaves.

use std::collections::BTreeMap;

use base_types::{
    column::{Column, ColumnType, Table},
    fault::Code,
};
use mpc_core::memory;
use mpc_psi::Mode;
use notary_terms::{Intersect, Program, Read, ReadRole, Request, Spares, Tier};

use super::*;

/// Storage in memory.
#[derive(Default)]
struct Kept(BTreeMap<usize, Vec<u8>>);

impl Scratch for Kept {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.0.entry(bucket).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, Fault> {
        Ok(self.0.get(&bucket).cloned().unwrap_or_default())
    }
}

fn read(owner: &str, rows_bound: u32) -> Read {
    Read {
        owner: owner.parse().unwrap(),
        dataset: format!("{owner}/visits").parse().unwrap(),
        alias: "v".into(),
        columns: vec!["id".into()],
        types: vec![ColumnType::Int],
        key: None,
        filter: None,
        values: vec![],
        rows_bound,
        role: ReadRole::Set { keys: vec![KeyPart { column: 0, folds: vec![] }] },
    }
}

fn plan(reads: Vec<Read>) -> notary_terms::Plan {
    let request = Request {
        sql: String::new(),
        purpose: "health-statistics".into(),
        analyst: "civil/analyst".parse().unwrap(),
        receiver: "civil".parse().unwrap(),
        expires: 9_000,
        salt: [7; 32],
        tier: None,
    };
    let program = Intersect { label: Label::Nothing, spares: Spares::Time, bucket_keys: Some(1024) };
    notary_terms::Plan {
        planner: 1,
        catalogue_height: 8,
        request,
        tier: Tier::C,
        nodes: reads.iter().map(|read| read.owner.clone()).collect(),
        reads,
        program: Program::Intersect(program),
        outputs: vec![],
        order: vec![],
        limit: None,
    }
}

/// What a side with these keys and room for two says before anything of them leaves, when the other owner never comes.
async fn ends(place: usize, ids: &[i64]) -> Code {
    let plan = plan(vec![read("civil", 2), read("health", 2)]);
    let (values, valid) = (ids.to_vec(), vec![true; ids.len()]);
    let column = Column { name: "id".into(), ty: ColumnType::Int, values, valid, dictionary: vec![] };
    let side = Side { place, table: Table { columns: vec![column], rows: ids.len() } };
    let parameters = two::Parameters {
        sender: 1,
        receiver: 0,
        sender_elements: 2,
        receiver_elements: 2,
        outputs: two::Outputs::Receiver,
        mode: Mode::Fast,
    };
    let mut context = memory::contexts(memory::network(2), [5; 32]).swap_remove(place);
    let label = Label::Count;
    let (job, size) = ((&plan, &label, &side), (parameters, 1024));
    let filled = Buckets::fill(job, size, &mut context, Box::new(Kept::default())).await;
    filled.err().expect("nobody is there").code
}

#[tokio::test]
async fn a_side_with_more_keys_than_its_bound_ends_before_the_first_leaves() {
    for place in [0, 1] {
        assert_eq!(ends(place, &[4, 5, 6]).await, Code::SourceChanged);
        assert_eq!(ends(place, &(0..2000).collect::<Vec<_>>()).await, Code::SourceChanged);
        assert_eq!(ends(place, &[4, 5, 4]).await, Code::PeerGone, "two keys, of which one has two rows");
    }
}

/// Storage that is full after so many bytes.
struct Small(usize);

impl Scratch for Small {
    fn append(&mut self, _: usize, bytes: &[u8]) -> Result<(), Fault> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or_else(|| Fault::new(Code::DiskFull, "keep keys", "no room"))?;
        Ok(())
    }

    fn load(&mut self, _: usize) -> Result<Vec<u8>, Fault> {
        Err(Fault::new(Code::StorageDamaged, "keep keys", "torn"))
    }
}

#[test]
fn the_first_fault_of_the_storage_is_the_one_that_is_told() {
    let mut storage = Storage { scratch: Box::new(Small(5)), fault: None, over: Over::default() };
    assert_eq!(storage.append(0, &[1; 5]), Ok(()));
    assert_eq!(storage.append(0, &[1]), Err("no room".to_owned()));
    assert_eq!(storage.load(0), Err("torn".to_owned()));
    assert_eq!(storage.fault.map(|fault| fault.code), Some(Code::DiskFull));
}
