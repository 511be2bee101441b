//! `heqi node`: opens the folder, starts every part, and stops them in order.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base_gm::{
    cert::{self, CertFault, Certificate},
    sm2::SecretKey,
};
use base_rt::{
    Clock, Entropy, OsEntropy, SystemClock,
    links::LinkHub,
    tls::{NodeIdentity, TrustRoots},
};
use base_secret::{Password, Secret};
use base_types::{
    JobId, PersonId, TimeMs,
    fault::{Code, Fault},
};
use ledger_chain::{Chain, History, Options};
use ledger_light::Genesis;
use ledger_store::Store;
use ledger_vm::govern::Addresses;
use notary_desk::Desk;
use portal_api::{Person, Sessions};
use runner::{Budget, Releases, Site};
use tokio::{net::TcpListener, sync::mpsc, sync::watch};

use crate::{
    cli::Show,
    config::{Config, Folder, read_key, write_file},
    observe::{Watch, traces},
    wiring::{
        deriver::Planner, journal::ChainJournal, ledger, people::People, portal::NodeDesk, progress::Progress,
        results::Results, runs::Runs, scratch::Rooms, sources::Sources, tables::Tables,
    },
};

/// How long the end waits for work that is under way.
const END: Duration = Duration::from_secs(5);

/// Everything a node knows before it listens.
struct Opened {
    config: Config,
    genesis: Genesis,
    identity: NodeIdentity,
    /// The node's former keys, which open answers of their time.
    former: Vec<Arc<SecretKey>>,
    roots: Arc<TrustRoots>,
    /// The last moment of this organisation's CA certificate.
    ca_ends: TimeMs,
    /// How much of the past is kept.
    history: History,
    /// What the command line shows to the portal, and for a backup.
    token: String,
}

/// Checks a node's certificate against its organisation's CA.
///
/// # Errors
/// [`Code::CertificateExpired`] or [`Code::CertificateInvalid`].
pub fn check_certificate(node: &Certificate, ca: &Certificate, now: TimeMs) -> Result<(), Fault> {
    cert::verify(node, ca, now).map_err(|why| {
        let code = match why {
            CertFault::Expired => Code::CertificateExpired,
            _ => Code::CertificateInvalid,
        };
        Fault::new(code, "check certificate", why.to_string()).at(&node.subject_org())
    })
}

fn open(folder: &Folder, password: &Password, now: TimeMs, entropy: &dyn Entropy) -> Result<Opened, Fault> {
    let config = folder.read_config()?;
    // Before the first signature is verified.
    if let Some(bytes) = config.memory()?.key_tables {
        base_gm::sm2::limit_tables(bytes);
    }
    config.runs()?;
    let history = config.history()?;
    let genesis = folder.read_genesis()?;
    let certificate = Folder::read_certificate(&folder.node_certificate())?;
    let mut authorities = BTreeMap::new();
    for organisation in &genesis.organisations {
        let ca = Certificate::from_der(&organisation.ca)
            .map_err(|e| Fault::new(Code::CertificateInvalid, "read genesis", e.to_string()).at(&organisation.id))?;
        authorities.insert(organisation.id.clone(), ca);
    }
    // An organisation that joins after the genesis is vouched for by its own folder until the others have voted.
    if !authorities.contains_key(&config.org) {
        authorities.insert(config.org.clone(), Folder::read_certificate(&folder.ca_certificate())?);
    }
    let own = authorities.get(&config.org);
    let own = own.ok_or_else(|| Fault::new(Code::BadRequest, "read genesis", "it lacks this organisation"))?;
    check_certificate(&certificate, own, now)?;
    let ca_ends = own.not_after();
    let (_, key) = read_key(&folder.node_key(), password)?;
    if certificate.key() != key.public() {
        let why = "node.pem is not the certificate of keys/node.key.json";
        return Err(Fault::new(Code::CertificateInvalid, "check certificate", why).at(&config.org));
    }
    let key = Arc::new(key);
    let identity = NodeIdentity { org: config.org.clone(), certificate, key };
    let mut token = [0; 32];
    entropy.fill(&mut token);
    let (token, roots) = (hex::encode(token), Arc::new(TrustRoots::new(authorities)));
    Ok(Opened { config, genesis, identity, former: former_keys(folder, password), roots, ca_ends, history, token })
}

/// An address that cannot be listened on.
pub fn unheard(address: &str, why: &std::io::Error) -> Fault {
    let code = if why.kind() == std::io::ErrorKind::AddrInUse { Code::PortInUse } else { Code::BadRequest };
    Fault::new(code, format!("listen on {address}"), why.to_string())
}

async fn listen(address: &str) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|e| unheard(address, &e))
}

fn internal(step: &'static str) -> impl Fn(Box<dyn std::error::Error>) -> Fault {
    move |e| Fault::new(Code::Internal, step, e.to_string())
}

/// The node's former keys; one that another password keeps is left aside, with a warning.
fn former_keys(folder: &Folder, password: &Password) -> Vec<Arc<SecretKey>> {
    let opened = folder.former_node_keys().into_iter().filter_map(|path| {
        let read = read_key(&path, password);
        read.inspect_err(|fault| tracing::warn!(%fault, "answers to this former key cannot be read")).ok()
    });
    opened.map(|(_, key)| Arc::new(key)).collect()
}

/// Runs the node until Ctrl-C or a termination signal, or, where `until_input_ends`, until standard input ends.
///
/// # Errors
/// What kept it from starting.
pub fn main(folder: &Folder, password: &Password, show: Show, until_input_ends: bool) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::new(Code::Internal, "start", e.to_string()))?;
    let traces = {
        let _entered = runtime.enter();
        traces::begin(folder)?
    };
    let ended = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let ended = stop.clone();
        tokio::spawn(async move {
            signalled().await;
            let _ = stop.send(true);
        });
        if until_input_ends {
            // A thread of its own: a blocked read of the runtime's would hold up its end.
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                let _ = ended.send(true);
            });
        }
        run(folder, password, show, stopped).await
    });
    traces.end();
    // A table of published keys may take minutes more, for nobody.
    runtime.shutdown_timeout(END);
    ended
}

async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = term.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// The running parts that outlive the start.
struct Started {
    chain: Chain,
    desk: Arc<NodeDesk>,
}

async fn run(folder: &Folder, password: &Password, show: Show, stopped: watch::Receiver<bool>) -> Result<(), Fault> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let opened = open(folder, password, clock.now_ms(), &*entropy)?;
    // The store's lock comes first: a second start on the folder ends here and disturbs nothing.
    let store = ledger::open(folder)?;
    let listeners = [
        listen(&opened.config.control).await?,
        listen(&opened.config.data).await?,
        listen(&opened.config.portal).await?,
    ];
    let [control, data, portal] = listeners;
    let clients = listen(opened.config.ledger.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let ledger = clients.local_addr().map_err(|e| unheard("the ledger's address", &e))?;
    let metrics = match &opened.config.metrics {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let started =
        start(folder, &opened, store, control, Some(clients), data, &clock, &entropy, stopped.clone()).await?;
    if let Some(listener) = metrics {
        tokio::spawn(started.desk.watch.clone().serve(listener, stopped.clone()));
    }
    let sessions = Arc::new(Sessions::new(clock.clone(), entropy.clone()));
    let people = People::new(folder, &opened.genesis, &opened.config.org, started.chain.clone())?;
    // Before the portal is told of: who reads of it may ask the ledger at once.
    write_file(&folder.ledger_address(), ledger.to_string().as_bytes(), true)?;
    announce(folder, &opened, &sessions, people, show)?;
    let pages = portal_api::pages(portal_web::file);
    let port = opened.config.portal.rsplit(':').next().unwrap_or_default().to_owned();
    let hosts = vec![opened.config.portal.clone(), format!("localhost:{port}")];
    let router = portal_api::router(started.desk.clone(), sessions, pages, hosts);
    let mut end = stopped.clone();
    // Streams of events stay open as long as a page does, so the end does not wait for them.
    tokio::select! {
        served = axum::serve(portal, router) => {
            served.map_err(|e| Fault::new(Code::Internal, "portal", e.to_string()))?;
        }
        _ = end.wait_for(|stop| *stop) => {}
    }
    started.chain.stop().await;
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "the one place where all parts meet")]
async fn start(
    folder: &Folder,
    opened: &Opened,
    store: Store,
    control: TcpListener,
    clients: Option<TcpListener>,
    data: TcpListener,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    stopped: watch::Receiver<bool>,
) -> Result<Started, Fault> {
    let Opened { config, genesis, identity, former, roots, ca_ends, history, token } = opened;
    let key = identity.key.clone();
    let addresses = |pick: fn(&crate::config::Peer) -> &String| {
        config.peers.iter().map(|(org, peer)| (org.clone(), pick(peer).clone())).collect::<BTreeMap<_, _>>()
    };
    let hub = LinkHub::start(data, identity.clone(), roots.clone(), clock.clone(), addresses(|p| &p.data))
        .map_err(|e| internal("data links")(e.into()))?;
    let links = hub.clone();
    let parts = ledger_server::Parts {
        store,
        genesis: genesis.clone(),
        identity: identity.clone(),
        roots: roots.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        peers: addresses(|p| &p.control),
        announce: config.announce.clone().map(|a| Addresses { control: a.control, data: a.data }),
        options: Options {
            history: *history,
            scrub_bytes: config.scrub_bytes(),
            state_cache: config.memory()?.state_cache,
            ..Options::default()
        },
        moved: Arc::new(move |org, addresses| links.set_peer(org.clone(), addresses.data.clone())),
    };
    let token = base_gm::sm3::sm3(token.as_bytes());
    let chain = ledger_server::start_with(parts, control, clients, Some(token), stopped)?.chain;
    complete(&chain, *history)?;
    let journal = Arc::new(ChainJournal::new(chain.clone(), key.clone(), entropy.clone()));
    let (orders, inbox) = mpsc::channel(64);
    let budget = Budget::new(config.org.clone(), config.runs()?);
    let planner = Arc::new(Planner { me: config.org.clone(), budget: budget.clone() });
    let desk = Desk::new(config.org.clone(), key.clone(), journal.clone(), planner, clock.clone(), orders);
    let sources = Arc::new(Sources::open(folder.sources())?);
    let results = Arc::new(Results::new(folder.results(), key.clone(), former.clone()));
    let progress = Arc::new(Progress::default());
    // After the store's lock: the files there are those of runs that ended with an earlier start.
    let rooms = Rooms::open(folder.scratch(), entropy.clone());
    let releases = Arc::new(Releases::new(Box::new(Tables::new(folder.tables()))));
    let site = site(config, &key, hub, (clock, entropy), (&sources, rooms), &desk, (releases, budget));
    let flows = site.flows.clone();
    let runs = Arc::new(Runs {
        desk: desk.clone(),
        site,
        entropy: entropy.clone(),
        progress: progress.clone(),
        results: results.clone(),
    });
    tokio::spawn(runs.serve(inbox));
    // The book is made of every entry since the genesis: a node that lacks some must not act by what it knows.
    if *history == History::All {
        tokio::spawn(desk.clone().follow());
    } else {
        tracing::warn!("this node prunes history: it serves the ledger and runs no notary");
    }
    let certificates = vec![("node", identity.certificate.not_after()), ("CA", *ca_ends)];
    let watch = Watch::start(folder, config.org.clone(), certificates, chain.clone(), clock.clone(), flows);
    let desk = Arc::new(NodeDesk {
        config: config.clone(),
        watch,
        apart: Default::default(),
        chain: chain.clone(),
        journal,
        notary: desk,
        sources,
        results,
        progress,
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    Ok(Started { chain, desk })
}

/// A node that keeps all history must have it: one that pruned, or took a state over, has not.
fn complete(chain: &Chain, history: History) -> Result<(), Fault> {
    if history != History::All {
        return Ok(());
    }
    let first = chain.first_block().map_err(|fault| fault.fault("start ledger"))?;
    if first > 1 {
        let why =
            format!("the ledger begins with block {first}: set history = \"pruned:HEIGHTS\", or restore an archive");
        return Err(Fault::new(Code::BadRequest, "start ledger", why));
    }
    Ok(())
}

/// A run's surroundings, gathered once.
fn site(
    config: &Config,
    key: &SecretKey,
    hub: Arc<LinkHub>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    (sources, rooms): (&Arc<Sources>, Rooms),
    desk: &Arc<Desk>,
    (releases, budget): (Arc<Releases>, Arc<Budget>),
) -> Site {
    let (sources, desk) = (sources.clone(), desk.clone());
    let connector = move |dataset: &base_types::DatasetId| {
        let source = desk.book(|book| book.catalogue_at(u64::MAX).sources.remove(dataset))?;
        let missing = || Fault::new(Code::NotFound, "open source", format!("{dataset} is not registered"));
        sources.connector(&source.ok_or_else(missing)?)
    };
    // Derived from the node's key, so a restart or a restore of the folder opens the same digests.
    let secret = Secret::new(base_gm::sm3::hmac(key.to_bytes().as_slice(), b"heqi/salts/1").0);
    let salt = move |job: &JobId, attempt: u32, what: &str| {
        let message = base_gm::sm3::tagged("heqi/salt/1", &[&job.0, &attempt.to_be_bytes(), what.as_bytes()]);
        base_gm::sm3::hmac(secret.expose(), &message.0).0
    };
    Site {
        me: config.org.clone(),
        hub,
        salt: Arc::new(salt),
        clock: clock.clone(),
        entropy: entropy.clone(),
        connector: Arc::new(connector),
        scratch: Arc::new(move |session: &base_types::Digest| rooms.room(session)),
        silence: Duration::from_secs(config.silence_seconds),
        flows: Arc::default(),
        releases,
        budget,
    }
}

/// Writes the command line's token and tells where the portal is, with a one-time link a person.
fn announce(folder: &Folder, opened: &Opened, sessions: &Sessions, people: People, show: Show) -> Result<(), Fault> {
    let operator = PersonId::new(format!("{}/operator", opened.config.org))
        .map_err(|e| Fault::new(Code::Internal, "announce", e.to_string()))?;
    let first = people.first();
    let known = move |id: &PersonId| {
        let operator = || (*id == operator).then(|| Person { id: id.clone(), roles: vec!["auditor".to_owned()] });
        people.find(id).or_else(operator)
    };
    sessions.allow_local(&opened.token, Box::new(known));
    let base = format!("http://{}", opened.config.portal);
    let links: Vec<_> = first
        .into_iter()
        .map(|p| {
            let id = p.id.clone();
            let login = sessions.issue(p);
            serde_json::json!({"person": id, "link": format!("{base}/login?token={}", login.expose())})
        })
        .collect();
    let value = serde_json::json!({"org": opened.config.org, "portal": base, "logins": links});
    // Before it is told: who reads the line may ask at once, and the portal's listener is there already.
    write_file(&folder.token(), opened.token.as_bytes(), true)?;
    show.value(&value, |_| {
        let lines =
            links.iter().map(|l| format!("  {}  {}", crate::cli::text(l, "person"), crate::cli::text(l, "link")));
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("{} {base}\n{lines}", show.pick("门户", "Portal"))
    });
    Ok(())
}
