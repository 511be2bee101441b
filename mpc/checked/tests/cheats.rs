//! One party lies at one place: the honest ones abort and blame a peer, or have the right result; never a wrong one.

mod common;

use common::{At, Change, HEADER, HONEST, changed, input_of, is_blamed};
use mpc_checked::{Checkable, Checked};
use mpc_core::{Abort, Blame, Context, PIECE_WORDS};
use mpc_share::{Arith, Bits64, Words, Z64};

/// Elements of the vectors in the targeted runs; no other message has this length.
const COUNT: usize = 37;

/// Products of which a first part fills a check by itself.
const LONG: usize = (1 << 17) + 5;

/// Elements of GF(2^128) that a party sends where two words make one element: the points of {0, 1, infinity}^7 but those of {0, 1}^7.
const ELEMENTS: usize = 3_usize.pow(7) - (1 << 7);

fn frame_of(words: usize) -> usize {
    HEADER + 8 * words
}

/// Party 0 inputs two vectors at once; their product is opened.
async fn product<R: Checkable>(mut ctx: Context) -> Result<Vec<u64>, Abort> {
    let mut party = Checked::setup(&mut ctx).await?;
    let words: Vec<u64> = (0..2 * COUNT as u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let both = input_of::<R>(&mut party, 0, &words).await?.pieces(COUNT);
    let out = party.mul(&both[0], &both[1]).await?;
    party.open(&out).await
}

/// The frames of a party that have a length, by number.
fn frames_with(lengths: &[usize], len: usize) -> Vec<usize> {
    (0..lengths.len()).filter(|frame| lengths[*frame] == len).collect()
}

/// Whoever is honest has not finished, and blames a peer.
fn assert_caught<T: std::fmt::Debug>(out: &[Result<T, Abort>], at: At) {
    for outcome in (0..3).filter(|me| *me != at.0).map(|me| &out[me]) {
        assert!(is_blamed(outcome), "{at:?}: {outcome:?}");
    }
}

/// Every bit of words at the first, middle and last place of the only product's message, at every party.
async fn every_false_product<R: Checkable>(seed: u8) -> usize {
    let (_, lengths) = changed(seed, HONEST, product::<R>).await;
    let mut runs = 0;
    for (culprit, lengths) in lengths.iter().enumerate() {
        let frame = frames_with(lengths, frame_of(COUNT))[0];
        for place in [0, COUNT / 2, COUNT - 1] {
            for bit in [0, 1, 7, 31, 32, 62, 63].into_iter().chain((3..60).step_by(9)) {
                let at = (culprit, frame, Change::Flip(8 * HEADER + 64 * place + bit));
                let (out, _) = changed(seed, at, product::<R>).await;
                assert_caught(&out, at);
                runs += 1;
            }
        }
        for change in [Change::More, Change::Zero, Change::Swap(0, 1)] {
            let (out, _) = changed(seed, (culprit, frame, change), product::<R>).await;
            assert_caught(&out, (culprit, frame, change));
            runs += 1;
        }
    }
    runs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_product_of_integers_is_always_caught() {
    assert!(every_false_product::<Z64>(1).await >= 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_product_of_bits_is_always_caught() {
    assert!(every_false_product::<Bits64>(2).await >= 120);
}

/// Party 0 inputs a vector; its product with the same one, a place further on, is opened.
async fn long_product<R: Checkable>(mut ctx: Context) -> Result<Vec<u64>, Abort> {
    let mut party = Checked::setup(&mut ctx).await?;
    let words: Vec<u64> = (0..=LONG as u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let all = input_of::<R>(&mut party, 0, &words).await?;
    let out = party.mul_many(&[(all.range(0..LONG), all.range(1..LONG + 1))]).await?;
    party.open(&out[0]).await
}

/// The highest bit of a word, and then the lowest of all words, so of both that make one element, in either frame of the part that
/// fills a check, at every party.
async fn false_among_many<R: Checkable>(seed: u8) {
    let (_, lengths) = changed(seed, HONEST, long_product::<R>).await;
    for (culprit, lengths) in lengths.iter().enumerate() {
        // After those of party 0's input.
        let last = frames_with(lengths, frame_of(PIECE_WORDS)).pop().unwrap();
        let word = 40_001 - 1_500 * culprit;
        for change in [Change::Flip(8 * HEADER + 64 * word + 63), Change::More] {
            let at = (culprit, last - culprit % 2, change);
            assert_caught(&changed(seed, at, long_product::<R>).await.0, at);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_product_among_those_that_fill_a_check_is_always_caught() {
    false_among_many::<Z64>(12).await;
    false_among_many::<Bits64>(13).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_element_of_a_proof_of_many_words_is_always_caught() {
    let (_, lengths) = changed(14, HONEST, long_product::<Bits64>).await;
    for (culprit, lengths) in lengths.iter().enumerate() {
        let frames = frames_with(lengths, frame_of(2 * ELEMENTS));
        assert_eq!(frames.len(), 1);
        for element in [0, ELEMENTS / 3, ELEMENTS - 1] {
            let at = (culprit, frames[0], Change::Flip(8 * HEADER + 128 * element + 17 * culprit));
            assert_caught(&changed(14, at, long_product::<Bits64>).await.0, at);
        }
    }
}

/// Party 0 inputs both matrices; their product is opened.
async fn matrix<const ROWS: usize, const COLUMNS: usize>(mut ctx: Context) -> Result<Vec<u64>, Abort> {
    const INNER: usize = 2;
    let mut party = Checked::setup(&mut ctx).await?;
    let words: Vec<u64> = (1..=(INNER * (ROWS + COLUMNS)) as u64).map(|x| x.wrapping_mul(0x9e37_79b9)).collect();
    let (a, b) = words.split_at(ROWS * INNER);
    let a: Arith = input_of(&mut party, 0, a).await?;
    let b: Arith = input_of(&mut party, 0, b).await?;
    let out = party.mat_mul(&a, &b, [ROWS, INNER, COLUMNS]).await?;
    party.open(&out).await
}

/// Both ways of verifying: entry by entry, and by random sums of 133 entries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_product_of_matrices_is_always_caught() {
    for seed in 1..9 {
        let honest = [changed(seed, HONEST, matrix::<5, 7>).await.1, changed(seed, HONEST, matrix::<7, 19>).await.1];
        for culprit in 0..3 {
            let frames = [(0, 35), (1, 133)].map(|(way, len): (usize, usize)| {
                let frame = frames_with(&honest[way][culprit], frame_of(len))[0];
                let place = seed as usize * 13 % len;
                (culprit, frame, Change::Flip(8 * HEADER + 64 * place + [0, 31, 62, 63][seed as usize % 4]))
            });
            assert_caught(&changed(seed, frames[0], matrix::<5, 7>).await.0, frames[0]);
            assert_caught(&changed(seed, frames[1], matrix::<7, 19>).await.0, frames[1]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_product_is_caught_under_many_coins() {
    for seed in 3..103 {
        let (culprit, bit) = (seed as usize % 3, 63 - seed as usize % 2);
        let (_, lengths) = changed(seed, HONEST, product::<Z64>).await;
        let frame = frames_with(&lengths[culprit], frame_of(COUNT))[0];
        let at = (culprit, frame, Change::Flip(8 * HEADER + 64 * (seed as usize % COUNT) + bit));
        let (out, _) = changed(seed, at, product::<Z64>).await;
        assert_caught(&out, at);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_opening_is_caught_by_its_receiver_who_names_both_suspects() {
    let (_, lengths) = changed(4, HONEST, product::<Z64>).await;
    for (culprit, lengths) in lengths.iter().enumerate() {
        // The component goes to the party after, the tag to the one before.
        let component = frames_with(lengths, frame_of(COUNT)).pop().unwrap();
        assert_eq!(component + 2, lengths.len());
        for (frame, victim) in [(component, (culprit + 1) % 3), (component + 1, (culprit + 2) % 3)] {
            for bit in [0, 63, 64, 127] {
                let at = (culprit, frame, Change::Flip(8 * HEADER + bit));
                let (out, _) = changed(4, at, product::<Z64>).await;
                let abort = out[victim].as_ref().expect_err("the receiver notices");
                assert!(
                    matches!(abort.blame, Blame::OneOf(one, other) if one != victim && other != victim && one != other)
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn false_coins_and_proofs_are_always_caught() {
    for (ring, seed) in [("integers", 5), ("words", 6)] {
        let run = move |at: At| async move {
            match ring {
                "words" => changed(seed, at, product::<Bits64>).await,
                _ => changed(seed, at, product::<Z64>).await,
            }
        };
        let (_, lengths) = run(HONEST).await;
        let mut runs = 0;
        for (culprit, lengths) in lengths.iter().enumerate() {
            // After the product's message and before the opening there are coins, proofs and agreements only.
            let products = frames_with(lengths, frame_of(COUNT));
            for frame in products[0] + 1..products[1] {
                for bit in [0, 5, lengths[frame] * 8 - 8 * HEADER - 1] {
                    let at = (culprit, frame, Change::Flip(8 * HEADER + bit));
                    let (out, _) = run(at).await;
                    assert_caught(&out, at);
                    runs += 1;
                }
            }
        }
        assert!(runs >= 100, "{runs}");
    }
}

/// Opened: two keys' columns, then what was computed from them.
type Seen = [Vec<u64>; 7];

/// Everything once: inputs of two parties, product, matrix, comparison, bits, shuffle; all opened.
async fn everything(mut ctx: Context) -> Result<Seen, Abort> {
    let mut party = Checked::setup(&mut ctx).await?;
    let x: Arith = input_of(&mut party, 0, &[5, u64::MAX, 1 << 40, 7, 9, 11]).await?;
    let y: Arith = input_of(&mut party, 2, &[6, 3, 1 << 41, 7, 8, 1 << 63]).await?;
    let product = party.mul(&x, &y).await?;
    let matrix = party.mat_mul(&x, &y, [2, 3, 2]).await?;
    let equal = party.equal(&x, &y).await?;
    let bits: Words = party.to_bits(&x).await?;
    let moved = party.shuffle(vec![x.clone(), product.clone()]).await?;
    let again = party.mul(&moved[0], &moved[0]).await?;
    Ok([
        party.open(&x).await?,
        party.open(&y).await?,
        party.open(&product).await?,
        party.open(&matrix).await?,
        party.open(&equal).await?,
        party.open(&bits).await?,
        party.open(&again).await?,
    ])
}

/// Whether what was opened fits together. An input may be any word, so the inputs are those that were opened.
fn fits([x, y, product, matrix, equal, bits, again]: &Seen) -> bool {
    let both = || x.iter().zip(y);
    let entry = |at: usize| {
        (0..3).fold(0_u64, |sum, place| sum.wrapping_add(x[at / 2 * 3 + place].wrapping_mul(y[2 * place + at % 2])))
    };
    let mut squares: Vec<u64> = x.iter().map(|x| x.wrapping_mul(*x)).collect();
    let mut again = again.clone();
    squares.sort_unstable();
    again.sort_unstable();
    product.iter().zip(both()).all(|(product, (x, y))| *product == x.wrapping_mul(*y))
        && matrix.iter().enumerate().all(|(at, sum)| *sum == entry(at))
        && equal.iter().zip(both()).all(|(equal, (x, y))| *equal == u64::from(x == y))
        && bits == x
        && squares == again
}

/// Runs everything with one change; tells whether all honest parties finished.
async fn never_wrong(at: At) -> (bool, Vec<Vec<usize>>) {
    let (out, lengths) = changed(9, at, everything).await;
    let mut finished = true;
    for outcome in (0..3).filter(|me| *me != at.0).map(|me| &out[me]) {
        match outcome {
            Ok(seen) => assert!(fits(seen), "{at:?} gave a wrong result"),
            Err(_) => {
                assert!(is_blamed(outcome), "{at:?}: {outcome:?}");
                finished = false;
            }
        }
    }
    (finished, lengths)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_bits_in_any_frame_never_give_a_wrong_result() {
    let (finished, lengths) = never_wrong(HONEST).await;
    assert!(finished);
    let (mut runs, mut harmless) = (0, 0);
    for (culprit, frames) in lengths.iter().enumerate() {
        for (frame, len) in frames.iter().enumerate() {
            for bit in [8 * HEADER + (frame * 37) % 64, 8 * len - 1] {
                let (finished, _) = never_wrong((culprit, frame, Change::Flip(bit))).await;
                runs += 1;
                harmless += usize::from(finished);
            }
        }
    }
    assert!(runs >= 200, "{runs} runs");
    // Those that change an input: any word is one.
    assert!(harmless * 4 < runs, "{harmless} of {runs} were not noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_extended_repeated_and_replayed_frames_end_the_session() {
    let (_, lengths) = never_wrong(HONEST).await;
    for (culprit, frames) in lengths.iter().enumerate() {
        for frame in (0..frames.len()).filter(|frame| frame % 3 == culprit || frame + 2 >= frames.len()) {
            for change in [Change::Truncate, Change::Extend, Change::Repeat, Change::Replay] {
                let (finished, _) = never_wrong((culprit, frame, change)).await;
                // A last frame that comes twice is not waited for any more.
                let unread = change == Change::Repeat && frame + 2 >= frames.len();
                assert!(!finished || unread, "party {culprit}, frame {frame}, {change:?}");
            }
        }
    }
}

/// A shuffle of distinct rows, opened.
async fn shuffled(mut ctx: Context) -> Result<Vec<u64>, Abort> {
    let mut party = Checked::setup(&mut ctx).await?;
    let words: Vec<u64> = (0..COUNT as u64).map(|x| x << 20).collect();
    let both: [Arith; 2] = [input_of(&mut party, 0, &words).await?, input_of(&mut party, 0, &words).await?];
    let moved = party.shuffle(both.into()).await?;
    party.open(&moved[0]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_exchanged_or_changed_in_a_shuffle_are_always_caught() {
    let (_, lengths) = changed(10, HONEST, shuffled).await;
    let mut runs = 0;
    for (culprit, lengths) in lengths.iter().enumerate() {
        // Each party moves in two of the three hops.
        let frames = frames_with(lengths, frame_of(2 * COUNT));
        assert_eq!(frames.len(), 2);
        for frame in frames {
            let swaps = (0..COUNT - 1).map(|row| Change::Swap(row, row + 1));
            let flips = (0..2 * COUNT).step_by(5).map(|row| Change::Flip(8 * HEADER + 64 * row + 63 - row % 2));
            for change in swaps.chain(flips) {
                let (out, _) = changed(10, (culprit, frame, change), shuffled).await;
                assert_caught(&out, (culprit, frame, change));
                runs += 1;
            }
        }
    }
    assert!(runs >= 200, "{runs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_ends_the_state_for_good() {
    let (_, lengths) = changed(11, HONEST, product::<Z64>).await;
    let frame = frames_with(&lengths[0], frame_of(COUNT))[0];
    let party = |mut ctx: Context| async move {
        let mut party = Checked::setup(&mut ctx).await?;
        let words = vec![3; 2 * COUNT];
        let both = input_of::<Z64>(&mut party, 0, &words).await?.pieces(COUNT);
        let out = party.mul(&both[0], &both[1]).await?;
        let first = party.open(&out).await;
        assert!(party.me() == 0 || is_blamed(&first), "{first:?}");
        let second = party.open(&both[0]).await.err();
        let third = party.mul(&both[0], &both[0]).await.err();
        for abort in [second, third].into_iter().flatten().filter(|_| first.is_err()) {
            assert!(abort.blame == Blame::Local && abort.why.contains("ended"), "{abort:?}");
        }
        first
    };
    let at = (0, frame, Change::Flip(8 * HEADER + 3));
    let (out, _) = changed(11, at, party).await;
    assert_caught(&out, at);
}
