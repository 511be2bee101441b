//! Branches against sixteen plain slots.

use base_gm::sm3::sm3;

use super::*;

fn slot(draw: &Digest) -> Slot {
    match draw.0[1] % 3 {
        0 => Slot::Empty,
        1 => Slot::Leaf { key: *draw, value: sm3(&draw.0) },
        _ => Slot::Inner { hash: *draw, version: u64::from(draw.0[2]) },
    }
}

#[test]
fn a_branch_holds_what_was_put_into_it_and_comes_back_from_its_row() {
    let (mut branch, mut plain) = (Branch::default(), [Slot::Empty; WIDTH]);
    for round in 0..500u32 {
        let draw = sm3(&round.to_be_bytes());
        let at = usize::from(draw.0[0] % 16);
        plain[at] = slot(&draw);
        branch.set(at, plain[at]);
        assert!(branch.slots().eq(plain), "round {round}");
        let read = Branch::from_wire(&branch.to_wire()).expect("read");
        assert!(read.slots().eq(plain), "round {round}");
        assert_eq!(read.bytes(), branch.bytes(), "no memory is left over");
        let leaves = plain.iter().filter(|slot| matches!(slot, Slot::Leaf { .. })).count();
        let used = plain.iter().filter(|slot| **slot != Slot::Empty).count();
        assert_eq!((branch.used().count_ones() as usize, branch.leaves().count_ones() as usize), (used, leaves));
        let alone = (used == leaves && used < 2).then(|| plain.iter().copied().max_by_key(|slot| *slot != Slot::Empty));
        assert_eq!(branch.alone(), alone.flatten());
    }
    branch.set(WIDTH, Slot::Leaf { key: EMPTY, value: EMPTY });
    assert!(branch.slots().eq(plain) && branch.slot(WIDTH) == Slot::Empty, "there is no such slot");
}

#[test]
fn only_a_branch_in_a_slot_is_held_and_as_long_as_it_stands_there() {
    let inner = |version| Slot::Inner { hash: EMPTY, version };
    let mut branch = Branch::default();
    branch.set(3, Slot::Leaf { key: EMPTY, value: EMPTY });
    branch.set(9, inner(5));
    [3, 4, 9].into_iter().for_each(|at| branch.hold_below(at, Box::default()));
    assert_eq!(branch.held().map(|(version, _)| version).collect::<Vec<_>>(), [5]);
    branch.set(12, inner(6));
    assert!(branch.take_below(12).is_none() && branch.take_below(9).is_some() && branch.take_below(9).is_none());
    branch.hold_below(9, Box::default());
    branch.set(9, inner(7));
    assert_eq!(branch.held().count(), 0, "another branch stands there");
}

#[test]
fn a_branch_with_a_branch_in_an_unused_slot_is_refused() {
    assert!(Branch::from_wire(&[0, 1, 0, 2]).is_err());
    assert!(Branch::from_wire(&Branch::default().to_wire()).is_ok_and(|branch| branch.alone() == Some(Slot::Empty)));
}
