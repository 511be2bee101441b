//! Clock, entropy and network as arguments, so that a component can run in a test as it runs in production.

mod apart;
pub mod clock;
pub mod entropy;
mod handshakes;
pub mod links;
pub mod tls;

pub use apart::Apart;
pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use handshakes::Handshakes;
