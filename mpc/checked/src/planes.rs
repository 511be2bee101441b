//! Words of bits turned into planes, one a bit's place, and planes into elements of GF(2^128).
//!
//! A group is 1024 words. Word `8j + k` of a group is lane `j` of block `k`, so a plane is eight blocks.

use base_vector::wide::wide;
use bytemuck::{must_cast_slice, must_cast_slice_mut};
use mpc_block::{Block, transpose};

use crate::wiped::Wiped;

/// Lanes of a block.
pub(crate) const LANES: usize = 128;
/// Blocks of a plane.
pub(crate) const WIDTH: usize = 8;
/// Words of a group.
pub(crate) const GROUP: usize = LANES * WIDTH;
/// Planes of a word.
pub(crate) const PLACES: usize = 64;
/// Planes that are looked up together.
const NIBBLE: usize = 4;
/// Subsets of them.
const SUBSETS: usize = 1 << NIBBLE;
/// Words of a plane.
const WORDS: usize = 2 * WIDTH;

/// The planes of a group's words, one after the other.
pub(crate) type Planes = Wiped<Block>;

/// Planes of a group of zeros, to be written.
pub(crate) fn room() -> Planes {
    Wiped::zeros(PLACES * WIDTH)
}

/// Turns words into planes, in memory that is used again and again and wiped once at its end.
pub(crate) struct Turner {
    rows: Wiped<Block>,
    columns: Wiped<Block>,
}

impl Turner {
    pub(crate) fn new() -> Self {
        Self { rows: Wiped::zeros(GROUP), columns: Wiped::zeros(GROUP) }
    }

    /// The planes of two equally long vectors of one group, into `out`; what is missing from a group is zero.
    pub(crate) fn turn(&mut self, first: &[u64], second: &[u64], out: [&mut Planes; 2]) {
        let given = first.len().min(second.len()).min(GROUP);
        for (row, (first, second)) in self.rows.iter_mut().zip(first.iter().zip(second)) {
            *row = Block::from_u128(u128::from(*first) | u128::from(*second) << 64);
        }
        self.rows[given..].fill(Block::ZERO);
        transpose(&self.rows, &mut self.columns);
        let columns = self.columns.as_chunks::<LANES>().0;
        for (out, start) in out.into_iter().zip([0, PLACES]) {
            for (plane, place) in out.as_chunks_mut::<WIDTH>().0.iter_mut().zip(start..) {
                plane.iter_mut().zip(columns).for_each(|(block, lanes)| *block = lanes[place]);
            }
        }
    }
}

/// What a map looks up and gives, in memory that is used again and again and wiped once at its end.
pub(crate) struct Images {
    tables: Wiped<Block>,
    rows: Wiped<Block>,
    out: Wiped<Block>,
}

impl Images {
    pub(crate) fn new() -> Self {
        let tables = Wiped::zeros(PLACES / NIBBLE * SUBSETS * WIDTH);
        Self { tables, rows: Wiped::zeros(GROUP), out: Wiped::zeros(GROUP) }
    }
}

/// For every bit of an element, which planes of each four of a word's belong to it.
type Patterns = Vec<[u8; PLACES / NIBBLE]>;

/// A linear map from words to elements, or from several words to one, which is public: the element of each place.
pub(crate) struct Map {
    words: Vec<Patterns>,
}

impl Map {
    /// From the elements of a word's places, one word after the other.
    pub(crate) fn new(images: &[Block]) -> Self {
        let patterns = |images: &[Block]| -> Patterns {
            let pattern = |bit: u32| {
                let nibble = |four: usize| {
                    let four = images.iter().skip(NIBBLE * four).take(NIBBLE);
                    four.zip(0..).fold(0, |nibble, (image, at)| nibble | u8::from(image.bit(bit)) << at)
                };
                std::array::from_fn(nibble)
            };
            (0..LANES as u32).map(pattern).collect()
        };
        Self { words: images.chunks(PLACES).map(patterns).collect() }
    }

    /// The elements of the words of as many groups as a word of each makes one element, given as planes, one group after the other:
    /// block after block, lane after lane.
    pub(crate) fn apply<'a>(&self, groups: &[Block], images: &'a mut Images) -> &'a mut [Block] {
        let Images { tables, rows, out } = images;
        rows.fill(Block::ZERO);
        for (planes, patterns) in groups.chunks_exact(PLACES * WIDTH).zip(&self.words) {
            fill_tables(planes, tables);
            // In words, which compilers make vectors of.
            let tables = must_cast_slice::<Block, u64>(tables).as_chunks::<WORDS>().0.as_chunks::<SUBSETS>().0;
            let words = must_cast_slice_mut::<Block, u64>(rows).as_chunks_mut::<WORDS>().0;
            wide(
                #[inline(always)]
                || {
                    for (row, pattern) in words.iter_mut().zip(patterns) {
                        let mut sum = *row;
                        for (table, at) in tables.iter().zip(pattern) {
                            sum.iter_mut().zip(&table[usize::from(*at)]).for_each(|(sum, other)| *sum ^= other);
                        }
                        *row = sum;
                    }
                },
            );
        }
        transpose(rows, out);
        out
    }
}

/// For every four planes the sums of all their subsets ("method of the four Russians"; a subset is chosen by the public map). That
/// of no plane is zero, and stays so.
fn fill_tables(planes: &[Block], tables: &mut [Block]) {
    let fours = planes.as_chunks::<WIDTH>().0.as_chunks::<NIBBLE>().0;
    let rows = tables.as_chunks_mut::<WIDTH>().0;
    for (table, four) in rows.as_chunks_mut::<SUBSETS>().0.iter_mut().zip(fours) {
        for subset in 1_usize..SUBSETS {
            let (rest, plane) = (table[subset & (subset - 1)], &four[subset.trailing_zeros() as usize]);
            table[subset] = std::array::from_fn(|k| rest[k] ^ plane[k]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    #[test]
    fn planes_hold_every_bit_and_maps_are_linear() {
        let mut stream = Stream::new(&[8; 32]);
        let mut turner = Turner::new();
        let [mut one, mut other] = [room(), room()];
        // What is used again may hold anything.
        turner.turn(&[u64::MAX; GROUP], &[u64::MAX; GROUP], [&mut one, &mut other]);
        let (first, second) = (stream.words(GROUP - 5), stream.words(GROUP - 5));
        turner.turn(&first, &second, [&mut one, &mut other]);
        let both = [one, other];
        for (planes, words) in both.iter().zip([&first, &second]) {
            for at in 0..GROUP {
                let word = (0..PLACES).fold(0, |word, place| {
                    word | u64::from(planes[place * WIDTH + at % WIDTH].bit((at / WIDTH) as u32)) << place
                });
                assert_eq!(word, words.get(at).copied().unwrap_or(0));
            }
        }
        let images = stream.blocks(PLACES);
        let (map, mut memory) = (Map::new(&images), Images::new());
        map.apply(&both[0], &mut memory);
        let image = |word: u64, images: &[Block]| {
            let places = (0..PLACES).filter(|place| word >> place & 1 == 1);
            places.fold(Block::ZERO, |sum, place| sum ^ images[place])
        };
        let mapped = map.apply(&both[1], &mut memory);
        for (at, word) in second.iter().enumerate() {
            assert!(mapped[at % WIDTH * LANES + at / WIDTH] == image(*word, &images));
        }
        let (more, planes) = (stream.blocks(2 * PLACES), [&both[0][..], &both[1][..]].concat());
        let mapped = Map::new(&more).apply(&planes, &mut memory).to_vec();
        for (at, (first, second)) in first.iter().zip(&second).enumerate() {
            let due = image(*first, &more[..PLACES]) ^ image(*second, &more[PLACES..]);
            assert!(mapped[at % WIDTH * LANES + at / WIDTH] == due);
        }
    }
}
