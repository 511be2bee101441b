//! What keeps a node from starting or going on: each is told by its code, and nothing is lost by it.

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base_gm::{
    cert::{self, Certificate, Subject},
    keyfile,
    sm2::SecretKey,
};
use base_secret::Password;
use serde_json::Value;
use support::{Consortium, Told, heqi, items, run, story::SOON, text, until};

const DAY_MS: u64 = 86_400_000;

/// Starts the audit office's node, which must not come up, and returns its fault.
#[track_caller]
fn refused(consortium: &Consortium, number: &str) -> Value {
    consortium.spawn("audit", &mut consortium.node_command("audit")).refused(number)
}

/// The problem that the doctor finds under a name, if any.
fn problem(told: &Told, name: &str) -> Option<String> {
    let found = items(&told.value, "findings").iter().filter(|f| f["name"] == name && f["ok"] == false);
    found.map(|f| text(&f["problem"], "number")).next()
}

#[track_caller]
fn doctor_finds(consortium: &Consortium, name: &str, number: &str) {
    let told = consortium.doctor("audit");
    assert_eq!((told.code, problem(&told, name).as_deref()), (1, Some(number)), "{}", told.value);
}

/// A node without the others has no quorum, but it starts, answers and ends.
fn starts(consortium: &mut Consortium) {
    consortium.start("audit");
    consortium.chain("audit");
    consortium.kill("audit");
}

#[test]
fn a_second_start_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let mut consortium = Consortium::found();
    consortium.doctor("audit").good();
    consortium.start("audit");
    let fault = refused(&consortium, "HQ-5002");
    assert!(text(&fault, "step").contains("ledger") && !text(&fault, "remedy").is_empty(), "{fault}");
    assert!(text(&fault, "message_zh").contains("该目录正被另一进程使用"), "{fault}");
    assert!(consortium.node("audit").runs());
    consortium.chain("audit");
    consortium.doctor("audit").good();
    consortium.signal("audit", "TERM");
    until("the node ends when it is asked to", SOON, || (!consortium.node("audit").runs()).then_some(()));
    starts(&mut consortium);
}

#[test]
fn a_wrong_password_and_missing_files_are_told_apart() {
    let mut consortium = Consortium::found();
    let wrong = consortium.path("wrong");
    fs::write(&wrong, "not the password").expect("written");
    let mut command = heqi();
    command.args(["node", "--dir"]).arg(consortium.dir("audit")).arg("--password-file").arg(wrong);
    consortium.spawn("audit", &mut command).refused("HQ-7001");
    for (file, finding) in [("genesis.bin", "genesis"), ("node.toml", "configuration"), ("node.pem", "certificates")] {
        let (path, aside) = (consortium.dir("audit").join(file), consortium.path("aside"));
        fs::rename(&path, &aside).expect("moved");
        let fault = refused(&consortium, "HQ-7004");
        assert!(text(&fault, "detail").contains(file), "{fault}");
        doctor_finds(&consortium, finding, "HQ-7004");
        fs::write(&path, "neither TOML nor PEM nor a genesis").expect("written");
        let number = if file == "node.pem" { "HQ-4004" } else { "HQ-7003" };
        refused(&consortium, number);
        doctor_finds(&consortium, finding, number);
        fs::rename(&aside, &path).expect("moved back");
    }
    starts(&mut consortium);
}

#[test]
fn memory_out_of_range_is_refused_and_what_is_granted_reaches_the_tables() {
    let mut consortium = Consortium::found();
    let path = consortium.dir("audit").join("node.toml");
    let config = fs::read_to_string(&path).expect("node.toml");
    for line in ["key_tables_mib = 0", "key_tables_mib = 65537", "state_cache_mib = 0", "state_cache_mib = 65537"] {
        fs::write(&path, format!("{line}\n{config}")).expect("written");
        let fault = refused(&consortium, "HQ-7003");
        assert!(text(&fault, "detail").contains(line), "{fault}");
        doctor_finds(&consortium, "memory", "HQ-7003");
    }
    for line in ["runs_memory_mib = 0", "runs_memory_mib = 1048577", "runs_at_once = 0", "runs_at_once = 1025"] {
        fs::write(&path, format!("{line}\n{config}")).expect("written");
        let fault = refused(&consortium, "HQ-7003");
        assert!(text(&fault, "detail").contains(line), "{fault}");
        doctor_finds(&consortium, "runs", "HQ-7003");
    }
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (12_000..20_000).find(free).expect("a free port");
    let granted = format!("key_tables_mib = 3\nstate_cache_mib = 1\nmetrics = \"127.0.0.1:{port}\"\n{config}");
    fs::write(&path, granted).expect("written");
    consortium.start("audit");
    let mut told = String::new();
    let mut asked = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    asked.write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").expect("asked");
    asked.read_to_string(&mut told).expect("answered");
    assert!(told.lines().any(|line| line == "heqi_key_tables_max_bytes 3145728"), "{told}");
}

#[test]
fn an_address_that_another_program_listens_on_is_named() {
    let mut consortium = Consortium::found();
    let config = fs::read_to_string(consortium.dir("audit").join("node.toml")).expect("node.toml");
    for name in ["control", "data", "portal"] {
        let line = config.lines().find_map(|l| l.strip_prefix(&format!("{name} = "))).expect("an address");
        let held = TcpListener::bind(line.trim_matches('"')).expect("free");
        let fault = refused(&consortium, "HQ-5006");
        assert!(text(&fault, "step").contains(line.trim_matches('"')), "{fault}");
        doctor_finds(&consortium, "ports", "HQ-5006");
        drop(held);
    }
    starts(&mut consortium);
}

#[test]
fn an_expired_or_foreign_certificate_is_refused() {
    let mut consortium = Consortium::found();
    let folder = consortium.dir("audit");
    let password = Password::new("node secret".to_owned());
    let key = |name: &str| keyfile::read(&folder.join("keys").join(name), &password).expect("a key").1;
    let (ca_key, node_key, stranger) =
        (key("ca.key.json"), key("node.key.json"), SecretKey::generate().expect("a key"));
    let ca = Certificate::from_pem(&fs::read_to_string(folder.join("ca.pem")).expect("ca.pem")).expect("a certificate");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let subject = Subject { org: ca.subject_org(), name: "node".into() };
    let issue = |ca: &Certificate, by: &SecretKey, to: &SecretKey, from: u64, until: u64| {
        cert::issue(ca, by, &subject, &to.public(), from, until).expect("issued").pem()
    };
    let other_ca = cert::self_signed_ca(&subject.org, &stranger, now - DAY_MS, now + DAY_MS).expect("a CA");
    let good = fs::read(folder.join("node.pem")).expect("node.pem");
    let cases = [
        (issue(&ca, &ca_key, &node_key, now - 20 * DAY_MS, now - DAY_MS), "HQ-4005", true),
        (issue(&other_ca, &stranger, &node_key, now - DAY_MS, now + DAY_MS), "HQ-4004", true),
        // Well signed, but for another key than the node's: only who opens the key can tell.
        (issue(&ca, &ca_key, &stranger, now - DAY_MS, now + DAY_MS), "HQ-4004", false),
    ];
    for (pem, number, seen) in cases {
        fs::write(folder.join("node.pem"), pem).expect("written");
        let fault = refused(&consortium, number);
        assert_eq!(fault["party"], "audit", "{fault}");
        if seen {
            doctor_finds(&consortium, "certificates", number);
        }
    }
    fs::write(folder.join("node.pem"), good).expect("written");
    starts(&mut consortium);
}

/// The ledger's files with an ending, or a beginning, of their names.
fn ledger_files(folder: &Path, chosen: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("data/ledger")).expect("the ledger").filter_map(Result::ok);
    entries.filter(|entry| entry.file_name().to_str().is_some_and(&chosen)).map(|entry| entry.path()).collect()
}

#[test]
fn a_damaged_ledger_is_refused_and_never_half_read() {
    let mut consortium = Consortium::found();
    // The second start brings what the first wrote from the log into tables.
    starts(&mut consortium);
    starts(&mut consortium);
    consortium.doctor("audit").good();
    let folder = consortium.dir("audit");
    let tables = ledger_files(&folder, |name| name.ends_with(".sst"));
    let manifest = ledger_files(&folder, |name| name.starts_with("MANIFEST"));
    for files in [tables, manifest] {
        assert!(!files.is_empty());
        let whole: Vec<_> = files.iter().map(|file| fs::read(file).expect("read")).collect();
        for (file, bytes) in files.iter().zip(&whole) {
            let mut damaged = bytes.clone();
            damaged.iter_mut().step_by(64).for_each(|byte| *byte ^= 0x55);
            fs::write(file, damaged).expect("written");
        }
        refused(&consortium, "HQ-5003");
        doctor_finds(&consortium, "ledger", "HQ-5003");
        for (file, bytes) in files.iter().zip(&whole) {
            fs::write(file, bytes).expect("restored");
        }
    }
    starts(&mut consortium);
}

/// The same command under a limit that the shell sets first; a write beyond a limit is answered, not punished.
fn limited(command: &Command, limit: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("trap '' XFSZ; {limit} exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// Sets how long the files of a running process may grow; `unlimited` for the later.
fn limit_files(process: u32, bytes: u64) {
    let limit = format!("--fsize={bytes}:unlimited");
    let set = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status().expect("prlimit runs");
    assert!(set.success());
}

#[test]
fn a_full_disk_is_told_and_with_room_again_nothing_is_lost() {
    let mut four = Consortium::found();
    four.start_these(&["audit", "civil", "statistics"]);
    // With no room at all the node does not start, and the doctor knows why.
    let full = |command: &Command| limited(command, "ulimit -f 0;");
    four.spawn("health", &mut full(&four.node_command("health"))).refused("HQ-5001");
    let mut doctor = heqi();
    doctor.args(["doctor", "--dir"]).arg(four.dir("health"));
    assert_eq!(problem(&run(&mut full(&doctor)), "disk").as_deref(), Some("HQ-5001"));

    let node = four.spawn("health", &mut limited(&four.node_command("health"), ""));
    four.keep("health", node);
    four.add_source("civil", "deaths", "deaths.csv", &[]);
    four.add_source("health", "health", "health.csv", &[]);
    let kept = four.grant("health/health", "age", "after_compare", &["--approval", "auto"]);
    // The room ends while the node runs.
    let logs = ledger_files(&four.dir("health"), |name| name.ends_with(".log"));
    let longest = logs.iter().map(|log| fs::metadata(log).expect("a log").len()).max().expect("a log");
    limit_files(four.node("health").id(), longest + 2000);
    until("the node has no more room", SOON, || {
        four.grant("civil/deaths", "person_id", "encrypted_only", &[]);
        (problem(&four.doctor("health"), "ledger").as_deref() == Some("HQ-5001")).then_some(())
    });
    until("the node raises the alarm while it runs", SOON, || {
        let told = four.look("health/operator", &["alarms"]).good();
        let stopped = |alarm: &Value| alarm["code"] == "chain_stopped" && alarm["severity"] == "critical";
        items(&told, "active").iter().find(|alarm| stopped(alarm)).map(|alarm| {
            assert!(text(alarm, "text_en").contains("HQ-5001"), "{alarm}");
        })
    });
    let rule = ["grant", "health/health", "sbp", "--to", "statistics", "--use", "after_aggregate"];
    let fault = four.sign("health/owner", &rule).fault("HQ-5001");
    assert!(text(&fault, "message_zh").contains("清理空间"), "{fault}");
    // The others go on without it.
    let newest = four.grant("civil/deaths", "yrdth", "after_compare", &[]);

    four.kill("health");
    four.start("health");
    let height = newest["height"].as_u64().expect("a height");
    until("the node has caught up", Duration::from_secs(30), || (four.height("health") >= height).then_some(()));
    for entry in [&kept, &newest] {
        let ask = ["chain", "tx", &text(entry, "digest")];
        let [here, there] = ["health", "civil"].map(|org| four.look(&format!("{org}/operator"), &ask).good());
        assert_eq!((&here, &here["height"]), (&there, &entry["height"]));
    }
    four.sign("health/owner", &rule).good();
    four.doctor("health").good();
}
