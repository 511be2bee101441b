//! What crossed between the parties of a run: its streams, of every connection that the run had.

use base_types::{Digest, OrgId};
use base_wire::{Decode, Encode, Reader, WireError, wire_struct};

/// How often a run whose link breaks goes on over another connection, at most.
pub const MAX_RESUMES: u32 = 3;
/// What stands before later connections. A body without them begins with a count, which is never this much.
const LATER: [u8; 4] = [0xff; 4];

/// What one end saw of one directed stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Sender.
    pub from: OrgId,
    /// Receiver.
    pub to: OrgId,
    /// Frames.
    pub frames: u64,
    /// Bytes of the frames.
    pub bytes: u64,
    /// Salted digest (`base_gm::sm3::Tree`) of all frames in order, each after its length (64-bit, big-endian); both ends
    /// report the same.
    pub digest: Digest,
}
wire_struct!(Stream { from, to, frames, bytes, digest });

/// A connection over which a run went on after a link had broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its number, from 1 to [`MAX_RESUMES`].
    pub number: u32,
    /// Its streams, sorted by sender and receiver.
    pub streams: Vec<Stream>,
}
wire_struct!(Connection { number, streams });

/// All streams of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferBody {
    /// Sent and received streams of the first connection, sorted by sender and receiver.
    pub streams: Vec<Stream>,
    /// Those of later connections, by rising number; none where no link broke.
    pub later: Vec<Connection>,
}

impl TransferBody {
    /// Every stream, with the number of its connection: 0 for the first.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &Stream)> {
        let later = self.later.iter().flat_map(|one| one.streams.iter().map(move |stream| (one.number, stream)));
        self.streams.iter().map(|stream| (0, stream)).chain(later)
    }
}

impl Encode for TransferBody {
    fn encode(&self, out: &mut Vec<u8>) {
        let Self { streams, later } = self;
        if !later.is_empty() {
            out.extend(LATER);
            later.encode(out);
        }
        streams.encode(out);
    }
}

impl Decode for TransferBody {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut later = Vec::<Connection>::new();
        if input.is_next(&LATER) {
            input.take("later connections", LATER.len())?;
            later = Decode::decode(input)?;
            let rises = later.windows(2).all(|pair| matches!(pair, [one, next] if one.number < next.number));
            let known = later.iter().all(|one| (1..=MAX_RESUMES).contains(&one.number));
            if later.is_empty() || !rises || !known {
                return Err(WireError::NotCanonical("numbers of later connections"));
            }
        }
        Ok(Self { streams: Decode::decode(input)?, later })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(bytes: u64) -> Stream {
        let org = |name: &str| name.parse().expect("a name");
        Stream { from: org("civil"), to: org("health"), frames: 1, bytes, digest: Digest([7; 32]) }
    }

    fn body(numbers: &[u32]) -> TransferBody {
        let later = |number: &u32| Connection { number: *number, streams: vec![stream(u64::from(*number))] };
        TransferBody { streams: vec![stream(0)], later: numbers.iter().map(later).collect() }
    }

    #[test]
    fn a_body_without_later_connections_is_its_streams_and_no_more() {
        assert_eq!(body(&[]).to_wire(), vec![stream(0)].to_wire());
        for numbers in [&[0_u32; 0][..], &[1], &[1, 2, 3], &[2, 3]] {
            let body = body(numbers);
            assert_eq!(TransferBody::from_wire(&body.to_wire()), Ok(body.clone()));
            assert!(body.numbered().all(|(number, stream)| u64::from(number) == stream.bytes));
        }
    }

    #[test]
    fn numbers_that_no_run_has_are_refused() {
        for numbers in [&[0][..], &[4], &[2, 1], &[1, 1]] {
            assert!(TransferBody::from_wire(&body(numbers).to_wire()).is_err(), "{numbers:?}");
        }
        let none = [&LATER[..], &Vec::<Connection>::new().to_wire(), &body(&[]).to_wire()].concat();
        assert!(TransferBody::from_wire(&none).is_err(), "one value has one form");
    }
}
