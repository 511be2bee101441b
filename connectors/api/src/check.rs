//! Whether a step fits its registration, and whether what was read fits both.

use base_types::{
    column::{Column, ColumnMeta, ColumnType, Table},
    fault::{Code, Fault},
};
use notary_terms::{Read, Source};

use crate::{Ticket, discover, text};

/// Before anything is read: the step names this data set and registered columns with their types.
pub(crate) fn step(ticket: &Ticket, read: &Read, registered: &Source) -> Result<(), Fault> {
    if read.dataset != registered.dataset || read.owner != registered.dataset.owner() {
        return Err(ticket.fault(Code::Internal, "the step names another data set"));
    }
    if read.columns.len() != read.types.len() {
        return Err(ticket.fault(Code::Internal, "the step names columns without types"));
    }
    for (place, (name, ty)) in read.columns.iter().zip(&read.types).enumerate() {
        let meta = meta(ticket, registered, name)?;
        if meta.ty != *ty {
            let detail = format!("column '{name}' is registered with type {}", text::type_name(meta.ty));
            return Err(ticket.fault(Code::SourceChanged, detail));
        }
        if read.columns.iter().take(place).any(|other| other == name) {
            return Err(ticket.fault(Code::Internal, format!("the step names column '{name}' twice")));
        }
    }
    if read.rows_bound > registered.rows_bound {
        return Err(ticket.fault(Code::SourceChanged, "the step's bound on rows exceeds the registered one"));
    }
    Ok(())
}

/// After reading: columns in order, types, rows within the bound, values within the registered ranges.
pub(crate) fn table(ticket: &Ticket, read: &Read, registered: &Source, table: &Table) -> Result<(), Fault> {
    let same = table.columns.len() == read.columns.len()
        && table.columns.iter().zip(read.columns.iter().zip(&read.types)).all(|(column, (name, ty))| {
            column.name == *name
                && column.ty == *ty
                && column.values.len() == table.rows
                && column.valid.len() == table.rows
        });
    if !same {
        return Err(ticket.fault(Code::SourceChanged, "the source gave other columns than the step names"));
    }
    if table.rows as u64 > u64::from(read.rows_bound) {
        let detail = format!("the source has more rows than its bound of {}", read.rows_bound);
        return Err(ticket.fault(Code::SourceChanged, detail));
    }
    table.columns.iter().try_for_each(|column| fits(ticket, column, meta(ticket, registered, &column.name)?))
}

fn meta<'a>(ticket: &Ticket, registered: &'a Source, name: &str) -> Result<&'a ColumnMeta, Fault> {
    let found = registered.columns.iter().find(|meta| meta.name == name);
    found.ok_or_else(|| ticket.fault(Code::SourceColumn, format!("no column '{name}' is registered")))
}

fn fits(ticket: &Ticket, column: &Column, meta: &ColumnMeta) -> Result<(), Fault> {
    for row in 0..column.len() {
        let Some(word) = column.get(row) else {
            if !meta.nullable {
                let detail = format!("column '{}', row {}: NULL, registered as never NULL", column.name, row + 1);
                return Err(ticket.fault(Code::SourceChanged, detail));
            }
            continue;
        };
        let measure = match column.ty {
            ColumnType::Text => column.text(row).and_then(|text| i64::try_from(text.len()).ok()).unwrap_or(i64::MAX),
            _ => word,
        };
        if measure < meta.min || measure > meta.max {
            let detail = format!("column '{}', row {}: outside the registered range", column.name, row + 1);
            return Err(ticket.fault(Code::RangeOverflow, detail));
        }
    }
    if meta.unique && !discover::is_unique(column) {
        let detail = format!("column '{}' is registered as a key, but a value occurs twice", column.name);
        return Err(ticket.fault(Code::SourceChanged, detail));
    }
    Ok(())
}
