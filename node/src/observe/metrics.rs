//! Metrics of a node, filled in when they are asked for and written as OpenMetrics text.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base_types::TimeMs;
use ledger_chain::Counters;
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        info::Info,
    },
    registry::{Registry, Unit},
};
use runner::{Count, Direction, Flow};

use super::{
    Watch,
    alarms::{Disk, Kind},
    book::Raised,
    facts::Seen,
};

/// The media type of the text (OpenMetrics 1.0).
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is measured, at one moment.
pub struct Sample<'a> {
    /// What the chain counted since the start.
    pub counters: &'a Counters,
    /// The chain.
    pub seen: &'a Seen,
    /// Space on the ledger's disk, where it can be told.
    pub disk: Option<Disk>,
    /// Bytes of the tables of public keys, and the most that they may take.
    pub key_tables: (usize, usize),
    /// The active alarms.
    pub alarms: &'a [Raised],
    /// What passed between the nodes in each step of jobs, since the start.
    pub flows: &'a [(Flow, Arc<Count>)],
    /// This machine's time.
    pub now: TimeMs,
    /// When the node was started.
    pub started: TimeMs,
}

type Labels = Vec<(&'static str, String)>;

/// The metrics as text.
///
/// # Errors
/// A value that the text cannot hold: a gauge above 2^63.
pub fn text(sample: &Sample<'_>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let started = seconds_of_ms(sample.started);
    let help = "Start of the process since the Unix epoch";
    registry.register_with_unit("process_start_time", help, Unit::Seconds, ConstGauge::new(started));
    let own = registry.sub_registry_with_prefix("heqi");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    own.register("build", "The program", Info::new(version));
    chain(own, sample.seen);
    blocks(own, sample.counters);
    transactions(own, sample.counters);
    peers(own, sample.seen, sample.now);
    stored(own, sample);
    machine(own, sample);
    flows(own, sample.flows);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstGauge::new(value));
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstCounter::new(value));
}

fn seconds(registry: &mut Registry, name: &str, help: &str, micros: u64) {
    registry.register_with_unit(name, help, Unit::Seconds, ConstCounter::new(micros as f64 / 1e6));
}

fn seconds_of_ms(ms: u64) -> f64 {
    ms as f64 / 1e3
}

fn chain(registry: &mut Registry, seen: &Seen) {
    let count = |list: usize| u64::try_from(list).unwrap_or(u64::MAX);
    gauge(registry, "chain_height", "Newest height", seen.height);
    let time = ConstGauge::new(seconds_of_ms(seen.time));
    registry.register_with_unit("chain_block_time", "Time of the newest block", Unit::Seconds, time);
    gauge(registry, "chain_epoch", "Number of the epoch in force", seen.epoch);
    gauge(registry, "chain_validators", "Validators of the epoch in force", count(seen.validators.len()));
    gauge(registry, "chain_running", "1 while the chain runs", u64::from(seen.fault.is_none()));
    gauge(registry, "pool_waiting", "Transactions that wait", count(seen.waiting));
}

fn blocks(registry: &mut Registry, counters: &Counters) {
    counter(registry, "chain_blocks", "Blocks executed", counters.blocks.get());
    counter(registry, "chain_blocks_synced", "Blocks that peers gave", counters.synced.get());
    counter(registry, "chain_late_rounds", "Blocks not decided in their first round", counters.late_rounds.get());
    counter(registry, "chain_epochs", "Epochs begun", counters.epochs.get());
    counter(registry, "chain_misbehaviour", "Messages against the protocol", counters.misbehaviour.get());
    seconds(registry, "chain_execute", "Executing and storing blocks", counters.execute_us.get());
    seconds(registry, "chain_check", "Checking proposed blocks", counters.check_us.get());
    seconds(registry, "chain_build", "Building blocks", counters.build_us.get());
    seconds(registry, "chain_log", "Writing the consensus log", counters.log_us.get());
}

fn transactions(registry: &mut Registry, counters: &Counters) {
    let each = [
        ("executed", "Transactions executed", &counters.executed),
        ("refused", "Transactions executed that changed nothing", &counters.refused),
        ("submitted", "Transactions that clients submitted here", &counters.submitted),
        ("received", "Transactions that peers sent", &counters.received),
        ("redundant", "Transactions that peers sent and that were known", &counters.redundant),
        ("inadmissible", "Transactions refused before execution", &counters.inadmissible),
        ("held_back", "Submissions that waited for room in the pool", &counters.held_back),
        ("fetched", "Transactions of proposals that were asked for", &counters.fetched),
    ];
    for (name, help, value) in each {
        counter(registry, &format!("transactions_{name}"), help, value.get());
    }
}

fn peers(registry: &mut Registry, seen: &Seen, now: TimeMs) {
    let heights = Family::<Labels, Gauge>::default();
    let silent = Family::<Labels, Gauge<f64, AtomicU64>>::default();
    for (org, height, at) in &seen.peers {
        let labels = vec![("org", org.to_string())];
        heights.get_or_create(&labels).set(i64::try_from(*height).unwrap_or(i64::MAX));
        silent.get_or_create(&labels).set(seconds_of_ms(now.saturating_sub(*at)));
    }
    registry.register("peer_height", "Newest height that a peer told", heights);
    registry.register_with_unit("peer_silent", "Time since a peer was heard of", Unit::Seconds, silent);
}

fn stored(registry: &mut Registry, sample: &Sample<'_>) {
    let Counters { scrubs, scrubbed_bytes, .. } = sample.counters;
    counter(registry, "chain_scrubs", "Times that everything stored was checked and found whole", scrubs.get());
    let bytes = ConstCounter::new(scrubbed_bytes.get());
    registry.register_with_unit("chain_scrubbed", "Stored rows that were checked for damage", Unit::Bytes, bytes);
    if let Some(at) = sample.seen.scrubbed {
        let time = ConstGauge::new(seconds_of_ms(at));
        registry.register_with_unit("chain_scrub_time", "When everything was last found whole", Unit::Seconds, time);
    }
}

fn flows(registry: &mut Registry, flows: &[(Flow, Arc<Count>)]) {
    let bytes = Family::<Labels, Counter>::default();
    let frames = Family::<Labels, Counter>::default();
    for (Flow { step, peer, direction }, count) in flows {
        let direction = match direction {
            Direction::Sent => "sent",
            Direction::Received => "received",
        };
        let labels = vec![("step", step.clone()), ("org", peer.to_string()), ("direction", direction.to_owned())];
        bytes.get_or_create(&labels).inc_by(count.bytes());
        frames.get_or_create(&labels).inc_by(count.frames());
    }
    registry.register_with_unit("job_flow", "What jobs moved between nodes, by step", Unit::Bytes, bytes);
    registry.register("job_frames", "Frames that jobs moved between nodes, by step", frames);
}

fn machine(registry: &mut Registry, sample: &Sample<'_>) {
    let clamp = |bytes: u64| ConstGauge::new(bytes.min(i64::MAX.unsigned_abs()));
    if let Some(Disk { free, total }) = sample.disk {
        registry.register_with_unit("disk_free", "Free space of the ledger's disk", Unit::Bytes, clamp(free));
        registry.register_with_unit("disk_size", "Size of the ledger's disk", Unit::Bytes, clamp(total));
    }
    let (taken, most) = sample.key_tables;
    for (name, help, bytes) in [
        ("key_tables", "Memory of the tables of public keys", taken),
        ("key_tables_max", "Memory that the tables of public keys may take", most),
    ] {
        registry.register_with_unit(name, help, Unit::Bytes, clamp(u64::try_from(bytes).unwrap_or(u64::MAX)));
    }
    let active = Family::<Labels, Gauge>::default();
    for kind in Kind::ALL {
        let alarms = sample.alarms.iter().filter(|raised| raised.alarm.code == kind).count();
        let labels = vec![("code", kind.code().to_owned())];
        active.get_or_create(&labels).set(i64::try_from(alarms).unwrap_or(i64::MAX));
    }
    registry.register("alarm_active", "Active alarms of a code", active);
}

/// Answers `GET /metrics` and nothing else.
pub fn router(watch: Arc<Watch>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(watch)
}

async fn scrape(State(watch): State<Arc<Watch>>) -> Response {
    // It reads the disk, so it is done beside the tasks that serve.
    match tokio::task::spawn_blocking(move || watch.metrics()).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use base_types::OrgId;

    use super::*;
    use crate::observe::alarms::{Facts, Thresholds, judge};

    fn org(name: &str) -> OrgId {
        OrgId::new(name).unwrap()
    }

    fn sampled() -> String {
        let counters = Counters::default();
        counters.blocks.add(7);
        counters.executed.add(9);
        counters.execute_us.add(1_500_000);
        counters.scrubs.add(2);
        counters.scrubbed_bytes.add(5 << 20);
        let peers = vec![(org("civil"), 6, 4_000), (org("health"), 7, 9_500)];
        let (validators, scrubbed) = (vec![org("civil")], Some(7_500));
        let seen = Seen { height: 7, peers, validators, scrubbed, ..Seen::default() };
        let full = Facts { disk: Some(Disk { free: 0, total: 10 }), ..Facts::default() };
        let raised = |alarm| Raised { alarm, since: 1 };
        let alarms: Vec<_> = judge(&full, &Thresholds::default()).into_iter().map(raised).collect();
        let disk = Some(Disk { free: 1 << 40, total: u64::MAX });
        let (key_tables, now, started) = ((3, 9), 10_000, 2_500);
        let flows = &[];
        let sample =
            Sample { counters: &counters, seen: &seen, disk, key_tables, alarms: &alarms, flows, now, started };
        text(&sample).unwrap()
    }

    /// Series and values of OpenMetrics text; every line must be of the form that its family's type asks for.
    fn parsed(text: &str) -> BTreeMap<String, f64> {
        let lines = text.strip_suffix("# EOF\n").expect("it ends with its mark").lines();
        let (mut families, mut series) = (BTreeSet::new(), BTreeMap::new());
        let mut family = (String::new(), String::new());
        for line in lines {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a name and a type");
                assert!(families.insert(name.to_owned()), "{name} is described twice");
                family = (name.to_owned(), kind.to_owned());
            } else if !line.starts_with("# HELP ") && !line.starts_with("# UNIT ") {
                let (key, value) = line.rsplit_once(' ').expect("a series and a value");
                let name = key.split('{').next().unwrap_or_default();
                let suffix = match family.1.as_str() {
                    "counter" => "_total",
                    "info" => "_info",
                    "gauge" => "",
                    other => panic!("no such type: {other}"),
                };
                assert_eq!(name, format!("{}{suffix}", family.0), "{line}");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{line}");
                let labels = key.strip_prefix(name).unwrap_or_default();
                assert!(labels.is_empty() || labels.starts_with('{') && labels.ends_with("\"}"), "{line}");
                let value: f64 = value.parse().expect("a number");
                assert!(series.insert(key.to_owned(), value).is_none(), "{key} stands there twice");
            }
        }
        series
    }

    #[test]
    fn the_text_parses_and_no_series_stands_there_twice() {
        let text = sampled();
        let series = parsed(&text);
        for (name, value) in [
            ("heqi_chain_height", 7.0),
            ("heqi_chain_running", 1.0),
            ("heqi_chain_validators", 1.0),
            ("heqi_chain_blocks_total", 7.0),
            ("heqi_transactions_executed_total", 9.0),
            ("heqi_transactions_held_back_total", 0.0),
            ("heqi_chain_execute_seconds_total", 1.5),
            ("heqi_chain_scrubs_total", 2.0),
            ("heqi_chain_scrubbed_bytes_total", 5_242_880.0),
            ("heqi_chain_scrub_time_seconds", 7.5),
            ("heqi_peer_height{org=\"civil\"}", 6.0),
            ("heqi_peer_silent_seconds{org=\"civil\"}", 6.0),
            ("heqi_peer_silent_seconds{org=\"health\"}", 0.5),
            ("heqi_disk_free_bytes", 1_099_511_627_776.0),
            ("heqi_key_tables_bytes", 3.0),
            ("heqi_key_tables_max_bytes", 9.0),
            ("heqi_alarm_active{code=\"disk_low\"}", 1.0),
            ("heqi_alarm_active{code=\"peer_lost\"}", 0.0),
            ("process_start_time_seconds", 2.5),
        ] {
            assert_eq!(series.get(name), Some(&value), "{name} in\n{text}");
        }
        assert!(series.keys().any(|key| key.starts_with("heqi_build_info{version=")), "{text}");
    }

    #[test]
    fn a_node_without_peers_and_disk_still_has_its_metrics() {
        let (counters, seen) = (Counters::default(), Seen::default());
        let (disk, key_tables, alarms) = (None, (0, 0), &[]);
        let flows = &[];
        let sample = Sample { counters: &counters, seen: &seen, disk, key_tables, alarms, flows, now: 0, started: 0 };
        let series = parsed(&text(&sample).unwrap());
        assert!(series.contains_key("heqi_chain_height") && !series.contains_key("heqi_disk_free_bytes"));
        assert!(!series.contains_key("heqi_chain_scrub_time_seconds"), "nothing was found whole yet");
        let alarms = series.keys().filter(|key| key.starts_with("heqi_alarm_active")).count();
        assert_eq!(alarms, Kind::ALL.len(), "a rule can rely on every code");
    }
}
