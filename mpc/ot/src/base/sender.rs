//! The sender of the base transfers: answers a request and learns both keys of each pair.

use curve25519_dalek::ristretto::RistrettoPoint;
use mpc_block::Block;
use zeroize::Zeroizing;

use super::group::{BadMessage, decode, encodings, key, oracle, scalar};
use super::{ANSWER_BYTES, COUNT};
use crate::place::Place;

/// The sender's keys: for every transfer those of choice 0 and 1.
pub type Pairs = Zeroizing<Vec<[Block; 2]>>;

/// Answers the receiver's request. Returns both keys of every transfer and the message for the receiver, of
/// [`ANSWER_BYTES`] bytes. `random` fills its argument with random bytes.
///
/// # Errors
/// [`BadMessage`] when the request has another length or holds what is no point.
pub fn answer(
    place: &Place,
    request: &[u8],
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<(Pairs, Vec<u8>), BadMessage> {
    let mut pairs = Zeroizing::new(Vec::<[Block; 2]>::with_capacity(COUNT));
    let mut message = Vec::with_capacity(ANSWER_BYTES);
    let (requested, _) = encodings(request, 2 * COUNT)?.as_chunks::<2>();
    for (index, pair) in requested.iter().enumerate() {
        let secret = Zeroizing::new(scalar(random));
        let answer = RistrettoPoint::mul_base(&secret).compress().to_bytes();
        let [zero, one] = pair;
        let side = |branch: u8, own, other| -> Result<Block, BadMessage> {
            let point = decode(own)? + oracle(place, index, branch, other);
            let shared = Zeroizing::new(point * *secret);
            Ok(key(place, index, branch, pair, &answer, &shared))
        };
        pairs.push([side(0, zero, one)?, side(1, one, zero)?]);
        message.extend_from_slice(&answer);
    }
    Ok((pairs, message))
}
