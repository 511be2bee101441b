//! What the tests of the whole share: the source tree as text.

pub mod tree;
