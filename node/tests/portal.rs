//! The story in a real Chromium at three departments' portals; no request leaves the machine.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The demo; its nodes end with it, however it ends.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn three_people_run_the_story_in_a_browser() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("demo");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_heqi"))
        .args(["demo", "--json", "--dir"])
        .arg(&dir)
        .env_remove("DATABASE_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map(Demo)
        .expect("the demo starts");
    let mut line = String::new();
    BufReader::new(demo.0.stdout.take().expect("piped")).read_line(&mut line).expect("the demo's report");
    let report = folder.path().join("report.json");
    fs::write(&report, &line).expect("the report is written");

    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portal/web/app");
    let mut browser = Command::new("node");
    browser.arg("e2e/story.mjs").arg(&dir).arg(&report).current_dir(app);
    if let Ok(pictures) = std::env::var("HEQI_PICTURES") {
        browser.arg(pictures);
    }
    let told = browser.output().expect("Node.js runs");
    let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{out}\n{err}\n{line}");
    assert!(out.contains("\"records\":15"), "a job of three owners leaves 15 entries: {out}");
}
