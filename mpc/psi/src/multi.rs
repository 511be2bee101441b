//! Intersection of the sets of three to eight parties, without telling anybody what fewer than all of them have in common.
//!
//! Tier D: malicious, all but one corrupt. The protocol is that of Nevo, Trieu and Yanai, "Simple, Fast Malicious Multiparty Private
//! Set Intersection" (CCS 2021), for any strict subset of corrupt parties, where every party takes part in the joint
//! zero test: the zero sharing and star of Kolesnikov, Matania, Pinkas, Rosulek and Trieu (CCS 2017) over a malicious
//! programmable function.
//!
//! 1. Every pair agrees on a key (`zero`). The share of a party at an element is the sum of `F(key, element)` over its pairs, so
//!    the shares of all parties add up to zero at every element.
//! 2. Every party but the receiver programs its shares at its own elements (`opprf`): it encodes `share ⊕ O(element)` in an
//!    oblivious key-value store, where `O` is the function that the receiver evaluated at its elements obliviously.
//! 3. The receiver decodes all tables at its elements and adds its own shares: the sum is zero where all parties have the
//!    element, else uniform.
//!
//! *Which collusions are withstood*: all, the receiver with every sender but one included. What two honest parties put into
//! their tables differs from uniform only where both have the element, since their common key is known to them alone; so
//! corrupt parties together learn the intersection of all honest sets with a set of their own, as the ideal functionality
//! gives it to them, and nothing about which honest party lacks an element. (Where a single party is honest, that is what
//! two-party intersection tells.)
//!
//! *What corrupt parties can do*: use other sets than their own, and larger ones than agreed. A corrupt receiver asks each
//! sender about as many elements as [`crate::oprf`] counts for its agreed size. Of corrupt senders the sum of all tables
//! counts, so together they can stand for as many elements as that count gives for the slots of all their tables: about twice
//! the sum of their agreed sizes. End the run after they have learnt their result. With [`Outputs::All`] every party in turn is
//! the receiver of a run of its own, so each result is right for that run, but a corrupt party may use another set in each.
//!
//! What shows: the agreed sizes, to which fewer elements are padded before anything is computed on them.

mod opprf;
mod parameters;
mod run;
mod zero;

pub use parameters::{Outputs, Parameters};
pub use run::run;
