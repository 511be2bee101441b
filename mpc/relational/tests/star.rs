//! The engine against the ideal functionality: joins, NULLs, duplicates, dummies, thresholds, averages, every placement.

mod common;

use std::collections::HashMap;

use common::{Case, Fill, case};
use mpc_core::memory;
use mpc_relational::{Aggregate, Cell, Checked, Function, GroupResult, Input, Join, Rep3, Scheme, Span, plain};

/// Groups by what describes them, since their order is shuffled.
fn by_words(groups: &[GroupResult]) -> HashMap<Vec<u64>, GroupResult> {
    let map: HashMap<_, _> = groups.iter().map(|group| (group.group_words.clone(), group.clone())).collect();
    assert_eq!(map.len(), groups.len(), "a group occurs once");
    map
}

async fn agrees(case: &Case) -> Vec<Cell> {
    agrees_on::<Rep3>(case).await
}

async fn agrees_on<S: Scheme>(case: &Case) -> Vec<Cell> {
    let started = std::time::Instant::now();
    let out = case.run_on::<S>(memory::network(3)).await;
    eprintln!("{:?} for {} rows", started.elapsed(), case.carrier.len());
    let expect = plain(&case.shape, &case.carrier, &case.sides);
    for (me, out) in out.iter().enumerate() {
        let seen = out.as_ref().unwrap();
        assert_eq!(seen.is_some(), me == case.place.receiver);
        if let Some(seen) = seen {
            assert_eq!(by_words(seen), by_words(&expect));
        }
    }
    expect.into_iter().flat_map(|group| group.values).collect()
}

const FILL: Fill = Fill { carrier: 70, keys: 25, groups: 9, threshold: 3 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sides_with_every_pair_of_joins_and_every_placement() {
    use Join::{Inner, Left};
    let mut cells = Vec::new();
    for (seed, (first, second)) in (0..).zip([(Inner, Inner), (Inner, Left), (Left, Inner), (Left, Left)]) {
        let sides = [(first, 30, 18, 2), (second, 17, 12, 1)];
        cells.extend(agrees(&case(seed * 2, &sides, 80, &FILL)).await);
    }
    for kind in [|cell: &Cell| matches!(cell, Cell::Suppressed), |cell: &Cell| matches!(cell, Cell::Value(v) if *v < 0)]
    {
        assert!(cells.iter().any(kind), "the cases show what they are meant to");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_side_and_no_side() {
    let mut cells = Vec::new();
    for seed in 10..13 {
        cells.extend(agrees(&case(seed, &[(Join::Left, 20, 10, 1)], 75, &FILL)).await);
        cells.extend(agrees(&case(seed, &[(Join::Inner, 20, 10, 1)], 70, &FILL)).await);
        cells.extend(agrees(&case(seed, &[], 71, &FILL)).await);
    }
    assert!(cells.contains(&Cell::Suppressed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_threshold_nothing_is_suppressed_and_empty_values_are_null() {
    let fill = Fill { carrier: 30, keys: 30, groups: 19, threshold: 0 };
    let mut cells = Vec::new();
    for seed in 20..23 {
        cells.extend(agrees(&case(seed, &[(Join::Left, 9, 6, 2)], 64, &fill)).await);
    }
    assert!(cells.contains(&Cell::Null) && !cells.contains(&Cell::Suppressed));
}

/// Tier B+ computes the same, whoever owns what and whatever the joins are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checked_scheme_agrees_too() {
    use Join::{Inner, Left};
    let fill = Fill { carrier: 22, keys: 9, groups: 4, threshold: 3 };
    let mut cells = Vec::new();
    for (seed, (first, second)) in (60..).zip([(Inner, Left), (Left, Left)]) {
        cells.extend(agrees_on::<Checked>(&case(seed, &[(first, 9, 7, 1), (second, 8, 5, 1)], 25, &fill)).await);
    }
    cells.extend(agrees_on::<Checked>(&case(62, &[], 25, &fill)).await);
    assert!(cells.contains(&Cell::Suppressed) && cells.iter().any(|cell| matches!(cell, Cell::Value(v) if *v < 0)));
    for (bound, rows) in [(1, 0), (1, 1), (2, 1)] {
        let fill = Fill { carrier: rows, keys: 2, groups: 1, threshold: 1 };
        agrees_on::<Checked>(&case(63 + bound as u8, &[(Left, 1, rows.min(1), 1)], bound, &fill)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smallest_tables_and_empty_owners() {
    for (bound, rows) in [(1, 0), (1, 1), (2, 1), (3, 3)] {
        let fill = Fill { carrier: rows, keys: 2, groups: 1, threshold: 1 };
        let mut small = case(30 + bound as u8, &[(Join::Left, 1, rows.min(1), 1)], bound, &fill);
        agrees(&small).await;
        // One group and no words: an aggregate over the whole table.
        (small.shape.group_bits, small.shape.max_groups, small.shape.key_words) = (0, 1, 0);
        small.carrier.iter_mut().for_each(|row| row.group_words.clear());
        agrees(&small).await;
    }
}

/// Keys and groups of as many bits as there may be, from one end to the other: what a neighbour exceeds the one before by fits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_widest_keys_and_groups() {
    const END: u64 = (1 << 63) - 1;
    let fill = Fill { carrier: 6, keys: 3, groups: 2, threshold: 1 };
    let mut wide = case(42, &[(Join::Left, 4, 3, 1)], 7, &fill);
    (wide.shape.key_bits, wide.shape.group_bits, wide.shape.max_groups) = (63, 16, 1 << 16);
    wide.shape.aggregates = vec![
        Aggregate { input: Input::Rows, function: Function::Count },
        Aggregate { input: Input::Side { side: 0, value: 0, absent: None }, function: Function::Sum },
    ];
    // No key comes twice in a group, so all rows lead.
    let rows: [(u64, u32); 6] = [(END, 65_535), (0, 0), (END, 0), (1, 65_535), (0, 65_535), (1 << 62, 0)];
    for (row, (key, group)) in wide.carrier.iter_mut().zip(rows) {
        (row.key, row.group, row.group_words) = (Some(key), group, vec![u64::from(group), 0]);
        (row.lead, row.value_leads) = (true, vec![row.values[0].is_some()]);
    }
    wide.sides[0].iter_mut().zip([END, 0, 1]).for_each(|(row, key)| row.key = key);
    agrees(&wide).await;
    agrees_on::<Checked>(&wide).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn averages_round_half_away_from_zero_on_both_sides_of_it() {
    let fill = Fill { carrier: 20, keys: 20, groups: 10, threshold: 1 };
    let mut halves = case(40, &[], 20, &fill);
    halves.shape.aggregates = vec![Aggregate { input: Input::Carrier(0), function: Function::Avg { extra_digits: 0 } }];
    // Group g holds the values v and v + 1, whose mean ends in one half.
    for (at, row) in halves.carrier.iter_mut().enumerate() {
        let group = at as u32 / 2;
        (row.group, row.group_words) = (group, vec![u64::from(group), 0]);
        (row.key, row.lead, row.value_leads) = (Some(at as u64), true, vec![true]);
        row.values = vec![Some(i64::from(group) - 5 + (at as i64 & 1))];
    }
    let cells = agrees(&halves).await;
    let expect = [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5].map(Cell::Value);
    assert_eq!(cells, expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_at_the_ends_of_their_range() {
    // Six rows: the widest range of which a sum stays below 2^62.
    const END: i64 = ((1 << 62) - 1) / 6;
    let fill = Fill { carrier: 6, keys: 6, groups: 1, threshold: 1 };
    let mut wide = case(41, &[], 6, &fill);
    wide.shape.carrier_values = vec![Span { low: -END, high: END }];
    wide.shape.aggregates = vec![
        Aggregate { input: Input::Carrier(0), function: Function::Sum },
        Aggregate { input: Input::Carrier(0), function: Function::Avg { extra_digits: 0 } },
    ];
    for (row, value) in wide.carrier.iter_mut().zip([-END, -END, -END, 3 - END, -END, -END]) {
        (row.values, row.value_leads, row.lead) = (vec![Some(value)], vec![true], true);
    }
    let cells = agrees(&wide).await;
    assert_eq!(cells[0], Cell::Value(3 - 6 * END));
    wide.shape.carrier_values[0].low -= 1;
    assert!(wide.shape.check().is_err(), "a wider range");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_full_size_of_the_first_joint_query() {
    let fill = Fill { carrier: 1600, keys: 1700, groups: 20, threshold: 5 };
    let mut big = case(50, &[(Join::Left, 1629, 1500, 1), (Join::Inner, 318, 300, 1)], 1629, &fill);
    (big.shape.group_bits, big.shape.max_groups) = (8, 256);
    let over = |side, absent| Input::Side { side, value: 0, absent };
    big.shape.aggregates = vec![
        Aggregate { input: Input::Rows, function: Function::Count },
        Aggregate { input: over(0, Some(0)), function: Function::Avg { extra_digits: 2 } },
        Aggregate { input: over(1, None), function: Function::Avg { extra_digits: 2 } },
        Aggregate { input: Input::Carrier(0), function: Function::Sum },
    ];
    agrees(&big).await;
}
