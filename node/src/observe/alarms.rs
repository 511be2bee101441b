//! Alarms: what is wrong with this node, judged from facts alone and told in Chinese and English with the remedy.

use base_types::{Height, OrgId, TimeMs, fault::Fault};
use serde::{Deserialize, Serialize};

/// One day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// What an alarm is about; the codes are stable, rules of a monitoring system may name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The chain's task has ended.
    ChainStopped,
    /// Transactions wait and no block comes.
    HeightStalled,
    /// A validator says nothing.
    PeerLost,
    /// The ledger's disk is nearly full.
    DiskLow,
    /// This machine's clock and the blocks' times differ.
    ClockSkew,
    /// A certificate ends soon, or has ended.
    CertificateExpiring,
    /// A validator showed that it does not keep to the protocol.
    Misbehaviour,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ChainStopped,
        Self::HeightStalled,
        Self::PeerLost,
        Self::DiskLow,
        Self::ClockSkew,
        Self::CertificateExpiring,
        Self::Misbehaviour,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::ChainStopped => "chain_stopped",
            Self::HeightStalled => "height_stalled",
            Self::PeerLost => "peer_lost",
            Self::DiskLow => "disk_low",
            Self::ClockSkew => "clock_skew",
            Self::CertificateExpiring => "certificate_expiring",
            Self::Misbehaviour => "misbehaviour",
        }
    }

    /// What to do, in Chinese and English.
    fn remedy(self) -> [&'static str; 2] {
        match self {
            Self::ChainStopped => {
                ["查看节点日志，排除原因后重新启动", "see the node's log, remove the cause and restart"]
            }
            Self::HeightStalled => {
                ["启动停止的验证节点，检查节点之间的网络", "start the validators that are down and check the links"]
            }
            Self::PeerLost => ["检查该方节点是否运行、可达", "check that the party's node runs and is reachable"],
            Self::DiskLow => ["清理磁盘或扩大账本所在的卷", "free space or enlarge the volume of the ledger's folder"],
            Self::ClockSkew => ["用 NTP 校准本机时钟", "set this machine's clock by NTP"],
            Self::CertificateExpiring => ["在本组织 CA 更新证书", "renew the certificate at the organisation's CA"],
            Self::Misbehaviour => {
                ["保存节点日志，并通知该验证节点所属组织", "keep the node's log and tell the validator's organisation"]
            }
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at it today.
    Warning,
    /// The node does not serve, or soon will not.
    Critical,
}

impl Severity {
    /// The word in JSON and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What it is about.
    pub code: Kind,
    /// Which organisation, certificate or part; with the code it names the alarm.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in Chinese.
    pub text_zh: String,
    /// What is wrong, in English.
    pub text_en: String,
    /// What to do, in Chinese.
    pub remedy_zh: String,
    /// What to do, in English.
    pub remedy_en: String,
}

impl Alarm {
    fn new(code: Kind, subject: impl Into<String>, severity: Severity, text_zh: String, text_en: String) -> Self {
        let [remedy_zh, remedy_en] = code.remedy().map(ToOwned::to_owned);
        Self { code, subject: subject.into(), severity, text_zh, text_en, remedy_zh, remedy_en }
    }
}

/// Space on the ledger's disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// What this program may still write.
    pub free: u64,
    /// The whole volume.
    pub total: u64,
}

/// What is known at one moment. Durations are in milliseconds and measured by a clock that nobody sets.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// This machine's time.
    pub now: TimeMs,
    /// Why the chain no longer runs.
    pub fault: Option<Fault>,
    /// The newest height.
    pub height: Height,
    /// Transactions that wait.
    pub waiting: usize,
    /// So long they have waited without a new block.
    pub stalled_ms: u64,
    /// Time between blocks while there is work.
    pub interval_ms: u64,
    /// The other validators, and how long each has been silent.
    pub peers: Vec<(OrgId, u64)>,
    /// So many validators may be missing before no block can be made.
    pub spare: usize,
    /// Space; `None` when it cannot be told.
    pub disk: Option<Disk>,
    /// The newest block's time less this clock's when the block came.
    pub skew_ms: Option<i64>,
    /// Certificates and their last moments.
    pub certificates: Vec<(&'static str, TimeMs)>,
    /// Offences counted since the start, and the age of the newest.
    pub misbehaviour: Option<(u64, u64)>,
}

/// Where facts become alarms.
#[derive(Debug, Clone)]
pub struct Thresholds {
    /// A height stalls after so many intervals,
    pub stall_intervals: u64,
    /// and after so many milliseconds at least.
    pub stall_ms: u64,
    /// A validator is lost after so long; nodes tell their height every second.
    pub silent_ms: u64,
    /// A disk is low below so many per cent,
    pub low_percent: u64,
    /// or so many bytes,
    pub low_bytes: u64,
    /// and nearly full below so many per cent.
    pub full_percent: u64,
    /// A block may be ahead of this clock by so much.
    pub ahead_ms: u64,
    /// Ahead by more, this node does not sign.
    pub unsigned_ms: u64,
    /// A block may be behind by so much more: it is seen up to one look after it came.
    pub look_ms: u64,
    /// A certificate ends soon, in days,
    pub soon_days: u64,
    /// and very soon.
    pub very_soon_days: u64,
    /// An offence is told for so long.
    pub remember_ms: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            stall_intervals: 10,
            stall_ms: 10_000,
            silent_ms: 15_000,
            low_percent: 5,
            low_bytes: 1 << 30,
            full_percent: 1,
            ahead_ms: 2_000,
            unsigned_ms: 5_000,
            look_ms: 2_000,
            soon_days: 30,
            very_soon_days: 7,
            remember_ms: 3_600_000,
        }
    }
}

/// What is wrong, given the facts; the same facts give the same alarms in the same order.
pub fn judge(facts: &Facts, thresholds: &Thresholds) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    alarms.extend(stopped(facts));
    alarms.extend(stalled(facts, thresholds));
    alarms.extend(lost(facts, thresholds));
    alarms.extend(facts.disk.and_then(|disk| low(disk, thresholds)));
    alarms.extend(facts.skew_ms.and_then(|skew| skewed(skew, facts, thresholds)));
    alarms.extend(facts.certificates.iter().filter_map(|(name, end)| expiring(*name, *end, facts.now, thresholds)));
    alarms.extend(facts.misbehaviour.and_then(|(count, age)| offended(count, age, thresholds)));
    alarms
}

fn stopped(facts: &Facts) -> Option<Alarm> {
    let fault = facts.fault.as_ref()?;
    let (number, detail) = (fault.code.number(), &fault.detail);
    let zh = format!("账本已停止：{number} {}：{detail}", fault.code.title(true));
    let en = format!("the ledger has stopped: {number} {}: {detail}", fault.code.title(false));
    let mut alarm = Alarm::new(Kind::ChainStopped, "ledger", Severity::Critical, zh, en);
    alarm.remedy_zh = fault.code.remedy(true).to_owned();
    alarm.remedy_en = fault.code.remedy(false).to_owned();
    Some(alarm)
}

fn stalled(facts: &Facts, thresholds: &Thresholds) -> Option<Alarm> {
    let limit = thresholds.stall_ms.max(thresholds.stall_intervals.saturating_mul(facts.interval_ms));
    // A chain that has stopped has an alarm of its own, which tells the cause.
    if facts.fault.is_some() || facts.waiting == 0 || facts.stalled_ms <= limit {
        return None;
    }
    let (seconds, height, waiting) = (facts.stalled_ms / 1000, facts.height, facts.waiting);
    let zh = format!("高度停在 {height} 已 {seconds} 秒，有 {waiting} 笔交易在等待");
    let en = format!("the height has been {height} for {seconds} s while {waiting} transactions wait");
    Some(Alarm::new(Kind::HeightStalled, "ledger", Severity::Critical, zh, en))
}

fn lost(facts: &Facts, thresholds: &Thresholds) -> Vec<Alarm> {
    let silent: Vec<_> = facts.peers.iter().filter(|(_, ms)| *ms > thresholds.silent_ms).collect();
    let severity = if silent.len() > facts.spare { Severity::Critical } else { Severity::Warning };
    let alarm = |(org, ms): &&(OrgId, u64)| {
        let seconds = ms / 1000;
        let zh = format!("已 {seconds} 秒没有收到 {org} 的消息");
        let en = format!("nothing has been heard of {org} for {seconds} s");
        Alarm::new(Kind::PeerLost, org.as_str(), severity, zh, en)
    };
    silent.iter().map(alarm).collect()
}

fn low(disk: Disk, thresholds: &Thresholds) -> Option<Alarm> {
    let Disk { free, total } = disk;
    let below = |percent: u64| u128::from(free) * 100 < u128::from(total) * u128::from(percent);
    let severity = match below(thresholds.full_percent) {
        true => Severity::Critical,
        false if below(thresholds.low_percent) || free < thresholds.low_bytes => Severity::Warning,
        false => return None,
    };
    let (free, total) = (space(free), space(total));
    let zh = format!("账本所在磁盘只剩 {free}，共 {total}");
    let en = format!("the ledger's disk has {free} left of {total}");
    Some(Alarm::new(Kind::DiskLow, "ledger", severity, zh, en))
}

/// Bytes with one decimal place.
fn space(bytes: u64) -> String {
    let (unit, name) = if bytes >= 1 << 30 { (1 << 30, "GiB") } else { (1 << 20, "MiB") };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}

fn skewed(skew_ms: i64, facts: &Facts, thresholds: &Thresholds) -> Option<Alarm> {
    let (ahead, by) = (skew_ms > 0, skew_ms.unsigned_abs());
    // A late block is older than its time tells: it was agreed on first, and seen only at the next look.
    let late = thresholds.look_ms.saturating_add(facts.interval_ms.saturating_mul(4));
    let limit = if ahead { thresholds.ahead_ms } else { thresholds.ahead_ms.saturating_add(late) };
    if by <= limit {
        return None;
    }
    let severity = if ahead && by > thresholds.unsigned_ms { Severity::Critical } else { Severity::Warning };
    let (seconds, tenth) = (by / 1000, by % 1000 / 100);
    let (zh, en) = if ahead { ("慢", "behind") } else { ("快", "ahead of") };
    let zh = format!("本机时钟比最新区块的时间{zh} {seconds}.{tenth} 秒");
    let en = format!("this machine's clock is {seconds}.{tenth} s {en} the newest block's time");
    Some(Alarm::new(Kind::ClockSkew, "clock", severity, zh, en))
}

fn expiring(name: &'static str, end: TimeMs, now: TimeMs, thresholds: &Thresholds) -> Option<Alarm> {
    let (days, ended) = (end.saturating_sub(now) / DAY_MS, now > end);
    if days >= thresholds.soon_days {
        return None;
    }
    let severity = if days < thresholds.very_soon_days { Severity::Critical } else { Severity::Warning };
    let name_zh = if name == "node" { "节点" } else { name };
    let (zh, en) = if ended {
        (format!("{name_zh}证书已过期"), format!("the {name} certificate has expired"))
    } else {
        (format!("{name_zh}证书还有 {days} 天到期"), format!("the {name} certificate ends in {days} days"))
    };
    Some(Alarm::new(Kind::CertificateExpiring, name, severity, zh, en))
}

fn offended(count: u64, age_ms: u64, thresholds: &Thresholds) -> Option<Alarm> {
    if age_ms > thresholds.remember_ms {
        return None;
    }
    let zh = format!("发现验证节点违反协议的消息，启动以来共 {count} 条");
    let en = format!("validators sent messages against the protocol, {count} since the start");
    Some(Alarm::new(Kind::Misbehaviour, "validators", Severity::Warning, zh, en))
}

#[cfg(test)]
mod tests;
