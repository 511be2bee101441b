//! Whole programs on every scheme, against integers of 128 bits and floating point in the clear.

mod common;

use common::{check, check_for, real, told, whole};
use mpc_core::{Context, memory};
use mpc_vector::{Column, Kind, Placement, Refused, Scheme, Told, run};

const ROWS: usize = 40;

/// Two columns of two owners that go together, somewhat.
fn pairs() -> (Vec<i64>, Vec<i64>) {
    let x: Vec<i64> = (0..ROWS as i64).map(|row| 60 + row * 37 % 101).collect();
    let y = x.iter().enumerate().map(|(row, x)| 100 + x / 2 + (row as i64 * 53) % 29).collect();
    (x, y)
}

fn mean(x: &[i64]) -> f64 {
    x.iter().sum::<i64>() as f64 / x.len() as f64
}

fn moment(x: &[i64], y: &[i64]) -> f64 {
    let (mean_x, mean_y) = (mean(x), mean(y));
    x.iter().zip(y).map(|(x, y)| (*x as f64 - mean_x) * (*y as f64 - mean_y)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correlation_and_a_variance_of_two_owners_columns() {
    let text = "scale 12;
        input x[40]; input y[40];
        dx = x - mean(x); dy = y - mean(y);
        r = dot(dx, dy) / max(sqrt(dot(dx, dx)) * sqrt(dot(dy, dy)), 1);
        return r, variance(x), mean(below(x, y));";
    let (x, y) = pairs();
    let due = moment(&x, &y) / (moment(&x, &x) * moment(&y, &y)).sqrt();
    let variance = moment(&x, &x) / ROWS as f64;
    let both = (mean(&x) + mean(&y)) / 2.0;
    for scheme in Scheme::ALL {
        let program = check_for(scheme, text, &[whole(1, 40, 250), whole(1, 40, 250)]).unwrap();
        let told = told(&program, &[0, 2], &[x.clone(), y.clone()]).await;
        assert!(due > 0.5 && (real(&program, told[0][0]) - due).abs() < 0.003, "{scheme:?}: {told:?} {due}");
        assert!((real(&program, told[1][0]) - variance).abs() < variance / 1000.0, "{scheme:?}: {told:?} {variance}");
        assert!((real(&program, told[2][0]) - both).abs() < 0.001, "{scheme:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_applied_to_rows_of_another_owner() {
    let text = "scale 16; input x[6, 3]; input w[3];
        z = sigmoid(matmul(x, w) - 0.25);
        return z, exp(matmul(x, w) / 4), log(x * x + 1), reciprocal(x + 5), inverse_sqrt(x + 5), z > 0.5;";
    let hundredths = |low, high| Column { digits: 2, low, high };
    let x: Vec<i64> = (0..18).map(|at| (at * 173) % 801 - 400).collect();
    let w = vec![150, -75, 31];
    for scheme in Scheme::ALL {
        let columns = [vec![hundredths(-400, 400); 3], vec![hundredths(-150, 150)]];
        let program = check_for(scheme, text, &columns).unwrap();
        let told = told(&program, &[1, 0], &[x.clone(), w.clone()]).await;
        let near = |shown: i128, due: f64| {
            let error = (real(&program, shown) - due).abs();
            assert!(error < 0.001 + due.abs() / 10_000.0, "{scheme:?}: {shown} {due}");
        };
        for row in 0..6 {
            let product = (0..3).map(|at| (x[row * 3 + at] * w[at]) as f64 / 10_000.0).sum::<f64>();
            let sigmoid = 1.0 / (1.0 + (0.25 - product).exp());
            near(told[0][row], sigmoid);
            near(told[1][row], (product / 4.0).exp());
            if (sigmoid - 0.5).abs() > 0.001 {
                assert_eq!(told[5][row], i128::from(sigmoid > 0.5));
            }
        }
        for (at, x) in x.iter().map(|x| *x as f64 / 100.0).enumerate() {
            near(told[2][at], (x * x + 1.0).ln());
            near(told[3][at], 1.0 / (x + 5.0));
            near(told[4][at], 1.0 / (x + 5.0).sqrt());
        }
    }
}

/// The powers of a range's ends, and the rounds that party 0, their owner and receiver, took.
async fn powers_of(low: i64, high: i64) -> (u64, Vec<Told>) {
    let program = check("scale 20; input x[2]; return exp(x);", &[whole(1, low, high)]).unwrap();
    let place = Placement { owners: vec![0], receiver: 0 };
    let party = |(me, mut ctx): (usize, Context)| {
        let (program, place) = (program.clone(), place.clone());
        let words = if me == 0 { vec![(0, program.encode(0, &[low, high]).unwrap())] } else { Vec::new() };
        tokio::spawn(async move {
            let told = run(&mut ctx, &program, &place, &words).await;
            (ctx.rounds(), told)
        })
    };
    let parties: Vec<_> = memory::contexts(memory::network(3), [31; 32]).into_iter().enumerate().map(party).collect();
    let mut ended = Vec::new();
    for party in parties {
        let (rounds, told) = party.await.expect("no panic");
        ended.push((rounds, told.expect("no abort")));
    }
    let (rounds, told) = ended.swap_remove(0);
    (rounds, told.expect("results"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn powers_of_numbers_far_below_zero_are_zero_after_as_many_rounds_as_others() {
    // Both ranges span as many doublings; the powers of the second lie 2,900 places behind the point.
    let (rounds, near) = powers_of(-17, 0).await;
    let (far_rounds, far) = powers_of(-2047, -2030).await;
    assert!((near[0][1] - (1 << 20)).abs() <= 3, "{near:?}");
    assert!(far[0].iter().all(|raw| raw.abs() <= 2), "{far:?}");
    assert_eq!(rounds, far_rounds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_sorted_compacted_scanned_and_picked_exactly() {
    let text = "scale 8; input x[7, 2]; input same[7] truth;
        sorted = sort(x, 1);
        v = column(x, 2);
        return sorted, compact(x, v >= 0 and not (v == 9)), scan_sum(v, same), scan_max(v, same), scan_first(v, same),
            rows(below(x, x), 3, 7), number(v < 0) + 2 * abs(v), choose(same, v, -1), clamp(v, -2, 3),
            number(from_bits(bits(column(x, 1), 5)) == column(x, 1));";
    let mut columns = [whole(2, -9, 30), whole(1, 0, 1)];
    columns[0][0].low = 0;
    let x = [[5, 4], [1, -9], [30, 9], [5, 0], [0, -1], [7, 9], [1, 2]];
    let same = [0, 1, 1, 0, 1, 0, 1];
    let flat: Vec<i64> = x.concat();
    let mut sorted = x;
    sorted.sort_by_key(|row| row[0]);
    let mut kept: Vec<i64> = x.iter().filter(|row| row[1] >= 0 && row[1] != 9).flatten().copied().collect();
    kept.resize(14, 0);
    let v: Vec<i64> = x.iter().map(|row| row[1]).collect();
    let starts = [0, 0, 0, 3, 3, 5, 5];
    let over = |of: fn(&[i64]) -> i64| (0..7).map(|at| of(&v[starts[at]..=at])).collect::<Vec<_>>();
    let due = [
        sorted.concat(),
        kept,
        over(|run| run.iter().sum()),
        over(|run| run.iter().copied().max().unwrap_or(0)),
        over(|run| run[0]),
        [&flat[4..], &flat[..4]].concat(),
        v.iter().map(|v| i64::from(*v < 0) + 2 * v.abs()).collect(),
        v.iter().zip(same).map(|(v, same)| if same == 1 { *v } else { -1 }).collect(),
        v.iter().map(|v| (*v).clamp(-2, 3)).collect(),
        vec![1; 7],
    ];
    for scheme in Scheme::ALL {
        let program = check_for(scheme, text, &columns).unwrap();
        let told = told(&program, &[2, 1], &[flat.clone(), same.to_vec()]).await;
        let unit = 10i128.pow(program.digits().into());
        for (at, (told, due)) in told.iter().zip(&due).enumerate() {
            let due: Vec<i128> = due.iter().map(|due| i128::from(*due) * unit).collect();
            assert_eq!(*told, due, "{scheme:?}, result {at}");
        }
        assert_eq!(told.len(), due.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_of_columns_and_shuffled_rows() {
    let text = "scale 4; input x[5, 2];
        s = shuffle(x);
        return beside(largest(x), smallest(x)), beside(largest_row(x), sum(s)), transpose(mean(transpose(rows(x, 1, 1))));";
    let x = vec![1, 8, 7, -8, 7, 8, -3, 0, 2, 2];
    for scheme in Scheme::ALL {
        let program = check_for(scheme, text, &[whole(2, -8, 8)]).unwrap();
        let told = told(&program, &[0], std::slice::from_ref(&x)).await;
        let unit = 10i128.pow(program.digits().into());
        assert_eq!(told[0], [7, 8, -3, -8].map(|due| due * unit), "{scheme:?}");
        assert_eq!(told[1], [2, 1, 14, 10].map(|due| due * unit), "{scheme:?}");
        assert!((told[2][0] - 45 * unit / 10).abs() <= unit / 8, "{scheme:?}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wide_integers_are_exact_beyond_64_bits() {
    let text = "scale 1; input a[3] wide; input b[3] wide from -1000000000000000 to 1000000000000000;
        p = a * b;
        return dot(a, b), sum(p) - dot(b, b);";
    let most = 1i64 << 61;
    let program = check(text, &[whole(1, -most, most), whole(1, i64::MIN, i64::MAX)]).unwrap();
    let (a, b) = (vec![most, -7, -most], vec![1_000_000_000_000_000, 3, -987_654_321_012_345]);
    let told = told(&program, &[0, 1], &[a.clone(), b.clone()]).await;
    let product = |x: &[i64], y: &[i64]| x.iter().zip(y).map(|(x, y)| i128::from(*x) * i128::from(*y)).sum::<i128>();
    assert!(product(&a, &b) > i128::from(u64::MAX));
    assert_eq!(program.results()[0].form.kind, Kind::Wide);
    assert_eq!(told, [vec![product(&a, &b)], vec![product(&a, &b) - product(&b, &b)]]);
    let compared = "scale 1; input a[2] wide; input b[2] wide; return a < b, a == b, a >= b, cut(a * 1024, 10);";
    let program = check(compared, &[whole(1, -100, 100), whole(1, -100, 100)]).unwrap();
    let told = common::told(&program, &[2, 0], &[vec![-5, 64], vec![9, 64]]).await;
    assert_eq!(told[..3], [vec![1, 0], vec![0, 1], vec![0, 1]]);
    assert!((told[3][0] + 5).abs() <= 1 && (told[3][1] - 64).abs() <= 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_fractions_are_right_where_numbers_fill_their_words() {
    // 46 and 60 places leave room for factors of 16 and of 2.
    let text = "scale 16; input x[1000]; return mean(x), mean(x - 500000) / -7;";
    let rows: Vec<i64> = (0..1000).map(|row| 999_999 - row % 3).collect();
    let due = mean(&rows);
    let most = 1i64 << 40;
    let x = vec![most, -most, 0, 12_345, -987_654_321];
    for scheme in Scheme::ALL {
        let program = check_for(scheme, text, &[whole(1, 0, 1_000_000)]).unwrap();
        let found = told(&program, &[0], std::slice::from_ref(&rows)).await;
        for (found, due) in found.iter().zip([due, (due - 500_000.0) / -7.0]) {
            assert!((real(&program, found[0]) - due).abs() < 0.0005, "{scheme:?}: {found:?} {due}");
        }
        let text = "scale 20; input x[5]; return x * 0.3, x / -12345.678;";
        let program = check_for(scheme, text, &[whole(1, -most, most)]).unwrap();
        let found = told(&program, &[2], std::slice::from_ref(&x)).await;
        for (by, found) in [0.3, -1.0 / 12_345.678].into_iter().zip(&found) {
            for (found, x) in found.iter().zip(&x) {
                let due = *x as f64 * by;
                assert!((real(&program, *found) - due).abs() < 0.001, "{scheme:?}: {found} {due}");
            }
        }
    }
    // What is not negative stays so, however many terms a product has.
    let text = "scale 20; input x[900] from 0 to 1000000; return sqrt(mean(x)), sqrt(x * 0.001);";
    assert!(check(text, &[whole(1, 0, 1)]).unwrap_err().what.contains("as many rows"));
    assert!(check("scale 20; input x[900] from 0 to 1000000; return sqrt(mean(x));", &[whole(1, 0, 1)]).is_ok());
}

#[test]
fn words_outside_their_range_are_refused_and_named_by_row() {
    let program = check("scale 4; input x[2, 2] from -1.5 to 2; return sum(x);", &[whole(2, -100, 100)]).unwrap();
    assert!(program.encode(0, &[0, 1, 2, -1]).is_ok());
    assert_eq!(program.encode(0, &[0, 1, 2, -2]).err(), Some(Refused::Outside { row: 2 }));
    assert_eq!(program.encode(0, &[3, 1, 2, -1]).err(), Some(Refused::Outside { row: 1 }));
    assert_eq!(program.encode(0, &[0, 1, 2]).err(), Some(Refused::Count));
    assert_eq!(program.encode(1, &[]).err(), Some(Refused::Count));
}
