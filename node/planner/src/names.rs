//! The nearest of some names, for messages.

/// The candidate with the fewest edits from `name`, in any letter case; the first of several.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    candidates.min_by_key(|candidate| edits(&wanted, &candidate.to_lowercase().chars().collect::<Vec<_>>()))
}

/// Levenshtein's distance.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut before = i + 1;
        for ((r, diagonal), above) in right.iter().zip(&row).zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(l != r)).min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_the_one_with_fewest_edits() {
        let names = ["education", "income", "marital", "合契"];
        assert_eq!(nearest("eduction", names.into_iter()), Some("education"));
        assert_eq!(nearest("INCOMES", names.into_iter()), Some("income"));
        assert_eq!(nearest("合", names.into_iter()), Some("合契"));
        assert_eq!(nearest("x", [].into_iter()), None);
    }
}
