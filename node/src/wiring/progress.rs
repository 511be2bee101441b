//! How far each run at this node is; for those who watch.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use base_types::JobId;
use tokio::sync::watch;

/// The first step; ` at ` and an organisation follow where its node has none yet.
const ROOM: &str = "wait for room";

/// The steps of a run in their order, with the words pages show.
const STEPS: [(&str, &str, &str); 13] = [
    (ROOM, "等待各节点有余量", "waiting until all nodes have room"),
    ("read", "读取本方数据", "reading this party's data"),
    ("open links", "建立数据链路", "opening data links"),
    ("agree on seeds", "协商随机种子", "agreeing on seeds"),
    ("share inputs", "分享密文输入", "sharing inputs"),
    ("join", "密文连接", "joining on shares"),
    ("group", "密文分组汇总", "grouping on shares"),
    ("match keys", "比对各方的键", "matching the owners' keys"),
    ("sum matches", "密文比对并汇总", "matching and summing on shares"),
    ("compute program", "执行用户程序", "computing the user's program"),
    ("compute vectors", "密文向量计算", "computing on vectors of shares"),
    ("reveal", "向接收方揭示", "revealing to the receiver"),
    ("notarise", "存证", "notarising"),
];

/// A step as pages show it: percent, Chinese, English.
pub fn shown(step: &str) -> (u8, String, String) {
    if let Some(org) = step.strip_prefix(ROOM).and_then(|rest| rest.strip_prefix(" at ")) {
        return (shown(ROOM).0, format!("等待 {org} 的节点有余量"), format!("waiting for room at {org}"));
    }
    let place = STEPS.iter().position(|s| s.0 == step);
    let percent = place.map_or(0, |p| u8::try_from((p + 1) * 100 / (STEPS.len() + 1)).unwrap_or(100));
    let words = place.and_then(|p| STEPS.get(p));
    let (zh, en) = words.map_or((step, step), |w| (w.1, w.2));
    (percent, zh.to_owned(), en.to_owned())
}

/// The newest step of each run.
#[derive(Default)]
pub struct Progress(Mutex<BTreeMap<JobId, watch::Sender<String>>>);

impl Progress {
    /// Notes a step.
    pub fn set(&self, job: &JobId, step: &str) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(*job).or_insert_with(|| watch::Sender::new(String::new())).send_replace(step.to_owned());
    }
    /// Watches a run's steps, from before its start if need be.
    pub fn watch(&self, job: &JobId) -> watch::Receiver<String> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(*job).or_insert_with(|| watch::Sender::new(String::new())).subscribe()
    }
    /// Forgets a run that has ended.
    pub fn end(&self, job: &JobId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_room_is_told_where() {
        let (percent, zh, en) = shown("wait for room at health");
        assert_eq!((zh.as_str(), en.as_str()), ("等待 health 的节点有余量", "waiting for room at health"));
        assert_eq!((percent, shown(ROOM).0), (7, 7));
        assert!(shown("read").0 > percent);
        assert_eq!(shown("wait for rooms").2, "wait for rooms", "what has no words is shown as it is");
    }
}
