//! The validators' processes: started, killed, asked for their counters, and ended with this process.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::{
    validator::{READY, WORD, store_folder},
    world::VALIDATORS,
};

/// A validator has so long to open its folder, or to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// A validator has so long to end.
const FAREWELL: Duration = Duration::from_secs(20);
/// Ticks of the processor time that the system tells, in a second.
const TICKS: f64 = 100.0;

struct Running {
    child: Child,
    /// Closing it ends the validator.
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// The validators' processes. Dropping it kills them.
pub struct Cluster {
    folder: PathBuf,
    nodes: Vec<Option<Running>>,
}

impl Cluster {
    /// Starts all validators of a world that was founded in `folder`.
    ///
    /// # Errors
    /// When one does not become ready.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut cluster = Self { folder: folder.to_owned(), nodes: (0..VALIDATORS).map(|_| None).collect() };
        (0..VALIDATORS).try_for_each(|at| cluster.launch(at))?;
        Ok(cluster)
    }

    /// Starts a validator that does not run, on the folder that it left.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn launch(&mut self, at: usize) -> anyhow::Result<()> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(WORD)
            .arg(&self.folder)
            .arg(at.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a validator's output")?;
        let (told, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let running = self.nodes.get_mut(at).context("no such validator")?.insert(Running { child, input, lines });
        let first = running.lines.recv_timeout(PATIENCE).with_context(|| format!("validator {at} does not start"))?;
        ensure!(first == READY, "validator {at} says {first}");
        Ok(())
    }

    fn running(&mut self, at: usize) -> anyhow::Result<&mut Running> {
        self.nodes.get_mut(at).and_then(Option::as_mut).with_context(|| format!("validator {at} does not run"))
    }

    /// Ends a validator where it stands, as `kill -9` does.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self, at: usize) -> anyhow::Result<()> {
        let pid = self.running(at)?.child.id().to_string();
        let killed = Command::new("kill").args(["-9", &pid]).status()?;
        ensure!(killed.success(), "validator {at} cannot be killed");
        self.running(at)?.child.wait()?;
        if let Some(node) = self.nodes.get_mut(at) {
            *node = None;
        }
        Ok(())
    }

    /// A validator's counters; `cpu_seconds` is the processor time that it has used.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn counters(&mut self, at: usize) -> anyhow::Result<Value> {
        let running = self.running(at)?;
        let input = running.input.as_mut().context("a validator's input")?;
        writeln!(input, "counters")?;
        input.flush()?;
        let line = running.lines.recv_timeout(PATIENCE).with_context(|| format!("validator {at} is silent"))?;
        let mut counters: Value = serde_json::from_str(&line)?;
        counters["validator"] = at.into();
        counters["cpu_seconds"] = cpu_seconds(running.child.id())?.into();
        Ok(counters)
    }

    /// Prints all counters on standard error and returns them.
    ///
    /// # Errors
    /// When a validator does not answer.
    pub fn all_counters(&mut self) -> anyhow::Result<Vec<Value>> {
        let all = (0..VALIDATORS).map(|at| self.counters(at)).collect::<anyhow::Result<Vec<_>>>()?;
        all.iter().for_each(|counters| eprintln!("{counters}"));
        Ok(all)
    }

    /// Bytes of a validator's files.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn disk_bytes(&self, at: usize) -> anyhow::Result<u64> {
        // A file may go away meanwhile.
        let files = std::fs::read_dir(store_folder(&self.folder, at))?.filter_map(|file| file.ok()?.metadata().ok());
        Ok(files.map(|file| file.len()).sum())
    }

    /// Ends all validators in order.
    ///
    /// # Errors
    /// When one did not end well, or not in time.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.nodes.iter_mut().flatten().for_each(|running| drop(running.input.take()));
        let began = Instant::now();
        for (at, running) in self.nodes.iter_mut().enumerate() {
            let Some(running) = running else { continue };
            loop {
                match running.child.try_wait()? {
                    Some(status) if status.success() => break,
                    Some(status) => bail!("validator {at} ended with {status}"),
                    None if began.elapsed() > FAREWELL => bail!("validator {at} does not end"),
                    None => thread::sleep(Duration::from_millis(20)),
                }
            }
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for Running { child, .. } in self.nodes.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The processor time that a process has used.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th field behind it.
    let fields = text.rsplit_once(')').context("a process without a name")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Ok(ticks as f64 / TICKS)
}
