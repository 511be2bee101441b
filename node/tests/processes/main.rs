//! Real nodes by the command line: killed, backed up, joined, renewed, changed by vote and listened to.
//!
//! One program, since cargo runs programs one after the other: so these wait for blocks and processes side by side.

#[path = "../support/mod.rs"]
mod support;

mod alarms;
mod contracts;
mod joined;
mod kept;
mod killed;
mod listener;
mod renewed;
