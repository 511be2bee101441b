//! Rows of keys as elements: SQL's rule for NULL and duplicates, and blocks that both parties compute alike.

use mpc_psi::element::{Builder, Elements, Hasher, Part};

fn build(id: u8, rows: &[&[Part<'_>]]) -> Elements {
    let mut builder = Builder::new(&[id; 32]);
    rows.iter().for_each(|row| builder.row(row));
    builder.finish()
}

#[test]
fn duplicates_are_one_element_with_all_rows_and_nulls_are_none() {
    let rows: [&[Part<'_>]; 7] = [
        &[Part::Int(1), Part::Text("a")],
        &[Part::Int(1), Part::Null],
        &[Part::Decimal { value: 100, scale: 2 }, Part::Text("a")],
        &[Part::Null, Part::Null],
        &[Part::Int(1), Part::Text("A")],
        &[Part::Int(2), Part::Text("a")],
        &[Part::Int(1), Part::Text("a")],
    ];
    let elements = build(1, &rows);
    let mut groups: Vec<&[u32]> = (0..elements.blocks().len()).map(|at| elements.rows_of(at)).collect();
    groups.sort_unstable();
    assert_eq!(groups, [&[0, 2, 6][..], &[4], &[5]]);
    assert!(elements.rows_of(3).is_empty() && elements.rows_of(usize::MAX - 1).is_empty());
}

#[test]
fn elements_do_not_depend_on_the_order_of_rows_but_on_the_identifier() {
    let (a, b, c): ([Part<'_>; 1], [Part<'_>; 1], [Part<'_>; 1]) =
        ([Part::Date(7)], [Part::Int(7)], [Part::Bool(true)]);
    let one = build(1, &[&a, &b, &c]);
    assert!(one.blocks() == build(1, &[&c, &a, &b, &a]).blocks());
    assert!(one.blocks().iter().all(|block| !build(2, &[&a, &b, &c]).blocks().contains(block)));
    assert!(build(1, &[]).blocks().is_empty());
}

#[test]
fn many_rows_in_several_groups_keep_their_numbers() {
    let texts: Vec<String> = (0..5000).map(|at| "x".repeat(at % 80) + &(at % 2500).to_string()).collect();
    let mut builder = Builder::new(&[3; 32]);
    let mut hasher = Hasher::new(&[3; 32]);
    let mut streamed = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let part = if at % 10 == 3 { Part::Null } else { Part::Bytes(text.as_bytes()) };
        builder.row(&[part]);
        if hasher.row(&[part]) {
            hasher.drain(|row, block| streamed.push((row, block)));
        }
    }
    hasher.drain(|row, block| streamed.push((row, block)));
    assert_eq!(streamed.len(), 4500);
    let elements = builder.finish();
    for (at, block) in elements.blocks().iter().enumerate() {
        let rows: Vec<u64> = streamed.iter().filter(|(_, other)| other == block).map(|(row, _)| *row).collect();
        assert!(elements.rows_of(at).iter().map(|row| u64::from(*row)).eq(rows.iter().copied()));
        assert!(rows.iter().all(|row| texts[*row as usize] == texts[rows[0] as usize]));
    }
}
