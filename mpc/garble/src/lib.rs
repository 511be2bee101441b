//! Garbled circuits: Boolean circuits and their library, half-gates garbling that streams, and a two-party run over it.
//!
//! [`circuit`] holds circuits, built by code ([`circuit::Builder`] with [`library`]) or read from Bristol-fashion text.
//! [`program`] compiles one into the order and the memory in which it is garbled. [`half_gates`] garbles and evaluates
//! it step by step without I/O. [`semi_honest`] is the two-party computation of tier A over a `Context`; the
//! evaluator's labels come by oblivious transfer behind [`transfer`].

pub mod circuit;
pub mod half_gates;
pub mod library;
pub mod program;
pub mod semi_honest;
pub mod transfer;
