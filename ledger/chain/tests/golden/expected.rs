//! What a data folder holds, as lines of `name = value`: written when it is made, looked up when it is opened.

use base_gm::sm3::sm3;
use base_wire::Encode;
use ledger_chain::{Audit, Chain};
use ledger_store::Store;

const HEAD: &str = "# What the data folder beside this file holds; ledger/chain/tests/golden writes and checks it.\n";
/// More transactions than any folder has.
const LIMIT: usize = 100_000;
/// Stands for no value.
pub const NONE: &str = "none";

/// A name and its value. The first word of a name is its kind.
pub type Line = (String, String);

/// All lines of a folder.
#[derive(Default)]
pub struct Expected(Vec<Line>);

impl Expected {
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (name, value) = line.split_once(" = ").unwrap_or_else(|| panic!("not name = value: {line}"));
            (name.to_owned(), value.to_owned())
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).map(line).collect())
    }

    pub fn text(&self) -> String {
        let lines = self.0.iter().map(|(name, value)| format!("{name} = {value}\n"));
        [HEAD.to_owned()].into_iter().chain(lines).collect()
    }

    pub fn add(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.0.extend(lines);
    }

    /// These lines are among those that were written.
    pub fn holds(&self, lines: impl IntoIterator<Item = Line>) {
        for (name, value) in lines {
            let written = self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
            assert_eq!(Some(value.as_str()), written, "{name}");
        }
    }

    /// The lines of a kind: the further words of the name, and the value.
    pub fn of(&self, kind: &str) -> Vec<(Vec<&str>, &str)> {
        let lines = self.0.iter().filter(|(name, _)| name.split(' ').next() == Some(kind));
        lines.map(|(name, value)| (name.split(' ').skip(1).collect(), value.as_str())).collect()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

fn line(name: &str, value: impl ToString) -> Line {
    (name.to_owned(), value.to_string())
}

/// What was proven of a chain that nobody runs.
pub fn proven(audit: &Audit) -> Vec<Line> {
    let certified = audit.certified.map_or_else(|| NONE.to_owned(), |height| height.to_string());
    vec![
        line("chain", audit.chain),
        line("height", audit.height),
        line("root of the state", audit.state_root),
        line("height of the newest certified state", certified),
        line("headers", audit.headers),
        line("transactions", audit.transactions),
        line("keys", audit.keys),
    ]
}

/// What a running chain tells of its newest block, its engines and all its receipts.
pub fn told(chain: &Chain) -> Vec<Line> {
    let status = chain.status().expect("a status");
    let (receipts, _) = chain.executed_after((0, 0), status.height, LIMIT).expect("receipts");
    let all = || receipts.iter().map(|(_, executed)| executed);
    let refused = all().filter(|executed| executed.refusal.is_some()).count();
    let contracts = all().filter(|executed| executed.contract.is_some()).count();
    let events: usize = all().map(|executed| executed.events.len()).sum();
    let gas: u64 = all().map(|executed| executed.gas).sum();
    let all = receipts.len();
    let handovers = chain.handovers().expect("handovers");
    let engines = handovers.iter().map(|handover| format!(" {}", handover.epoch.engine));
    let engines: String = [chain.genesis().epoch.engine.to_string()].into_iter().chain(engines).collect();
    vec![
        line("newest block", status.block),
        line("engines", engines),
        line("receipts", format!("{all}, {refused} refused, {contracts} contracts, {events} events, {gas} gas")),
    ]
}

/// The rows of a column.
pub fn rows(store: &Store, column: &'static str) -> Line {
    let rows = store.rows(column, &[], &[], usize::MAX).expect("read");
    (format!("column {column}"), format!("{} rows, {}", rows.len(), sm3(&rows.to_wire())))
}
