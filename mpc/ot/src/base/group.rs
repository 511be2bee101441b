//! The group of the base transfers: points at the wire, hashing to points, and keys from points.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use mpc_block::Block;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::place::{Place, first_half};

/// Length of an encoded point.
pub(super) const POINT_BYTES: usize = 32;

/// The encoding of a point.
pub(super) type Encoding = [u8; POINT_BYTES];

/// The peer's message is not what the protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadMessage {
    /// Another length than the protocol's.
    #[error("a message of base transfers of another length than due")]
    Length,
    /// Bytes that are no canonical encoding of a point, or the identity.
    #[error("a base transfer with bytes that are no point")]
    Point,
}

/// Reads exactly `count` encodings.
pub(super) fn encodings(bytes: &[u8], count: usize) -> Result<&[Encoding], BadMessage> {
    let (points, rest) = bytes.as_chunks::<POINT_BYTES>();
    if points.len() == count && rest.is_empty() { Ok(points) } else { Err(BadMessage::Length) }
}

/// Decodes a point of the peer's; the identity is refused.
pub(super) fn decode(encoding: &Encoding) -> Result<RistrettoPoint, BadMessage> {
    let point = CompressedRistretto(*encoding).decompress().ok_or(BadMessage::Point)?;
    if point.is_identity() { Err(BadMessage::Point) } else { Ok(point) }
}

/// A uniform scalar.
pub(super) fn scalar(random: &mut dyn FnMut(&mut [u8])) -> Scalar {
    let mut wide = Zeroizing::new([0_u8; 64]);
    random(wide.as_mut());
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// A uniform point whose logarithm nobody knows.
pub(super) fn blind_point(random: &mut dyn FnMut(&mut [u8])) -> RistrettoPoint {
    let mut wide = Zeroizing::new([0_u8; 64]);
    random(wide.as_mut());
    RistrettoPoint::from_uniform_bytes(&wide)
}

/// `H_branch(other)`: the point that is added to the point of `branch` in transfer `index`, a random oracle into the group.
pub(super) fn oracle(place: &Place, index: usize, branch: u8, other: &Encoding) -> RistrettoPoint {
    let index = (index as u64).to_be_bytes();
    let half = |part: u8| place.digest("heqi/mpc/ot/base/point/1", &[&index, &[branch, part], other]);
    let mut wide = [0; 64];
    wide[..32].copy_from_slice(&half(0));
    wide[32..].copy_from_slice(&half(1));
    RistrettoPoint::from_uniform_bytes(&wide)
}

/// The key of `branch` in transfer `index`: a hash of the shared point and of all that was said.
pub(super) fn key(
    place: &Place,
    index: usize,
    branch: u8,
    request: &[Encoding; 2],
    answer: &Encoding,
    shared: &RistrettoPoint,
) -> Block {
    let index = (index as u64).to_be_bytes();
    let shared = Zeroizing::new(shared.compress().to_bytes());
    let [zero, one] = request;
    let parts: [&[u8]; 6] = [&index, &[branch], zero, one, answer, shared.as_slice()];
    let digest = Zeroizing::new(place.digest("heqi/mpc/ot/base/key/1", &parts));
    first_half(&digest)
}

/// `one` where `bit`, else `zero`, by mask.
pub(super) fn select(bit: bool, zero: &Encoding, one: &Encoding) -> Encoding {
    let mask = u8::from(bit).wrapping_neg();
    std::array::from_fn(|at| zero[at] ^ (mask & (zero[at] ^ one[at])))
}
