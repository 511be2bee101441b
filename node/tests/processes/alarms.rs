//! A running node raises an alarm: on the command line, among its metrics and in its log; and not once its cause is gone.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{SystemTime, UNIX_EPOCH},
};

use base_gm::{
    cert::{self, Certificate, Subject},
    keyfile,
};
use base_secret::Password;
use serde_json::Value;

use crate::support::{Consortium, PASSWORD, items, story::SOON, text, until};

const DAY_MS: u64 = 86_400_000;
const OPERATOR: &str = "audit/operator";

/// Gives the audit office's node a certificate that ends after so many days.
fn certify(four: &Consortium, days: u64) {
    let (folder, password) = (four.dir("audit"), Password::new(PASSWORD.to_owned()));
    let key = |name: &str| keyfile::read(&folder.join("keys").join(name), &password).expect("a key").1;
    let pem = fs::read_to_string(folder.join("ca.pem")).expect("ca.pem");
    let ca = Certificate::from_pem(&pem).expect("a certificate");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let subject = Subject { org: ca.subject_org(), name: "node".into() };
    let (node, until) = (key("node.key.json").public(), now + days * DAY_MS);
    let issued = cert::issue(&ca, &key("ca.key.json"), &subject, &node, now - DAY_MS, until).expect("issued");
    fs::write(folder.join("node.pem"), issued.pem()).expect("written");
}

/// Has the node serve its metrics on a free port.
fn measured(four: &Consortium) -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (12_000..20_000).rev().find(free).expect("a free port");
    let path = four.dir("audit").join("node.toml");
    let config = fs::read_to_string(&path).expect("node.toml");
    fs::write(path, format!("metrics = \"127.0.0.1:{port}\"\n{config}")).expect("written");
    port
}

/// How many alarms about certificates the metrics count.
fn counted(port: u16) -> Option<u64> {
    let mut asked = TcpStream::connect(("127.0.0.1", port)).ok()?;
    asked.write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").ok()?;
    let mut told = String::new();
    asked.read_to_string(&mut told).ok()?;
    let count = |line: &str| line.strip_prefix("heqi_alarm_active{code=\"certificate_expiring\"} ")?.parse().ok();
    told.lines().find_map(count)
}

/// The active alarms about certificates.
fn active(four: &Consortium) -> Vec<Value> {
    let told = four.look(OPERATOR, &["alarms"]).good();
    items(&told, "active").iter().filter(|alarm| alarm["code"] == "certificate_expiring").cloned().collect()
}

#[test]
fn a_certificate_that_ends_soon_is_told_on_the_command_line_in_metrics_and_in_the_log() {
    let mut four = Consortium::found();
    let port = measured(&four);
    certify(&four, 5);
    four.start("audit");
    let raised = until("the alarm", SOON, || active(&four).pop());
    assert_eq!(["subject", "severity"].map(|name| text(&raised, name)), ["node", "critical"]);
    assert!(text(&raised, "text_en").contains("ends in 4 days"), "{raised}");
    assert!(text(&raised, "text_zh").contains("还有 4 天到期") && !text(&raised, "remedy_zh").is_empty(), "{raised}");
    assert_eq!(counted(port), Some(1));
    let log = || fs::read_to_string(four.dir("audit").join("data/alarms.jsonl")).expect("a log");
    let line = until("a line in the log", SOON, || log().lines().next().map(ToOwned::to_owned));
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(["event", "code", "subject"].map(|name| text(&line, name)), ["raised", "certificate_expiring", "node"]);
    assert_eq!(line["since"], raised["since"]);

    // With a new certificate there is nothing to tell, but what was told stays in the log, also while no node runs.
    four.kill("audit");
    certify(&four, 60);
    let past = four.look(OPERATOR, &["alarms", "--log"]).good();
    assert!(items(&past, "log").contains(&line), "{past}");
    four.start("audit");
    let looked = || four.look(OPERATOR, &["alarms"]).good()["looked"].as_u64().expect("a time");
    let first = looked();
    until("the node looks again", SOON, || (looked() > first).then_some(()));
    assert!(active(&four).is_empty() && counted(port) == Some(0));
}
