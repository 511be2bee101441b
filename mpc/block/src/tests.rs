//! Every way of computing gives what the definitions give, at every length about a group's end.

use crate::cast::{Bytes, raw, raw_mut, xor_portable, xor_where_by};
use crate::cipher::{Mode, Tweaks};
use crate::convolve::{OVERHANG, REACH, convolve_by};
use crate::ggm::Pair;
use crate::path::{AesPath, BitsPath, ProductPath};
use crate::transpose::transpose_by;
use crate::{Aes, Block, BlockPrg, StreamSums, Tmmo, gf, transpose_square, xor_into};

/// Blocks without a visible pattern (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
fn noise(seed: u64, count: usize) -> Vec<Block> {
    let mut state = seed;
    let mut word = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(mixed ^ (mixed >> 31))
    };
    (0..count).map(|_| Block::from_u128((word() << 64) | word())).collect()
}

fn one(seed: u64) -> Block {
    noise(seed, 1)[0]
}

/// Lengths that end before, at and behind groups of 1, 4, 8, 16 and 32 blocks.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=70).chain([95, 96, 97, 127, 128, 129, 160, 255, 300])
}

/// Firsts of counters: at 0, in the middle, and where the low word or all of it wraps inside a vector.
const FIRSTS: [u128; 7] =
    [0, 5, u64::MAX as u128, u64::MAX as u128 - 17, (7 << 64) - 33, u128::MAX - 3, u128::MAX - 31];

#[test]
fn the_standards_vectors_in_every_place() {
    // FIPS 197, appendix A.1 with the example of appendix B, and appendix C.1.
    let vectors: [[Bytes; 3]; 2] = [
        [
            0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes(),
            0x3243_f6a8_885a_308d_3131_98a2_e037_0734_u128.to_be_bytes(),
            0x3925_841d_02dc_09fb_dc11_8597_196a_0b32_u128.to_be_bytes(),
        ],
        [
            0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes(),
            0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes(),
            0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128.to_be_bytes(),
        ],
    ];
    for path in AesPath::all() {
        for [key, plain, cipher] in vectors.map(|vector| vector.map(Block::from_bytes)) {
            let aes = Aes::by(path, key);
            assert!(aes.encrypt(plain) == cipher, "{path:?}");
            let mut blocks = [plain; 77];
            aes.encrypt_all(&mut blocks);
            assert!(blocks.iter().all(|block| *block == cipher), "{path:?}");
        }
    }
}

#[test]
fn encryption_of_many_is_that_of_each() {
    for path in AesPath::all() {
        let (plain, aes) = (Aes::by(AesPath::Portable, one(1)), Aes::by(path, one(1)));
        for len in lengths() {
            let mut blocks = noise(len as u64, len);
            let expected: Vec<Block> = blocks.iter().map(|block| plain.encrypt(*block)).collect();
            aes.encrypt_all(&mut blocks);
            assert!(blocks == expected, "{path:?}, {len} blocks");
        }
    }
}

#[test]
fn streams_are_encrypted_counters_and_touch_nothing_else() {
    for path in AesPath::all() {
        let (plain, aes) = (Aes::by(AesPath::Portable, one(2)), Aes::by(path, one(2)));
        for (len, first) in lengths().flat_map(|len| FIRSTS.map(|first| (len, first))) {
            let before = noise(len as u64, len + 2);
            let stream = |at: usize| plain.encrypt(Block::from_u128(first.wrapping_add(at as u128)));
            for mode in [Mode::Replace, Mode::Add] {
                let mut out = before.clone();
                aes.stream(first, mode, raw_mut(&mut out[1..=len]));
                assert!(
                    out[0] == before[0] && out[len + 1] == before[len + 1],
                    "{path:?}, {len} blocks from {first:#x}"
                );
                let old = |at: usize| if mode == Mode::Add { before[at + 1] } else { Block::ZERO };
                let right = (0..len).all(|at| out[at + 1] == stream(at) ^ old(at));
                assert!(right, "{path:?}, {len} blocks from {first:#x}");
            }
        }
    }
}

#[test]
fn hashes_follow_the_formula() {
    for path in AesPath::all() {
        let (plain, aes) = (Aes::by(AesPath::Portable, one(3)), Aes::by(path, one(3)));
        let formula = |x: Block, tweak: u128| {
            let inner = plain.encrypt(x);
            plain.encrypt(inner ^ Block::from_u128(tweak)) ^ inner
        };
        for len in lengths() {
            let xs = noise(len as u64, len);
            for first in FIRSTS {
                let mut hashes = xs.clone();
                aes.hash(raw_mut(&mut hashes), Tweaks::From(first));
                let right = (0..len).all(|at| hashes[at] == formula(xs[at], first.wrapping_add(at as u128)));
                assert!(right, "{path:?}, {len} blocks from {first:#x}");
            }
            let tweaks = noise(1000 + len as u64, len);
            let mut hashes = xs.clone();
            aes.hash(raw_mut(&mut hashes), Tweaks::Each(raw(&tweaks)));
            assert!((0..len).all(|at| hashes[at] == formula(xs[at], tweaks[at].to_u128())), "{path:?}, {len} blocks");
        }
        assert!(Tmmo::new(one(3)).hash(one(4), 9) == formula(one(4), 9));
    }
}

#[test]
fn gates_are_one_in_every_way_and_evaluate_to_their_and() {
    let (delta, plain) = (one(30).with_lsb(true), Aes::by(AesPath::Portable, one(31)));
    for (path, len) in AesPath::all().into_iter().flat_map(|path| (0..=70).map(move |len| (path, len))) {
        let (aes, first) = (Aes::by(path, one(31)), (len as u64) << 34);
        let (left, right) = (noise(32, len), noise(33, len));
        let inputs = [&left[..], &right[..]];
        let (mut tables, mut zeros) = (vec![[0; 32]; len], vec![Block::ZERO; len]);
        let (mut due_tables, mut due_zeros) = (tables.clone(), zeros.clone());
        aes.garble(delta, first, inputs, &mut tables, &mut zeros);
        plain.garble(delta, first, inputs, &mut due_tables, &mut due_zeros);
        assert!(tables == due_tables && zeros == due_zeros, "{path:?}, {len} gates");
        for turn in 0..4 {
            let value = |at: usize, side: usize| (at + turn) >> side & 1 == 1;
            let active = |side: usize| -> Vec<Block> {
                inputs[side].iter().enumerate().map(|(at, zero)| *zero ^ delta.masked(value(at, side))).collect()
            };
            let (left, right, mut out) = (active(0), active(1), vec![Block::ZERO; len]);
            aes.evaluate(first, [&left, &right], &tables, &mut out);
            let right = |at: usize| out[at] == zeros[at] ^ delta.masked(value(at, 0) && value(at, 1));
            assert!((0..len).all(right), "{path:?}, {len} gates");
        }
    }
}

#[test]
fn sums_of_streams_are_those_of_the_streams() {
    for (path, bits) in AesPath::all().into_iter().flat_map(|path| [0, 1, 2, 4, 8].map(|bits| (path, bits))) {
        let seeds = noise(40, 1 << bits);
        for first in [0, 1] {
            let mut streams = StreamSums::by(path, &seeds, first == 1);
            let mut each: Vec<BlockPrg> = seeds.iter().map(|seed| BlockPrg::new(*seed)).collect();
            for len in [1, 7, 8, 9, 64] {
                let mut sums = vec![Block::ONES; (bits + 1) * len];
                streams.draw(&mut sums);
                let mut due = vec![Block::ZERO; (bits + 1) * len];
                for (number, stream) in each.iter_mut().enumerate().skip(first) {
                    let mut drawn = vec![Block::ZERO; len];
                    stream.fill(&mut drawn);
                    for row in (0..=bits).filter(|row| *row == 0 || number >> (row - 1) & 1 == 1) {
                        xor_into(&mut due[row * len..][..len], &drawn);
                    }
                }
                each.iter_mut().take(first).for_each(|stream| stream.fill(&mut vec![Block::ZERO; len]));
                assert!(sums == due, "{path:?}, 2^{bits} streams, {len} blocks from number {first} on");
            }
        }
    }
}

#[test]
fn children_follow_the_formula() {
    let keys = [*b"heqi/ggm/left/01", *b"heqi/ggm/right/1"].map(Block::from_bytes);
    let plain = keys.map(|key| Aes::by(AesPath::Portable, key));
    for path in AesPath::all() {
        let pair = Pair::by(path);
        for len in lengths() {
            let parents = noise(len as u64, len);
            let mut children = vec![Block::ONES; 2 * len];
            pair.expand(raw(&parents), raw_mut(&mut children));
            let child = |at: usize| plain[at % 2].encrypt(parents[at / 2]) ^ parents[at / 2];
            assert!((0..2 * len).all(|at| children[at] == child(at)), "{path:?}, {len} parents");
        }
    }
}

/// The product bit by bit, reduced as it grows.
fn schoolbook(a: Block, b: Block) -> Block {
    let (mut sum, mut shifted) = (0, a.to_u128());
    for at in 0..128 {
        sum ^= if b.bit(at) { shifted } else { 0 };
        shifted = (shifted << 1) ^ if shifted >> 127 == 1 { 0x87 } else { 0 };
    }
    Block::from_u128(sum)
}

#[test]
fn products_are_those_of_the_schoolbook() {
    let mut elements = noise(5, 60);
    elements.extend([Block::ZERO, Block::ONE, Block::ONES, Block::from_u128(1 << 127), Block::from_u128(1 << 64)]);
    for path in ProductPath::all() {
        for (a, b) in elements.iter().flat_map(|a| elements.iter().map(move |b| (*a, *b))) {
            assert!(gf::reduce(gf::product(path, a, b)) == schoolbook(a, b), "{path:?}");
        }
        for len in lengths() {
            let (a, b) = (noise(6, len), noise(7, len + 1));
            let sum = a.iter().zip(&b).fold(Block::ZERO, |sum, (a, b)| sum ^ schoolbook(*a, *b));
            assert!(gf::reduce(gf::dot(path, &a, &b)) == sum, "{path:?}, {len} products");
            assert!(gf::reduce(gf::dot(path, &b, &a)) == sum, "{path:?}, {len} products");
        }
    }
}

#[test]
fn rows_are_combined_and_elements_multiplied_as_one_by_one() {
    for path in ProductPath::all() {
        for len in lengths().filter(|len| len % 3 != 1) {
            let (x, y) = (noise(8, len), noise(9, len));
            let mut product = x.clone();
            gf::mul_all(path, &mut product, &y);
            assert!(product.iter().zip(x.iter().zip(&y)).all(|(z, (x, y))| *z == x.gf_mul(*y)), "{path:?}, {len}");
            for count in [1, 2, 4, 8] {
                let (rows, by) = (noise(10, count * len), noise(11, count));
                let mut combined = rows.clone();
                gf::combine(path, &mut combined, &by);
                let due = |at: usize| (0..count).fold(Block::ZERO, |sum, e| sum ^ rows[e * len + at].gf_mul(by[e]));
                assert!((0..len).all(|at| combined[at] == due(at)), "{path:?}, {count} rows of {len}");
                assert!(combined[len..] == rows[len..], "{path:?}, {count} rows of {len}");
            }
        }
    }
}

#[test]
fn transposition_is_that_of_each_bit() {
    for path in BitsPath::all() {
        for width in [0, 1, 2, 3, 4, 5, 7, 8, 9, 13] {
            let rows = noise(width as u64, 128 * width);
            let mut columns = vec![Block::ONES; rows.len()];
            transpose_by(path, &rows, &mut columns);
            for (place, column) in columns.iter().enumerate() {
                let (block, bit) = (place / 128, (place % 128) as u32);
                let right = (0..128).all(|row| column.bit(row) == rows[row as usize * width + block].bit(bit));
                assert!(right, "{path:?}, column {place} of {}", 128 * width);
            }
        }
    }
    let mut square: [Block; 128] = noise(8, 128).try_into().unwrap_or([Block::ZERO; 128]);
    let before = square;
    transpose_square(&mut square);
    assert!((0..128).all(|row| (0..128).all(|at| square[at as usize].bit(row) == before[row as usize].bit(at))));
    transpose_square(&mut square);
    assert!(square == before);
}

#[test]
fn sums_of_slices_are_those_of_each() {
    for len in lengths() {
        let (to, from) = (noise(9, len), noise(10, len));
        let expected: Vec<Block> = to.iter().zip(&from).map(|(to, from)| *to ^ *from).collect();
        let (mut fast, mut plain) = (to.clone(), to);
        xor_into(&mut fast, &from);
        xor_portable(&mut plain, &from);
        assert!(fast == expected && plain == expected, "{len} blocks");
        for path in BitsPath::all() {
            xor_where_by(path, Block::ONES, &mut fast, &plain, &from);
            assert!((0..len).all(|at| fast[at] == plain[at] ^ from[at]), "{path:?}, {len} blocks");
            xor_where_by(path, Block::ZERO, &mut fast, &plain, &from);
            assert!(fast == plain, "{path:?}, {len} blocks");
        }
    }
}

#[test]
fn convolution_is_that_of_the_definition() {
    for path in BitsPath::all() {
        for count in [0, 4, 8, 32, 100] {
            let mut blocks = noise(count as u64, count + OVERHANG);
            let taps: Vec<u32> = noise(77, count).iter().map(|tap| tap.to_u128() as u32).collect();
            let mut due = blocks.clone();
            for from in 0..count {
                for distance in 1..=REACH {
                    if distance == REACH || taps[from] >> (distance - 1) & 1 == 1 {
                        due[from + distance] = due[from + distance] ^ due[from];
                    }
                }
            }
            convolve_by(path, &mut blocks, &taps);
            assert!(blocks == due, "{path:?}, {count} taps");
        }
    }
}
