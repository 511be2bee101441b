//! What the vector widths share: padding, the words of a block lane by lane, and the compression function.

/// The value that every message begins with (GB/T 32905-2016, 4.1).
pub(super) const IV: [u32; 8] =
    [0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e];

/// The constants of the 64 rounds, rotated (4.2 and 5.3.3).
pub(super) const ROUNDS: [u32; 64] = {
    let (mut rounds, mut at) = ([0; 64], 0);
    while at < 64 {
        let constant: u32 = if at < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
        rounds[at] = constant.rotate_left(at as u32 % 32);
        at += 1;
    }
    rounds
};

/// Blocks of 64 bytes that a message of so many bytes fills with its padding.
pub(super) fn blocks(len: usize) -> usize {
    len / 64 + if len % 64 < 56 { 1 } else { 2 }
}

/// Block `at` of a padded message (5.2).
fn block(message: &[u8], at: usize) -> [u8; 64] {
    let mut block = [0; 64];
    let rest = message.get(at * 64..).unwrap_or_default();
    let here = rest.len().min(64);
    block[..here].copy_from_slice(&rest[..here]);
    if here < 64 {
        // The mark stands behind the last byte: in the block where that ends, or in the next when that is full.
        if message.len() / 64 == at {
            block[here] = 0x80;
        }
        if at + 1 == blocks(message.len()) {
            block[56..].copy_from_slice(&(message.len() as u64).wrapping_mul(8).to_be_bytes());
        }
    }
    block
}

/// Block `at` of up to `N` messages: word by word, a message a lane. Lanes without a message repeat the last one.
pub(super) fn words<const N: usize>(messages: &[&[u8]], at: usize) -> [[u32; N]; 16] {
    let mut words = [[0; N]; 16];
    for lane in 0..N {
        let Some(message) = messages.get(lane).or(messages.last()) else { break };
        let whole = message.get(at * 64..at * 64 + 64).and_then(|bytes| bytes.first_chunk::<64>());
        let bytes = whole.copied().unwrap_or_else(|| block(message, at));
        for (word, four) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
            word[lane] = u32::from_be_bytes(*four);
        }
    }
    words
}

/// The digest of a lane.
pub(super) fn digest<const N: usize>(state: &[[u32; N]; 8], lane: usize) -> [u8; 32] {
    let mut digest = [0; 32];
    for (four, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word[lane].to_be_bytes();
    }
    digest
}

/// The compression function (5.3) over vectors: `$state` takes up the block `$words`. `$add`, `$xor`, `$xor3`, `$maj`,
/// `$pick` and `$rol` are operations of a vector type, `$splat` repeats a word in every lane.
macro_rules! compress {
    ($state:ident, $words:ident, $add:ident, $xor:ident, $xor3:ident, $maj:ident, $pick:ident, $rol:ident, $splat:ident) => {{
        let mut w = [$words[0]; 68];
        w[..16].copy_from_slice(&$words);
        for at in 16..68 {
            let mixed = $xor3(w[at - 16], w[at - 9], $rol::<15>(w[at - 3]));
            let expanded = $xor3(mixed, $rol::<15>(mixed), $rol::<23>(mixed));
            w[at] = $xor3(expanded, $rol::<7>(w[at - 13]), w[at - 6]);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *$state;
        for at in 0..64 {
            let a12 = $rol::<12>(a);
            let ss1 = $rol::<7>($add($add(a12, e), $splat(crate::sm3::lanes::ROUNDS[at] as i32)));
            let ss2 = $xor(ss1, a12);
            let (ff, gg) = if at < 16 { ($xor3(a, b, c), $xor3(e, f, g)) } else { ($maj(a, b, c), $pick(e, f, g)) };
            let tt1 = $add($add(ff, d), $add(ss2, $xor(w[at], w[at + 4])));
            let tt2 = $add($add(gg, h), $add(ss1, w[at]));
            (d, c, b, a) = (c, $rol::<9>(b), a, tt1);
            (h, g, f, e) = (g, $rol::<19>(f), e, $xor3(tt2, $rol::<9>(tt2), $rol::<17>(tt2)));
        }
        for (word, new) in $state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = $xor(*word, new);
        }
    }};
}
pub(super) use compress;
