//! A side of an intersection in bounded memory as a process of its own, so that its peak of memory is its own.
//!
//! The benchmark's program is started again with a hidden argument. Side 0 prints where it listens, side 1 connects, directly
//! or through the shaping proxy; each prints what it took as one line. Buckets are spilled to files beside the input; they are
//! not synced.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, Lines, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use base_rt::{Entropy, OsEntropy};
use mpc_core::Context;
use mpc_psi::{
    Mode,
    element::{Hasher, Part},
    partitioned::{self, BUCKET_ELEMENTS, Plan, Spill, Writer},
    two,
};
use serde::{Deserialize, Serialize};

use crate::{
    ids,
    psi::{input, output},
    wire::{self, Begun, Network, Work, shaper::Shaper},
};

/// The hidden argument.
const WORD: &str = "psi-side";

/// What a side took.
#[derive(Debug, Clone, Copy)]
pub struct Side {
    /// Time, bytes and rounds.
    pub work: Work,
    /// The most bytes that its process ever held in memory.
    pub peak: u64,
}

/// The line that a side prints.
#[derive(Serialize, Deserialize)]
struct Told {
    micros: u64,
    bytes: u64,
    rounds: u64,
    peak: u64,
}

/// Runs a side if this process was started as one: `psi-side FOLDER NUMBER ROWS SESSION [ADDRESS]`. True when it was.
///
/// # Errors
/// What it failed with.
pub fn requested() -> anyhow::Result<bool> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() != Some(WORD) {
        return Ok(false);
    }
    let mut next = || args.next().context("a side is given a folder, its number, its rows and a session");
    let folder = PathBuf::from(next()?);
    let (me, rows): (usize, usize) = (next()?.parse()?, next()?.parse()?);
    let mut session = [0; 32];
    hex::decode_to_slice(next()?, &mut session)?;
    let stream = match args.next() {
        Some(address) => TcpStream::connect(address)?,
        None => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            println!("{}", listener.local_addr()?);
            listener.accept()?.0
        }
    };
    let Work { took, bytes, rounds } = wire::alone(me, stream, session, |ctx| side(ctx, &folder, rows))?;
    let micros = u64::try_from(took.as_micros())?;
    println!("{}", serde_json::to_string(&Told { micros, bytes, rounds, peak: peak()? })?);
    Ok(true)
}

/// The most bytes that this process ever held in memory.
fn peak() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the system tells no peak")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim_end().parse()?;
    Ok(kibibytes << 10)
}

/// Buckets as files of a folder.
struct Folder(PathBuf);

impl Folder {
    fn bucket(&self, bucket: usize) -> PathBuf {
        self.0.join(bucket.to_string())
    }
}

impl Spill for Folder {
    fn append(&mut self, bucket: usize, bytes: &[u8]) -> Result<(), String> {
        let file = OpenOptions::new().create(true).append(true).open(self.bucket(bucket));
        file.and_then(|mut file| file.write_all(bytes)).map_err(|why| why.to_string())
    }

    fn load(&mut self, bucket: usize) -> Result<Vec<u8>, String> {
        match fs::read(self.bucket(bucket)) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(|why| why.to_string()),
        }
    }
}

/// Hands over to the buckets what waits for it.
fn drain(hasher: &mut Hasher, writer: &mut Writer<'_, Folder>) -> anyhow::Result<()> {
    let mut told = Ok(());
    hasher.drain(|row, block| {
        if told.is_ok() {
            told = writer.push(block, row);
        }
    });
    told.map_err(anyhow::Error::msg)
}

/// Deals the rows of a file out to buckets.
fn deal(plan: &Plan, path: &Path, spill: &mut Folder) -> anyhow::Result<()> {
    let (mut hasher, mut writer) = (Hasher::new(plan.job()), Writer::new(plan, spill));
    ids::read(path, |id| {
        if hasher.row(&[Part::Int(id as i64)]) {
            drain(&mut hasher, &mut writer)?;
        }
        Ok(())
    })?;
    drain(&mut hasher, &mut writer)?;
    writer.finish().map_err(anyhow::Error::msg)
}

/// Writes the rows of a file whose bit is set.
fn write(from: &Path, to: &Path, chosen: &[u64]) -> anyhow::Result<()> {
    let (mut out, mut row) = (ids::Out::create(to)?, 0_usize);
    ids::read(from, |id| {
        if chosen[row / 64] >> (row % 64) & 1 == 1 {
            out.row(id)?;
        }
        row += 1;
        Ok(())
    })?;
    out.finish([])
}

/// One side, from its file to that of its result.
async fn side(mut ctx: Context, folder: &Path, rows: usize) -> anyhow::Result<Work> {
    let me = ctx.me();
    let two = two::Parameters {
        sender: 1,
        receiver: 0,
        sender_elements: rows,
        receiver_elements: rows,
        outputs: two::Outputs::Both,
        mode: Mode::Fast,
    };
    let plan = Plan::new(ctx.session(), two, BUCKET_ELEMENTS).context("more rows than buckets hold")?;
    let mut spill = Folder(folder.join(format!("spill{me}")));
    fs::create_dir(&spill.0)?;
    let begun = Begun::together(&mut ctx).await?;
    deal(&plan, &input(folder, me), &mut spill)?;
    let mut chosen = vec![0_u64; rows.div_ceil(64)];
    let deliver = |_: usize, found: Option<Vec<u64>>| {
        for row in found.unwrap_or_default() {
            chosen[(row / 64) as usize] |= 1 << (row % 64);
        }
        Ok(())
    };
    partitioned::run(&mut ctx, &plan, 0, &mut spill, deliver).await?;
    write(&input(folder, me), &output(folder, me), &chosen)?;
    let work = begun.ended(&ctx);
    fs::remove_dir_all(&spill.0)?;
    Ok(work)
}

/// A side's process, which does not outlive its handle.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(folder: &Path, me: usize, rows: usize, session: &str, address: Option<&str>) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(WORD)
            .arg(folder)
            .arg(me.to_string())
            .arg(rows.to_string())
            .arg(session)
            .args(address)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("a side's output")?).lines();
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        Ok(self.lines.next().context("a side ended without a word")??)
    }

    fn end(mut self) -> anyhow::Result<Side> {
        let Told { micros, bytes, rounds, peak } = serde_json::from_str(&self.line()?)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "a side ended with {status}");
        Ok(Side { work: Work { took: Duration::from_micros(micros), bytes, rounds }, peak })
    }
}

/// The networks that processes can be linked by, from their names with commas between.
///
/// # Errors
/// Names the one that is unknown, or is TLS, for which processes of their own have no certificates.
pub fn networks(names: &str) -> anyhow::Result<Vec<Network>> {
    let network = |name: &str| match Network::named(name.trim()) {
        Some(network @ (Network::Plain | Network::Shaped)) => Ok(network),
        Some(Network::Tls) | None => {
            let [plain, shaped] = [Network::Plain, Network::Shaped].map(Network::name);
            bail!("{name} is no network of two processes: {plain} and {shaped} are")
        }
    };
    names.split(',').map(network).collect()
}

/// Where side 1 finds side 0: at its own address, or at that of a proxy before it, which serves until the program ends.
fn reached(own: SocketAddr, network: Network) -> io::Result<SocketAddr> {
    if network == Network::Shaped { Ok(Shaper::before(own)?.address()) } else { Ok(own) }
}

/// Intersects the files of side 0 and side 1 in `folder`, which have `rows` each, by two processes over plain TCP, which a
/// shaped network has too.
///
/// # Errors
/// When a side fails.
pub fn both(folder: &Path, rows: usize, network: Network) -> anyhow::Result<[Side; 2]> {
    let mut session = [0; 32];
    OsEntropy.fill(&mut session);
    let session = hex::encode(session);
    let mut zero = Running::start(folder, 0, rows, &session, None)?;
    let address = reached(zero.line()?.parse()?, network)?;
    let one = Running::start(folder, 1, rows, &session, Some(&address.to_string()))?;
    // A side whose peer is gone ends; one that nobody has connected to does not, so it is asked last.
    let one = one.end()?;
    Ok([zero.end()?, one])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{psi::Files, wire::parties};

    #[test]
    fn processes_are_linked_by_the_networks_that_are_named() {
        assert_eq!(networks("100mbit_10ms, loopback").expect("two"), [Network::Shaped, Network::Plain]);
        for wrong in ["", "loopback_tls", "loopback,", "1gbit"] {
            assert!(networks(wrong).is_err(), "{wrong}");
        }
        let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        assert_eq!(reached(own, Network::Plain).expect("its own"), own);
        assert_ne!(reached(own, Network::Shaped).expect("a proxy's"), own);
    }

    #[test]
    fn both_sides_find_what_is_shared_and_leave_no_buckets() {
        let folder = crate::folder().expect("a folder");
        let files = Files::prepare(folder.path(), vec![2000; 2], 1000).expect("files");
        parties(2, Network::Plain, |ctx| side(ctx, folder.path(), 2000)).expect("two parties");
        files.check(0).and_then(|()| files.check(1)).expect("both results");
        assert!(!folder.path().join("spill0").exists() && peak().is_ok_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn buckets_keep_the_order_of_what_is_appended() {
        let folder = crate::folder().expect("a folder");
        let mut spill = Folder(folder.path().to_owned());
        assert_eq!(spill.load(3), Ok(Vec::new()));
        assert_eq!(spill.append(3, b"ab").and_then(|()| spill.append(3, b"c")), Ok(()));
        assert_eq!((spill.load(3), spill.load(4)), (Ok(b"abc".to_vec()), Ok(Vec::new())));
    }
}
