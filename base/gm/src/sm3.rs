//! SM3 (GB/T 32905): plain, tagged by purpose, streamed, keyed, and of long streams by leaves.

mod tree;

use ::sm3::Digest as _;
use base_types::Digest;
use hmac::{Hmac, KeyInit, Mac};
use zeroize::Zeroize;

pub use tree::{LEAF_BYTES, Tree};

/// The digest of `bytes`.
pub fn sm3(bytes: &[u8]) -> Digest {
    Digest(::sm3::Sm3::digest(bytes).into())
}

/// The digest of `parts` for one purpose: each of domain and parts is preceded by its length (64-bit, big-endian), so that
/// no two lists of parts and no two purposes are hashed from the same bytes.
pub fn tagged(domain: &str, parts: &[&[u8]]) -> Digest {
    let mut stream = Sm3Stream::new();
    for part in std::iter::once(&domain.as_bytes()).chain(parts) {
        stream.update(&(part.len() as u64).to_be_bytes());
        stream.update(part);
    }
    stream.finish()
}

/// Messages that are hashed together: many times faster than one after the other where the processor has wide vectors.
///
/// Who hashes secrets keeps it in a `Zeroizing`, which wipes the messages when it is dropped, and takes the digests by
/// [`Self::each_digest`].
#[derive(Default)]
pub struct Many {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Many {
    /// No message yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message whose digest is that of all parts one after the other.
    pub fn plain(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.append(part));
        self.ends.push(self.bytes.len());
    }

    /// Adds a message whose digest is what [`tagged`] gives.
    pub fn tagged(&mut self, domain: &str, parts: &[&[u8]]) {
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            self.append(&(part.len() as u64).to_be_bytes());
            self.append(part);
        }
        self.ends.push(self.bytes.len());
    }

    /// Appends bytes; memory that is given up for more is wiped.
    fn append(&mut self, bytes: &[u8]) {
        let (len, room) = (self.bytes.len() + bytes.len(), self.bytes.capacity());
        if len > room {
            let mut larger = Vec::with_capacity(len.max(2 * room));
            larger.extend_from_slice(&self.bytes);
            std::mem::replace(&mut self.bytes, larger).as_mut_slice().zeroize();
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The digests, in the order of the messages; begins anew.
    pub fn digests(&mut self) -> Vec<Digest> {
        let mut messages = Vec::with_capacity(self.ends.len());
        let mut rest = &self.bytes[..];
        let mut start = 0;
        for end in &self.ends {
            let (message, behind) = rest.split_at(end - start);
            messages.push(message);
            (rest, start) = (behind, *end);
        }
        let digests = base_vector::sm3::digests(&messages).into_iter().map(Digest).collect();
        self.bytes.clear();
        self.ends.clear();
        digests
    }

    /// Gives every digest to `take`, in the order of the messages, and wipes them all; begins anew.
    pub fn each_digest(&mut self, take: impl FnMut(&Digest)) {
        let mut digests = self.digests();
        digests.iter().for_each(take);
        digests.iter_mut().for_each(|digest| digest.0.as_mut_slice().zeroize());
    }
}

impl Zeroize for Many {
    fn zeroize(&mut self) {
        // All of the memory at once, what earlier messages left behind the last ones too.
        self.bytes.clear();
        self.bytes.zeroize();
        self.ends.zeroize();
    }
}

/// HMAC-SM3 (GB/T 15852.2).
pub fn hmac(key: &[u8], bytes: &[u8]) -> Digest {
    let mut mac = Hmac::<::sm3::Sm3>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(bytes);
    Digest(mac.finalize().into_bytes().into())
}

/// A digest of bytes that arrive in pieces.
#[derive(Clone, Default)]
pub struct Sm3Stream(::sm3::Sm3);

impl Sm3Stream {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece; how the bytes are cut makes no difference.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_together_are_what_each_is_alone() {
        let mut many = Many::new();
        for round in 0..3 {
            let parts: Vec<Vec<u8>> = (0..70).map(|len| vec![len as u8; len * (round + 1)]).collect();
            parts.iter().for_each(|part| many.tagged("test", &[part, b"x"]));
            parts.iter().for_each(|part| many.plain(&[b"y", part]));
            let alone = parts.iter().map(|part| tagged("test", &[part, b"x"]));
            let plain = parts.iter().map(|part| sm3(&[b"y", &part[..]].concat()));
            assert_eq!(many.digests(), alone.chain(plain).collect::<Vec<_>>());
        }
        assert!(many.digests().is_empty());
    }

    #[test]
    fn digests_come_one_by_one_too_and_what_was_wiped_is_hashed_no_more() {
        let mut many = Many::new();
        let messages: Vec<Vec<u8>> = (0..40).map(|len| vec![7; 3 * len]).collect();
        for _ in 0..2 {
            messages.iter().for_each(|message| many.plain(&[message]));
            let mut got = Vec::new();
            many.each_digest(|digest| got.push(*digest));
            assert_eq!(got, messages.iter().map(|message| sm3(message)).collect::<Vec<_>>());
        }
        many.plain(&[b"a secret"]);
        many.zeroize();
        assert!(many.bytes.is_empty() && many.ends.is_empty() && many.digests().is_empty());
    }

    #[test]
    fn the_standards_vectors() {
        // GB/T 32905-2016, A.1 and A.2.
        let abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        let abcd = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
        assert_eq!(sm3(b"abc").to_string(), abc);
        assert_eq!(sm3(&b"abcd".repeat(16)).to_string(), abcd);
    }

    #[test]
    fn a_stream_does_not_depend_on_how_it_is_cut() {
        let bytes: Vec<u8> = (0..200u8).collect();
        for cut in 0..bytes.len() {
            let mut stream = Sm3Stream::new();
            stream.update(&bytes[..cut]);
            stream.update(&bytes[cut..]);
            assert_eq!(stream.finish(), sm3(&bytes), "cut at {cut}");
        }
    }

    #[test]
    fn tags_separate_domains_and_the_bounds_of_parts() {
        let digests = [
            tagged("a", &[b"bc", b"d"]),
            tagged("a", &[b"b", b"cd"]),
            tagged("a", &[b"bcd"]),
            tagged("a", &[b"bcd", b""]),
            tagged("ab", &[b"cd"]),
            tagged("abcd", &[]),
        ];
        for (i, a) in digests.iter().enumerate() {
            assert!(digests[..i].iter().all(|b| a != b), "{i}");
        }
        let mut spelled = vec![0, 0, 0, 0, 0, 0, 0, 1, b'a'];
        spelled.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 2, b'b', b'c']);
        assert_eq!(tagged("a", &[b"bc"]), sm3(&spelled));
    }
}
