//! The crate as its callers see it: streams however they are drawn, hashes, trees, the field's laws.

use mpc_block::{
    Aes, Block, BlockPrg, Tmmo, Unreduced, blocks_of, bytes_of, bytes_of_mut, expand_level, gf_dot, sum_pairs,
    transpose, xor_into, xor_pair,
};

fn noise(seed: u128, count: usize) -> Vec<Block> {
    let mut out = vec![Block::ZERO; count];
    BlockPrg::new(Block::from_u128(seed)).fill(&mut out);
    out
}

#[test]
fn a_stream_is_one_however_it_is_drawn() {
    let seed = Block::from_u128(11);
    let all = noise(11, 400);
    let aes = Aes::new(seed);
    assert!(all.iter().enumerate().all(|(at, block)| *block == aes.encrypt(Block::from_u128(at as u128))));
    let mut prg = BlockPrg::new(seed);
    let (mut drawn, mut len) = (Vec::new(), 0);
    while drawn.len() + len < all.len() {
        let mut piece = vec![Block::ONES; len];
        prg.fill(&mut piece);
        drawn.extend(piece);
        drawn.push(prg.next());
        len += 1;
    }
    assert!(drawn[..] == all[..drawn.len()]);
    assert!(noise(11, 9) != noise(12, 9));
}

#[test]
fn a_stream_continues_where_it_is_sent() {
    let all = noise(13, 300);
    let mut prg = BlockPrg::new(Block::from_u128(13));
    for at in [0_usize, 1, 31, 32, 33, 64, 200] {
        prg.seek(at as u64);
        assert!(prg.next() == all[at], "{at}");
        let mut out = noise(14, 67);
        let before = out.clone();
        prg.xor_fill(&mut out);
        assert!((0..67).all(|i| out[i] == before[i] ^ all[at + 1 + i]), "{at}");
        assert!(prg.next() == all[at + 68], "{at}");
    }
}

#[test]
fn bytes_of_a_stream_are_those_of_its_blocks_at_any_address() {
    let all = noise(15, 80);
    let mut memory = vec![0; 1400];
    for len in (0..70).chain([511, 512, 513, 1200]) {
        for start in [0, 1, 7, 16] {
            let mut prg = BlockPrg::new(Block::from_u128(15));
            memory.fill(0xa5);
            prg.fill_bytes(&mut memory[start..][..len]);
            assert!(memory[start..][..len] == bytes_of(&all)[..len], "{len} bytes");
            let mut outside = memory[..start].iter().chain(&memory[start + len..]);
            assert!(outside.all(|byte| *byte == 0xa5), "{len} bytes");
            assert!(prg.next() == all[len.div_ceil(16)], "{len} bytes");
        }
    }
}

#[test]
fn a_hash_is_two_encryptions_and_depends_on_its_tweak() {
    let (aes, hash) = (Aes::new(Block::from_u128(16)), Tmmo::new(Block::from_u128(16)));
    let xs = noise(17, 130);
    let tweaks: Vec<u128> = (0..130).map(|at| at * at + (at << 100)).collect();
    let formula = |x: Block, tweak| aes.encrypt(aes.encrypt(x) ^ Block::from_u128(tweak)) ^ aes.encrypt(x);
    let (mut counted, mut tweaked) = (xs.clone(), xs.clone());
    hash.hash_all(&mut counted, 1000);
    hash.hash_tweaked(&mut tweaked, &tweaks);
    for (at, x) in xs.iter().enumerate() {
        assert!(counted[at] == formula(*x, 1000 + at as u128) && tweaked[at] == formula(*x, tweaks[at]), "{at}");
        assert!(hash.hash(*x, tweaks[at]) == tweaked[at], "{at}");
        assert!(hash.hash(*x, 1) != hash.hash(*x, 2), "{at}");
    }
}

#[test]
#[should_panic(expected = "a tweak a block")]
fn a_missing_tweak_leaves_no_block_unhashed() {
    Tmmo::new(Block::ONE).hash_tweaked(&mut [Block::ONE; 3], &[1, 2]);
}

#[test]
fn a_level_expands_every_parent_alike() {
    let parents = noise(18, 50);
    let mut children = vec![Block::ZERO; 100];
    expand_level(&parents, &mut children);
    for (parent, family) in parents.iter().zip(children.chunks(2)) {
        let mut alone = [Block::ZERO; 2];
        expand_level(&[*parent], &mut alone);
        assert!(family == alone && alone[0] != alone[1]);
    }
}

#[test]
fn pairs_are_added_up_and_one_of_them_is_changed() {
    for count in [0, 1, 2, 9, 64] {
        let blocks = noise(24, 2 * count);
        let sum = |side: usize| (0..count).fold(Block::ZERO, |sum, at| sum ^ blocks[2 * at + side]);
        assert!(sum_pairs(&blocks) == [sum(0), sum(1)]);
        let what = [Block::from_u128(7 << 90), Block::ONES];
        for (place, clear) in [0, 1, 8, 63].into_iter().flat_map(|at| [(at, Block::ZERO), (at, Block::ONE)]) {
            let mut changed = blocks.clone();
            xor_pair(&mut changed, clear, place, what);
            for (at, (now, before)) in changed.iter().zip(&blocks).enumerate() {
                let added = if at / 2 == place { what[at % 2] } else { Block::ZERO };
                assert!(*now == (*before & !clear) ^ added, "{count} pairs, {place}, block {at}");
            }
        }
    }
}

#[test]
fn the_fields_laws_hold() {
    let elements = noise(19, 30);
    for (i, a) in elements.iter().enumerate() {
        let (b, c) = (elements[(i + 7) % 30], elements[(i + 13) % 30]);
        assert!(a.gf_mul(b) == b.gf_mul(*a));
        assert!(a.gf_mul(b).gf_mul(c) == a.gf_mul(b.gf_mul(c)));
        assert!(a.gf_mul(b ^ c) == a.gf_mul(b) ^ a.gf_mul(c));
        assert!(a.gf_mul(Block::ONE) == *a && a.gf_mul(Block::ZERO) == Block::ZERO);
        assert!(a.gf_square() == a.gf_mul(*a) && (*a ^ b).gf_square() == a.gf_square() ^ b.gf_square());
        assert!(a.gf_mul(a.gf_inverse()) == Block::ONE && a.gf_inverse().gf_inverse() == *a);
    }
    assert!(Block::ONE.gf_inverse() == Block::ONE && Block::ZERO.gf_inverse() == Block::ZERO);
    // x^127 · x is the modulus without its first term.
    assert!(Block::from_u128(1 << 127).gf_mul(Block::from_u128(2)) == Block::from_u128(0x87));
}

#[test]
fn a_sum_of_products_is_reduced_once() {
    let (a, b) = (noise(20, 75), noise(21, 75));
    let expected = a.iter().zip(&b).fold(Block::ZERO, |sum, (a, b)| sum ^ a.gf_mul(*b));
    let mut sum = Unreduced::new();
    sum.add_dot(&a[..40], &b[..40]);
    a[40..].iter().zip(&b[40..]).for_each(|(a, b)| sum.add(*a, *b));
    assert!(sum.reduce() == expected && gf_dot(&a, &b) == expected);
    assert!(gf_dot(&[], &[]) == Block::ZERO && Unreduced::new().reduce() == Block::ZERO);
}

#[test]
fn blocks_are_bytes_sums_and_rows() {
    let (mut x, y) = (noise(22, 256), noise(23, 256));
    assert!(blocks_of(bytes_of(&x)).is_some_and(|back| back == x));
    let before = x.clone();
    xor_into(&mut x, &y);
    xor_into(&mut x, &before);
    assert!(x == y);
    bytes_of_mut(&mut x)[0] ^= 1;
    assert!(x[0] == y[0] ^ Block::ONE);
    // Turned piece by piece, a matrix is turned.
    let mut columns = vec![Block::ZERO; 256];
    transpose(&y, &mut columns);
    let right: Vec<Block> = y.iter().skip(1).step_by(2).copied().collect();
    let mut half = vec![Block::ZERO; 128];
    transpose(&right, &mut half);
    assert!(columns[128..] == half[..]);
}
