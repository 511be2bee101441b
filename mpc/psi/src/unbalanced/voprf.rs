//! The verifiable oblivious function: the owner's key, and the client that asks blindly and checks the answers.
//!
//! RFC 9497, `F(k, x) = H2(x, k·H1(x))`. The client may blind by adding `r·G`, which it takes off as `r·K` with the public
//! key `K`: both are multiples of fixed points, three times cheaper than powers of the input's point. What the owner sees is a
//! uniform point either way. Without a verified `K` that blinding is unsafe (Jarecki, Krawczyk and Xu, "On the (In)Security of the
//! Diffie–Hellman Oblivious PRF with Multiplicative Blinding", PKC 2021); here `K` is pinned and every answer is proven.

use curve25519_dalek::ristretto::{RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use thiserror::Error;
use zeroize::Zeroizing;

use super::proof::{self, MAX_BATCH, PROOF_BYTES, Statement};
use super::suite::{self, ELEMENT_BYTES, Encoding, Hasher};

/// The function's value: 64 uniform bytes.
pub type Output = Zeroizing<[u8; 64]>;

/// The peer's message is not what the protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadMessage {
    /// Another length than due.
    #[error("a message of blinded elements of another length than due")]
    Length,
    /// Bytes that are no canonical encoding of a point, or the identity.
    #[error("a blinded element that is no point")]
    Point,
    /// The proof does not hold: another key was used, or an answer is changed.
    #[error("answers that are not proven to be made with the published key")]
    Proof,
}

/// An owner's public key.
#[derive(Clone)]
pub struct PublicKey {
    encoding: Encoding,
    point: RistrettoPoint,
}

impl PublicKey {
    /// Decodes a key.
    ///
    /// # Errors
    /// [`BadMessage::Point`] when the bytes are no point, or the identity.
    pub fn parse(encoding: &[u8; 32]) -> Result<Self, BadMessage> {
        Ok(Self { encoding: *encoding, point: suite::point(encoding)? })
    }

    /// The encoding.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.encoding
    }
}

/// An owner's key.
pub struct Key {
    secret: Zeroizing<Scalar>,
    /// Half the secret: points are doubled as they are encoded together, which saves a square root each.
    half: Zeroizing<Scalar>,
    public: PublicKey,
    hasher: Hasher,
}

impl Key {
    /// `DeriveKeyPair`: the key that follows from a secret seed and a public purpose of fewer than 2^16 bytes. `None` with
    /// negligible probability.
    pub fn derive(seed: &[u8; 32], purpose: &[u8]) -> Option<Self> {
        let hasher = Hasher::new();
        let secret = hasher.to_key(seed, purpose)?;
        let half = Zeroizing::new(*secret * Scalar::from(2_u8).invert());
        let point = RistrettoPoint::mul_base(&secret);
        let public = PublicKey { encoding: point.compress().to_bytes(), point };
        Some(Self { secret, half, public, hasher })
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The function at the owner's own inputs of fewer than 2^16 bytes each, in order.
    pub fn outputs<T: AsRef<[u8]>>(&self, inputs: &[T]) -> Vec<Output> {
        let half = |input: &T| self.hasher.to_point(input.as_ref()) * *self.half;
        let halves = Zeroizing::new(inputs.iter().map(half).collect::<Vec<_>>());
        let points = RistrettoPoint::double_and_compress_batch(halves.iter());
        inputs.iter().zip(&points).map(|(input, point)| suite::output(input.as_ref(), point.as_bytes())).collect()
    }

    /// Answers a request of 1 to 65,535 blinded elements: as many evaluated ones and their proof.
    ///
    /// # Errors
    /// [`BadMessage`] when the request has an impossible length or holds what is no point.
    pub fn answer(&self, request: &[u8], random: &mut dyn FnMut(&mut [u8])) -> Result<Vec<u8>, BadMessage> {
        let (asked, rest) = request.as_chunks::<ELEMENT_BYTES>();
        if asked.is_empty() || asked.len() > MAX_BATCH || !rest.is_empty() {
            return Err(BadMessage::Length);
        }
        let points: Vec<RistrettoPoint> = asked.iter().map(suite::point).collect::<Result<_, _>>()?;
        let halves: Vec<RistrettoPoint> = points.iter().map(|point| point * *self.half).collect();
        let answers = RistrettoPoint::double_and_compress_batch(&halves);
        let answered: Vec<Encoding> = answers.iter().map(|answer| answer.to_bytes()).collect();
        let statement = Statement { public: &self.public.encoding, asked, answered: &answered };
        let proof = proof::prove(&self.hasher, &statement, &points, &self.secret, random);
        Ok([answered.as_flattened(), &proof].concat())
    }
}

/// The client's side under one public key.
pub struct Client {
    public: PublicKey,
    multiples: Box<RistrettoBasepointTable>,
    hasher: Hasher,
}

/// A request that waits for its answer.
pub struct Asked<T> {
    inputs: Vec<T>,
    blinds: Zeroizing<Vec<Scalar>>,
    points: Vec<RistrettoPoint>,
    encodings: Vec<Encoding>,
}

impl<T> Asked<T> {
    /// Length of the answer that is due.
    pub fn due(&self) -> usize {
        self.encodings.len() * ELEMENT_BYTES + PROOF_BYTES
    }
}

impl Client {
    /// A client that trusts `public`: it belongs to the owner, as a pinned digest shows.
    pub fn new(public: PublicKey) -> Self {
        let multiples = Box::new(RistrettoBasepointTable::create(&public.point));
        Self { public, multiples, hasher: Hasher::new() }
    }

    /// Blinds inputs, 1 to 65,535 of fewer than 2^16 bytes each; returns the request for the owner.
    pub fn ask<T: AsRef<[u8]>>(&self, inputs: Vec<T>, random: &mut dyn FnMut(&mut [u8])) -> (Asked<T>, Vec<u8>) {
        let mut blinds = Zeroizing::new(Vec::<Scalar>::with_capacity(inputs.len()));
        let mut points = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let blind = suite::random_scalar(random);
            points.push(self.hasher.to_point(input.as_ref()) + RistrettoPoint::mul_base(&blind));
            blinds.push(blind);
        }
        let encodings: Vec<Encoding> = points.iter().map(|point| point.compress().to_bytes()).collect();
        let request = encodings.as_flattened().to_vec();
        (Asked { inputs, blinds, points, encodings }, request)
    }

    /// The function's values at the inputs that were asked for, from the owner's answer.
    ///
    /// # Errors
    /// [`BadMessage`] when the answer has another length, holds what is no point, or is not proven.
    pub fn finish<T: AsRef<[u8]>>(&self, asked: Asked<T>, answer: &[u8]) -> Result<Vec<Output>, BadMessage> {
        let Asked { inputs, blinds, points, encodings } = asked;
        let (answered, proof) = answer.split_last_chunk::<PROOF_BYTES>().ok_or(BadMessage::Length)?;
        let (answered, rest) = answered.as_chunks::<ELEMENT_BYTES>();
        if answered.len() != encodings.len() || !rest.is_empty() {
            return Err(BadMessage::Length);
        }
        let evaluated: Vec<RistrettoPoint> = answered.iter().map(suite::point).collect::<Result<_, _>>()?;
        let statement = Statement { public: &self.public.encoding, asked: &encodings, answered };
        proof::verify(&self.hasher, &statement, &self.public.point, (&points, &evaluated), proof)?;
        let unblind = |((input, blind), point): ((&T, &Scalar), &RistrettoPoint)| {
            let point = Zeroizing::new((point - &*self.multiples * blind).compress());
            suite::output(input.as_ref(), point.as_bytes())
        };
        Ok(inputs.iter().zip(blinds.iter()).zip(&evaluated).map(unblind).collect())
    }
}
