//! What happens on the ledger, as pages and through a WebSocket that only pages of this portal may open.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::client::{HOST, Portal};

/// The fields of a handshake but for its credentials (RFC 6455, 4.1).
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

fn cursors(page: &Value) -> Vec<(u64, u64)> {
    let cursor = |h: &Value| (h["height"].as_u64().unwrap(), h["index"].as_u64().unwrap());
    page["happenings"].as_array().unwrap().iter().map(cursor).collect()
}

#[tokio::test]
async fn pages_go_on_from_their_cursor() {
    let portal = Portal::new();
    let cookie = portal.sign_in("auditor").await;
    let ask = async |query: &str| portal.get(&format!("/api/events/page{query}"), &cookie).await.json();
    let first = ask("?limit=2").await;
    assert_eq!(cursors(&first), [(1, 1), (1, 2)]);
    assert_eq!(first["happenings"][0]["events"][0]["contract"], "0x0101010101010101010101010101010101010101");
    let query = format!("?height={}&index={}", first["height"], first["index"]);
    let second = ask(&query).await;
    assert_eq!(cursors(&second), [(3, 1)]);
    assert_eq!(second["happenings"][0]["refusal"], "no funds");
    let end = ask("?height=3&index=1").await;
    assert_eq!((cursors(&end).len(), &end["height"], &end["index"]), (0, &Value::from(3), &Value::from(1)));
}

#[tokio::test]
async fn a_foreign_page_opens_no_socket() {
    let portal = Portal::new();
    let cookie = portal.sign_in("auditor").await;
    let ask = async |origin: Option<&str>, cookie: &str| {
        let mut request = Portal::request(Method::GET, "/api/events/ws", cookie);
        for (name, value) in HANDSHAKE {
            request = request.header(name, value);
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        portal.send(request.body(Body::empty()).unwrap()).await.status
    };
    for origin in ["http://evil.example", "http://127.0.0.1:7002", "http://127.0.0.1", "null", "portal.example"] {
        assert_eq!(ask(Some(origin), &cookie).await, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(ask(None, &cookie).await, StatusCode::FORBIDDEN, "a browser names its origin");
    // Here there is no connection that could be upgraded, but the door is open.
    for origin in ["http://127.0.0.1:7001", "https://portal.example", "https://PORTAL.example:8443"] {
        assert_eq!(ask(Some(origin), &cookie).await, StatusCode::UPGRADE_REQUIRED, "{origin}");
    }
    assert_eq!(ask(Some("http://127.0.0.1:7001"), "").await, StatusCode::UNAUTHORIZED);
}

/// A listener at a socket.
struct Listener(TcpStream);

impl Listener {
    /// Shakes hands as a page of the portal.
    async fn open(portal: &Portal, cookie: &str, query: &str) -> Self {
        let mut stream = TcpStream::connect(portal.listen().await).await.unwrap();
        let fields: String = HANDSHAKE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "GET /api/events/ws{query} HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\ncookie: {cookie}\r\n{fields}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The answer to the key above, from RFC 6455, 1.3.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        Self(stream)
    }

    /// The next frame's first byte and its content (RFC 6455, 5.2); a server's are not masked.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let first = self.0.read_u8().await.unwrap();
        let len = match self.0.read_u8().await.unwrap() {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            len => usize::from(len),
        };
        let mut content = vec![0; len];
        self.0.read_exact(&mut content).await.unwrap();
        (first, content)
    }

    /// The next happening's cursor.
    async fn happening(&mut self) -> (u64, u64) {
        let (first, content) = timeout(Duration::from_secs(5), self.frame()).await.expect("a happening comes");
        assert_eq!(first, 0x81, "one whole text frame");
        let happening: Value = serde_json::from_slice(&content).unwrap();
        (happening["height"].as_u64().unwrap(), happening["index"].as_u64().unwrap())
    }
}

#[tokio::test]
async fn a_socket_tells_what_follows_its_cursor_and_ends_with_its_listener() {
    let portal = Portal::new();
    let cookie = portal.sign_in("auditor").await;
    let mut all = Listener::open(&portal, &cookie, "").await;
    for expected in [(1, 1), (1, 2), (3, 1)] {
        assert_eq!(all.happening().await, expected);
    }
    // It follows: nothing more is said until something happens.
    assert!(timeout(Duration::from_millis(50), all.frame()).await.is_err());
    let mut rest = Listener::open(&portal, &cookie, "?height=1&index=2").await;
    assert_eq!(rest.happening().await, (3, 1));
    // A masked close frame is answered with one, and then there is nothing more.
    rest.0.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    let mut left = Vec::new();
    timeout(Duration::from_secs(5), rest.0.read_to_end(&mut left)).await.expect("the socket ends").unwrap();
    assert_eq!(left.first(), Some(&0x88), "{left:?}");
    assert_eq!(portal.get("/api/events/page", &cookie).await.status, StatusCode::OK, "the portal goes on");
}

#[tokio::test]
async fn what_no_contract_goes_by_is_refused_before_the_socket_opens() {
    let portal = Portal::new();
    let cookie = portal.sign_in("auditor").await;
    let mut stream = TcpStream::connect(portal.listen().await).await.unwrap();
    let fields: String = HANDSHAKE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "GET /api/events/ws?contract=nobody HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\ncookie: {cookie}\r\n{fields}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    timeout(Duration::from_secs(5), stream.read_exact(&mut head)).await.expect("an answer comes").unwrap();
    assert_eq!(&head, b"HTTP/1.1 400");
}
