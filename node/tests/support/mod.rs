//! A consortium of four real processes, founded, started, killed and asked by the command line alone.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod story;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
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

const PEOPLE: [&[&str]; 4] = [&["auditor=auditor"], &["owner=owner"], &["owner=owner"], &["analyst=analyst", "owner=owner"]];

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
fn ports(count: usize) -> Vec<u16> {
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

/// Four organisations, their folders and those of their nodes that run.
pub struct Consortium {
    folder: TempDir,
    nodes: BTreeMap<&'static str, Node>,
    /// The chain's genesis hash.
    pub genesis: String,
}

impl Consortium {
    /// Keys, certificates, genesis and node folders, as people make them; nothing runs yet.
    pub fn found() -> Self {
        let mut founded =
            Self { folder: TempDir::new().expect("a folder"), nodes: BTreeMap::new(), genesis: String::new() };
        fs::write(founded.password(), "node secret").expect("written");
        fs::write(founded.people_password(), "people's secret\n").expect("written");
        let ports = ports(12);
        for ((org, people), ports) in ORGS.iter().zip(PEOPLE).zip(ports.chunks(3)) {
            founded.found_org(org, people, ports);
        }
        let cards: Vec<_> = ORGS.iter().flat_map(|o| ["--card".into(), founded.dir(o).join("organisation.json")]).collect();
        let genesis = founded.path("genesis.bin");
        let mut command = heqi();
        command.args(["init", "genesis", "--name", "test", "--interval", "100", "--out"]).arg(&genesis).args(&cards);
        founded.genesis = text(&run(&mut command).good(), "genesis");
        for (org, ports) in ORGS.iter().zip(ports.chunks(3)) {
            let mut command = heqi();
            command.args(["init", "node", "--compute", "civil,health,statistics", "--dir"]).arg(founded.dir(org));
            command.arg("--portal").arg(format!("127.0.0.1:{}", ports[2])).arg("--genesis").arg(&genesis).args(&cards);
            assert_eq!(text(&run(&mut command).good(), "genesis"), founded.genesis);
        }
        founded
    }

    fn found_org(&self, org: &str, people: &[&str], ports: &[u16]) {
        let mut command = heqi();
        command.args(["init", "org", "--org", org, "--name-zh", "某局", "--name-en", "a bureau"]);
        command.arg("--control").arg(format!("127.0.0.1:{}", ports[0]));
        command.arg("--data").arg(format!("127.0.0.1:{}", ports[1]));
        command.arg("--dir").arg(self.dir(org)).arg("--people-dir").arg(self.path("people"));
        command.arg("--password-file").arg(self.password()).arg("--people-password-file").arg(self.people_password());
        people.iter().for_each(|person| drop(command.args(["--person", person])));
        run(&mut command).good();
    }

    /// The same, and all four run.
    pub fn started() -> Self {
        let mut consortium = Self::found();
        consortium.start_all();
        consortium
    }

    /// A place in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A node's folder.
    pub fn dir(&self, org: &str) -> PathBuf {
        self.path(org)
    }

    /// The file with the nodes' password.
    pub fn password(&self) -> PathBuf {
        self.path("password")
    }

    fn people_password(&self) -> PathBuf {
        self.path("people-password")
    }

    /// How long every node lets a party be silent.
    pub fn set_silence(&self, seconds: u32) {
        for org in ORGS {
            let path = self.dir(org).join("node.toml");
            let text = fs::read_to_string(&path).expect("node.toml");
            let changed = text.replace("silence_seconds = 20", &format!("silence_seconds = {seconds}"));
            assert_ne!(text, changed);
            fs::write(path, changed).expect("written");
        }
    }

    /// The command that runs an organisation's node.
    pub fn node_command(&self, org: &str) -> Command {
        let mut command = heqi();
        command.args(["node", "--until-input-ends", "--dir"]).arg(self.dir(org));
        command.arg("--password-file").arg(self.password());
        command
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
        let started: Vec<_> = ORGS.iter().map(|org| (*org, self.spawn(org, &mut self.node_command(org)))).collect();
        started.into_iter().for_each(|(org, node)| self.keep(org, node));
    }

    /// `kill -9`.
    pub fn kill(&mut self, org: &str) {
        drop(self.nodes.remove(org).expect("it runs"));
    }

    /// A running node.
    pub fn node(&mut self, org: &str) -> &mut Node {
        self.nodes.get_mut(org).expect("it runs")
    }

    /// Sends a signal, such as `STOP` or `CONT`.
    pub fn signal(&mut self, org: &str, name: &str) {
        let id = self.node(org).id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// A command that only looks, as a person at the person's own node: `query status …`.
    pub fn look(&self, person: &str, arguments: &[&str]) -> Told {
        let mut command = heqi();
        command.args(arguments).arg("--dir").arg(self.dir(org_of(person))).args(["--as", person]);
        run(&mut command)
    }

    /// A command that the person signs.
    pub fn sign(&self, person: &str, arguments: &[&str]) -> Told {
        run(&mut self.signed(person, arguments))
    }

    /// The same, not yet run.
    pub fn signed(&self, person: &str, arguments: &[&str]) -> Command {
        let mut command = heqi();
        command.args(arguments).arg("--dir").arg(self.dir(org_of(person)));
        command.arg("--key").arg(self.path("people").join(format!("{}.key.json", person.replace('/', "-"))));
        command.arg("--password-file").arg(self.people_password());
        command
    }

    /// An operator's look at a node.
    pub fn status(&self, org: &str) -> Value {
        self.look(&format!("{org}/operator"), &["chain", "status"]).good()
    }

    /// The height of a node.
    pub fn height(&self, org: &str) -> u64 {
        self.status(org)["height"].as_u64().expect("a height")
    }
}

fn org_of(person: &str) -> &str {
    person.split('/').next().expect("org/name")
}
