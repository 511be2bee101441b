//! Alarms as they are raised, change and end, with a log of them in two files of bounded size.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base_types::TimeMs;
use serde::{Deserialize, Serialize};

use super::alarms::{Alarm, Kind};

/// An alarm ends once nothing was wrong for so long, so that one at its threshold does not come and go.
const CALM: Duration = Duration::from_secs(10);
/// Longest log file, in bytes; beyond, it becomes the older of the two.
const MAX_LOG: u64 = 1_000_000;

/// An alarm and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The alarm as it is now.
    #[serde(flatten)]
    pub alarm: Alarm,
    /// When it was raised.
    pub since: TimeMs,
}

/// What became of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was raised.
    Raised,
    /// It became worse or better.
    Changed,
    /// It ended.
    Cleared,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: TimeMs,
    /// What.
    pub event: Event,
    /// The alarm.
    #[serde(flatten)]
    pub raised: Raised,
}

struct Held {
    raised: Raised,
    /// When it was last found.
    found_at: Instant,
}

/// The alarms that are active, and the log.
pub struct Book {
    path: PathBuf,
    limit: u64,
    active: BTreeMap<(Kind, String), Held>,
    /// That the log cannot be written is told once.
    mute: bool,
}

impl Book {
    /// No alarm yet; the log is appended to `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, limit: MAX_LOG, active: BTreeMap::new(), mute: false }
    }

    /// The active alarms, by code and subject.
    pub fn active(&self) -> Vec<Raised> {
        self.active.values().map(|held| held.raised.clone()).collect()
    }

    /// Takes in what a look found: `now` is what the log is stamped with, `at` the same moment by the clock that nobody
    /// sets.
    pub fn note(&mut self, found: Vec<Alarm>, now: TimeMs, at: Instant) {
        let mut lines = Vec::new();
        for alarm in found {
            lines.extend(self.hold(alarm, now, at).map(|(event, raised)| Line { at: now, event, raised }));
        }
        let over = |held: &Held| at.saturating_duration_since(held.found_at) >= CALM;
        let ended: Vec<_> = self.active.iter().filter(|(_, held)| over(held)).map(|(key, _)| key.clone()).collect();
        for held in ended.iter().filter_map(|key| self.active.remove(key)) {
            lines.push(Line { at: now, event: Event::Cleared, raised: held.raised });
        }
        lines.iter().for_each(tell);
        self.write(&lines);
    }

    /// Raises an alarm or renews it; tells what is new about it.
    fn hold(&mut self, alarm: Alarm, now: TimeMs, at: Instant) -> Option<(Event, Raised)> {
        let key = (alarm.code, alarm.subject.clone());
        if let Some(held) = self.active.get_mut(&key) {
            let changed = held.raised.alarm.severity != alarm.severity;
            held.raised.alarm = alarm;
            held.found_at = at;
            return changed.then(|| (Event::Changed, held.raised.clone()));
        }
        let raised = Raised { alarm, since: now };
        self.active.insert(key, Held { raised: raised.clone(), found_at: at });
        Some((Event::Raised, raised))
    }

    fn write(&mut self, lines: &[Line]) {
        let text: String = lines.iter().filter_map(|line| serde_json::to_string(line).ok()).map(|l| l + "\n").collect();
        if text.is_empty() {
            return;
        }
        let written = append(&self.path, self.limit, &text);
        if let (Err(why), false) = (&written, self.mute) {
            tracing::warn!(path = %self.path.display(), %why, "the log of alarms cannot be written");
        }
        self.mute = written.is_err();
    }
}

fn tell(line: &Line) {
    let Raised { alarm, since } = &line.raised;
    let (code, subject, severity) = (alarm.code.code(), &alarm.subject, alarm.severity.word());
    match line.event {
        Event::Cleared => tracing::info!(code, %subject, since, "an alarm ended: {}", alarm.text_en),
        Event::Raised | Event::Changed => tracing::warn!(code, %subject, severity, "alarm: {}", alarm.text_en),
    }
}

/// The file that the log is moved to when it is full.
fn older(path: &Path) -> PathBuf {
    path.with_extension("1.jsonl")
}

fn append(path: &Path, limit: u64, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let size = fs::metadata(path).map_or(0, |file| file.len());
    if size > 0 && size.saturating_add(text.len() as u64) > limit {
        fs::rename(path, older(path))?;
    }
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    // What a crash or a full disk cut off must not take the next line with it.
    if !is_whole(&mut file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(text.as_bytes())
}

/// Whether a file ends with the end of a line, or is empty.
fn is_whole(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The log at `path`, the oldest line first. A line that a crash cut off is left out, wherever in it that was.
pub fn past(path: &Path) -> Vec<Line> {
    let files = [older(path), path.to_path_buf()].map(|file| fs::read(file).unwrap_or_default());
    let lines = files.iter().flat_map(|file| file.split(|byte| *byte == b'\n'));
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::alarms::Severity;

    fn alarm(code: Kind, severity: Severity, text: &str) -> Alarm {
        Alarm {
            code,
            subject: "ledger".into(),
            severity,
            text_zh: "文".into(),
            text_en: text.into(),
            remedy_zh: "办法".into(),
            remedy_en: "remedy".into(),
        }
    }

    fn events(path: &Path) -> Vec<(TimeMs, Event, TimeMs)> {
        past(path).iter().map(|line| (line.at, line.event, line.raised.since)).collect()
    }

    #[test]
    fn an_alarm_is_raised_once_changes_with_its_severity_and_ends_after_ten_quiet_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/alarms.jsonl");
        let (mut book, start) = (Book::new(path.clone()), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let low = |severity, text| vec![alarm(Kind::DiskLow, severity, text)];
        book.note(low(Severity::Warning, "4 %"), 100, at(0));
        book.note(low(Severity::Warning, "3 %"), 102, at(2));
        assert_eq!(events(&path), [(100, Event::Raised, 100)]);
        assert_eq!((book.active()[0].since, book.active()[0].alarm.text_en.as_str()), (100, "3 %"));
        book.note(low(Severity::Critical, "0 %"), 104, at(4));
        book.note(vec![], 113, at(13));
        assert_eq!(book.active().len(), 1, "not yet quiet for ten seconds");
        book.note(vec![], 114, at(14));
        assert!(book.active().is_empty());
        book.note(low(Severity::Warning, "4 %"), 116, at(16));
        let expected = [
            (100, Event::Raised, 100),
            (104, Event::Changed, 100),
            (114, Event::Cleared, 100),
            (116, Event::Raised, 116),
        ];
        assert_eq!(events(&path), expected);
    }

    #[test]
    fn subjects_of_one_code_are_alarms_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::new(folder.path().join("alarms.jsonl"));
        let of =
            |subject: &str| Alarm { subject: subject.into(), ..alarm(Kind::PeerLost, Severity::Warning, "silent") };
        book.note(vec![of("civil"), of("health")], 1, Instant::now());
        let subjects: Vec<_> = book.active().into_iter().map(|raised| raised.alarm.subject).collect();
        assert_eq!(subjects, ["civil", "health"]);
    }

    #[test]
    fn the_log_keeps_to_two_files_of_bounded_size_and_skips_what_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alarms.jsonl");
        let mut book = Book { limit: 2_000, ..Book::new(path.clone()) };
        let start = Instant::now();
        for turn in 0..40 {
            let found = if turn % 2 == 0 { vec![alarm(Kind::DiskLow, Severity::Warning, "low")] } else { vec![] };
            book.note(found, turn, start + Duration::from_secs(20 * turn));
        }
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|file| file.metadata().unwrap().len() <= 2_000));
        let kept = past(&path);
        assert_eq!(kept.last().map(|line| line.at), Some(39), "the newest is kept");
        assert!(kept.windows(2).all(|pair| pair[0].at < pair[1].at));
        append(&path, u64::MAX, "{\"at\":40,\"ev\n").unwrap();
        assert_eq!(past(&path), kept);
        assert!(past(&folder.path().join("none.jsonl")).is_empty());
    }

    #[test]
    fn a_line_that_was_cut_off_takes_neither_the_next_with_it_nor_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alarms.jsonl");
        let found = || vec![alarm(Kind::DiskLow, Severity::Warning, "low")];
        Book::new(path.clone()).note(found(), 1, Instant::now());
        // Within a character of three bytes.
        let cut = [&b"{\"at\":2,\"event\":\"raised\",\"text_zh\":\""[..], &"文".as_bytes()[..2]].concat();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&cut).unwrap();
        assert_eq!(events(&path), [(1, Event::Raised, 1)]);
        Book::new(path.clone()).note(found(), 3, Instant::now());
        assert_eq!(events(&path), [(1, Event::Raised, 1), (3, Event::Raised, 3)]);
    }
}
