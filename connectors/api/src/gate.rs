//! The gate between approvals and sources: the one maker of tickets, and the one place where what was read is checked.

use async_trait::async_trait;
use base_types::{
    DatasetId,
    column::Table,
    fault::{Code, Fault},
};
use notary_terms::{Approved, Read, Source};

use crate::{Backend, Connector, Discovery, Progress, Ticket, Wanted, check};

/// A backend behind the gate.
pub struct Gate<B> {
    dataset: DatasetId,
    registered: Option<Source>,
    backend: B,
}

impl<B: Backend> Gate<B> {
    /// Puts a backend behind the gate. `registered` is the data set's entry in the catalogue that plans rest on; a
    /// source that is not registered yet can be tested and discovered, not read.
    pub fn new(dataset: DatasetId, registered: Option<Source>, backend: B) -> Self {
        Self { dataset, registered, backend }
    }

    fn ticket(&self, wanted: Wanted) -> Ticket {
        Ticket::new(self.dataset.clone(), wanted)
    }
}

#[async_trait]
impl<B: Backend> Connector for Gate<B> {
    async fn discover(&self, progress: Progress<'_>) -> Result<Discovery, Fault> {
        let table = self.backend.scan(self.ticket(Wanted::Everything), progress).await?;
        Ok(Discovery::of(&table))
    }

    async fn read(&self, step: Approved<Read>) -> Result<Table, Fault> {
        let read = step.value().clone();
        let ticket = self.ticket(Wanted::Columns(read.clone()));
        let refused = self.ticket(Wanted::Columns(read.clone()));
        let registered = self.registered.as_ref().filter(|source| source.dataset == self.dataset);
        let registered =
            registered.ok_or_else(|| refused.fault(Code::SourceChanged, "the data set is not registered"))?;
        check::step(&refused, &read, registered)?;
        let table = self.backend.scan(ticket, &mut |_| ()).await?;
        check::table(&refused, &read, registered, &table)?;
        Ok(table)
    }

    async fn test(&self) -> Result<(), Fault> {
        self.backend.test(self.ticket(Wanted::Nothing)).await
    }
}
