//! The ledger's interface for clients: the handler's side as a trait, and the client.

use std::sync::Arc;

use async_trait::async_trait;
use base_types::{
    Digest, Height,
    fault::{Code, Fault},
};
use rustls::ClientConfig;
use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    MAX_BODY_BYTES, MAX_MESSAGE_BYTES, connect,
    fault::{from_status, to_status},
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
}

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
}

pub(crate) struct LedgerService(pub(crate) Arc<dyn LedgerHandler>);

fn digest(bytes: &[u8]) -> Result<Digest, Status> {
    bytes.try_into().map(Digest).map_err(|_| Status::invalid_argument("a digest has 32 bytes"))
}

fn reply<T, U>(outcome: Result<T, Fault>, wrap: impl FnOnce(T) -> U) -> Result<Response<U>, Status> {
    outcome.map(|value| Response::new(wrap(value))).map_err(|fault| to_status(&fault))
}

#[async_trait]
impl wire::ledger_server::Ledger for LedgerService {
    async fn submit(&self, request: Request<wire::Submission>) -> Result<Response<wire::Outcome>, Status> {
        let outcome = self.0.submit(request.into_inner().transaction).await;
        reply(outcome, |Submitted { height, refusal }| wire::Outcome { height, refusal })
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
        Self::over(connect::secure(address, tls, refusal.clone()), refusal)
    }

    fn fault(&self, step: &str, status: &Status) -> Fault {
        from_status(step, status, self.refusal.get())
    }

    /// See [`LedgerHandler::submit`].
    ///
    /// # Errors
    /// The handler's fault or the connection's.
    pub async fn submit(&self, transaction: Vec<u8>) -> Result<Submitted, Fault> {
        if transaction.len() > MAX_BODY_BYTES {
            return Err(Fault::new(Code::BadRequest, "submit", "the transaction is too long"));
        }
        let answer = self.client.clone().submit(wire::Submission { transaction }).await;
        let wire::Outcome { height, refusal } = answer.map_err(|s| self.fault("submit", &s))?.into_inner();
        Ok(Submitted { height, refusal })
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
}
