//! Random tables and queries through planner, connectors, runner and engine, against nested loops.

use std::time::{Duration, Instant};

use base_types::{column::ColumnType, fault::Code};
use notary_terms::Request;

use crate::{
    common::{NODES, dataset, expect::difference, job::request, memory, nodes, org, sources::Sources},
    generate::{Dice, OWNERS, query, tables},
    query::{Query, Table, Ty, Val, date, number},
    reference,
};

/// For how long cases are drawn, and how many there must be even on a slow machine.
const TIME: Duration = Duration::from_secs(10);
const LONG_TIME: Duration = Duration::from_secs(300);
const LEAST_CASES: u64 = 40;
const QUERIES_A_SCENE: usize = 8;

fn cell(value: &Val, ty: Ty) -> String {
    match (value, ty) {
        (Val::Null, _) => String::new(),
        (Val::Text(text), _) => text.clone(),
        (Val::Num(truth, _), Ty::Bool) => (*truth != 0).to_string(),
        (Val::Num(days, _), Ty::Date) => date(*days),
        (Val::Num(word, scale), _) => number(*word, *scale),
    }
}

fn csv(table: &Table) -> String {
    let names: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
    let line = |row: &Vec<Val>| row.iter().zip(&table.columns).map(|(v, (_, ty))| cell(v, *ty)).collect::<Vec<_>>();
    let lines = table.rows.iter().map(|row| line(row).join(",") + "\n");
    names.join(",") + "\n" + &lines.collect::<String>()
}

/// Writes the tables as files and registers them, with bounds on rows that are close, and a threshold of `least`.
async fn register(tables: &[Table], least: u32, slack: u32) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().expect("a folder");
    let types = |ty: &Ty| match ty {
        Ty::Int => ColumnType::Int,
        Ty::Money => ColumnType::Decimal { scale: 2 },
        Ty::Text => ColumnType::Text,
        Ty::Bool => ColumnType::Bool,
        Ty::Date => ColumnType::Date,
    };
    let mut sources = Sources::default();
    for (table, owner) in tables.iter().zip(OWNERS) {
        let path = folder.path().join(format!("{}.csv", table.name));
        std::fs::write(&path, csv(table)).expect("written");
        let types: Vec<_> = table.columns.iter().map(|(name, ty)| (*name, types(ty))).collect();
        let name = format!("{owner}/{}", table.name);
        sources.register(&name, &path, &types).await;
        sources.least(&name, least);
        let source = sources.catalogue.sources.get_mut(&dataset(&name)).expect("registered");
        source.rows_bound = table.rows.len() as u32 + slack;
    }
    (folder, sources)
}

/// One query; false when the planner refuses it because it could overflow.
async fn holds(sources: &Sources, tables: &[Table], query: &Query, least: u32, receiver: &str) -> Result<bool, String> {
    let sql = query.sql(tables);
    let request = Request { receiver: org(receiver), ..request(&sql) };
    let plan = match planner::plan(&request, &sources.catalogue, &nodes()) {
        Ok(plan) => plan,
        Err(fault) if fault.code == Code::QueryOverflow => return Ok(false),
        Err(fault) => return Err(format!("{sql}\n{fault}")),
    };
    let answer = memory::answer(sources, &plan).await;
    let scales: Vec<u32> = plan.outputs.iter().map(|output| u32::from(output.ty.scale())).collect();
    let expected = reference::answer(query, tables, least as usize, &scales);
    let keys: Vec<_> =
        query.order.iter().map(|(item, falls, nulls)| (*item, *falls, nulls.unwrap_or(*falls))).collect();
    difference(&answer, expected, &keys, query.limit).map_err(|why| format!("{sql}\nleast {least}\n{why}"))?;
    Ok(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn random_queries_give_what_nested_loops_give() {
    let time = if std::env::var_os("HEQI_LONG").is_some() { LONG_TIME } else { TIME };
    let (begin, mut ran, mut refused) = (Instant::now(), 0, 0);
    for seed in 1.. {
        let mut dice = Dice(seed);
        let tables = tables(&mut dice);
        let least = 1 + dice.roll(3) as u32;
        let slack = dice.roll(3) as u32;
        let (_folder, sources) = register(&tables, least, slack).await;
        for _ in 0..QUERIES_A_SCENE {
            let query = query(&mut dice);
            let receiver = NODES[dice.roll(3)];
            match holds(&sources, &tables, &query, least, receiver).await {
                Ok(true) => ran += 1,
                Ok(false) => refused += 1,
                Err(why) => panic!("seed {seed}: {why}\n{}", tables.iter().map(csv).collect::<Vec<_>>().join("\n")),
            }
        }
        if begin.elapsed() > time && ran >= LEAST_CASES {
            break;
        }
    }
    println!("{ran} queries ran, {refused} were refused at Check");
    assert!(refused * 4 < ran, "{refused} queries could overflow, {ran} ran");
}
