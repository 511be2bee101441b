//! What single operations take with each engine, an element: bytes from all parties together, rounds, and memory.
//!
//! Those of three parties follow from the protocols: a product and a conversion are one word of every party, a comparison nine bytes for
//! eight places. Checked ones send as much for a product and more for what the semi-honest engine has shorter ways for; what
//! their proofs take comes on top. Those of two parties are the figures that `mpc_two` states, over its local network, transfers included.

use crate::scheme::Scheme;
use crate::step::Function;

/// Bytes from all parties together, and rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) bytes: u64,
    pub(crate) rounds: u64,
}

const fn rate(bytes: u64, rounds: u64) -> Rate {
    Rate { bytes, rounds }
}

/// What an engine's operations take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rates {
    /// To set up, and to reveal.
    pub(crate) session: Rate,
    /// An element of an input; what is proven of it is its own.
    pub(crate) input: Rate,
    pub(crate) product: Rate,
    /// An element that is kept where a truth value is 1.
    pub(crate) keep: Rate,
    /// A comparison, its result a truth value.
    pub(crate) less: Rate,
    /// All bits of a number.
    pub(crate) bits: Rate,
    /// The place of its first bit, as integers.
    pub(crate) first: Rate,
    /// A bit as an integer.
    pub(crate) integer: Rate,
    /// Bytes of memory of an element's shares.
    pub(crate) share: u64,
    /// Bytes of memory of a session itself.
    pub(crate) base: u64,
    /// Bytes that a step works with besides its value, an element of what it takes or gives; and where functions have many vectors at once.
    pub(crate) working: u64,
    pub(crate) much: u64,
}

/// Three parties that follow the protocol.
const THREE: Rates = Rates {
    session: rate(0, 6),
    input: rate(8, 0),
    product: rate(24, 1),
    keep: rate(24, 1),
    less: rate(96, 9),
    bits: rate(150, 8),
    first: rate(300, 8),
    integer: rate(24, 2),
    share: 16,
    base: 0,
    working: 96,
    much: 512,
};

/// Three parties of which one may deviate: inputs are compared twice, all at once, and records of what is proven at once lie in memory.
const CHECKED: Rates = Rates {
    session: rate(0, 16),
    input: rate(8 + 2 * 144, 0),
    product: rate(24, 1),
    keep: rate(24, 1),
    less: rate(144, 10),
    bits: rate(312, 8),
    first: rate(432, 8),
    integer: rate(48, 2),
    share: 16,
    base: 64 << 20,
    working: 256,
    much: 1536,
};

/// Two parties: base transfers and the first extended ones come with the session.
const TWO: Rates = Rates {
    session: rate(200_000, 12),
    input: rate(8, 1),
    product: rate(1548, 1),
    keep: rate(33, 1),
    less: rate(840, 7),
    bits: rate(7372, 7),
    first: rate(3072, 7),
    integer: rate(17, 1),
    share: 8,
    base: 64 << 20,
    working: 96,
    much: 512,
};

impl Rates {
    pub(crate) fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Three => THREE,
            Scheme::Checked => CHECKED,
            Scheme::Two => TWO,
        }
    }
}

/// So many low places cut off: of checked shares the bits, of which those that stay become integers again.
pub(crate) fn cut(scheme: Scheme, places: u32) -> Rate {
    match scheme {
        Scheme::Three => rate(24, 2),
        Scheme::Checked => rate(CHECKED.bits.bytes + CHECKED.integer.bytes * u64::from(63 - places.min(63)), 10),
        Scheme::Two => rate(17, 1),
    }
}

/// Places that functions cut off inside.
const INNER: u32 = 30;

/// What a function of one number is made of.
struct Work {
    products: u64,
    cuts: u64,
    /// Products that wait for each other.
    deep: u64,
    bits: bool,
    first: bool,
    compared: u64,
}

/// Products of a function of one number, and its rate.
pub(crate) fn function(scheme: Scheme, function: Function) -> (u64, Rate) {
    let of = |products: u64, cuts: u64, deep: u64| Work { products, cuts, deep, bits: true, first: true, compared: 0 };
    let work = match function {
        Function::Reciprocal => of(13, 10, 11),
        Function::Sqrt => of(21, 13, 18),
        Function::InverseSqrt => of(20, 12, 17),
        Function::Exp => Work { first: false, ..of(10, 8, 9) },
        Function::Log => of(15, 12, 13),
        Function::Sigmoid => Work { first: false, compared: 2, ..of(19, 16, 18) },
        Function::Abs | Function::Relu => {
            let Rates { less, keep, .. } = Rates::of(scheme);
            return (1, rate(less.bytes + keep.bytes, less.rounds + keep.rounds));
        }
    };
    made_of(scheme, &work)
}

/// Those of a division.
pub(crate) fn division(scheme: Scheme) -> (u64, Rate) {
    made_of(scheme, &Work { products: 14, cuts: 11, deep: 12, bits: true, first: true, compared: 0 })
}

fn made_of(scheme: Scheme, work: &Work) -> (u64, Rate) {
    let (rates, cut) = (Rates::of(scheme), cut(scheme, INNER));
    let parts = [
        (work.products, rates.product.bytes),
        (work.cuts, cut.bytes),
        (u64::from(work.bits), rates.bits.bytes),
        (u64::from(work.first), rates.first.bytes),
        (work.compared, rates.less.bytes),
    ];
    let rounds = [
        (work.deep, rates.product.rounds),
        (work.cuts, cut.rounds),
        (u64::from(work.bits), rates.bits.rounds),
        (u64::from(work.first), rates.first.rounds),
        (work.compared, rates.less.rounds),
    ];
    let sum = |parts: [(u64, u64); 5]| parts.iter().map(|(count, each)| count * each).sum::<u64>();
    (work.products, rate(sum(parts), sum(rounds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the table of `mpc_two`'s fixed-point numbers: KiB that a party sends an element, and rounds.
    #[test]
    fn functions_of_two_parties_take_what_their_table_says() {
        let table = [
            (function(Scheme::Two, Function::Reciprocal).1, 15, 36),
            (division(Scheme::Two).1, 15, 38),
            (function(Scheme::Two, Function::Sqrt).1, 21, 46),
            (function(Scheme::Two, Function::InverseSqrt).1, 20, 44),
            (function(Scheme::Two, Function::Exp).1, 11, 26),
            (function(Scheme::Two, Function::Log).1, 17, 39),
            (function(Scheme::Two, Function::Sigmoid).1, 19, 55),
        ];
        for (Rate { bytes, rounds }, kibibytes, most) in table {
            assert!((bytes / 2048).abs_diff(kibibytes) <= 1, "{bytes} bytes, {kibibytes} KiB from a party");
            assert!(rounds.abs_diff(most) <= 3, "{rounds}, {most}");
        }
    }

    #[test]
    fn checked_shares_take_more_than_others_of_three_parties_and_fewer_places_stay_for_less() {
        use Function::{Abs, Exp, Log, Reciprocal, Sigmoid, Sqrt};
        for of in [Reciprocal, Sqrt, Exp, Log, Sigmoid, Abs] {
            let (usual, checked) = (function(Scheme::Three, of), function(Scheme::Checked, of));
            assert!(usual.0 == checked.0 && usual.1.bytes < checked.1.bytes && usual.1.rounds < checked.1.rounds);
        }
        assert!(cut(Scheme::Checked, 30).bytes < cut(Scheme::Checked, 1).bytes);
        assert_eq!(cut(Scheme::Checked, 63).bytes, CHECKED.bits.bytes);
    }
}
