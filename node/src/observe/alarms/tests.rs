//! What is an alarm and what is none, on both sides of every threshold.

use base_types::fault::Code;

use super::*;

fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

/// A node that is well.
fn well() -> Facts {
    Facts {
        now: 1_800_000_000_000,
        height: 7,
        interval_ms: 500,
        peers: vec![(org("civil"), 900), (org("health"), 0), (org("statistics"), 15_000)],
        spare: 1,
        disk: Some(Disk { free: 100 << 30, total: 200 << 30 }),
        skew_ms: Some(-400),
        certificates: vec![("node", 1_800_000_000_000 + 30 * DAY_MS), ("CA", u64::MAX)],
        ..Facts::default()
    }
}

fn told(facts: &Facts) -> Vec<(Kind, String, Severity)> {
    let alarms = judge(facts, &Thresholds::default());
    alarms.into_iter().map(|a| (a.code, a.subject, a.severity)).collect()
}

fn one(facts: &Facts) -> Option<(Kind, Severity)> {
    let told = told(facts);
    assert!(told.len() <= 1, "{told:?}");
    told.first().map(|(code, _, severity)| (*code, *severity))
}

#[test]
fn a_node_that_is_well_has_no_alarm() {
    assert_eq!(one(&well()), None);
    assert_eq!(one(&Facts { disk: None, skew_ms: None, ..well() }), None);
}

#[test]
fn a_stopped_chain_tells_its_cause_and_no_stalled_height_beside_it() {
    let fault = Some(Fault::new(Code::StorageDamaged, "run the ledger", "block 7"));
    let facts = Facts { fault, waiting: 3, stalled_ms: 60_000, ..well() };
    let alarms = judge(&facts, &Thresholds::default());
    assert_eq!(one(&facts), Some((Kind::ChainStopped, Severity::Critical)));
    assert!(alarms[0].text_en.contains("HQ-5003") && alarms[0].text_zh.contains("block 7"), "{alarms:?}");
    assert_eq!(alarms[0].remedy_zh, Code::StorageDamaged.remedy(true));
}

#[test]
fn a_height_stalls_only_while_work_waits_and_after_ten_intervals_or_seconds() {
    let stalled = |waiting, stalled_ms, interval_ms| one(&Facts { waiting, stalled_ms, interval_ms, ..well() });
    let alarm = Some((Kind::HeightStalled, Severity::Critical));
    assert_eq!(stalled(0, 60_000, 500), None);
    assert_eq!(stalled(1, 10_000, 500), None);
    assert_eq!(stalled(1, 10_001, 500), alarm);
    assert_eq!(stalled(1, 20_000, 2_000), None);
    assert_eq!(stalled(1, 20_001, 2_000), alarm);
}

#[test]
fn a_silent_peer_is_a_warning_until_the_quorum_is_gone() {
    let mut facts = well();
    facts.peers[0].1 = 15_001;
    assert_eq!(told(&facts), [(Kind::PeerLost, "civil".to_owned(), Severity::Warning)]);
    facts.peers[1].1 = 20_000;
    let both = told(&facts);
    assert_eq!(both.len(), 2);
    assert!(both.iter().all(|(code, _, severity)| (*code, *severity) == (Kind::PeerLost, Severity::Critical)));
}

#[test]
fn a_disk_is_low_by_share_or_by_bytes() {
    let disk = |free, total| one(&Facts { disk: Some(Disk { free, total }), ..well() });
    let gib = 1u64 << 30;
    assert_eq!(disk(5 * gib, 100 * gib), None);
    assert_eq!(disk(5 * gib - 1, 100 * gib), Some((Kind::DiskLow, Severity::Warning)));
    assert_eq!(disk(gib - 1, 10 * gib), Some((Kind::DiskLow, Severity::Warning)));
    assert_eq!(disk(gib, 100 * gib), Some((Kind::DiskLow, Severity::Warning)));
    assert_eq!(disk(gib - 1, 100 * gib), Some((Kind::DiskLow, Severity::Critical)));
    assert_eq!(disk(u64::MAX, u64::MAX), None);
    assert_eq!((space(5 * gib / 2), space(1536 << 10)), ("2.5 GiB".to_owned(), "1.5 MiB".to_owned()));
}

#[test]
fn a_clock_that_differs_is_told_with_its_direction() {
    let skew = |skew_ms| judge(&Facts { skew_ms: Some(skew_ms), ..well() }, &Thresholds::default());
    assert!(skew(2_000).is_empty() && skew(-6_000).is_empty());
    let (slow, slower, fast) = (skew(2_001), skew(5_001), skew(-6_001));
    assert_eq!((slow[0].severity, slower[0].severity), (Severity::Warning, Severity::Critical));
    assert!(
        slow[0].text_en.contains("2.0 s behind") && fast[0].text_en.contains("6.0 s ahead of"),
        "{slow:?} {fast:?}"
    );
    assert_eq!(skew(i64::MIN).len(), 1);
}

#[test]
fn a_certificate_warns_thirty_days_ahead_and_is_critical_in_the_last_week() {
    let left = |days: i64| {
        let now = 1_800_000_000_000u64;
        let end = now.saturating_add_signed(days * 86_400_000);
        one(&Facts { now, certificates: vec![("node", end)], ..well() })
    };
    assert_eq!(left(30), None);
    assert_eq!(left(29), Some((Kind::CertificateExpiring, Severity::Warning)));
    assert_eq!(left(7), Some((Kind::CertificateExpiring, Severity::Warning)));
    assert_eq!(left(6), Some((Kind::CertificateExpiring, Severity::Critical)));
    assert_eq!(left(-1), Some((Kind::CertificateExpiring, Severity::Critical)));
}

#[test]
fn an_offence_is_told_for_an_hour() {
    let offence = |age| one(&Facts { misbehaviour: Some((2, age)), ..well() });
    assert_eq!(offence(3_600_000), Some((Kind::Misbehaviour, Severity::Warning)));
    assert_eq!(offence(3_600_001), None);
}

#[test]
fn every_code_is_told_once_in_both_languages() {
    let mut codes: Vec<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        let [zh, en] = kind.remedy();
        assert!(!zh.is_ascii() && en.is_ascii(), "{kind:?}");
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.code(), "the log and the metrics name it alike");
    }
    for severity in [Severity::Warning, Severity::Critical] {
        assert_eq!(serde_json::to_value(severity).unwrap(), severity.word());
    }
}
