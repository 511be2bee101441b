//! Ledger nodes over real TLS: engines and members that change, faults of every kind, and what clients may rely on.

mod byzantine;
mod check;
mod damage;
mod events;
mod faults;
mod govern;
mod light;
mod limits;
mod links;
mod load;
mod members;
mod revoked;
mod switch;
mod usurper;
mod world;

/// How often something is tried: the first number daily, the second in a long run.
fn count(daily: usize, long: usize) -> usize {
    if std::env::var_os("HEQI_LONG").is_some() { long } else { daily }
}
