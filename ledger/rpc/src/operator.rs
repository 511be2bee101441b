//! What only the operator of a node may ask, on the node's own machine and with the secret of its folder.

use async_trait::async_trait;
use base_types::fault::Fault;

/// The metadata that carries the secret.
pub(crate) const TOKEN: &str = "heqi-token";

/// What a node does for its operator.
#[async_trait]
pub trait OperatorHandler: Send + Sync + 'static {
    /// Copies the chain into a new folder of this machine, if the token is the node's; answers what the copy holds, in the
    /// ledger's encoding.
    async fn backup(&self, token: &str, folder: &str) -> Result<Vec<u8>, Fault>;
}
