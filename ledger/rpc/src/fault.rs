//! What can go wrong in a call, and how a handler's fault crosses gRPC whole.

use std::{error::Error, io};

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use tonic::Status;

/// Why a call to a peer, or a server, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcFault {
    /// No address of that organisation is known.
    #[error("no address of {0} is known")]
    UnknownPeer(OrgId),
    /// The body or the channel's name is longer than a message may be.
    #[error("the message is too long")]
    TooLong,
    /// No answer came in time.
    #[error("the peer is silent")]
    Silent,
    /// The peer cannot be reached or closed the connection.
    #[error("the peer cannot be reached: {0}")]
    Gone(String),
    /// A certificate was refused, the peer's here or this node's there.
    #[error("{1}")]
    Certificate(Code, String),
    /// The peer's handler answered with a refusal.
    #[error("the peer refused: {0}")]
    Refused(String),
    /// The listening side cannot work.
    #[error("the server cannot run: {0}")]
    Server(String),
}

impl RpcFault {
    /// The platform's code for it.
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownPeer(_) => Code::NotFound,
            Self::TooLong => Code::BadRequest,
            Self::Silent => Code::PeerSilent,
            Self::Gone(_) => Code::PeerGone,
            Self::Certificate(code, _) => *code,
            Self::Refused(_) => Code::PeerMisbehaved,
            Self::Server(_) => Code::Internal,
        }
    }

    pub(crate) fn of_status(status: &Status, refusal: Option<(Code, String)>) -> Self {
        match (status.code(), refusal) {
            (tonic::Code::FailedPrecondition, _) => Self::Refused(status.message().to_owned()),
            (_, Some((code, why))) => Self::Certificate(code, why),
            (tonic::Code::DeadlineExceeded, _) => Self::Silent,
            _ if causes(status).any(is_timeout) => Self::Silent,
            // The last cause says most; the others only say that a transport failed.
            _ => Self::Gone(causes(status).last().map_or_else(|| status.message().to_owned(), ToString::to_string)),
        }
    }
}

/// What led to a status; none for one that the peer sent.
fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(status.source(), |&cause| cause.source())
}

fn is_timeout(cause: &(dyn Error + 'static)) -> bool {
    let io = cause.downcast_ref::<io::Error>();
    cause.is::<tonic::TimeoutExpired>() || io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// A fault as a gRPC status that carries it whole.
pub(crate) fn to_status(fault: &Fault) -> Status {
    let code = match fault.code {
        Code::NotFound => tonic::Code::NotFound,
        Code::BadRequest => tonic::Code::InvalidArgument,
        Code::NotAllowed => tonic::Code::PermissionDenied,
        Code::NoQuorum => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
        _ => tonic::Code::FailedPrecondition,
    };
    let details = serde_json::to_vec(fault).unwrap_or_default();
    Status::with_details(code, fault.to_string(), details.into())
}

/// The fault inside a status, or what the status itself says.
pub(crate) fn from_status(step: &str, status: &Status, refusal: Option<(Code, String)>) -> Fault {
    if let Ok(fault) = serde_json::from_slice(status.details()) {
        return fault;
    }
    match RpcFault::of_status(status, refusal) {
        RpcFault::Gone(why) if status.code() == tonic::Code::InvalidArgument => Fault::new(Code::BadRequest, step, why),
        fault => Fault::new(fault.code(), step, fault.to_string()),
    }
}
