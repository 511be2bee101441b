//! Messages on their way to or from a peer: short ones are wiped, since what a seed is tossed from is short.

use std::{mem::take, ops::Deref};

use zeroize::Zeroize;

/// Most bytes that are wiped. What is longer is masked or shared word by word, and another pass over it would cost what sending does.
const SHORT: usize = 4096;

/// A message or a frame, wiped when dropped if it has at most 4 KiB. A transport that has sent one drops it as this.
pub struct Passing(Vec<u8>);

impl Passing {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Gives the bytes up to who sends them.
    pub(crate) fn handed_over(mut self) -> Vec<u8> {
        take(&mut self.0)
    }

    fn wipe(&mut self) {
        if self.0.len() <= SHORT {
            self.0.as_mut_slice().zeroize();
        }
    }
}

impl Deref for Passing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_wiped_and_what_is_handed_over_is_whole() {
        for (len, wiped) in [(0, true), (72, true), (SHORT, true), (SHORT + 1, false)] {
            let mut passing = Passing::new(vec![7; len]);
            passing.wipe();
            assert!(passing.iter().all(|byte| *byte == if wiped { 0 } else { 7 }), "{len}");
        }
        assert_eq!(Passing::new(vec![7; 3]).handed_over(), [7; 3]);
    }
}
