//! The portal from a browser's side: the way in, what is refused, what comes back.

mod alarms;
mod client;
mod desk;
mod doors;
mod faults;
mod happenings;
mod interface;
