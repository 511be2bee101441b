//! What happens on the ledger, as pages and `--json` show it.

use base_types::{
    Height,
    fault::{Code, Fault},
};
use base_wire::Decode;
use futures::{StreamExt, stream::BoxStream};
use ledger_chain::Executed;
use ledger_rpc::{Happening, LedgerHandler, Subscription};
use ledger_server::Clients;
use ledger_vm::Address;
use portal_api::views::{EventView, HappeningView};

use super::NodeDesk;

/// A happening in words.
///
/// # Errors
/// [`Code::PeerMisbehaved`] when what became of the transaction cannot be read.
pub fn happening_view(happening: &Happening) -> Result<HappeningView, Fault> {
    let Happening { cursor: (height, index), transaction, outcome } = happening;
    let executed =
        Executed::from_wire(outcome).map_err(|why| Fault::new(Code::PeerMisbehaved, "read events", why.to_string()))?;
    let event = |event: &ledger_vm::Event| EventView {
        contract: event.contract.to_string(),
        topics: event.topics.iter().map(ToString::to_string).collect(),
        data: hex::encode(&event.data),
    };
    Ok(HappeningView {
        height: *height,
        index: *index,
        transaction: transaction.to_string(),
        refusal: executed.refusal,
        gas: executed.gas,
        events: executed.events.iter().map(event).collect(),
    })
}

impl NodeDesk {
    pub(super) fn happenings_after(
        &self,
        after: (Height, u32),
        contract: Option<&str>,
        follow: bool,
    ) -> Result<BoxStream<'static, Result<HappeningView, Fault>>, Fault> {
        let address = |text: &str| {
            let address = text.parse::<Address>();
            address.map(|address| address.0).map_err(|why| Fault::new(Code::BadRequest, "read events", why.to_string()))
        };
        let subscription = Subscription { after, follow, contract: contract.map(address).transpose()? };
        let happenings = Clients(self.chain.clone()).events(subscription);
        Ok(happenings.map(|happening| happening_view(&happening?)).boxed())
    }
}
