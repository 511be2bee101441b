//! Labelled intersection: the sender attaches bytes to every element, the receiver gets those of the matches alone.
//!
//! As [`crate::two`]; each payload travels with its mask, encrypted and authenticated under a key that is the other
//! half of the element's output, which the receiver has for its own elements only. All payloads have one length, which
//! is public. With [`two::Outputs::Both`] the sender learns the intersection too.
//!
//! A payload that a malicious sender sealed wrongly is missing at the receiver and ends nothing: the sender would learn
//! from an end that the element is a match.

use mpc_block::Block;
use mpc_core::{Abort, Context};
use zeroize::Zeroizing;

use crate::two;

/// Longest payload of an element, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 10;

/// What both parties know of a run; bound into the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// The parties and their sets.
    pub two: two::Parameters,
    /// Bytes that go with each element of the sender, from 1 to [`MAX_PAYLOAD`].
    pub payload: usize,
}

/// What the receiver gets.
pub struct Matches {
    elements: Vec<usize>,
    payloads: Vec<Option<Zeroizing<Vec<u8>>>>,
}

impl Matches {
    /// The indices of the receiver's elements in the intersection, ascending.
    pub fn elements(&self) -> &[usize] {
        &self.elements
    }

    /// What the sender attached to the match at place `at` of [`Self::elements`]; `None` behind the last, and where the
    /// sender's seal is wrong.
    pub fn payload(&self, at: usize) -> Option<&[u8]> {
        self.payloads.get(at)?.as_ref().map(|payload| payload.as_slice())
    }
}

impl Parameters {
    fn check(&self, ctx: &Context) -> Result<(), Abort> {
        let fits = (1..=MAX_PAYLOAD).contains(&self.payload);
        if fits { Ok(()) } else { Err(ctx.name(Abort::local("payloads of a length that does not exist"))) }
    }
}

/// The sender's part: `payloads` holds those of all elements one after the other. The indices of its elements in the
/// intersection, ascending, where it has an output.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, or the parameters do not fit this party.
pub async fn send(
    ctx: &mut Context,
    parameters: &Parameters,
    elements: &[Block],
    payloads: &[u8],
) -> Result<Option<Vec<usize>>, Abort> {
    parameters.check(ctx)?;
    if ctx.me() != parameters.two.sender || payloads.len() != elements.len() * parameters.payload {
        return Err(ctx.name(Abort::local("not one payload an element at the sender")));
    }
    two::give(ctx, &parameters.two, elements, parameters.payload, payloads).await
}

/// The receiver's part.
///
/// # Errors
/// [`Abort`] when the peer is gone or misbehaves, or the parameters do not fit this party.
pub async fn receive(ctx: &mut Context, parameters: &Parameters, elements: &[Block]) -> Result<Matches, Abort> {
    parameters.check(ctx)?;
    if ctx.me() != parameters.two.receiver {
        return Err(ctx.name(Abort::local("this party is not the receiver")));
    }
    let found = two::take(ctx, &parameters.two, elements, parameters.payload).await?;
    let (elements, payloads) = found.into_iter().map(|found| (found.own as usize, found.payload)).unzip();
    Ok(Matches { elements, payloads })
}
