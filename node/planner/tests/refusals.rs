//! What the planner refuses: each with its code, its place in the text, and what to write instead.

mod common;

use base_types::fault::{Code, Fault};
use common::{catalogue, nodes, org, plain, plan, request};
use notary_terms::{Request, Tier};

const JOINED: &str = "FROM census c JOIN health h ON c.person_id = h.person_id";

fn refused(sql: &str) -> Fault {
    match plan(sql) {
        Err(fault) => fault,
        Ok(_) => panic!("planned: {sql}"),
    }
}

/// Each case: the query, the code, the place, and a word of the advice.
fn check(cases: &[(&str, Code, &str, &str)]) {
    for (sql, code, place, advice) in cases {
        let sql = sql.replace("{J}", JOINED);
        let fault = refused(&sql);
        assert_eq!(fault.code, *code, "{sql}\n{fault}");
        assert!(fault.detail.starts_with(&format!("{place}: ")), "{sql}\nexpected {place}: {fault}");
        assert!(fault.detail.contains(advice), "{sql}\nexpected {advice}: {fault}");
        assert_eq!(fault.step, "plan");
    }
}

#[test]
fn text_that_is_no_query() {
    check(&[
        ("SELECT COUNT(*) FORM census", Code::QuerySyntax, "1:22", "census"),
        ("SELECT 'open FROM census", Code::QuerySyntax, "1:8", "nterminated"),
        ("", Code::QuerySyntax, "1:1", "write one SELECT"),
        ("DROP TABLE census", Code::QueryUnsupported, "1:1", "write one SELECT"),
        ("SELECT 1 FROM census; SELECT 2 FROM census", Code::QueryUnsupported, "1:1", "write one SELECT"),
    ]);
}

#[test]
fn clauses_that_are_not_planned() {
    use Code::QueryUnsupported as No;
    check(&[
        ("SELECT DISTINCT education FROM census", No, "1:8", "GROUP BY"),
        ("SELECT * FROM census", No, "1:1", "name the GROUP BY columns"),
        ("SELECT c.* FROM census c", No, "1:1", "name the GROUP BY columns"),
        ("SELECT COUNT(*)\nFROM census\nHAVING COUNT(*) > 3", No, "3:8", "filter the rows of the answer"),
        ("SELECT COUNT(*) FROM census UNION SELECT COUNT(*) FROM health", No, "1:29", "query of its own"),
        ("WITH a AS (SELECT 1) SELECT COUNT(*) FROM a", No, "1:1", "one SELECT"),
        ("SELECT COUNT(*) FROM census LIMIT 3 OFFSET 2", No, "1:29", "LIMIT n"),
        ("SELECT COUNT(*) FROM census LIMIT 1.5", No, "1:35", "LIMIT 10"),
        ("SELECT COUNT(*) FROM census FETCH FIRST 3 ROWS ONLY", No, "1:29", "LIMIT n"),
        ("SELECT COUNT(*) FROM (SELECT 1) x", No, "1:17", "name data sets"),
        ("SELECT COUNT(*) FROM census GROUP BY ROLLUP (education)", No, "1:29", "GROUP BY"),
        ("SELECT COUNT(*) FROM census, health", No, "1:17", "JOIN"),
        ("SELECT COUNT(*)", No, "1:1", "FROM"),
        ("SELECT education FROM census GROUP BY education", No, "1:1", "COUNT(*)"),
    ]);
}

#[test]
fn joins_that_are_not_planned() {
    use Code::QueryUnsupported as No;
    check(&[
        ("SELECT COUNT(*) FROM census c RIGHT JOIN health h ON c.person_id = h.person_id", No, "1:42", "LEFT JOIN"),
        ("SELECT COUNT(*) FROM census c FULL JOIN health h ON c.person_id = h.person_id", No, "1:41", "LEFT JOIN"),
        ("SELECT COUNT(*) FROM census c CROSS JOIN health h", No, "1:42", "ON a.key = b.key"),
        ("SELECT COUNT(*) FROM census c JOIN health h USING (person_id)", No, "1:36", "ON a.key = b.key"),
        ("SELECT COUNT(*) FROM census c JOIN health h ON h.age > 3", No, "1:36", "ON h.key"),
        ("SELECT COUNT(*) FROM census c JOIN health h ON c.person_id < h.person_id", No, "1:36", "ON h.key"),
        ("SELECT COUNT(*) {J} AND c.income = h.age", No, "1:78", "one column of each"),
        ("SELECT COUNT(*) {J} JOIN deaths d ON d.person_id = h.age", No, "1:91", "same key, h.person_id"),
        ("SELECT COUNT(*) {J} JOIN deaths d ON h.age = c.income", No, "1:91", "let the ON name"),
        ("SELECT COUNT(*) FROM census c JOIN census d ON c.person_id = d.person_id", No, "1:36", "once"),
        ("SELECT COUNT(*) FROM census c JOIN health C ON c.person_id = c.person_id", No, "1:36", "its own"),
        ("SELECT COUNT(*) FROM health h JOIN deaths d ON h.sex = d.cause", No, "1:22", "integer key"),
        ("SELECT COUNT(*) FROM health h JOIN deaths d ON h.visit = d.person_id", No, "1:36", "one type"),
        ("SELECT COUNT(*) FROM census c JOIN loans l ON l.person_id = c.person_id", No, "1:36", "bank among them"),
        ("SELECT COUNT(*) FROM census c JOIN large l ON l.person_id = c.person_id", No, "1:36", "100000 rows"),
    ]);
}

#[test]
fn left_joins_keep_their_meaning_or_are_refused() {
    use Code::QueryUnsupported as No;
    check(&[
        (
            "SELECT COUNT(*) FROM census c LEFT JOIN deaths d ON c.person_id = d.person_id WHERE d.yrdth > 80",
            No,
            "1:85",
            "put it into the ON of d, or write JOIN",
        ),
        (
            "SELECT COUNT(*) FROM census c LEFT JOIN deaths d ON c.person_id = d.person_id AND c.income > 3",
            No,
            "1:83",
            "WHERE",
        ),
        (
            "SELECT COUNT(*) FROM census c LEFT JOIN deaths d ON c.person_id = d.person_id \
             JOIN health h ON h.person_id = d.person_id",
            No,
            "1:96",
            "join with the key of c",
        ),
        (
            "SELECT COUNT(*) FROM census c LEFT JOIN deaths d ON c.person_id = d.person_id \
             JOIN health h ON h.person_id = c.person_id AND d.yrdth > 80",
            No,
            "1:126",
            "ON of d",
        ),
        (
            "SELECT d.yrdth, COUNT(*) FROM census c LEFT JOIN deaths d ON c.person_id = d.person_id GROUP BY d.yrdth",
            No,
            "1:97",
            "JOIN instead of LEFT JOIN",
        ),
    ]);
}

#[test]
fn aggregates_and_expressions_that_are_not_planned() {
    use Code::QueryUnsupported as No;
    check(&[
        ("SELECT COUNT(DISTINCT h.age) {J}", No, "1:8", "COUNT(*)"),
        ("SELECT MIN(h.age) {J}", No, "1:8", "AVG"),
        ("SELECT SUM(h.age) OVER () {J}", No, "1:8", "GROUP BY"),
        ("SELECT SUM(h.age) FILTER (WHERE h.age > 3) {J}", No, "1:8", "CASE WHEN"),
        ("SELECT SUM(h.age + c.income) {J}", No, "1:20", "two aggregates"),
        ("SELECT SUM(h.age) / COUNT(*) {J}", No, "1:8", "one aggregate"),
        ("SELECT SUM(h.age / 2) {J}", No, "1:12", "divide in the answer"),
        ("SELECT SUM(AVG(h.age)) {J}", No, "1:12", "one aggregate"),
        ("SELECT SUM(abs(h.age)) {J}", No, "1:12", "COALESCE"),
        ("SELECT SUM(h.sex) {J}", No, "1:8", "COUNT"),
        ("SELECT COUNT(NULL) {J}", No, "1:8", "column"),
        ("SELECT COUNT(h.age, h.sbp) {J}", No, "1:8", "COUNT(x)"),
        ("SELECT h.age, COUNT(*) {J}", No, "1:8", "add GROUP BY h.age"),
        ("SELECT 1, COUNT(*) {J}", No, "1:8", "one aggregate"),
        ("SELECT COUNT(*) {J} GROUP BY c.income + 1", No, "1:83", "columns"),
        ("SELECT COUNT(*) {J} GROUP BY c.income, h.sex", No, "1:93", "one table"),
        ("SELECT COUNT(*) {J} GROUP BY essay", No, "1:83", "64 bytes"),
        ("SELECT COUNT(*) AS a, COUNT(*) AS a {J}", No, "1:35", "its own name"),
        ("SELECT COUNT(*) {J} ORDER BY h.age", No, "1:83", "GROUP BY"),
        ("SELECT COUNT(*) {J} ORDER BY SUM(h.age)", No, "1:83", "SELECT list"),
        ("SELECT COUNT(*) {J} ORDER BY 2", No, "1:83", "SELECT list"),
    ]);
}

#[test]
fn conditions_that_are_not_planned() {
    use Code::QueryUnsupported as No;
    check(&[
        ("SELECT COUNT(*) {J} WHERE h.age > c.income", No, "1:88", "each concern one table"),
        ("SELECT COUNT(*) {J} WHERE h.age > 3 OR c.income > 3", No, "1:93", "joined by AND"),
        ("SELECT COUNT(*) {J} WHERE h.age", No, "1:80", "compare it"),
        ("SELECT COUNT(*) {J} WHERE h.age = '40'", No, "1:88", "without quotes"),
        ("SELECT COUNT(*) {J} WHERE h.sex LIKE 'm%'", No, "1:80", "IN"),
        ("SELECT COUNT(*) {J} WHERE h.age IN (SELECT 1)", No, "1:80", "list the values"),
        ("SELECT COUNT(*) {J} WHERE EXISTS (SELECT 1)", No, "1:74", "JOIN"),
        ("SELECT COUNT(*) {J} WHERE h.visit > '31.5.1971'", No, "1:90", "YYYY-MM-DD"),
        ("SELECT COUNT(*) {J} WHERE h.sex || 'x' = 'mx'", No, "1:80", "use + - *"),
        ("SELECT COUNT(*) {J} WHERE h.smokes + 1 > 1", No, "1:80", "CASE WHEN x"),
    ]);
}

#[test]
fn unknown_names_get_the_nearest() {
    use Code::QueryUnknownName as Who;
    check(&[
        ("SELECT COUNT(*) FROM cenzus", Who, "1:22", "did you mean census?"),
        ("SELECT COUNT(*) FROM statistic.census", Who, "1:22", "did you mean statistics.census?"),
        ("SELECT c.eduction, COUNT(*) FROM census c GROUP BY c.eduction", Who, "1:52", "did you mean education?"),
        ("SELECT SUM(x.age) {J}", Who, "1:12", "no table of this query is called x"),
        ("SELECT SUM(agee) {J}", Who, "1:12", "did you mean age?"),
        ("SELECT SUM(person_id) {J}", Who, "1:12", "write c.person_id or h.person_id"),
    ]);
    let fault = planner::plan(&request("SELECT COUNT(*) FROM census"), &catalogue(), &nodes()).unwrap_err();
    assert!(fault.detail.contains("health.census or statistics.census"), "{fault}");
}

#[test]
fn what_could_overflow_is_refused_at_check() {
    use Code::QueryOverflow as Over;
    check(&[
        ("SELECT SUM(h.serial) {J}", Over, "1:8", "narrower range"),
        ("SELECT SUM(h.serial * h.serial) {J}", Over, "1:12", "64 bits"),
        ("SELECT SUM(h.serial + h.serial + h.serial + h.serial + h.serial) {J}", Over, "1:12", "64 bits"),
        ("SELECT SUM(CASE WHEN h.serial > 0.5 THEN 1 END) {J}", Over, "1:22", "64 bits"),
        ("SELECT SUM(99999999999999999999) {J}", Over, "1:12", "18 digits"),
        ("SELECT AVG(h.ht * h.wt71) {J}", Over, "1:8", "SUM and COUNT"),
        ("SELECT AVG(h.age * 1000000000) {J}", Over, "1:8", "SUM and COUNT"),
    ]);
    // 2 · 127·10^6 · 1664² · 10^d + 1664² < 2^62 holds up to d = 3.
    let fits = plan(&format!("SELECT AVG(h.age * 1000000) {JOINED}")).unwrap();
    assert_eq!(fits.outputs[0].ty.scale(), 3);
}

#[test]
fn nodes_and_receiver_are_checked() {
    let two = planner::plan(&request("SELECT COUNT(*) FROM census"), &plain(), &nodes()[..2]).unwrap_err();
    assert_eq!((two.code, two.party), (Code::BadRequest, Some(org("statistics"))), "the receiver is none of the two");
    let one = planner::plan(&request("SELECT COUNT(*) FROM census"), &plain(), &[org("statistics")]).unwrap_err();
    assert_eq!(one.code, Code::BadRequest);
    let twice = [org("civil"), org("civil"), org("statistics")];
    assert!(planner::plan(&request("SELECT COUNT(*) FROM census"), &plain(), &twice).is_err());
    let mut other = request("SELECT COUNT(*) FROM census");
    other.receiver = org("audit");
    let fault = planner::plan(&other, &plain(), &nodes()).unwrap_err();
    assert_eq!((fault.code, fault.party), (Code::BadRequest, Some(org("audit"))));
}

#[test]
fn another_tier_than_that_of_the_query_s_kind_is_refused() {
    let rows = "SELECT c.income FROM census c JOIN health h ON h.person_id = c.person_id";
    for (sql, tier, found) in [
        ("SELECT COUNT(*) FROM census", Tier::A, "runs in tier B"),
        ("SELECT COUNT(*) FROM census", Tier::D, "runs in tier B"),
        (rows, Tier::BPlus, "runs in tier C"),
    ] {
        let asked = Request { tier: Some(tier), ..request(sql) };
        let fault = planner::plan(&asked, &plain(), &nodes()).unwrap_err();
        assert!(fault.code == Code::BadRequest && fault.detail.contains(found), "{fault}");
    }
}

#[test]
fn hostile_texts_are_refused_without_exhausting_the_stack() {
    let where_ = |condition: String| format!("SELECT COUNT(*) FROM census WHERE {condition}");
    let deep = [
        where_(format!("urban{}", " IS NULL".repeat(1400))),
        where_(format!("{}1 = 1", "NOT ".repeat(2000))),
        where_(format!("{}1{} = 1", "(".repeat(1000), ")".repeat(1000))),
        where_(format!("education IN ({}1)", "1, ".repeat(1400))),
        where_("1 = 1 AND ".repeat(100_000)),
        where_(format!("{}education{} > 1", "COALESCE(".repeat(30), ", 1)".repeat(30))),
    ];
    for sql in deep {
        assert!(plan(&sql).is_err(), "{}", &sql[..60]);
    }
    let long = where_(format!("{}urban", "education <> 9 AND ".repeat(500)));
    assert_eq!(plan(&long).unwrap().reads[0].columns, ["education", "urban"]);
    let sum = format!("SELECT SUM({}education) FROM census", "1 + ".repeat(1200));
    assert!(plan(&sum).is_ok());
}
