//! Faults on their way to a browser: JSON in both languages, with a fitting HTTP status.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base_types::fault::{Code, Fault};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A fault as pages and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultView {
    /// The code's name, such as `RuleForbids`.
    pub code: String,
    /// The code's number, such as `HQ-3001`.
    pub number: String,
    /// What happened, in English.
    pub title: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What only this occurrence tells.
    pub detail: String,
    /// The party it happened at or because of.
    pub party: Option<String>,
    /// The step.
    pub step: String,
    /// What to do, in English.
    pub remedy: String,
    /// What to do, in Chinese.
    pub remedy_zh: String,
    /// The whole sentence in Chinese.
    pub message_zh: String,
    /// The whole sentence in English.
    pub message_en: String,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        let Fault { code, party, step, detail } = fault;
        Self {
            code: format!("{code:?}"),
            number: code.number().to_owned(),
            title: code.title(false).to_owned(),
            title_zh: code.title(true).to_owned(),
            detail: detail.clone(),
            party: party.as_ref().map(ToString::to_string),
            step: step.clone(),
            remedy: code.remedy(false).to_owned(),
            remedy_zh: code.remedy(true).to_owned(),
            message_zh: fault.tell(true),
            message_en: fault.tell(false),
        }
    }
}

/// A fault with the status it is answered with.
pub(crate) struct Answer {
    status: StatusCode,
    fault: Fault,
}

pub(crate) type Answered<T> = Result<T, Answer>;

impl Answer {
    pub(crate) fn new(status: StatusCode, fault: Fault) -> Self {
        Self { status, fault }
    }

    pub(crate) fn bad(step: &str, detail: impl Into<String>) -> Self {
        Fault::new(Code::BadRequest, step, detail).into()
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Self {
        Self { status: status(fault.code), fault }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(fault = %self.fault, "the portal answers with a fault");
        }
        (self.status, Json(FaultView::from(&self.fault))).into_response()
    }
}

/// The HTTP status of a code; no wildcard, so that a new code must choose.
fn status(code: Code) -> StatusCode {
    match code {
        Code::SourceMissing
        | Code::SourceDelimiter
        | Code::SourceEncoding
        | Code::SourceMixedTypes
        | Code::RangeOverflow
        | Code::SourceColumn
        | Code::KeyNotUnique
        | Code::QuerySyntax
        | Code::QueryUnsupported
        | Code::QueryUnknownName
        | Code::QueryOverflow
        | Code::RunTooLarge
        | Code::EvidenceInvalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RuleForbids | Code::NotAllowed => StatusCode::FORBIDDEN,
        Code::SourceChanged
        | Code::ApprovalMissing
        | Code::ProposalChanged
        | Code::ProposalExpired
        | Code::Rejected
        | Code::Cancelled
        | Code::TransactionRefused => StatusCode::CONFLICT,
        Code::PeerSilent => StatusCode::GATEWAY_TIMEOUT,
        Code::PeerGone | Code::PeerMisbehaved | Code::CertificateInvalid | Code::CertificateExpired => {
            StatusCode::BAD_GATEWAY
        }
        Code::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        Code::FolderInUse | Code::PortInUse | Code::NoQuorum | Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Code::WrongPassword => StatusCode::UNAUTHORIZED,
        Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::StorageDamaged | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
