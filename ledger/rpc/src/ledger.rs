//! The ledger's interface for clients: the handler's side as a trait, and the client.

use std::sync::Arc;

use async_trait::async_trait;
use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use futures::{StreamExt, stream::BoxStream};
use rustls::ClientConfig;
use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES, connect,
    fault::{from_status, to_status},
    operator::{OperatorHandler, showing, shown},
    stream::Refusal,
    wire,
};

/// What became of a submitted transaction: it is in an executed block, and the contract refused it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Height of the block.
    pub height: Height,
    /// Why the contract refused it, if it did.
    pub refusal: Option<String>,
    /// What became of it, in the ledger's encoding.
    pub outcome: Vec<u8>,
}

/// Which state is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateAt {
    /// The newest.
    Latest,
    /// That after the block of a height.
    Height(Height),
    /// That of a state root.
    Root(Digest),
}

/// A call that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCall {
    /// On which state.
    pub at: StateAt,
    /// The contract.
    pub to: [u8; 20],
    /// What it is given.
    pub input: Vec<u8>,
    /// Most gas it may use.
    pub gas: u64,
    /// The caller's key, `x‖y`; `None` for no caller in particular.
    pub from: Option<[u8; 64]>,
}

/// The last thing that a subscriber knows, and what it wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Height and number in its block (from 1) of the last transaction known; 0, 0 is before the first.
    pub after: (Height, u32),
    /// Whether to go on with what happens later.
    pub follow: bool,
    /// Only transactions in which this contract announced something.
    pub contract: Option<[u8; 20]>,
}

/// A transaction that was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Height and number in its block, from 1: the cursor to go on from.
    pub cursor: (Height, u32),
    /// The transaction.
    pub transaction: Digest,
    /// What became of it, in the ledger's encoding.
    pub outcome: Vec<u8>,
}

/// What happens, in order.
pub type Happenings = BoxStream<'static, Result<Happening, Fault>>;

/// What a node answers to clients; values are canonical encodings of the ledger's types.
#[async_trait]
pub trait LedgerHandler: Send + Sync + 'static {
    /// Submits a signed transaction and waits until the block that holds it was executed.
    async fn submit(&self, transaction: Vec<u8>) -> Result<Submitted, Fault>;
    /// The chain's state as this node sees it.
    async fn status(&self) -> Result<Vec<u8>, Fault>;
    /// A block with its certificate.
    async fn block(&self, height: Height) -> Result<Option<Vec<u8>>, Fault>;
    /// A transaction with its place in the chain.
    async fn transaction(&self, digest: Digest) -> Result<Option<Vec<u8>>, Fault>;
    /// All records of a subject.
    async fn records(&self, subject: Digest) -> Result<Vec<u8>, Fault>;
    /// A header with its certificate.
    async fn header(&self, height: Height) -> Result<Option<Vec<u8>>, Fault>;
    /// The genesis and the handovers to later epochs.
    async fn epochs(&self) -> Result<Vec<u8>, Fault>;
    /// Calls a contract and changes nothing.
    async fn call(&self, call: ReadCall) -> Result<Vec<u8>, Fault>;
    /// A value of a state, with or without its proof.
    async fn value(&self, at: StateAt, key: Vec<u8>, proof: bool) -> Result<Vec<u8>, Fault>;
    /// What happened and happens.
    fn events(&self, subscription: Subscription) -> Happenings;
}

/// Answers clients and, where there is a second part, the operator.
pub(crate) struct LedgerService(pub(crate) Arc<dyn LedgerHandler>, pub(crate) Option<Arc<dyn OperatorHandler>>);

fn digest(bytes: &[u8]) -> Result<Digest, Status> {
    bytes.try_into().map(Digest).map_err(|_| Status::invalid_argument("a digest has 32 bytes"))
}

fn state(at: Option<wire::At>) -> Result<StateAt, Status> {
    match at {
        None | Some(wire::At { height: None, root: None }) => Ok(StateAt::Latest),
        Some(wire::At { height: Some(height), root: None }) => Ok(StateAt::Height(height)),
        Some(wire::At { height: None, root: Some(root) }) => Ok(StateAt::Root(digest(&root)?)),
        Some(_) => Err(Status::invalid_argument("a state has a height or a root, not both")),
    }
}

fn named(at: StateAt) -> wire::At {
    match at {
        StateAt::Latest => wire::At { height: None, root: None },
        StateAt::Height(height) => wire::At { height: Some(height), root: None },
        StateAt::Root(root) => wire::At { height: None, root: Some(root.0.to_vec()) },
    }
}

/// A field that may be empty.
fn optional<const N: usize>(bytes: &[u8], what: &str) -> Result<Option<[u8; N]>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes = bytes.try_into().map_err(|_| Status::invalid_argument(format!("{what} has {N} bytes")))?;
    Ok(Some(bytes))
}

fn reply<T, U>(outcome: Result<T, Fault>, wrap: impl FnOnce(T) -> U) -> Result<Response<U>, Status> {
    outcome.map(|value| Response::new(wrap(value))).map_err(|fault| to_status(&fault))
}

fn operator(served: &Option<Arc<dyn OperatorHandler>>) -> Result<&Arc<dyn OperatorHandler>, Status> {
    served.as_ref().ok_or_else(|| Status::permission_denied("the operator is served on the node's own machine only"))
}

#[async_trait]
impl wire::ledger_server::Ledger for LedgerService {
    async fn submit(&self, request: Request<wire::Submission>) -> Result<Response<wire::Outcome>, Status> {
        let outcome = self.0.submit(request.into_inner().transaction).await;
        reply(outcome, |Submitted { height, refusal, outcome }| wire::Outcome { height, refusal, outcome })
    }

    async fn status(&self, _request: Request<wire::StatusRequest>) -> Result<Response<wire::Encoded>, Status> {
        reply(self.0.status().await, |value| wire::Encoded { value })
    }

    async fn block(&self, request: Request<wire::BlockRequest>) -> Result<Response<wire::Found>, Status> {
        reply(self.0.block(request.into_inner().height).await, |value| wire::Found { value })
    }

    async fn transaction(&self, request: Request<wire::TransactionRequest>) -> Result<Response<wire::Found>, Status> {
        let digest = digest(&request.into_inner().digest)?;
        reply(self.0.transaction(digest).await, |value| wire::Found { value })
    }

    async fn records(&self, request: Request<wire::RecordsRequest>) -> Result<Response<wire::Encoded>, Status> {
        let subject = digest(&request.into_inner().subject)?;
        reply(self.0.records(subject).await, |value| wire::Encoded { value })
    }

    async fn header(&self, request: Request<wire::BlockRequest>) -> Result<Response<wire::Found>, Status> {
        reply(self.0.header(request.into_inner().height).await, |value| wire::Found { value })
    }

    async fn epochs(&self, _request: Request<wire::StatusRequest>) -> Result<Response<wire::Encoded>, Status> {
        reply(self.0.epochs().await, |value| wire::Encoded { value })
    }

    async fn call(&self, request: Request<wire::CallRequest>) -> Result<Response<wire::Encoded>, Status> {
        let wire::CallRequest { at, to, input, gas, from } = request.into_inner();
        let to = optional(&to, "an address")?.ok_or_else(|| Status::invalid_argument("an address has 20 bytes"))?;
        let call = ReadCall { at: state(at)?, to, input, gas, from: optional(&from, "a key")? };
        reply(self.0.call(call).await, |value| wire::Encoded { value })
    }

    async fn value(&self, request: Request<wire::ValueRequest>) -> Result<Response<wire::Encoded>, Status> {
        let wire::ValueRequest { at, key, proof } = request.into_inner();
        reply(self.0.value(state(at)?, key, proof).await, |value| wire::Encoded { value })
    }

    async fn backup(&self, request: Request<wire::BackupRequest>) -> Result<Response<wire::Encoded>, Status> {
        let (operator, token) = (operator(&self.1)?, shown(&request));
        let folder = request.into_inner().folder;
        reply(operator.backup(&token, &folder).await, |value| wire::Encoded { value })
    }

    async fn add_disk(&self, request: Request<wire::AddDiskRequest>) -> Result<Response<wire::Encoded>, Status> {
        let (operator, token) = (operator(&self.1)?, shown(&request));
        let wire::AddDiskRequest { folder, bytes } = request.into_inner();
        reply(operator.add_disk(&token, &folder, bytes).await, |value| wire::Encoded { value })
    }

    type EventsStream = BoxStream<'static, Result<wire::Happening, Status>>;

    async fn events(&self, request: Request<wire::EventsRequest>) -> Result<Response<Self::EventsStream>, Status> {
        let wire::EventsRequest { height, index, follow, contract } = request.into_inner();
        let contract = optional(&contract, "an address")?;
        let happenings = self.0.events(Subscription { after: (height, index), follow, contract });
        let told = happenings.map(|happening| match happening {
            Ok(Happening { cursor, transaction, outcome }) => {
                let (height, index) = cursor;
                Ok(wire::Happening { height, index, transaction: transaction.0.to_vec(), outcome })
            }
            Err(fault) => Err(to_status(&fault)),
        });
        Ok(Response::new(told.boxed()))
    }
}

/// A client of one node's ledger.
#[derive(Clone)]
pub struct LedgerClient {
    client: wire::ledger_client::LedgerClient<Channel>,
    refusal: Refusal,
}

impl LedgerClient {
    fn over(channel: Channel, refusal: Refusal) -> Self {
        let client = wire::ledger_client::LedgerClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        Self { client, refusal }
    }

    /// Speaks without TLS to a node on this machine (`127.0.0.1:port`). Inside a tokio runtime; connects on first use.
    ///
    /// # Errors
    /// [`Code::BadRequest`] when that is no address.
    pub fn plain(address: &str) -> Result<Self, Fault> {
        let channel =
            connect::plain(address).map_err(|why| Fault::new(Code::BadRequest, "connect", why.to_string()))?;
        Ok(Self::over(channel, Refusal::default()))
    }

    /// Speaks as a node to another one, whom `tls` names. Inside a tokio runtime; connects on first use.
    pub fn secure(address: String, tls: Arc<ClientConfig>) -> Self {
        let refusal = Refusal::default();
        Self::over(connect::secure(address, tls, None, refusal.clone()), refusal)
    }

    fn fault(&self, step: &str, status: &Status) -> Fault {
        from_status(step, status, self.refusal.get())
    }

    /// See [`LedgerHandler::submit`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn submit(&self, transaction: Vec<u8>) -> Result<Submitted, Fault> {
        // The rest is the request's own.
        if transaction.len() > MAX_REQUEST_BYTES - (1 << 10) {
            return Err(Fault::new(Code::BadRequest, "submit", "the transaction is too long"));
        }
        let answer = self.client.clone().submit(wire::Submission { transaction }).await;
        let wire::Outcome { height, refusal, outcome } = answer.map_err(|s| self.fault("submit", &s))?.into_inner();
        Ok(Submitted { height, refusal, outcome })
    }

    /// See [`LedgerHandler::status`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn status(&self) -> Result<Vec<u8>, Fault> {
        let answer = self.client.clone().status(wire::StatusRequest {}).await;
        Ok(answer.map_err(|s| self.fault("status", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::block`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn block(&self, height: Height) -> Result<Option<Vec<u8>>, Fault> {
        let answer = self.client.clone().block(wire::BlockRequest { height }).await;
        Ok(answer.map_err(|s| self.fault("block", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::transaction`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn transaction(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        let request = wire::TransactionRequest { digest: digest.0.to_vec() };
        let answer = self.client.clone().transaction(request).await;
        Ok(answer.map_err(|s| self.fault("transaction", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::records`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn records(&self, subject: &Digest) -> Result<Vec<u8>, Fault> {
        let request = wire::RecordsRequest { subject: subject.0.to_vec() };
        let answer = self.client.clone().records(request).await;
        Ok(answer.map_err(|s| self.fault("records", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::header`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn header(&self, height: Height) -> Result<Option<Vec<u8>>, Fault> {
        let answer = self.client.clone().header(wire::BlockRequest { height }).await;
        Ok(answer.map_err(|s| self.fault("header", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::epochs`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn epochs(&self) -> Result<Vec<u8>, Fault> {
        let answer = self.client.clone().epochs(wire::StatusRequest {}).await;
        Ok(answer.map_err(|s| self.fault("epochs", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::call`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn call(&self, call: ReadCall) -> Result<Vec<u8>, Fault> {
        let ReadCall { at, to, input, gas, from } = call;
        let from = from.map(|key| key.to_vec()).unwrap_or_default();
        let request = wire::CallRequest { at: Some(named(at)), to: to.to_vec(), input, gas, from };
        let answer = self.client.clone().call(request).await;
        Ok(answer.map_err(|s| self.fault("call", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::value`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn value(&self, at: StateAt, key: Vec<u8>, proof: bool) -> Result<Vec<u8>, Fault> {
        let request = wire::ValueRequest { at: Some(named(at)), key, proof };
        let answer = self.client.clone().value(request).await;
        Ok(answer.map_err(|s| self.fault("value", &s))?.into_inner().value)
    }

    /// See [`OperatorHandler::backup`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn backup(&self, token: &str, folder: &str) -> Result<Vec<u8>, Fault> {
        let request = showing("backup", token, wire::BackupRequest { folder: folder.to_owned() })?;
        let answer = self.client.clone().backup(request).await;
        Ok(answer.map_err(|s| self.fault("backup", &s))?.into_inner().value)
    }

    /// See [`OperatorHandler::add_disk`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn add_disk(&self, token: &str, folder: &str, bytes: u64) -> Result<Vec<u8>, Fault> {
        let request = showing("add disk", token, wire::AddDiskRequest { folder: folder.to_owned(), bytes })?;
        let answer = self.client.clone().add_disk(request).await;
        Ok(answer.map_err(|s| self.fault("add disk", &s))?.into_inner().value)
    }

    /// See [`LedgerHandler::events`].
    ///
    /// # Errors
    /// The connection's fault; the handler's come in the stream.
    pub async fn events(&self, subscription: Subscription) -> Result<Happenings, Fault> {
        let Subscription { after: (height, index), follow, contract } = subscription;
        let contract = contract.map(|address| address.to_vec()).unwrap_or_default();
        let request = wire::EventsRequest { height, index, follow, contract };
        let answer = self.client.clone().events(request).await.map_err(|s| self.fault("events", &s))?;
        let this = self.clone();
        let told = answer.into_inner().map(move |happening| {
            let wire::Happening { height, index, transaction, outcome } =
                happening.map_err(|s| this.fault("events", &s))?;
            let transaction = digest(&transaction).map_err(|s| this.fault("events", &s))?;
            Ok(Happening { cursor: (height, index), transaction, outcome })
        });
        Ok(told.boxed())
    }
}
