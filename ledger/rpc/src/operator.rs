//! What only the operator of a node may ask, on the node's own machine and with the secret of its folder.

use async_trait::async_trait;
use base_types::fault::{Code, Fault};
use tonic::{Request, metadata::AsciiMetadataValue};

/// The metadata that carries the secret.
const TOKEN: &str = "heqi-token";

/// What a node does for its operator.
#[async_trait]
pub trait OperatorHandler: Send + Sync + 'static {
    /// Copies the chain into a new folder of this machine, if the token is the node's; answers what the copy holds, in the
    /// ledger's encoding.
    async fn backup(&self, token: &str, folder: &str) -> Result<Vec<u8>, Fault>;
    /// Adds a folder on a further disk to the storage, if the token is the node's, where each column should put up to
    /// `bytes`; answers the folders on further disks with their bytes, encoded as a list of pairs.
    async fn add_disk(&self, token: &str, folder: &str, bytes: u64) -> Result<Vec<u8>, Fault>;
}

/// The token that a request shows.
pub(crate) fn shown<T>(request: &Request<T>) -> String {
    request.metadata().get(TOKEN).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// A request that shows a token.
pub(crate) fn showing<T>(step: &str, token: &str, message: T) -> Result<Request<T>, Fault> {
    let token: AsciiMetadataValue =
        token.parse().map_err(|_| Fault::new(Code::BadRequest, step, "that is no token"))?;
    let mut request = Request::new(message);
    request.metadata_mut().insert(TOKEN, token);
    Ok(request)
}
