//! What a program asks of an engine: its shares, and the few operations that each engine has its own way of.

use std::future::Future;
use std::ops::Range;

use mpc_core::{Abort, Context};
use mpc_share::Carried;
use mpc_share::fixed::{Column, Engine};

use crate::eval::Values;
use crate::form::Form;
use crate::step::Op;

/// A vector that is read as a matrix, row by row: what a party does to it alone, besides what every [`Column`] can.
pub(crate) trait Elements: Column {
    /// The elements at these places, in their order; an element may be taken several times.
    fn picked(&self, places: &[usize]) -> Self;

    /// A run of elements.
    fn part(&self, range: Range<usize>) -> Self;

    /// One vector after the other.
    fn joined(parts: &[&Self]) -> Self;

    /// The sum of each of so many columns.
    fn column_sums(&self, columns: usize) -> Self;

    /// Pieces of `len` elements each, which is not 0.
    fn pieces(&self, len: usize) -> Vec<Self> {
        let whole = self.len().checked_div(len).unwrap_or(0);
        (0..whole).map(|piece| self.part(piece * len..(piece + 1) * len)).collect()
    }
}

/// An input on shares, and what everybody knows of it.
pub(crate) struct Input<'a, I> {
    /// The party that put it in.
    pub(crate) owner: usize,
    /// Its elements, row by row.
    pub(crate) elements: &'a I,
    /// The range of each of its columns.
    pub(crate) ranges: &'a [(i128, i128)],
}

/// An abort of a party whose engine has no wide integers: no program that was checked for it asks for any.
fn lacking() -> Abort {
    Abort::local("wide integers on an engine without them").at("vectors")
}

/// A party of an engine: what functions of fixed-point numbers are made of ([`Engine`], whose rules for callers hold here too), and what
/// a program takes besides. Truth values are integers 0 and 1.
pub(crate) trait Party: Engine<Integers: Elements> {
    /// A vector of secret integers modulo 2^128; of an engine that has none there is no value.
    type Wide: Send + Sync + 'static;

    /// Forks the session and sets the party up.
    fn setup(ctx: &mut Context) -> impl Future<Output = Result<Self, Abort>> + Send;

    /// Names the step that an abort from here on reports.
    fn enter(&mut self, step: &'static str);

    /// Shares every party's words: `counts` says how many each puts in, `mine` are this party's. One vector a party.
    fn input(
        &mut self,
        counts: &[usize],
        mine: &[u64],
    ) -> impl Future<Output = Result<Vec<Self::Integers>, Abort>> + Send;

    /// Sees to it that every element of every input lies in the range of its column. Where all parties follow the protocol each has done
    /// so for its own before it shared them.
    fn check_inputs(
        &mut self,
        _inputs: &[Input<'_, Self::Integers>],
    ) -> impl Future<Output = Result<(), Abort>> + Send {
        async { Ok(()) }
    }

    /// Whether `x = y`.
    fn equal(
        &mut self,
        x: &Self::Integers,
        y: &Self::Integers,
    ) -> impl Future<Output = Result<Self::Bits, Abort>> + Send;

    /// `x` where the truth value is 1, else 0.
    fn keep(
        &mut self,
        truth: &Self::Integers,
        x: &Self::Integers,
    ) -> impl Future<Output = Result<Self::Integers, Abort>> + Send;

    /// Of equally long columns, row by row: the largest value, and the number of the first column that has it, from 0.
    fn argmax(
        &mut self,
        columns: &[&Self::Integers],
    ) -> impl Future<Output = Result<(Self::Integers, Self::Integers), Abort>> + Send;

    /// For every element: what is carried to it from the start of its segment; `same` says of each whether it belongs to the segment of
    /// the one before.
    fn scan(
        &mut self,
        what: Carried,
        same: &Self::Integers,
        values: &Self::Integers,
    ) -> impl Future<Output = Result<Self::Integers, Abort>> + Send;

    /// Sorts the rows of equally long columns by column `by`, rising, whose numbers are in `range`; rows with equal keys keep their order.
    fn sort(
        &mut self,
        columns: Vec<Self::Integers>,
        by: usize,
        range: (i64, i64),
    ) -> impl Future<Output = Result<Vec<Self::Integers>, Abort>> + Send;

    /// Puts rows into a uniformly random order that no party knows.
    fn shuffle(
        &mut self,
        columns: Vec<Self::Integers>,
    ) -> impl Future<Output = Result<Vec<Self::Integers>, Abort>> + Send;

    /// Moves the rows whose `valid` is 1 before the others; both keep their order.
    fn compact(
        &mut self,
        columns: Vec<Self::Integers>,
        valid: &Self::Integers,
    ) -> impl Future<Output = Result<Vec<Self::Integers>, Abort>> + Send;

    /// Reveals words to one party, after all that they follow from has been proven where a party may deviate: `Some` there, `None` at the
    /// others.
    fn reveal(&mut self, x: &Self::Integers, to: usize)
    -> impl Future<Output = Result<Option<Vec<u64>>, Abort>> + Send;

    /// Shares wide integers: for each input its owner and how many there are, `mine` those of this party. One vector an input.
    fn input_wide(
        &mut self,
        _inputs: &[(usize, usize)],
        _mine: &[u128],
    ) -> impl Future<Output = Result<Vec<Self::Wide>, Abort>> + Send {
        async { Err(lacking()) }
    }

    /// A step whose value is of wide integers.
    fn wide(
        &mut self,
        _values: &Values<'_, Self>,
        _op: Op,
        _form: &Form,
    ) -> impl Future<Output = Result<Self::Wide, Abort>> + Send {
        async { Err(lacking()) }
    }

    /// Whether `x < y` of wide integers.
    fn less_wide(
        &mut self,
        _x: &Self::Wide,
        _y: &Self::Wide,
    ) -> impl Future<Output = Result<Self::Bits, Abort>> + Send {
        async { Err(lacking()) }
    }

    /// As [`Party::reveal`] of wide integers.
    fn reveal_wide(
        &mut self,
        _x: &Self::Wide,
        _to: usize,
    ) -> impl Future<Output = Result<Option<Vec<u128>>, Abort>> + Send {
        async { Err(lacking()) }
    }
}

/// How many bits the numbers of a range take when they are counted from its lowest.
pub(crate) fn key_bits((low, high): (i64, i64)) -> u32 {
    (u64::BITS - high.abs_diff(low).leading_zeros()).max(1)
}
