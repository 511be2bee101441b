//! The columns of a key as the engine's elements take them.

use base_types::{
    column::{Column, ColumnType},
    fault::{Code, Fault},
};
use mpc_psi::{
    element::{Builder, Elements, Hasher, Part},
    partitioned::{Plan, Spill, Writer},
};
use notary_terms::KeyPart;
use zeroize::Zeroizing;

use crate::local::Rows;

/// One column of a key; of a folded text, each word of the dictionary is folded once.
struct Key<'a> {
    column: &'a Column,
    folded: Vec<Zeroizing<String>>,
}

impl<'a> Key<'a> {
    /// The column of a part.
    fn of(rows: &Rows<'a>, part: &KeyPart) -> Result<Self, Fault> {
        let column = rows.table.columns.get(usize::from(part.column));
        let column = column.ok_or_else(|| rows.fault(Code::SourceColumn, "no such key"))?;
        let fold = |text: &String| Zeroizing::new(part.folds.iter().fold(text.clone(), |text, fold| fold.apply(&text)));
        let folded = if part.folds.is_empty() { Vec::new() } else { column.dictionary.iter().map(fold).collect() };
        Ok(Self { column, folded })
    }

    /// What a row has there.
    fn part(&self, row: usize) -> Part<'_> {
        let Some(word) = self.column.get(row) else { return Part::Null };
        match self.column.ty {
            ColumnType::Int => Part::Int(word),
            ColumnType::Decimal { scale } => Part::Decimal { value: word, scale },
            ColumnType::Bool => Part::Bool(word != 0),
            ColumnType::Date => Part::Date(word),
            ColumnType::Text => {
                let folded = usize::try_from(word).ok().and_then(|place| self.folded.get(place));
                let text = folded.map(|text| text.as_str()).or_else(|| self.column.text(row));
                text.map_or(Part::Null, Part::Text)
            }
        }
    }
}

/// The elements of the rows that count, bound to this session.
pub(crate) fn elements(
    rows: &Rows<'_>,
    keys: &[KeyPart],
    kept: &[usize],
    session: &[u8; 32],
) -> Result<Elements, Fault> {
    let keys = keys.iter().map(|part| Key::of(rows, part)).collect::<Result<Vec<_>, _>>()?;
    let mut builder = Builder::with_capacity(session, kept.len());
    let mut parts = Vec::with_capacity(keys.len());
    for row in kept {
        parts.clear();
        parts.extend(keys.iter().map(|key| key.part(*row)));
        builder.row(&parts);
    }
    Ok(builder.finish())
}

/// Deals the elements of the rows that count out to a plan's buckets; a row's number is its place among those kept.
pub(crate) fn deal<S: Spill>(
    rows: &Rows<'_>,
    keys: &[KeyPart],
    kept: &[usize],
    plan: &Plan,
    storage: &mut S,
) -> Result<(), Fault> {
    let keys = keys.iter().map(|part| Key::of(rows, part)).collect::<Result<Vec<_>, _>>()?;
    let unstored = |why: String| Fault::new(Code::Internal, "deal out keys", why);
    let (mut hasher, mut writer) = (Hasher::new(plan.job()), Writer::new(plan, storage));
    let mut parts = Vec::with_capacity(keys.len());
    for row in kept {
        parts.clear();
        parts.extend(keys.iter().map(|key| key.part(*row)));
        if hasher.row(&parts) {
            drain(&mut hasher, &mut writer).map_err(unstored)?;
        }
    }
    drain(&mut hasher, &mut writer).and_then(|()| writer.finish()).map_err(unstored)
}

/// Hands over to the buckets what waits for it.
fn drain<S: Spill>(hasher: &mut Hasher, writer: &mut Writer<'_, S>) -> Result<(), String> {
    let mut told = Ok(());
    hasher.drain(|row, block| {
        if told.is_ok() {
            told = writer.push(block, row);
        }
    });
    told
}

#[cfg(test)]
mod tests {
    use base_types::column::Table;
    use notary_terms::{Fold, Read, ReadRole};

    use super::*;

    #[test]
    fn texts_are_folded_in_the_plan_s_order_and_null_stays_null() {
        let texts = [" Ab ", "Straße"].map(str::to_owned).to_vec();
        let column = Column {
            name: "name".into(),
            ty: ColumnType::Text,
            values: vec![1, 0, 0],
            valid: vec![true, true, false],
            dictionary: texts,
        };
        let read = Read {
            owner: "health".parse().unwrap(),
            dataset: "health/visits".parse().unwrap(),
            alias: "v".into(),
            columns: vec!["name".into()],
            types: vec![ColumnType::Text],
            key: None,
            filter: None,
            values: vec![],
            rows_bound: 64,
            role: ReadRole::Set { keys: vec![] },
        };
        let table = Table { columns: vec![column], rows: 3 };
        let rows = Rows { read: &read, table: &table };
        let texts = |folds: &[Fold]| -> Vec<Option<String>> {
            let key = Key::of(&rows, &KeyPart { column: 0, folds: folds.to_vec() }).unwrap();
            let text = |row| match key.part(row) {
                Part::Text(text) => Some(text.to_owned()),
                _ => None,
            };
            (0..3).map(text).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(texts(&[]), [some("Straße"), some(" Ab "), None]);
        assert_eq!(texts(&[Fold::Trim, Fold::Lower]), [some("straße"), some("ab"), None]);
        assert_eq!(texts(&[Fold::Upper]), [some("STRASSE"), some(" AB "), None]);
        assert!(Key::of(&rows, &KeyPart { column: 1, folds: vec![] }).is_err());
    }
}
