//! Cells: the pieces in which streams share a connection. A header of eight bytes, then at most 64 KiB.

use super::{LinkFault, hello};

/// Stream (`u32`), kind (`u8`), length of what follows (`u24`), all big-endian.
pub(super) const HEADER_BYTES: usize = 8;
/// The length of a frame stands before its first bytes.
pub(super) const LENGTH_BYTES: usize = 4;
/// Most bytes behind a header: with it they fill four TLS records.
pub(super) const MAX_BODY: usize = (64 << 10) - HEADER_BYTES;
const CREDIT_BYTES: usize = 4;

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A stream begins; a hello follows.
    Open,
    /// The other side has opened it too; the same hello follows.
    Accept,
    /// A frame begins: its length, then its first bytes.
    Begin,
    /// A frame goes on.
    More,
    /// So many bytes (`u32`) more may be sent.
    Credit,
    /// This side sends no more frames.
    End,
    /// This side reads no more frames.
    Stop,
    /// Is anybody there? Of no stream.
    Ping,
    /// Yes. Of no stream.
    Pong,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Accept => 2,
            Self::Begin => 3,
            Self::More => 4,
            Self::Credit => 5,
            Self::End => 6,
            Self::Stop => 7,
            Self::Ping => 8,
            Self::Pong => 9,
        }
    }

    /// The kind of a code, with the lengths that may follow and whether it is of a stream.
    fn of(code: u8) -> Option<(Self, std::ops::RangeInclusive<usize>, bool)> {
        Some(match code {
            1 => (Self::Open, 1..=hello::MAX_BYTES, true),
            2 => (Self::Accept, 1..=hello::MAX_BYTES, true),
            3 => (Self::Begin, LENGTH_BYTES..=MAX_BODY, true),
            4 => (Self::More, 1..=MAX_BODY, true),
            5 => (Self::Credit, CREDIT_BYTES..=CREDIT_BYTES, true),
            6 => (Self::End, 0..=0, true),
            7 => (Self::Stop, 0..=0, true),
            8 => (Self::Ping, 0..=0, false),
            9 => (Self::Pong, 0..=0, false),
            _ => return None,
        })
    }
}

/// A cell's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) stream: u32,
    pub(super) kind: Kind,
    pub(super) len: usize,
}

impl Cell {
    /// A header before `len` bytes, of which there are at most [`MAX_BODY`].
    pub(super) fn new(stream: u32, kind: Kind, len: usize) -> Self {
        Self { stream, kind, len }
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [a, b, c, d] = self.stream.to_be_bytes();
        let [.., x, y, z] = self.len.to_be_bytes();
        [a, b, c, d, self.kind.code(), x, y, z]
    }

    /// The header that opens a frame of `total` bytes, `len` of which follow.
    pub(super) fn begin(stream: u32, total: u32, len: usize) -> [u8; HEADER_BYTES + LENGTH_BYTES] {
        let mut head = [0; HEADER_BYTES + LENGTH_BYTES];
        head[..HEADER_BYTES].copy_from_slice(&Self::new(stream, Kind::Begin, LENGTH_BYTES + len).to_bytes());
        head[HEADER_BYTES..].copy_from_slice(&total.to_be_bytes());
        head
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`LinkFault::Garbage`] for an unknown kind and for a length that the kind does not have.
    pub(super) fn read(bytes: [u8; HEADER_BYTES]) -> Result<Self, LinkFault> {
        let [a, b, c, d, code, x, y, z] = bytes;
        let (stream, len) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([0, x, y, z]) as usize);
        let known =
            Kind::of(code).filter(|(_, lengths, of_stream)| lengths.contains(&len) && (stream > 0) == *of_stream);
        match known {
            Some((kind, ..)) => Ok(Self { stream, kind, len }),
            None => Err(LinkFault::Garbage(format!("a cell of kind {code} and {len} bytes on stream {stream}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_and_others_are_refused() {
        let fitting = [
            Cell::new(7, Kind::Open, 38),
            Cell::new(u32::MAX, Kind::Accept, hello::MAX_BYTES),
            Cell::new(1, Kind::Begin, LENGTH_BYTES),
            Cell::new(1, Kind::More, MAX_BODY),
            Cell::new(2, Kind::Credit, CREDIT_BYTES),
            Cell::new(3, Kind::End, 0),
            Cell::new(3, Kind::Stop, 0),
            Cell::new(0, Kind::Ping, 0),
            Cell::new(0, Kind::Pong, 0),
        ];
        for cell in fitting {
            assert_eq!(Cell::read(cell.to_bytes()), Ok(cell));
        }
        let wrong = [
            Cell::new(7, Kind::Open, hello::MAX_BYTES + 1),
            Cell::new(1, Kind::Begin, LENGTH_BYTES - 1),
            Cell::new(1, Kind::More, MAX_BODY + 1),
            Cell::new(1, Kind::More, 0),
            Cell::new(0, Kind::More, 1),
            Cell::new(2, Kind::Credit, 5),
            Cell::new(3, Kind::End, 1),
            Cell::new(1, Kind::Ping, 0),
        ];
        for cell in wrong {
            assert!(matches!(Cell::read(cell.to_bytes()), Err(LinkFault::Garbage(_))), "{cell:?}");
        }
        for code in [0, 10, 255] {
            assert!(matches!(Cell::read([0, 0, 0, 1, code, 0, 0, 0]), Err(LinkFault::Garbage(_))));
        }
    }

    #[test]
    fn a_frame_begins_with_its_length() {
        let head = Cell::begin(5, 3_000_000, 10);
        assert_eq!(head, [0, 0, 0, 5, 3, 0, 0, 14, 0, 0x2d, 0xc6, 0xc0]);
    }
}
