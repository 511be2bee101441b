//! The receiver of the base transfers: chooses one key of each pair.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use mpc_block::Block;
use zeroize::Zeroizing;

use super::group::{BadMessage, Encoding, blind_point, decode, encodings, key, oracle, scalar, select};
use super::{COUNT, REQUEST_BYTES};
use crate::place::Place;

/// The receiver, waiting for the sender's answer.
pub struct Receiver {
    place: Place,
    choices: Zeroizing<Block>,
    secrets: Zeroizing<Vec<Scalar>>,
    request: Vec<[Encoding; 2]>,
}

impl Receiver {
    /// Asks for the keys that `choices` names (bit `i` for transfer `i`). Returns the message for the sender, of
    /// [`REQUEST_BYTES`] bytes. `random` fills its argument with random bytes.
    pub fn start(place: Place, choices: Block, random: &mut dyn FnMut(&mut [u8])) -> (Self, Vec<u8>) {
        let mut secrets = Zeroizing::new(Vec::<Scalar>::with_capacity(COUNT));
        let mut request = Vec::with_capacity(COUNT);
        let mut message = Vec::with_capacity(REQUEST_BYTES);
        for index in 0..COUNT {
            let choice = choices.bit(index as u32);
            let secret = scalar(random);
            let other = blind_point(random).compress().to_bytes();
            let hashed = oracle(&place, index, u8::from(choice), &other);
            let chosen = (RistrettoPoint::mul_base(&secret) - hashed).compress().to_bytes();
            let pair = [select(choice, &chosen, &other), select(choice, &other, &chosen)];
            message.extend_from_slice(pair.as_flattened());
            secrets.push(secret);
            request.push(pair);
        }
        (Self { place, choices: Zeroizing::new(choices), secrets, request }, message)
    }

    /// The chosen key of every transfer, from the sender's answer.
    ///
    /// # Errors
    /// [`BadMessage`] when the answer has another length or holds what is no point.
    pub fn finish(self, answer: &[u8]) -> Result<Zeroizing<Vec<Block>>, BadMessage> {
        let Self { place, choices, secrets, request } = self;
        let mut keys = Zeroizing::new(Vec::<Block>::with_capacity(COUNT));
        let answers = encodings(answer, COUNT)?;
        for (index, ((encoding, secret), pair)) in answers.iter().zip(secrets.iter()).zip(&request).enumerate() {
            let shared = Zeroizing::new(decode(encoding)? * secret);
            let branch = u8::from(choices.bit(index as u32));
            keys.push(key(&place, index, branch, pair, encoding, &shared));
        }
        Ok(keys)
    }
}
