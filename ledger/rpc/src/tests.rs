//! Calls over loopback: messages arrive in order and named, the dead hold up nobody, refusals keep their reason.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base_gm::{
    cert::{Certificate, Subject, issue, self_signed_ca},
    sm2::SecretKey,
};
use base_rt::{
    clock::ManualClock,
    tls::{NODE_NAME, NodeIdentity, Protocol, TrustRoots, client_config, server_config},
};
use base_types::{
    Digest, OrgId,
    fault::{Code, Fault},
};
use futures::StreamExt;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::*;

mod away;
mod doubles;
mod revoked;
mod turns;

const NOW: u64 = 1_800_000_000_000;
const DAY: u64 = 86_400_000;
const LONG: Duration = Duration::from_secs(60);

fn org(name: &str) -> OrgId {
    OrgId::new(name).unwrap()
}

fn member(name: &str) -> (Certificate, NodeIdentity) {
    let ca_key = SecretKey::from_seed(format!("{name} ca").as_bytes());
    let ca = self_signed_ca(&org(name), &ca_key, NOW - DAY, NOW + 9 * DAY).unwrap();
    let key = Arc::new(SecretKey::from_seed(name.as_bytes()));
    let subject = Subject { org: org(name), name: NODE_NAME.into() };
    let certificate = issue(&ca, &ca_key, &subject, &key.public(), NOW - DAY, NOW + DAY).unwrap();
    (ca, NodeIdentity { org: org(name), certificate, key })
}

type Message = (OrgId, String, Vec<u8>);

struct Recorder(Mutex<mpsc::UnboundedSender<Message>>);

#[async_trait]
impl PeerHandler for Recorder {
    async fn deliver(&self, from: &OrgId, channel: &str, body: Vec<u8>) {
        if body == b"slow" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let _ = self.0.lock().unwrap().send((from.clone(), channel.to_owned(), body));
    }
    async fn ask(&self, from: &OrgId, channel: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        match body.as_slice() {
            b"refuse" => Err(format!("not on {channel}, {from}")),
            b"sleep" => {
                tokio::time::sleep(LONG).await;
                Ok(Vec::new())
            }
            _ => Ok(body.iter().rev().copied().collect()),
        }
    }
}

struct Numbers;

#[async_trait]
impl LedgerHandler for Numbers {
    async fn submit(&self, transaction: Vec<u8>) -> Result<Submitted, Fault> {
        match transaction.as_slice() {
            b"bad" => Err(Fault::new(Code::NoQuorum, "submit", "两个验证节点停了").at(&org("tax"))),
            b"no" => Ok(Submitted { height: 7, refusal: Some("已过期".into()), outcome: vec![1] }),
            _ => Ok(Submitted { height: transaction.len() as u64, refusal: None, outcome: vec![] }),
        }
    }
    async fn status(&self) -> Result<Vec<u8>, Fault> {
        Ok(b"status".to_vec())
    }
    async fn block(&self, height: u64) -> Result<Option<Vec<u8>>, Fault> {
        Ok((height < 10).then(|| vec![height as u8]))
    }
    async fn transaction(&self, digest: Digest) -> Result<Option<Vec<u8>>, Fault> {
        Ok((digest == Digest([1; 32])).then(|| b"tx".to_vec()))
    }
    async fn records(&self, subject: Digest) -> Result<Vec<u8>, Fault> {
        Ok(subject.0[..2].to_vec())
    }
    async fn header(&self, height: u64) -> Result<Option<Vec<u8>>, Fault> {
        Ok((height < 10).then(|| vec![height as u8, 0]))
    }
    async fn epochs(&self) -> Result<Vec<u8>, Fault> {
        Ok(b"epochs".to_vec())
    }
    async fn call(&self, call: ReadCall) -> Result<Vec<u8>, Fault> {
        Ok(format!("{:?} {:?} {} {}", call.at, call.input, call.gas, call.from.is_some()).into_bytes())
    }
    async fn value(&self, at: StateAt, key: Vec<u8>, proof: bool) -> Result<Vec<u8>, Fault> {
        Ok(format!("{at:?} {key:?} {proof}").into_bytes())
    }
    fn events(&self, subscription: Subscription) -> Happenings {
        let Subscription { after: (height, index), follow, contract } = subscription;
        let happening = move |i: u32| match i {
            9 => Err(Fault::new(Code::StorageDamaged, "events", "a block is missing")),
            i => Ok(Happening {
                cursor: (height, i),
                transaction: Digest([i as u8; 32]),
                outcome: vec![u8::from(follow), u8::from(contract.is_some())],
            }),
        };
        futures::stream::iter((index + 1..10).map(happening)).boxed()
    }
}

struct Net {
    roots: Arc<TrustRoots>,
    clock: Arc<ManualClock>,
    members: BTreeMap<&'static str, NodeIdentity>,
}

struct Serving {
    address: String,
    inbox: mpsc::UnboundedReceiver<Message>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RpcFault>>,
}

fn net(names: &[&'static str]) -> Net {
    let members: BTreeMap<_, _> = names.iter().map(|name| (*name, member(name))).collect();
    let authorities = members.values().map(|(ca, id)| (id.org.clone(), ca.clone())).collect();
    let roots = Arc::new(TrustRoots::new(authorities));
    let members = members.into_iter().map(|(name, (_, id))| (name, id)).collect();
    Net { roots, clock: Arc::new(ManualClock::new(NOW)), members }
}

impl Net {
    async fn serve(&self, name: &str, listener: TcpListener) -> Serving {
        let address = listener.local_addr().unwrap().to_string();
        let id = &self.members[name];
        let tls = server_config(id, self.roots.clone(), self.clock.clone(), Protocol::Control).unwrap();
        let (sender, inbox) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let handler = Arc::new(Recorder(Mutex::new(sender)));
        let task = tokio::spawn(PeerServer::serve(
            listener,
            tls,
            self.roots.clone(),
            handler,
            Some(Arc::new(Numbers)),
            shutdown,
        ));
        Serving { address, inbox, stop, task }
    }
    async fn start(&self, name: &str) -> Serving {
        self.serve(name, TcpListener::bind("127.0.0.1:0").await.unwrap()).await
    }
    fn client(&self, name: &str, peers: &[(&str, &str)]) -> Arc<PeerClient> {
        let addresses = peers.iter().map(|(name, address)| (org(name), (*address).to_owned())).collect();
        PeerClient::new(self.members[name].clone(), self.roots.clone(), self.clock.clone(), addresses).unwrap()
    }
}

impl Serving {
    async fn next(&mut self) -> Message {
        timeout(LONG, self.inbox.recv()).await.expect("a message in time").expect("a running server")
    }
}

#[tokio::test]
async fn messages_arrive_in_order_and_name_their_sender() {
    let net = net(&["a", "b"]);
    let mut b = net.start("b").await;
    let client = net.client("a", &[("b", &b.address)]);
    for i in 0..2000u32 {
        client.deliver(&org("b"), "chain", i.to_be_bytes().to_vec());
    }
    client.broadcast("desk", &vec![7; 3 << 20]);
    for i in 0..2000u32 {
        assert_eq!(b.next().await, (org("a"), "chain".into(), i.to_be_bytes().to_vec()));
    }
    assert_eq!(b.next().await, (org("a"), "desk".into(), vec![7; 3 << 20]));
    assert_eq!(client.dropped(&org("b")), 0);
}

#[tokio::test]
async fn questions_are_answered_refused_or_run_out_of_time() {
    let net = net(&["a", "b"]);
    let b = net.start("b").await;
    let client = net.client("a", &[("b", &b.address)]);
    let ask = |body: Vec<u8>, patience| {
        let client = client.clone();
        async move { client.ask(&org("b"), "chain", body, patience).await }
    };
    assert_eq!(ask(b"abc".to_vec(), LONG).await, Ok(b"cba".to_vec()));
    assert_eq!(ask(b"refuse".to_vec(), LONG).await, Err(RpcFault::Refused("not on chain, a".into())));
    assert_eq!(ask(b"sleep".to_vec(), Duration::from_millis(200)).await, Err(RpcFault::Silent));
    let large = vec![1; MAX_BODY_BYTES];
    assert_eq!(ask(large.clone(), LONG).await, Ok(large));
    assert_eq!(ask(vec![1; MAX_BODY_BYTES + 1], LONG).await, Err(RpcFault::TooLong));
    let unknown = client.ask(&org("c"), "chain", vec![], LONG).await;
    assert_eq!(unknown, Err(RpcFault::UnknownPeer(org("c"))));
}

/// Accepts and then says nothing, as a frozen machine does.
async fn frozen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// An address at which nobody listens until the socket does: it is kept, so that no other test is given it meanwhile.
fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[tokio::test]
async fn a_dead_and_a_frozen_peer_hold_up_nobody() {
    let net = net(&["a", "b", "c", "d"]);
    let mut b = net.start("b").await;
    let (_dead, dead_address) = nobody();
    let (_frozen, frozen_address) = frozen().await;
    // A busy machine may be late, but not every time; who waited until the frozen one is given up would be.
    for _ in 0..5 {
        let client = net.client("a", &[("b", &b.address), ("c", &dead_address), ("d", &frozen_address)]);
        let start = Instant::now();
        for i in 0..100u8 {
            client.broadcast("chain", &[i]);
        }
        for i in 0..100u8 {
            assert_eq!(b.next().await.2, [i]);
        }
        assert!(matches!(client.ask(&org("c"), "chain", vec![], LONG).await, Err(RpcFault::Gone(_))));
        let slow = client.ask(&org("d"), "chain", vec![], Duration::from_millis(200)).await;
        assert_eq!(slow, Err(RpcFault::Silent));
        if start.elapsed() < Duration::from_secs(4) {
            return;
        }
    }
    panic!("it waits for the others");
}

#[tokio::test]
async fn what_was_queued_arrives_when_the_peer_comes_back() {
    let net = net(&["a", "b"]);
    // An address that nobody else gets a free port of: while the peer is away another test could be given it.
    let mut b = net.serve("b", TcpListener::bind("127.0.0.3:0").await.unwrap()).await;
    let client = net.client("a", &[("b", &b.address)]);
    client.deliver(&org("b"), "chain", vec![1]);
    assert_eq!(b.next().await.2, [1]);
    let Serving { address, stop, task, .. } = b;
    stop.send(()).unwrap();
    assert_eq!(timeout(LONG, task).await.unwrap().unwrap(), Ok(()));
    client.deliver(&org("b"), "chain", vec![2]);
    client.deliver(&org("b"), "chain", vec![3]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut b = net.serve("b", TcpListener::bind(&address).await.unwrap()).await;
    assert_eq!((b.next().await.2, b.next().await.2), (vec![2], vec![3]));
}

#[tokio::test]
async fn a_refused_certificate_keeps_its_reason() {
    let net = net(&["a", "b", "c"]);
    let b = net.start("b").await;
    let client = net.client("a", &[("b", &b.address), ("c", &b.address)]);
    let wrong = client.ask(&org("c"), "chain", vec![], LONG).await;
    let why = "c was expected, b answered".to_owned();
    assert_eq!(wrong, Err(RpcFault::Certificate(Code::CertificateInvalid, why)));
    assert_eq!(client.ask(&org("b"), "chain", b"ab".to_vec(), LONG).await, Ok(b"ba".to_vec()));
    net.roots.revoke(org("a"), net.members["a"].certificate.serial());
    // The connection is open, and ends all the same.
    let revoked = client.ask(&org("b"), "chain", vec![], LONG).await;
    assert!(revoked.is_err(), "{revoked:?}");
    let revoked = client.ask(&org("b"), "chain", vec![], LONG).await;
    assert!(matches!(revoked, Err(RpcFault::Certificate(Code::CertificateInvalid, _))), "{revoked:?}");
    net.clock.set(NOW + 2 * DAY);
    let expired = client.ask(&org("b"), "chain", vec![], LONG).await;
    assert!(matches!(expired, Err(RpcFault::Certificate(Code::CertificateExpired, _))), "{expired:?}");
}

async fn check_ledger(client: &LedgerClient) {
    assert_eq!(client.submit(vec![0; 5]).await, Ok(Submitted { height: 5, refusal: None, outcome: vec![] }));
    assert_eq!(
        client.submit(b"no".to_vec()).await,
        Ok(Submitted { height: 7, refusal: Some("已过期".into()), outcome: vec![1] })
    );
    let fault = Fault::new(Code::NoQuorum, "submit", "两个验证节点停了").at(&org("tax"));
    assert_eq!(client.submit(b"bad".to_vec()).await, Err(fault));
    assert_eq!(client.status().await, Ok(b"status".to_vec()));
    assert_eq!((client.block(3).await, client.block(30).await), (Ok(Some(vec![3])), Ok(None)));
    assert_eq!(client.transaction(&Digest([1; 32])).await, Ok(Some(b"tx".to_vec())));
    assert_eq!(client.transaction(&Digest([2; 32])).await, Ok(None));
    assert_eq!(client.records(&Digest([9; 32])).await, Ok(vec![9, 9]));
    assert_eq!((client.header(3).await, client.header(30).await), (Ok(Some(vec![3, 0])), Ok(None)));
    assert_eq!(client.epochs().await, Ok(b"epochs".to_vec()));
    let call = ReadCall { at: StateAt::Height(4), to: [1; 20], input: vec![2], gas: 5, from: Some([6; 64]) };
    assert_eq!(client.call(call).await, Ok(b"Height(4) [2] 5 true".to_vec()));
    let root = StateAt::Root(Digest([3; 32]));
    assert_eq!(client.value(root, vec![8], true).await, Ok(format!("{root:?} [8] true").into_bytes()));
    assert_eq!(client.value(StateAt::Latest, vec![], false).await, Ok(b"Latest [] false".to_vec()));
    let subscription = Subscription { after: (2, 6), follow: true, contract: None };
    let told: Vec<_> = client.events(subscription).await.expect("a stream").collect().await;
    assert_eq!(told.len(), 3);
    assert!(told[..2].iter().all(|h| h.as_ref().is_ok_and(|h| h.outcome == [1, 0] && h.cursor.0 == 2)));
    assert!(told[2].as_ref().is_err_and(|fault| fault.code == Code::StorageDamaged), "a fault comes in its place");
}

#[tokio::test]
async fn clients_reach_the_ledger_on_loopback_and_over_tls() {
    let net = net(&["a", "b"]);
    let b = net.start("b").await;
    let id = &net.members["a"];
    let tls = client_config(id, net.roots.clone(), net.clock.clone(), Protocol::Control, &org("b")).unwrap();
    check_ledger(&LedgerClient::secure(b.address.clone(), tls)).await;

    let (listener, address) = frozen().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let task = tokio::spawn(LedgerServer::serve(listener, Arc::new(Numbers), shutdown));
    let client = LedgerClient::plain(&address).unwrap();
    check_ledger(&client).await;
    stop.send(()).unwrap();
    assert_eq!(timeout(LONG, task).await.unwrap().unwrap(), Ok(()));
    assert_eq!(client.status().await.unwrap_err().code, Code::PeerGone);
    // Without TLS the port of the nodes does not answer.
    assert!(LedgerClient::plain(&b.address).unwrap().status().await.is_err());
}

struct Keeper;

#[async_trait]
impl OperatorHandler for Keeper {
    async fn backup(&self, token: &str, folder: &str) -> Result<Vec<u8>, Fault> {
        match token {
            "secret" => Ok(folder.as_bytes().to_vec()),
            _ => Err(Fault::new(Code::NotAllowed, "backup", "another token")),
        }
    }
    async fn add_disk(&self, token: &str, folder: &str, bytes: u64) -> Result<Vec<u8>, Fault> {
        match token {
            "secret" => Ok(format!("{folder} {bytes}").into_bytes()),
            _ => Err(Fault::new(Code::NotAllowed, "add disk", "another token")),
        }
    }
}

#[tokio::test]
async fn the_operator_is_served_on_loopback_with_the_token_and_nowhere_else() {
    let net = net(&["a", "b"]);
    let b = net.start("b").await;
    let tls =
        client_config(&net.members["a"], net.roots.clone(), net.clock.clone(), Protocol::Control, &org("b")).unwrap();
    let remote = LedgerClient::secure(b.address.clone(), tls);
    assert!(remote.backup("secret", "/x").await.is_err());
    assert!(remote.add_disk("secret", "/x", 1).await.is_err());

    let (listener, address) = frozen().await;
    let keeper: Arc<dyn OperatorHandler> = Arc::new(Keeper);
    let task =
        tokio::spawn(LedgerServer::serve_with(listener, Arc::new(Numbers), Some(keeper), std::future::pending()));
    let client = LedgerClient::plain(&address).unwrap();
    assert_eq!(client.backup("secret", "/x").await, Ok(b"/x".to_vec()));
    assert_eq!(client.backup("other", "/x").await.unwrap_err().code, Code::NotAllowed);
    assert_eq!(client.backup("", "/x").await.unwrap_err().code, Code::NotAllowed);
    assert_eq!(client.backup("line\nbreak", "/x").await.unwrap_err().code, Code::BadRequest);
    assert_eq!(client.add_disk("secret", "/x", u64::MAX).await, Ok(format!("/x {}", u64::MAX).into_bytes()));
    assert_eq!(client.add_disk("other", "/x", 1).await.unwrap_err().code, Code::NotAllowed);
    assert_eq!(client.add_disk("line\nbreak", "/x", 1).await.unwrap_err().code, Code::BadRequest);
    task.abort();
}

#[tokio::test]
async fn clients_without_tls_are_served_on_loopback_only() {
    let open = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = LedgerServer::serve(open, Arc::new(Numbers), std::future::pending()).await;
    assert!(matches!(refused, Err(RpcFault::Server(_))));
}
