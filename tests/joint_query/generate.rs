//! Seeded random tables and queries of the supported subset.

use crate::query::{Cmp, Cond, Expr, Item, Joined, Query, Table, Ty, Val};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a seed names the whole run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % sides as u64) as usize
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }
    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
    fn between(&mut self, low: i128, high: i128) -> i128 {
        low + self.roll((high - low + 1) as usize) as i128
    }
}

pub const OWNERS: [&str; 4] = ["civil", "health", "statistics", "health"];
const TEXTS: [&str; 4] = ["east", "west", "东", "a longer name of a place"];
const COLUMNS: [(&str, Ty); 7] = [
    ("k", Ty::Int),
    ("n", Ty::Int),
    ("m", Ty::Money),
    ("t", Ty::Text),
    ("b", Ty::Bool),
    ("d", Ty::Date),
    ("g", Ty::Int),
];

fn cell(dice: &mut Dice, name: &str, ty: Ty) -> Val {
    if dice.one_in(5) {
        return Val::Null;
    }
    match (name, ty) {
        ("k", _) => Val::Num(dice.between(-2, 6), 0),
        ("g", _) => Val::Num(dice.between(0, 2), 0),
        (_, Ty::Int) => Val::Num(dice.between(-40, 60), 0),
        (_, Ty::Money) => Val::Num(dice.between(-999, 1500), 2),
        (_, Ty::Text) => Val::Text(dice.pick(&TEXTS).to_owned()),
        (_, Ty::Bool) => Val::Num(dice.between(0, 1), 0),
        (_, Ty::Date) => Val::Num(dice.between(0, 30), 0),
    }
}

/// Four tables of one to twelve rows.
pub fn tables(dice: &mut Dice) -> Vec<Table> {
    let row = |dice: &mut Dice| COLUMNS.iter().map(|(name, ty)| cell(dice, name, *ty)).collect();
    let mut table = |place: usize| {
        let rows = 1 + dice.roll(12);
        let rows = (0..rows).map(|_| row(dice)).collect();
        Table { name: format!("t{place}"), columns: COLUMNS.to_vec(), rows }
    };
    (0..4).map(&mut table).collect()
}

fn column(dice: &mut Dice, table: usize, of: &[Ty]) -> Expr {
    let fitting: Vec<usize> = (0..COLUMNS.len()).filter(|at| of.contains(&COLUMNS[*at].1)).collect();
    let at = dice.pick(&fitting);
    Expr::Column(table, at, COLUMNS[at].0)
}

fn constant(dice: &mut Dice) -> Expr {
    if dice.one_in(3) { Expr::Number(dice.between(-300, 300), 1) } else { Expr::Number(dice.between(-20, 40), 0) }
}

/// A number-valued expression that holds at least one column.
fn expr(dice: &mut Dice, table: usize, depth: usize) -> Expr {
    let own = |dice: &mut Dice| column(dice, table, &[Ty::Int, Ty::Money]);
    if depth == 0 {
        return own(dice);
    }
    let inner = |dice: &mut Dice| Box::new(expr(dice, table, depth - 1));
    match dice.roll(9) {
        0 | 1 => own(dice),
        2 => Expr::Add(inner(dice), Box::new(constant(dice))),
        3 => Expr::Sub(inner(dice), inner(dice)),
        4 => Expr::Mul(inner(dice), Box::new(Expr::Number(dice.between(-3, 4), 0))),
        5 => Expr::Neg(inner(dice)),
        6 => Expr::Coalesce(inner(dice), Box::new(constant(dice))),
        7 => {
            let otherwise = if dice.one_in(3) { Expr::Null } else { constant(dice) };
            Expr::Case(Box::new(cond(dice, table, 1)), inner(dice), Box::new(otherwise))
        }
        _ => {
            let missing = Cond::Null(column(dice, table, &[Ty::Int, Ty::Text, Ty::Date]), dice.one_in(2));
            Expr::Case(Box::new(missing), Box::new(Expr::Number(0, 0)), inner(dice))
        }
    }
}

fn cond(dice: &mut Dice, table: usize, depth: usize) -> Cond {
    const OPS: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];
    let all = [Ty::Int, Ty::Money, Ty::Text, Ty::Bool, Ty::Date];
    let leaves = 7;
    match dice.roll(if depth == 0 { leaves } else { leaves + 3 }) {
        0 | 1 => Cond::Compare(dice.pick(&OPS), expr(dice, table, depth), constant(dice)),
        2 => Cond::Is(dice.pick(&OPS), column(dice, table, &[Ty::Text]), dice.pick(&TEXTS)),
        3 => Cond::Dated(dice.pick(&OPS), column(dice, table, &[Ty::Date]), dice.between(0, 30)),
        4 => Cond::Between(expr(dice, table, 0), constant(dice), constant(dice), dice.one_in(3)),
        5 => {
            let items = (0..=dice.roll(3)).map(|_| Expr::Number(dice.between(0, 3), 0)).collect();
            Cond::Within(column(dice, table, &[Ty::Int]), items, dice.one_in(3))
        }
        6 if dice.one_in(2) => Cond::Holds(column(dice, table, &[Ty::Bool])),
        6 => Cond::Null(column(dice, table, &all), dice.one_in(2)),
        7 => Cond::Not(Box::new(cond(dice, table, depth - 1))),
        8 => Cond::And(Box::new(cond(dice, table, depth - 1)), Box::new(cond(dice, table, depth - 1))),
        _ => Cond::Or(Box::new(cond(dice, table, depth - 1)), Box::new(cond(dice, table, depth - 1))),
    }
}

/// A whole condition of ON or WHERE, now and then with a constant.
fn clause(dice: &mut Dice, table: usize, depth: usize) -> Cond {
    let cond = cond(dice, table, depth);
    let constant = |dice: &mut Dice| Cond::Constant(dice.pick(&[Some(true), Some(true), Some(false), None]));
    match dice.roll(16) {
        0 => constant(dice),
        1 => Cond::Or(Box::new(cond), Box::new(constant(dice))),
        2 => Cond::And(Box::new(constant(dice)), Box::new(cond)),
        _ => cond,
    }
}

fn item(dice: &mut Dice, tables: usize) -> Item {
    let table = dice.roll(tables);
    match dice.roll(8) {
        0 | 1 => Item::CountRows,
        2 => Item::Count(column(dice, table, &[Ty::Int, Ty::Money, Ty::Text, Ty::Bool, Ty::Date])),
        3 => Item::Sum(column(dice, table, &[Ty::Bool])),
        4 => Item::Count(Expr::Truth(Box::new(cond(dice, table, 1)))),
        5 => Item::Avg(expr(dice, table, 2)),
        6 if dice.one_in(4) => Item::Sum(constant(dice)),
        _ => Item::Sum(expr(dice, table, 2)),
    }
}

fn joins(dice: &mut Dice, tables: usize) -> Vec<Joined> {
    let mut joins: Vec<Joined> = Vec::new();
    for newest in 1..tables {
        let whole: Vec<usize> = (0..newest).filter(|at| *at == 0 || !joins[at - 1].left).collect();
        let left = dice.one_in(2);
        let with = dice.pick(&whole);
        let about = if left || dice.one_in(2) { newest } else { dice.pick(&whole) };
        let and = dice.one_in(3).then(|| clause(dice, about, 1));
        joins.push(Joined { left, with, and });
    }
    joins
}

/// A query over those tables.
pub fn query(dice: &mut Dice) -> Query {
    let tables = 1 + dice.roll(4);
    let mut from: Vec<usize> = (0..4).collect();
    for at in (1..4).rev() {
        from.swap(at, dice.roll(at + 1));
    }
    from.truncate(tables);
    let joins = joins(dice, tables);
    let whole: Vec<usize> = (0..tables).filter(|at| *at == 0 || !joins[at - 1].left).collect();
    let filter = (0..dice.roll(3)).map(|_| (dice.pick(&whole), 2)).collect::<Vec<_>>();
    let filter = filter.into_iter().map(|(table, depth)| clause(dice, table, depth)).collect();
    // Without GROUP BY the first table carries.
    let group = if dice.one_in(4) {
        (0, Vec::new())
    } else {
        let mut columns: Vec<usize> = (0..=dice.roll(2)).map(|_| dice.pick(&[1, 3, 4, 5, 6, 6, 6])).collect();
        columns.sort_unstable();
        columns.dedup();
        (dice.pick(&whole), columns)
    };
    let mut items: Vec<Item> = (0..group.1.len()).map(Item::Group).collect();
    items.extend((0..=dice.roll(3)).map(|_| item(dice, tables)));
    let order: Vec<_> = (0..dice.roll(3))
        .map(|_| (dice.roll(items.len()), dice.one_in(2), dice.pick(&[None, None, Some(true), Some(false)])))
        .collect();
    let limit = dice.one_in(4).then(|| dice.roll(4));
    Query { from, joins, filter, group, items, order, limit }
}
