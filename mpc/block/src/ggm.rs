//! A level of a GGM tree: two children of every parent by two permutations under public keys.

use std::hint::black_box;
use std::sync::OnceLock;

use bytemuck::{must_cast, must_cast_slice, must_cast_slice_mut};

use crate::Block;
use crate::cast::{Bytes, raw, raw_mut};
use crate::cipher::Cipher;
use crate::path::AesPath;
use crate::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::x86::{Narrow, Wide};

/// The keys of the left and of the right children: the bytes of what they are for, so nothing was chosen.
const KEYS: [Block; 2] = [Block::from_bytes(*b"heqi/ggm/left/01"), Block::from_bytes(*b"heqi/ggm/right/1")];

/// AES under both keys.
pub(crate) enum Pair {
    Portable(Box<[Portable; 2]>),
    #[cfg(target_arch = "x86_64")]
    Narrow([Narrow; 2]),
    #[cfg(target_arch = "x86_64")]
    Wide([Wide; 2]),
}

impl Pair {
    /// Expands the keys for one way of computing.
    pub(crate) fn by(path: AesPath) -> Self {
        match path {
            AesPath::Portable => Self::Portable(Box::new(KEYS.map(Portable::new))),
            #[cfg(target_arch = "x86_64")]
            AesPath::Narrow(aes_ni) => Self::Narrow(KEYS.map(|key| Narrow::new(aes_ni, key))),
            #[cfg(target_arch = "x86_64")]
            AesPath::Wide(vaes) => Self::Wide(KEYS.map(|key| Wide::new(vaes, key))),
        }
    }

    /// See [`expand_level`].
    pub(crate) fn expand(&self, parents: &[Bytes], children: &mut [Bytes]) {
        match self {
            Self::Portable(pair) => Cipher::expand(pair.each_ref(), parents, children),
            #[cfg(target_arch = "x86_64")]
            Self::Narrow(pair) => Cipher::expand(pair.each_ref(), parents, children),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(pair) => Cipher::expand(pair.each_ref(), parents, children),
        }
    }
}

/// `children[2i] = p0(parents[i]) ^ parents[i]` and `children[2i + 1] = p1(parents[i]) ^ parents[i]`, where `p0` and `p1`
/// are AES-128 under two public keys, the ASCII bytes `heqi/ggm/left/01` and `heqi/ggm/right/1`.
///
/// The tree is that of Goldreich, Goldwasser and Micali (Journal of the ACM 33(4), 1986) with the length-doubling generator
/// of Guo, Katz, Wang and Yu ("Efficient and Secure Multiparty Computation from Fixed-Key Block Ciphers", S&P 2020), as
/// Ferret expands it (Yang, Weng, Lan, Zhang and Wang, CCS 2020): each child is a correlation-robust hash of a uniform
/// parent, `p` taken as a random permutation. The keys are the same in every session, so who evaluates `p0` at `t` places
/// meets one of `m` unknown nodes, over all sessions, with probability about `t·m/2^128`.
///
/// # Panics
/// When there are not twice as many children as parents.
pub fn expand_level(parents: &[Block], children: &mut [Block]) {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    assert_eq!(children.len(), 2 * parents.len(), "two children a parent");
    PAIR.get_or_init(|| Pair::by(AesPath::best())).expand(raw(parents), raw_mut(children));
}

/// The sums of all left and of all right blocks of the pairs that follow each other in `blocks`.
pub fn sum_pairs(blocks: &[Block]) -> [Block; 2] {
    let mut sums = [0_u64; 4];
    for pair in must_cast_slice::<Block, u64>(blocks).as_chunks::<4>().0 {
        sums.iter_mut().zip(pair).for_each(|(sum, word)| *sum ^= word);
    }
    must_cast(sums)
}

/// Clears the bits of `clear` in every block, and adds `what` to pair number `place` of the pairs that follow each other in
/// `blocks`. The place is secret: all pairs are read and written alike, and what is added is chosen by mask.
pub fn xor_pair(blocks: &mut [Block], clear: Block, place: usize, what: [Block; 2]) {
    // The compiler does not know the place, so it makes no shorter loop of this one.
    let place = black_box(place as u64);
    let (keep, what) = (must_cast::<Block, [u64; 2]>(!clear), must_cast::<[Block; 2], [u64; 4]>(what));
    let (pairs, _) = must_cast_slice_mut::<Block, u64>(blocks).as_chunks_mut::<4>();
    for (at, pair) in (0_u64..).zip(pairs) {
        let differ = at ^ place;
        // The highest bit of `differ | -differ` is 1 where the two differ.
        let here = ((differ | differ.wrapping_neg()) >> 63).wrapping_sub(1);
        *pair = [
            (pair[0] & keep[0]) ^ (what[0] & here),
            (pair[1] & keep[1]) ^ (what[1] & here),
            (pair[2] & keep[0]) ^ (what[2] & here),
            (pair[3] & keep[1]) ^ (what[3] & here),
        ];
    }
}
