//! A star join and group-by on three-party shares: one carrier table, sides joined on one key, grouped aggregates.
//!
//! [`run`] computes what [`plain`] computes in the clear, and nothing else is learnt: the receiver gets the groups'
//! values, nobody gets a tag, a match, a count or an order (design after ORQ, SOSP 2025, and Secrecy, NSDI 2023). Sizes
//! are those of the public [`StarShape`]: every table is padded to its bound. The owners aggregate their sides to one
//! row a key beforehand, so a join never grows. The engine knows nothing of queries, policies or terms. It is written once against a [`Scheme`]: [`Rep3`]
//! is tier B, [`Checked`] tier B+.
//!
//! All sums are words modulo 2^64, read as signed numbers. A shape says what each value can be, and is refused where a sum over the
//! join could reach 2^62, or for an average `2·|sum|·10^extra_digits + count` 2^63, or the count more than 2^59. Every owner is held
//! to these ranges before it shares its rows, in tier B+ on the shares too.

mod answer;
mod audit;
mod group;
mod input;
mod join;
mod layout;
mod leads;
mod plain;
mod products;
mod ranges;
mod rows;
mod rules;
mod run;
mod scheme;
mod shape;

pub use mpc_checked::Checked;
pub use mpc_share::Rep3;
pub use plain::plain;
pub use ranges::Span;
pub use rows::{CarrierRow, Cell, GroupResult, OwnerRows, SideRow};
pub use run::run;
pub use scheme::Scheme;
pub use shape::{Aggregate, Function, Input, Join, Placement, SideShape, StarShape};
