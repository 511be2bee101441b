//! The generator's steps without I/O: what both sides hold, and what a cheating sender can reach.

use mpc_block::{Block, BlockPrg};

use super::gather::{TRANSFERS, gather};
use super::parameters::{Expander, Parameters};
use super::receiving::{self, Receiving};
use super::sender::code;
use super::sending::{self, Sending};
use super::tree::message_bytes;
use super::{Field, NOISE};
use crate::bits;
use crate::place::Place;

const PLACE: Place = Place { id: [6; 32], sender: 0, receiver: 1 };
const DELTA: Block = Block::from_u128(0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6979);

/// Base correlations of one batch, drawn by a dealer of the test.
struct Dealt {
    zeros: Vec<Block>,
    ones: Vec<Block>,
    choices: Vec<Block>,
    elements: Vec<Block>,
    shares: Vec<Block>,
    sums: Vec<Block>,
}

fn deal(parameters: &Parameters, field: Field) -> Dealt {
    let mut prg = BlockPrg::new(Block::from_u128(4));
    let mut draw = |len| {
        let mut out = vec![Block::ZERO; len];
        prg.fill(&mut out);
        out
    };
    let (count, elements) = (parameters.random(), draw(parameters.elements(field)));
    let t = draw(elements.len() * TRANSFERS);
    let q: Vec<Block> = t.iter().enumerate().map(|(at, t)| *t ^ DELTA.masked(bits::get(&elements, at))).collect();
    let (shares, sums) = (gather(&t), gather(&q));
    Dealt { zeros: draw(count), ones: draw(count), choices: draw(bits::blocks(count)), elements, shares, sums }
}

/// What a batch gave: `C`, `A`, `B`.
type Correlations = [Vec<Block>; 3];

/// One batch whose messages `cheat` may change; `None` when the receiver's check fails.
fn batch(
    parameters: Parameters,
    field: Field,
    dealt: &Dealt,
    cheat: impl FnOnce(&mut [u8], &mut [u8; 32]),
) -> Option<Correlations> {
    let seed = Block::from_u128(8);
    let mut sending = Sending::new(field, parameters, PLACE, DELTA, seed, code(&PLACE, &parameters));
    let mut receiving = Receiving::new(field, parameters, PLACE, code(&PLACE, &parameters));
    let base = sending::Base { random: (&dealt.zeros, &dealt.ones), elements: &dealt.sums };
    let (theirs, mut trees) = sending.grow(&base);
    let chosen = |at: usize| if bits::get(&dealt.choices, at) { dealt.ones[at] } else { dealt.zeros[at] };
    let keys: Vec<Block> = (0..parameters.random()).map(chosen).collect();
    let (elements, shares) = (&dealt.elements[..], &dealt.shares[..]);
    let base = receiving::Base { choices: (&dealt.choices, 0), keys: &keys, elements, shares };
    let mut late = [0; 32];
    cheat(&mut trees, &mut late);
    let mut mine = receiving.rebuild(&base, &trees);
    let challenge = receiving.challenge(&mut mine, Block::from_u128(0xabc << 77), Block::from_u128(0xdef << 66));
    let mut answer = sending.answer(&theirs, &challenge)?;
    answer.iter_mut().zip(late).for_each(|(byte, change)| *byte ^= change);
    if !receiving.passes(&mine, &answer) {
        return None;
    }
    let (mut c, mut a, mut b) = (Vec::new(), Vec::new(), Vec::new());
    sending.finish(theirs, usize::MAX, &mut |part: &[Block]| c.extend_from_slice(part));
    receiving.finish(mine, usize::MAX, &mut |x: &[Block], y: &[Block]| {
        a.extend_from_slice(x);
        b.extend_from_slice(y);
    });
    Some([c, a, b])
}

#[test]
fn a_batch_is_correlated_over_both_fields_and_with_both_expanders() {
    for (field, expander) in [(Field::Bits, Expander::Seven), (Field::Blocks, Expander::TwentyOne)] {
        let parameters = Parameters::new(10, expander).unwrap();
        let [c, a, b] = batch(parameters, field, &deal(&parameters, field), |_, _| ()).expect("an honest batch");
        assert_eq!((c.len(), b.len()), (1 << 16, 1 << 16));
        for (at, (c, b)) in c.iter().zip(&b).enumerate() {
            let product = match field {
                Field::Bits => DELTA.masked(b.lsb()),
                Field::Blocks => a[at].gf_mul(DELTA),
            };
            assert!(*c ^ *b == product, "{field:?}, {at}");
            assert!(field == Field::Blocks || !c.lsb());
        }
        let ones = b.iter().filter(|b| b.lsb()).count();
        assert!((31_000..34_500).contains(&ones), "{ones} of 65536");
    }
}

#[test]
fn only_parameters_that_fit_are_made() {
    for depth in [0, 9, 19, 64] {
        assert!(Parameters::new(depth, Expander::Seven).is_none());
    }
    let parameters = Parameters::new(14, Expander::TwentyOne).unwrap();
    assert_eq!((parameters.batch(), NOISE * message_bytes(14)), (1 << 20, 59_392));
    assert_eq!(parameters.random() + parameters.elements(Field::Bits) * TRANSFERS, 1920);
    assert_eq!(parameters.random() + parameters.elements(Field::Blocks) * TRANSFERS, 18_304);
}

#[test]
fn a_wrong_tree_passes_only_where_the_receiver_does_not_read_it() {
    let parameters = Parameters::default();
    for field in [Field::Bits, Field::Blocks] {
        let dealt = deal(&parameters, field);
        let honest = batch(parameters, field, &dealt, |_, _| ()).expect("an honest batch");
        for (tree, level, side) in [(0, 0, 0), (0, 0, 1), (63, 5, 0), (63, 5, 1), (127, 9, 0), (127, 9, 1)] {
            let at = tree * message_bytes(10) + level * 32 + side * 16;
            let got = batch(parameters, field, &dealt, |trees, _| trees[at + 3] ^= 4);
            let read = bits::get(&dealt.choices, tree * 10 + level) == (side == 1);
            assert_eq!(got.is_none(), read, "{field:?}, tree {tree}, level {level}, side {side}");
            assert!(got.is_none_or(|got| got == honest));
        }
        // The last block of a tree carries the noise: it is always read.
        for tree in [0, 64, 127] {
            let at = (tree + 1) * message_bytes(10) - 1;
            assert!(batch(parameters, field, &dealt, |trees, _| trees[at] ^= 128).is_none(), "tree {tree}");
        }
        for at in [0, 31] {
            assert!(batch(parameters, field, &dealt, |_, answer| answer[at] ^= 1).is_none());
        }
    }
}
