//! Pure decision: what a physical plan lets whom learn, and whether an owner's rules allow it.
//!
//! What leaks is derived here from the plan alone, with code of its own: nothing is shared with the planner, so a
//! planner that asked for too much is caught by every owner before it approves.

mod circuits;
mod decide;
mod grant;
mod leaks;
mod missing;
mod overlap;
mod published;
mod sets;
mod vectors;

pub use decide::{Decision, check, decide};
pub use grant::covers;
pub use leaks::{ColumnUse, uses};
pub use missing::{Missing, Reason};
