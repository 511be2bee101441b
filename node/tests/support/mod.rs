//! A consortium of four real processes, founded, started, killed and asked by the command line alone.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod people;
pub mod story;

pub use people::People;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    net::TcpListener,
    ops::Deref,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// All organisations; the last three hold data and compute.
pub const ORGS: [&str; 4] = ["audit", "civil", "health", "statistics"];
/// The purpose that queries name.
pub const PURPOSE: &str = "health-statistics";
/// Milliseconds between blocks: the shortest that a vote could set, since tests wait for many blocks.
const INTERVAL: &str = "50";
/// What opens the nodes' keys, and the people's. The folders in `tests/golden-nodes` have these, so they stay as they are.
pub const PASSWORD: &str = "node secret";
pub const PEOPLE_PASSWORD: &str = "people's secret";

const PEOPLE: [&[&str]; 4] =
    [&["auditor=auditor"], &["owner=owner"], &["owner=owner"], &["analyst=analyst", "owner=owner"]];

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Told {
    pub code: i32,
    pub value: Value,
    pub stderr: String,
}

impl Told {
    /// The answer of a command that must succeed.
    #[track_caller]
    pub fn good(self) -> Value {
        assert_eq!(self.code, 0, "{} {}", self.value, self.stderr);
        self.value
    }

    /// The fault of a command that must fail with this number.
    #[track_caller]
    pub fn fault(self, number: &str) -> Value {
        assert_eq!((self.code, text(&self.value, "number").as_str()), (1, number), "{} {}", self.value, self.stderr);
        self.value
    }
}

/// A field as text.
pub fn text(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A field's items.
pub fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Asks again until there is an answer.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The binary under test, apart from the surroundings of whoever runs the tests.
pub fn heqi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heqi"));
    for name in ["HEQI_PASSWORD", "HEQI_NODE_PASSWORD", "HEQI_LOG", "DATABASE_URL"] {
        command.env_remove(name);
    }
    command.env("LANG", "C").arg("--json").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Told {
    let output = command.output().expect("heqi runs");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(stdout.trim_end().lines().count() <= 1, "--json prints one value: {stdout}");
    Told {
        code: output.status.code().unwrap_or(-1),
        value: serde_json::from_str(&stdout).unwrap_or(Value::String(stdout)),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Ports that nobody listens on, below those that the system gives to outgoing connections: a restarted node finds its own free.
pub fn ports(count: usize) -> Vec<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 12_000).expect("below 12000");
    let next = || 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
    std::iter::repeat_with(next).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).take(count).collect()
}

/// A running node; its end is this value's end.
pub struct Node {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Node {
    /// Starts a command that runs a node.
    pub fn spawn(command: &mut Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("a log file");
        // The end of its input ends the node too, should this process be killed.
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().expect("heqi starts");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, out }
    }

    /// The one value it prints: where its portal is, or the fault that kept it from starting.
    pub fn announced(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("the node's output");
        serde_json::from_str(&line).unwrap_or(Value::String(line))
    }

    /// The fault of a node that must not start.
    #[track_caller]
    pub fn refused(mut self, number: &str) -> Value {
        let value = self.announced();
        assert_eq!(text(&value, "number"), number, "{value}");
        let code = self.process.wait().expect("ended").code().unwrap_or(-1);
        Told { code, value, stderr: String::new() }.fault(number)
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Four organisations, their people, and those of their nodes that run.
pub struct Consortium {
    people: People,
    nodes: BTreeMap<&'static str, Node>,
    /// The chain's genesis hash.
    pub genesis: String,
    _folder: TempDir,
}

impl Deref for Consortium {
    type Target = People;
    fn deref(&self) -> &People {
        &self.people
    }
}

impl Consortium {
    /// Keys, certificates, genesis and node folders, as people make them; nothing runs yet.
    pub fn found() -> Self {
        Self::found_at(PEOPLE, |_| {})
    }

    /// The same, with something done in every folder before it gives its card to the others.
    pub fn found_by(prepare: impl Fn(&Path)) -> Self {
        Self::found_at(PEOPLE, prepare)
    }

    /// The same with other people, by organisation.
    pub fn found_with(people_of: [&[&str]; 4]) -> Self {
        Self::found_at(people_of, |_| {})
    }

    fn found_at(people_of: [&[&str]; 4], prepare: impl Fn(&Path)) -> Self {
        let folder = TempDir::new().expect("a folder");
        let people = People::new(folder.path());
        people.write_passwords();
        let ports = ports(12);
        // Each at the same time, as organisations do: most of it is the making of keys.
        thread::scope(|scope| {
            for ((org, names), ports) in ORGS.into_iter().zip(people_of).zip(ports.chunks(3)) {
                let people = &people;
                scope.spawn(move || found_org(people, org, names, ports));
            }
        });
        ORGS.iter().for_each(|org| prepare(&people.dir(org)));
        let card = |org: &&str| ["--card".into(), people.dir(org).join("organisation.json")];
        let cards: Vec<_> = ORGS.iter().flat_map(card).collect();
        let file = people.path("genesis.bin");
        let mut command = heqi();
        command.args(["init", "genesis", "--name", "test", "--interval", INTERVAL, "--out"]).arg(&file).args(&cards);
        let genesis = text(&run(&mut command).good(), "genesis");
        for (org, ports) in ORGS.iter().zip(ports.chunks(3)) {
            let mut command = heqi();
            command.args(["init", "node", "--compute", "civil,health,statistics", "--dir"]).arg(people.dir(org));
            command.arg("--portal").arg(format!("127.0.0.1:{}", ports[2])).arg("--genesis").arg(&file).args(&cards);
            assert_eq!(text(&run(&mut command).good(), "genesis"), genesis);
        }
        Self { people, nodes: BTreeMap::new(), genesis, _folder: folder }
    }

    /// The same, and all four run.
    pub fn started() -> Self {
        let mut consortium = Self::found();
        consortium.start_all();
        consortium
    }

    /// Another organisation makes its keys and the folder of its node, which the genesis does not know.
    pub fn newcomer(&self, org: &str) {
        let ports = ports(3);
        found_org(&self.people, org, &["admin=administrator"], &ports);
        let all = ORGS.iter().copied().chain([org]);
        let card = |org: &str| ["--card".into(), self.dir(org).join("organisation.json")];
        let mut command = heqi();
        command.args(["init", "node", "--compute", "civil,health,statistics", "--dir"]).arg(self.dir(org));
        command.arg("--portal").arg(format!("127.0.0.1:{}", ports[2]));
        command.arg("--genesis").arg(self.path("genesis.bin")).args(all.flat_map(card));
        assert_eq!(text(&run(&mut command).good(), "genesis"), self.genesis);
    }

    /// Runs a command as an organisation's node.
    pub fn spawn(&self, org: &str, command: &mut Command) -> Node {
        Node::spawn(command, &self.dir(org).join("node.log"))
    }

    /// Starts a node and waits for its portal.
    pub fn start(&mut self, org: &'static str) {
        let node = self.spawn(org, &mut self.node_command(org));
        self.keep(org, node);
    }

    /// Keeps a node that was started otherwise, once its portal is there.
    #[track_caller]
    pub fn keep(&mut self, org: &'static str, mut node: Node) {
        let announced = node.announced();
        assert_eq!(text(&announced, "org"), org, "{announced}");
        self.nodes.insert(org, node);
    }

    /// Starts all four at once.
    pub fn start_all(&mut self) {
        self.start_these(&ORGS);
    }

    /// Starts several at once.
    pub fn start_these(&mut self, orgs: &[&'static str]) {
        let started: Vec<_> = orgs.iter().map(|org| (*org, self.spawn(org, &mut self.node_command(org)))).collect();
        started.into_iter().for_each(|(org, node)| self.keep(org, node));
    }

    /// `kill -9`.
    pub fn kill(&mut self, org: &str) {
        drop(self.nodes.remove(org).expect("it runs"));
    }

    /// `kill -9` of all that run.
    pub fn kill_all(&mut self) {
        self.nodes.clear();
    }

    /// A running node.
    pub fn node(&mut self, org: &str) -> &mut Node {
        self.nodes.get_mut(org).expect("it runs")
    }

    /// Sends a signal, such as `STOP` or `CONT`.
    pub fn signal(&mut self, org: &str, name: &str) {
        // The shell's own word: the program `kill` is not everywhere.
        let word = format!("kill -s {name} {}", self.node(org).id());
        let sent = Command::new("sh").args(["-c", &word]).status().expect("sh runs");
        assert!(sent.success());
    }
}

fn found_org(people: &People, org: &str, names: &[&str], ports: &[u16]) {
    let mut command = heqi();
    command.args(["init", "org", "--org", org, "--name-zh", "某局", "--name-en", "a bureau"]);
    command.arg("--control").arg(format!("127.0.0.1:{}", ports[0]));
    command.arg("--data").arg(format!("127.0.0.1:{}", ports[1]));
    command.arg("--dir").arg(people.dir(org)).arg("--people-dir").arg(people.path("people"));
    command.arg("--password-file").arg(people.password());
    command.arg("--people-password-file").arg(people.people_password());
    for name in names {
        command.args(["--person", name]);
    }
    run(&mut command).good();
}
