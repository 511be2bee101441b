//! A page listens to a real node through its WebSocket, and goes on at its cursor when the node has been killed and is back.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::Value;
use tungstenite::{
    Message, WebSocket,
    client::{IntoClientRequest, client},
    http::HeaderValue,
};

use crate::support::{Consortium, Node, heqi, items, run, story::SOON, text, until};

const PEOPLE: [&[&str]; 4] = [&["admin=administrator"]; 4];

/// The portal of the audit office's node, and the cookie of a session there.
struct Page {
    host: String,
    cookie: String,
}

impl Page {
    /// Opens the login link that the node printed.
    fn sign_in(announced: &Value) -> Self {
        let host = text(announced, "portal").trim_start_matches("http://").to_owned();
        let link = text(&items(announced, "logins")[0], "link");
        let path = link.strip_prefix(&format!("http://{host}")).expect("a link to the portal").to_owned();
        let answer = get(&host, &path, "");
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().to_owned())
        };
        let set = answer.lines().find_map(field).expect("a cookie is set");
        Self { host, cookie: set.split(';').next().expect("a pair").to_owned() }
    }

    /// Shakes hands as a page of the portal does, to hear what follows a cursor.
    fn listen(&self, after: (u64, u64)) -> WebSocket<TcpStream> {
        let address = format!("ws://{}/api/events/ws?height={}&index={}", self.host, after.0, after.1);
        let mut request = address.into_client_request().expect("an address");
        for (name, value) in [("origin", format!("http://{}", self.host)), ("cookie", self.cookie.clone())] {
            request.headers_mut().insert(name, HeaderValue::from_str(&value).expect("a field"));
        }
        let stream = TcpStream::connect(&self.host).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        client(request, stream).unwrap_or_else(|why| panic!("no socket opens: {why}")).0
    }
}

/// The whole answer to a request.
fn get(host: &str, path: &str, cookie: &str) -> String {
    let mut stream = TcpStream::connect(host).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

/// Starts the audit office's node; whoever is to sign in needs what it prints.
fn start(four: &Consortium) -> (Node, Page) {
    let mut node = four.spawn("audit", &mut four.node_command("audit"));
    let page = Page::sign_in(&node.announced());
    (node, page)
}

fn cursor(happening: &Value) -> (u64, u64) {
    let number = |name: &str| happening[name].as_u64().expect("a number");
    (number("height"), number("index"))
}

/// The next happening that a socket tells; nothing once the node is gone.
fn next(socket: &mut WebSocket<TcpStream>) -> Option<Value> {
    loop {
        match socket.read() {
            Ok(Message::Text(line)) => return Some(serde_json::from_str(line.as_str()).expect("a happening")),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Hears one happening after another until this transaction's has come.
#[track_caller]
fn hear(socket: &mut WebSocket<TcpStream>, heard: &mut Vec<Value>, last: &str) {
    while heard.last().is_none_or(|happening| text(happening, "transaction") != last) {
        heard.push(next(socket).expect("it goes on"));
    }
}

/// What the civil department's node tells on the command line, up to a transaction.
fn told(four: &Consortium, last: &str) -> Vec<Value> {
    let mut command = heqi();
    command.args(["events", "--dir"]).arg(four.dir("civil"));
    let output = command.output().expect("heqi runs");
    let lines = String::from_utf8(output.stdout).expect("text");
    let all: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("a happening")).collect();
    let end = all.iter().position(|happening| text(happening, "transaction") == last).expect("the last one");
    all[..=end].to_vec()
}

#[test]
fn a_socket_goes_on_at_its_cursor_after_the_node_was_killed_without_gap_or_double() {
    let mut four = Consortium::found_with(PEOPLE);
    let mut person = heqi();
    person.args(["init", "person", "civil/clerk", "--people-dir"]).arg(four.path("people"));
    let key = text(&run(person.arg("--people-password-file").arg(four.people_password())).good(), "key");
    four.start_these(&["civil", "health", "statistics"]);
    // Registered once more each time: a transaction that is executed, and its digest.
    let register = || {
        let words = ["chain", "member", "civil/clerk", "--public-key", &key, "--role", "auditor"];
        text(&four.sign("civil/admin", &words).good(), "transaction")
    };
    let (node, page) = start(&four);
    let (mut heard, mut socket) = (Vec::new(), page.listen((0, 0)));
    register();
    hear(&mut socket, &mut heard, &register());

    drop(node);
    // What was told before the end is heard; then there is nothing more.
    while let Some(happening) = next(&mut socket) {
        heard.push(happening);
    }
    let missed = [register(), register()];
    let (_node, again) = start(&four);
    assert!(get(&page.host, "/api/me", &page.cookie).starts_with("HTTP/1.1 401 "), "sessions end with the node");
    let mut socket = again.listen(heard.last().map(cursor).expect("something was heard"));
    hear(&mut socket, &mut heard, &missed[1]);
    let last = register();
    hear(&mut socket, &mut heard, &last);

    assert!(heard.is_sorted_by(|a, b| cursor(a) < cursor(b)), "{heard:?}");
    let everything = until("the civil department's node has it", SOON, || {
        let found = four.look("civil/admin", &["chain", "tx", &last]);
        (found.code == 0).then(|| told(&four, &last))
    });
    assert_eq!(heard, everything);
}
