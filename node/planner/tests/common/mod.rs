//! The catalogue, request and nodes that the planner's tests share.
#![allow(dead_code, reason = "each test file uses a part")]

use base_types::{
    DatasetId, OrgId,
    column::{ColumnMeta, ColumnType},
    fault::Fault,
};
use notary_terms::{ApprovalMode, Catalogue, Plan, Request, RuleSet, Source, Star};

pub const STORY: &str = "SELECT c.education, COUNT(*) AS people, AVG(h.sbp) AS sbp,
       SUM(CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END) AS died
FROM census c JOIN health h ON h.person_id = c.person_id
LEFT JOIN deaths d ON d.person_id = c.person_id
WHERE h.age >= 40 GROUP BY c.education ORDER BY c.education";

pub fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

pub fn dataset(name: &str) -> DatasetId {
    DatasetId::new(name).unwrap()
}

pub fn nodes() -> Vec<OrgId> {
    ["civil", "health", "statistics"].map(org).to_vec()
}

pub fn column(name: &str, ty: ColumnType, min: i64, max: i64) -> ColumnMeta {
    ColumnMeta { name: name.into(), ty, nullable: true, unique: false, min, max }
}

fn source(name: &str, rows_bound: u32, columns: Vec<ColumnMeta>) -> (DatasetId, Source) {
    let dataset = dataset(name);
    let title = format!("Title of {name}");
    (dataset.clone(), Source { dataset, title, kind: "csv".into(), rows_bound, columns, classes: vec![] })
}

/// The story's three data sets, one more of each owner, and one of an owner without compute node.
pub fn catalogue() -> Catalogue {
    use ColumnType::{Bool, Date, Decimal, Int, Text};
    let key = || column("person_id", Int, 0, 32_767);
    let sources = [
        source(
            "statistics/census",
            1664,
            vec![
                key(),
                column("education", Int, 0, 7),
                column("income", Int, 0, 31),
                column("marital", Int, 0, 15),
                column("birthplace", Text, 0, 16),
                column("essay", Text, 0, 4096),
                column("urban", Bool, 0, 1),
            ],
        ),
        source(
            "health/health",
            1664,
            vec![
                key(),
                column("age", Int, 0, 127),
                column("sbp", Int, 0, 255),
                column("wt71", Decimal { scale: 2 }, 0, 32_767),
                column("ht", Decimal { scale: 4 }, 0, 4_194_303),
                column("visit", Date, 0, 16_383),
                column("sex", Text, 0, 8),
                column("serial", Int, i64::MIN / 4, i64::MAX / 4),
                column("smokes", Bool, 0, 1),
            ],
        ),
        source("civil/deaths", 320, vec![key(), column("yrdth", Int, 0, 127), column("cause", Text, 0, 32)]),
        source("civil/moves", 99_968, vec![column("day", Date, 0, 32_767), column("person_id", Int, -8, 32_767)]),
        source("health/census", 64, vec![key()]),
        source("health/large", 100_032, vec![key()]),
        source("bank/loans", 64, vec![key(), column("sum", Int, 0, 1023)]),
    ];
    Catalogue { height: 17, sources: sources.into_iter().collect(), ..Catalogue::default() }
}

pub fn rules(catalogue: &mut Catalogue, name: &str, min_group: u32) {
    let set =
        RuleSet { dataset: dataset(name), approval: ApprovalMode::Auto, min_group, holders: vec![], rules: vec![] };
    catalogue.rules.insert(dataset(name), set);
}

/// The catalogue without the second census, so that `census` alone is clear.
pub fn plain() -> Catalogue {
    let mut catalogue = catalogue();
    catalogue.sources.remove(&dataset("health/census"));
    catalogue
}

pub fn request(sql: &str) -> Request {
    Request {
        sql: sql.into(),
        purpose: "health-statistics".into(),
        analyst: "statistics/analyst".parse().unwrap(),
        receiver: org("statistics"),
        expires: 9_000,
        salt: [7; 32],
        tier: None,
    }
}

pub fn plan(sql: &str) -> Result<Plan, Fault> {
    planner::plan(&request(sql), &plain(), &nodes())
}

/// The star join of a plan.
pub fn star(plan: &Plan) -> &Star {
    plan.star().expect("a star join")
}
