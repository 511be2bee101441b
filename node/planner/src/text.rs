//! A formula as people read it, with the columns' names and their decimals in place.

use base_types::column::ColumnType;
use notary_terms::{
    Read,
    formula::{Formula, MAX_OPS, Op},
};

use crate::literal::{date_text, decimal_text};

/// How a number is shown.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    /// A constant whose neighbour decides.
    Constant(i64),
    /// With that many digits after the point.
    Scaled(u8),
    Date,
    Other,
}

/// How tightly an operator binds; looser ones get parentheses.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binds {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Atom,
}

struct Piece {
    text: String,
    shown: Shown,
    binds: Binds,
    /// The text before ` IS NULL`, when it ends so.
    null_of: Option<usize>,
}

/// A read's formula as text, such as `h.age >= 40`; a malformed one is called so.
pub fn formula_text(formula: &Formula, read: &Read) -> String {
    write(formula, read).unwrap_or_else(|| "(malformed)".to_owned())
}

fn write(formula: &Formula, read: &Read) -> Option<String> {
    if formula.ops.len() > MAX_OPS {
        return None;
    }
    let mut stack: Vec<Piece> = Vec::new();
    for op in &formula.ops {
        let piece = match op {
            Op::Column(place) => column(read, usize::from(*place))?,
            Op::Number(number) => piece(number.to_string(), Shown::Constant(*number), Binds::Atom),
            Op::Text(text) => piece(format!("'{}'", text.replace('\'', "''")), Shown::Other, Binds::Atom),
            Op::Null => piece("NULL".to_owned(), Shown::Other, Binds::Atom),
            Op::Rescale(digits) => rescaled(stack.pop()?, *digits),
            Op::Neg => {
                let inner = inside(stack.pop()?, Binds::Atom);
                piece(format!("-{}", inner.text), inner.shown, Binds::Product)
            }
            Op::Not => negated(stack.pop()?),
            Op::IsNull => {
                let inner = inside(stack.pop()?, Binds::Sum);
                let null_of = Some(inner.text.len());
                Piece { null_of, ..piece(inner.text + " IS NULL", Shown::Other, Binds::Compare) }
            }
            Op::Case => {
                let (otherwise, then, condition) = (stack.pop()?, stack.pop()?, stack.pop()?);
                let (then, otherwise) = alike(then, otherwise);
                let shown = then.shown;
                let text = format!("CASE WHEN {} THEN {} ELSE {} END", condition.text, then.text, otherwise.text);
                piece(text, shown, Binds::Atom)
            }
            binary => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                infix(binary, left, right)?
            }
        };
        stack.push(piece);
    }
    let whole = stack.pop()?;
    stack.is_empty().then_some(whole.text)
}

fn piece(text: String, shown: Shown, binds: Binds) -> Piece {
    Piece { text, shown, binds, null_of: None }
}

fn column(read: &Read, place: usize) -> Option<Piece> {
    let (name, ty) = (read.columns.get(place)?, read.types.get(place)?);
    let shown = match ty {
        ColumnType::Int => Shown::Scaled(0),
        ColumnType::Decimal { scale } => Shown::Scaled(*scale),
        ColumnType::Date => Shown::Date,
        ColumnType::Text | ColumnType::Bool => Shown::Other,
    };
    Some(piece(format!("{}.{name}", read.alias), shown, Binds::Atom))
}

/// The word is multiplied by 10^digits and so is its scale: people see the same number.
fn rescaled(mut inner: Piece, digits: u8) -> Piece {
    if let Shown::Scaled(scale) = inner.shown {
        inner.shown = Shown::Scaled(scale.saturating_add(digits));
    }
    inner
}

fn negated(inner: Piece) -> Piece {
    if let Some(tested) = inner.null_of.and_then(|length| inner.text.get(..length)) {
        return piece(format!("{tested} IS NOT NULL"), Shown::Other, Binds::Compare);
    }
    let inner = inside(inner, Binds::Not);
    piece(format!("NOT {}", inner.text), Shown::Other, Binds::Not)
}

fn infix(op: &Op, left: Piece, right: Piece) -> Option<Piece> {
    let (sign, binds) = match op {
        Op::Add => (" + ", Binds::Sum),
        Op::Sub => (" - ", Binds::Sum),
        Op::Mul => (" * ", Binds::Product),
        Op::Eq => (" = ", Binds::Compare),
        Op::Ne => (" <> ", Binds::Compare),
        Op::Lt => (" < ", Binds::Compare),
        Op::Le => (" <= ", Binds::Compare),
        Op::Gt => (" > ", Binds::Compare),
        Op::Ge => (" >= ", Binds::Compare),
        Op::And => (" AND ", Binds::And),
        Op::Or => (" OR ", Binds::Or),
        _ => return None,
    };
    let (left, right) = if *op == Op::Mul { (left, right) } else { alike(left, right) };
    let shown = match (op, left.shown, right.shown) {
        (Op::Mul, Shown::Scaled(l), Shown::Scaled(r)) => Shown::Scaled(l.saturating_add(r)),
        // A constant factor is shown as the integer it is, so the product keeps the other's digits.
        (Op::Mul, Shown::Scaled(scale), _) | (Op::Mul, _, Shown::Scaled(scale)) => Shown::Scaled(scale),
        (Op::Add | Op::Sub, shown, _) => shown,
        _ => Shown::Other,
    };
    // The left operand may bind as this operator does, the right one must bind tighter, AND and OR excepted.
    let chains = matches!(op, Op::And | Op::Or | Op::Add | Op::Mul);
    let mut text = if binds == Binds::Compare { inside(left, Binds::Sum) } else { inside(left, binds) }.text;
    let tighter = !chains && right.binds <= binds;
    let right = if tighter { inside(right, Binds::Atom) } else { inside(right, binds) };
    text.push_str(sign);
    text.push_str(&right.text);
    Some(piece(text, shown, binds))
}

/// Parentheses around what binds looser than `least`.
fn inside(mut inner: Piece, least: Binds) -> Piece {
    if inner.binds < least {
        inner.text = format!("({})", inner.text);
        (inner.binds, inner.null_of) = (Binds::Atom, None);
    }
    inner
}

/// Shows a constant the way its neighbour is shown.
fn alike(left: Piece, right: Piece) -> (Piece, Piece) {
    match (left.shown, right.shown) {
        (Shown::Constant(word), other) if !matches!(other, Shown::Constant(_)) => (constant(left, word, other), right),
        (other, Shown::Constant(word)) if !matches!(other, Shown::Constant(_)) => {
            let right = constant(right, word, other);
            (left, right)
        }
        _ => (left, right),
    }
}

fn constant(piece: Piece, word: i64, like: Shown) -> Piece {
    // Only a bare constant can be written anew; a sum of constants stays as it is.
    if piece.binds != Binds::Atom {
        return piece;
    }
    let text = match like {
        Shown::Scaled(scale) => decimal_text(word, scale),
        Shown::Date => format!("'{}'", date_text(word)),
        Shown::Other | Shown::Constant(_) => piece.text,
    };
    Piece { text, shown: like, ..piece }
}

#[cfg(test)]
mod tests {
    use notary_terms::ReadRole;

    use super::*;

    fn read() -> Read {
        Read {
            owner: "health".parse().unwrap(),
            dataset: "health/visits".parse().unwrap(),
            alias: "v".into(),
            columns: ["age", "wt", "day", "sex"].map(str::to_owned).to_vec(),
            types: vec![ColumnType::Int, ColumnType::Decimal { scale: 2 }, ColumnType::Date, ColumnType::Text],
            key: None,
            filter: None,
            values: vec![],
            rows_bound: 64,
            role: ReadRole::Carrier { groups: vec![] },
        }
    }

    fn shown(ops: &[Op]) -> String {
        formula_text(&Formula { ops: ops.to_vec() }, &read())
    }

    #[test]
    fn decimals_dates_and_texts_read_as_they_were_written() {
        assert_eq!(shown(&[Op::Column(0), Op::Number(40), Op::Ge]), "v.age >= 40");
        assert_eq!(shown(&[Op::Column(1), Op::Number(5050), Op::Gt]), "v.wt > 50.50");
        assert_eq!(shown(&[Op::Column(0), Op::Rescale(1), Op::Number(405), Op::Ge]), "v.age >= 40.5");
        assert_eq!(shown(&[Op::Column(2), Op::Number(11_016), Op::Eq]), "v.day = '2000-02-29'");
        assert_eq!(shown(&[Op::Column(3), Op::Text("it's".into()), Op::Ne]), "v.sex <> 'it''s'");
    }

    #[test]
    fn parentheses_stand_where_they_change_the_meaning() {
        let (a, b, c) = (Op::Column(0), Op::Number(1), Op::Number(2));
        let null = |place| [Op::Column(place), Op::IsNull];
        assert_eq!(shown(&[a.clone(), b.clone(), c.clone(), Op::Sub, Op::Sub]), "v.age - (1 - 2)");
        assert_eq!(shown(&[a, b, Op::Add, c, Op::Mul]), "(v.age + 1) * 2");
        let or = [null(0).as_slice(), &null(1), &[Op::Or], &null(2), &[Op::Not, Op::And]].concat();
        assert_eq!(shown(&or), "(v.age IS NULL OR v.wt IS NULL) AND v.day IS NOT NULL");
        let not = [null(0).as_slice(), &null(1), &[Op::Or, Op::Not]].concat();
        assert_eq!(shown(&not), "NOT (v.age IS NULL OR v.wt IS NULL)");
        let case = [null(0).as_slice(), &[Op::Number(0), Op::Column(1), Op::Case]].concat();
        assert_eq!(shown(&case), "CASE WHEN v.age IS NULL THEN 0.00 ELSE v.wt END");
        assert_eq!(shown(&[Op::Add]), "(malformed)");
    }
}
