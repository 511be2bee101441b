//! What SM2 signs: the digest of identity, curve and key, followed by the message (GB/T 32918.2, 5.5 and 6.1).

use std::sync::LazyLock;

use super::{
    super::IDENTITY,
    field::PRIME,
    limbs,
    point::{Affine, B},
};
use crate::sm3::Sm3Stream;

/// What comes before the key: it is the same for all, and two of its three blocks are hashed once.
static BEFORE_KEY: LazyLock<Sm3Stream> = LazyLock::new(|| {
    let [p0, p1, p2, p3] = PRIME;
    let mut stream = Sm3Stream::new();
    stream.update(&((IDENTITY.len() * 8) as u16).to_be_bytes());
    stream.update(IDENTITY.as_bytes());
    // a = -3.
    stream.update(&limbs::to_be(&[p0 - 3, p1, p2, p3]));
    stream.update(&B.to_be());
    stream.update(&Affine::GENERATOR.to_bytes());
    stream
});

/// ZA for the public key `x‖y` under the default identity.
pub(crate) fn identity(public: &[u8; 64]) -> [u8; 32] {
    let mut stream = BEFORE_KEY.clone();
    stream.update(public);
    stream.finish().0
}

/// The digest e of a message under ZA.
pub(crate) fn message(identity: &[u8; 32], msg: &[u8]) -> [u8; 32] {
    let mut stream = Sm3Stream::new();
    stream.update(identity);
    stream.update(msg);
    stream.finish().0
}
