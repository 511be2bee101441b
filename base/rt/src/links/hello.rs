//! What opens a stream: sent by the side that dials, and returned once the other side's program has opened it too.

use base_wire::{Decode, Encode, wire_struct};

use super::LinkFault;

/// Version of cells and frames; a peer of another version is told apart here.
const VERSION: u16 = 2;
/// Longest label of a link.
pub const MAX_LABEL_BYTES: usize = 64;
/// Longest hello.
pub(super) const MAX_BYTES: usize = 2 + 32 + 4 + MAX_LABEL_BYTES;

/// Names a link between two parties.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hello {
    version: u16,
    session: [u8; 32],
    label: String,
}
wire_struct!(Hello { version, session, label });

impl Hello {
    pub(super) fn new(session: [u8; 32], label: &str) -> Result<Self, LinkFault> {
        if label.len() > MAX_LABEL_BYTES {
            return Err(LinkFault::Other(format!("a link's label has at most {MAX_LABEL_BYTES} bytes")));
        }
        Ok(Self { version: VERSION, session, label: label.to_owned() })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.to_wire()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, LinkFault> {
        let garbage = |why: String| LinkFault::Garbage(why);
        let hello = Self::from_wire(bytes).map_err(|why| garbage(format!("hello: {why}")))?;
        if hello.version != VERSION {
            return Err(garbage(format!("version {} of the links, {VERSION} is spoken here", hello.version)));
        }
        Self::new(hello.session, &hello.label).map_err(|_| garbage("hello: the label is too long".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_comes_back_and_others_are_refused() {
        let hello = Hello::new([7; 32], &"x".repeat(MAX_LABEL_BYTES)).unwrap();
        assert_eq!(hello.to_bytes().len(), MAX_BYTES);
        assert_eq!(Hello::read(&hello.to_bytes()), Ok(hello.clone()));
        let newer = Hello { version: 3, ..hello.clone() };
        let long = Hello { label: "x".repeat(MAX_LABEL_BYTES + 1), ..hello.clone() };
        for bad in [newer.to_bytes(), long.to_bytes(), hello.to_bytes()[1..].to_vec(), vec![]] {
            assert!(matches!(Hello::read(&bad), Err(LinkFault::Garbage(_))));
        }
        assert!(Hello::new([7; 32], &long.label).is_err());
    }
}
