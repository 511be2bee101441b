//! A network that is ready for the load: validators run, the token is deployed, every sender has some and is known.

use std::{ops::Range, sync::Arc};

use anyhow::{Context, ensure};
use base_types::Height;
use futures::{StreamExt, TryStreamExt, stream};
use ledger_light::Transaction;
use ledger_vm::Address;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    accounts,
    book::Book,
    clients::Clients,
    cluster::Cluster,
    load::{self, Pace, Patience},
    parting::Network,
    run::Run,
    sign::{LIFE, Planned, nonce, notes, transfers},
    token::{GRANT, deployment, transfer},
    world::{VALIDATORS, World},
};

/// Members that send.
pub const SENDERS: u32 = 2000;
/// Addresses that receive.
pub const RECIPIENTS: u32 = 100_000;
/// Connections to each validator: room for 2,048 calls.
const CONNECTIONS: usize = 8;
/// Transactions of the set-up that are under way: the ledger lets 512 of one sender wait.
const AT_ONCE: usize = 400;
/// Pace of the warm-up: each key's table is built when it is used for the third time.
const WARM: u32 = 800;

/// A network and what the generator knows of it.
pub struct Net {
    /// Who takes part.
    pub world: World,
    /// The validators' processes.
    pub cluster: Cluster,
    /// The network between the validators, where it can part.
    pub network: Option<Network>,
    /// The connections.
    pub clients: Arc<Clients>,
    /// Where the token stands.
    pub token: Address,
    /// What the recipients were given.
    pub book: Book,
    /// The number of the next transfer or note.
    next: u64,
    /// Everything lies in it; it goes away last.
    _folder: TempDir,
}

impl Net {
    /// Starts it with so many senders and recipients; validators dial each other directly.
    ///
    /// # Errors
    /// What kept it from starting.
    pub async fn start(senders: u32, recipients: u32) -> anyhow::Result<Self> {
        Self::begin(senders, recipients, false).await
    }

    /// The same on a network that can part, whose forwarders cost the validators some time.
    ///
    /// # Errors
    /// What kept it from starting.
    pub async fn start_partable(senders: u32, recipients: u32) -> anyhow::Result<Self> {
        Self::begin(senders, recipients, true).await
    }

    async fn begin(senders: u32, recipients: u32, partable: bool) -> anyhow::Result<Self> {
        let folder = crate::folder()?;
        let world = World::found(folder.path(), senders)?;
        let mut network = None;
        if partable {
            let (forwarders, known) = Network::between(&world.addresses)?;
            world.route(&known)?;
            network = Some(forwarders);
        }
        let cluster = Cluster::start(folder.path())?;
        let clients = Clients::connect(&world, CONNECTIONS)?;
        let token = deploy(&clients, &world).await?;
        fund(&clients, &world, token).await?;
        let book = Book::new(recipients);
        let mut net = Self { world, cluster, network, clients, token, book, next: 0, _folder: folder };
        let warm = net.transfer(u64::from(senders) * 4, Pace::PerSecond(WARM), Patience::ONCE).await?;
        warm.tell("warm-up");
        ensure!(warm.success_percent() > 99.0, "the warm-up fails");
        net.clients.settled().await?;
        Ok(net)
    }

    /// Gives every recipient a token, so that all accounts are there.
    ///
    /// # Errors
    /// When a transaction is refused, or a validator does not answer.
    pub async fn open_accounts(&mut self) -> anyhow::Result<()> {
        let height = accounts::open(&self.clients, &self.world, self.token, self.book.recipients()).await?;
        self.book.open(height);
        self.clients.settled().await.map(drop)
    }

    /// Parts a validator from all others, while its process and its clients' connections go on.
    ///
    /// # Errors
    /// When the network is none that can part.
    pub fn part(&self, at: usize) -> anyhow::Result<()> {
        self.network.as_ref().context("this network cannot part")?.part(at);
        Ok(())
    }

    /// Joins the network again.
    pub fn heal(&self) {
        self.network.iter().for_each(Network::heal);
    }

    fn numbers(&mut self, count: u64) -> Range<u64> {
        let from = self.next;
        self.next += count;
        from..self.next
    }

    /// The last height of transactions that are signed now.
    async fn until(&self) -> anyhow::Result<Height> {
        Ok(self.clients.height().await? + LIFE)
    }

    /// Signs the next transfers.
    ///
    /// # Errors
    /// When no validator tells its height.
    pub async fn planned(&mut self, count: u64) -> anyhow::Result<Vec<Planned>> {
        let (numbers, until) = (self.numbers(count), self.until().await?);
        Ok(transfers(&self.world, self.token, self.book.recipients(), numbers, until))
    }

    /// Signs transfers, sends them, and enters into the book how they ended.
    ///
    /// # Errors
    /// When no validator tells its height.
    pub async fn transfer(&mut self, count: u64, pace: Pace, patience: Patience) -> anyhow::Result<Run> {
        let planned = self.planned(count).await?;
        let run = load::run(&self.clients, planned, pace, patience).await;
        self.book.enter(&run);
        Ok(run)
    }

    /// Starts to send signed transfers; the run is to be entered into the book.
    pub fn send(&self, planned: Vec<Planned>, pace: Pace, patience: Patience) -> JoinHandle<Run> {
        let clients = Arc::clone(&self.clients);
        tokio::spawn(async move { load::run(&clients, planned, pace, patience).await })
    }

    /// Signs notes and sends them; `book` is one of senders.
    ///
    /// # Errors
    /// When no validator tells its height.
    pub async fn note(&mut self, count: u64, pace: Pace, book: &mut Book) -> anyhow::Result<Run> {
        let (numbers, until) = (self.numbers(count), self.until().await?);
        let planned = notes(&self.world, numbers, until);
        let run = load::run(&self.clients, planned, pace, Patience::ONCE).await;
        book.enter(&run);
        Ok(run)
    }

    /// Checks the end state against the book, tells the counters and ends the validators.
    ///
    /// # Errors
    /// When anything differs, or a validator does not end well.
    pub async fn close(mut self) -> anyhow::Result<()> {
        crate::check::close(&self.clients, &mut self.book, self.token).await?;
        self.cluster.all_counters()?;
        let Self { cluster, _folder, .. } = self;
        cluster.stop()
    }
}

async fn deploy(clients: &Clients, world: &World) -> anyhow::Result<Address> {
    let payload = deployment()?.to_payload();
    let until = clients.height().await? + LIFE;
    let transaction = Transaction::sign(world.chain, &world.developer, nonce("deploy", 0), until, payload);
    clients.submit(0, &transaction).await?.contract.context("no contract was made")
}

/// Gives every sender some tokens, through all validators at a time.
async fn fund(clients: &Clients, world: &World, token: Address) -> anyhow::Result<()> {
    let until = clients.height().await? + LIFE;
    let granted = world.senders.iter().enumerate().map(|(at, key)| {
        let payload = transfer(token, &Address::of_key(&key.public()), GRANT).to_payload();
        let transaction = Transaction::sign(world.chain, &world.developer, nonce("fund", at as u64), until, payload);
        async move { clients.submit(at % VALIDATORS, &transaction).await.map(drop) }
    });
    stream::iter(granted).buffer_unordered(AT_ONCE).try_collect::<()>().await
}
