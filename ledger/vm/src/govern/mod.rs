//! The government contract: validators, engine and parameters change by vote, members come and go, certificates end.
//!
//! A change is proposed, voted on by the administrators of the validators' organisations, and takes effect only once more
//! than two thirds of its own validators, all new ones among them, have said that they are ready, before its deadline; else
//! it lapses with a reason.

mod action;
mod admit;
mod epoch;
mod record;
mod rules;

pub use action::{Action, Addresses, EpochChange, Revocation};
pub use epoch::{Epochs, begin_block};
pub use record::{
    ChangeRecord, ChangeStatus, addresses_key, change_key, changes_key, next_epoch_key, now_epoch_key, open_key,
    organisations_key, revocations_key, revoked_key,
};
pub use rules::Government;
