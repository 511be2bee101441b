//! `heqi alarms`: what the node itself finds wrong, and what it found before.

use base_types::{TimeMs, fault::Fault};
use clap::Args;
use serde_json::{Value, json};

use super::{Local, Show, items, table, text};
use crate::{
    config::Folder,
    observe::book::{self, Event, Line},
};

#[derive(Args)]
pub struct AlarmsArgs {
    #[command(flatten)]
    local: Local,
    /// Those of the past instead, from the node's folder; the node need not run.
    #[arg(long)]
    log: bool,
}

pub fn run(args: &AlarmsArgs, show: Show) -> Result<(), Fault> {
    if args.log {
        let lines = book::past(&Folder(args.local.dir.clone()).alarms());
        show.value(&json!({ "log": lines }), |_| past(&lines, show));
        return Ok(());
    }
    let alarms = args.local.client()?.get("/api/alarms")?;
    show.value(&alarms, |v| active(items(v, "active"), show));
    Ok(())
}

fn active(alarms: &[Value], show: Show) -> String {
    if alarms.is_empty() {
        return show.pick("没有告警", "no alarms").to_owned();
    }
    let lines = alarms.iter().map(|alarm| {
        let since = alarm.get("since").and_then(Value::as_u64).map(utc).unwrap_or_default();
        let told = |zh: &str, en: &str| text(alarm, show.pick(zh, en));
        let (what, remedy) = (told("text_zh", "text_en"), told("remedy_zh", "remedy_en"));
        let (since_word, remedy_word) = (show.pick("自", "since"), show.pick("办法：", "remedy: "));
        let (severity, code) = (text(alarm, "severity"), text(alarm, "code"));
        format!("{severity} {code}: {what} ({since_word} {since})\n  {remedy_word}{remedy}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn past(lines: &[Line], show: Show) -> String {
    if lines.is_empty() {
        return show.pick("没有告警记录", "no alarms were logged").to_owned();
    }
    let row = |line: &Line| {
        let alarm = &line.raised.alarm;
        let event = match line.event {
            Event::Raised => show.pick("出现", "raised"),
            Event::Changed => show.pick("变化", "changed"),
            Event::Cleared => show.pick("结束", "ended"),
        };
        let what = show.pick(&alarm.text_zh, &alarm.text_en);
        [utc(line.at).as_str(), event, alarm.severity.word(), alarm.code.code(), alarm.subject.as_str(), what]
            .map(ToOwned::to_owned)
            .to_vec()
    };
    table(&lines.iter().map(row).collect::<Vec<_>>())
}

/// A time as `2026-01-31T08:00:00Z`. The day is turned into a date as in Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`: years begin in March, so that the leap day is a year's last.
fn utc(ms: TimeMs) -> String {
    let (days, second) = (ms / 86_400_000 + 719_468, ms / 1000 % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_dates_also_around_leap_days() {
        for (ms, told) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_000, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (1_798_761_599_999, "2026-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(ms), told);
        }
        assert!(!utc(u64::MAX).is_empty());
    }

    #[test]
    fn an_alarm_is_told_with_its_remedy_in_the_language_asked_for() {
        let alarm = json!({"code": "disk_low", "severity": "warning", "since": 0, "text_zh": "磁盘", "text_en": "disk",
            "remedy_zh": "清理", "remedy_en": "free space"});
        let told = |zh| active(std::slice::from_ref(&alarm), Show { json: false, zh });
        assert_eq!(told(false), "warning disk_low: disk (since 1970-01-01T00:00:00Z)\n  remedy: free space");
        assert!(told(true).contains("磁盘") && told(true).contains("办法：清理"));
        assert_eq!(active(&[], Show { json: false, zh: false }), "no alarms");
    }
}
