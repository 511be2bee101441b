//! A party that runs the real engine over real links and does something else with some frames it owes one victim.
//!
//! It derives rendezvous and session by itself, from what the documents say, not by the runner's code.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base_gm::sm3::tagged;
use base_rt::links::{Link, LinkHub, LinkReceiver, LinkSender};
use base_types::{Digest, OrgId};
use mpc_authgarble::{Session, Shape};
use mpc_block::Block;
use mpc_core::{Abort, Context, Transport};
use mpc_ot::softspoken::Parameters;
use mpc_program::Bounds;
use mpc_psi::{
    Mode, circuit,
    element::{Builder, Part as Key},
    labelled, multi, two,
};
use mpc_relational::{OwnerRows, Rep3};
use notary_terms::{Plan, Program};
use runner::{Run, placement, shape};
use tokio::sync::Mutex;

/// How long a cheat itself waits; nobody depends on it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What becomes of a frame that is due.
pub enum Move {
    /// These frames leave instead of it.
    Send(Vec<Vec<u8>>),
    /// Nothing leaves, ever again.
    Hang,
    /// The cheat closes all its links.
    Leave,
}

/// Decides about the frame of that number to the victim.
pub type Deviation = Box<dyn FnMut(u64, Vec<u8>) -> Move + Send>;

/// Deviates at one frame only.
pub fn once(at: u64, mut instead: impl FnMut(Vec<u8>) -> Move + Send + 'static) -> Deviation {
    Box::new(move |number, frame| if number == at { instead(frame) } else { Move::Send(vec![frame]) })
}

/// What the cheat takes part in.
pub struct Part {
    pub hub: Arc<LinkHub>,
    pub run: Run,
    pub me: OrgId,
    pub inputs: Vec<OwnerRows>,
}

fn rendezvous(run: &Run) -> Digest {
    let approvals: Vec<u8> = run.approvals.iter().flat_map(|digest| digest.0).collect();
    let attempt = run.attempt.to_be_bytes();
    tagged("heqi/rendezvous/1", &[&run.chain.0, &run.plan.digest().0, &approvals, &run.start.0, &attempt])
}

/// The nonce of a cheat, to all or to all but one.
pub const NONCE: [u8; 32] = [5; 32];

/// The words by which nodes tell each other, before anybody reads, how far they are from having room for the run.
pub const WAITS: u8 = 1;
pub const HAS: u8 = 2;
pub const BUSY: u8 = 3;

type Links = Vec<Option<Link>>;

/// Opens the links of that label.
async fn open(part: &Part, label: &str) -> Option<Links> {
    let mut links = Links::new();
    for org in &part.run.plan.nodes {
        let opening = part.hub.open(rendezvous(&part.run).0, label, org, PATIENCE);
        links.push(if *org == part.me { None } else { Some(opening.await.ok()?) });
    }
    Some(links)
}

/// Comes to where the nodes wait for each other's room, says these words to all, one after the other, and stays.
pub async fn come(part: &Part, words: &[Vec<u8>]) -> Option<Links> {
    let mut links = open(part, "room").await?;
    for link in links.iter_mut().flatten() {
        for word in words {
            link.send(word).await.ok()?;
        }
    }
    Some(links)
}

/// Has room, and waits until all others have.
pub async fn with_room(part: &Part) -> Option<()> {
    for link in come(part, &[vec![HAS]]).await?.iter_mut().flatten() {
        while link.recv(1, PATIENCE).await.ok()? != [HAS] {}
    }
    Some(())
}

/// Opens the links and exchanges nonces; `nonce` may tell each peer another one. `None` when a peer is gone.
pub async fn meet(part: &Part, nonce: impl Fn(&OrgId) -> Vec<u8>) -> Option<(Digest, Links)> {
    with_room(part).await?;
    let rendezvous = rendezvous(&part.run);
    let mut links = open(part, "share").await?;
    let mut nonces = Vec::new();
    for (org, link) in part.run.plan.nodes.iter().zip(&mut links) {
        if let Some(link) = link {
            link.send(&nonce(org)).await.ok()?;
        }
    }
    for (org, link) in part.run.plan.nodes.iter().zip(&mut links) {
        nonces.extend(match link {
            Some(link) => link.recv(32, PATIENCE).await.ok()?,
            None => nonce(org),
        });
    }
    Some((tagged("heqi/session/1", &[&rendezvous.0, &nonces]), links))
}

struct Deviant {
    wires: Vec<Option<(Mutex<LinkSender>, Mutex<LinkReceiver>)>>,
    victim: usize,
    due: AtomicU64,
    deviation: Mutex<Deviation>,
}

impl Deviant {
    async fn put(&self, to: usize, frames: Vec<Vec<u8>>) -> Result<(), Abort> {
        let (sender, _) = self.wires[to].as_ref().expect("a link");
        let mut sender = sender.lock().await;
        for frame in frames {
            sender.send(&frame).await.map_err(|fault| Abort::network(to, fault.to_string()))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Transport for Deviant {
    async fn send(&self, to: usize, frame: Vec<u8>) -> Result<(), Abort> {
        if to != self.victim {
            return self.put(to, vec![frame]).await;
        }
        let number = self.due.fetch_add(1, Ordering::SeqCst);
        let instead = (self.deviation.lock().await)(number, frame);
        match instead {
            Move::Send(frames) => self.put(to, frames).await,
            Move::Hang => std::future::pending().await,
            Move::Leave => Err(Abort::local("it leaves")),
        }
    }

    async fn recv(&self, from: usize, max_len: usize) -> Result<Vec<u8>, Abort> {
        let (_, receiver) = self.wires[from].as_ref().expect("a link");
        let frame = receiver.lock().await.recv(max_len, PATIENCE).await;
        frame.map_err(|fault| Abort::network(from, fault.to_string()))
    }
}

pub fn place(plan: &Plan, org: &OrgId) -> usize {
    plan.nodes.iter().position(|node| node == org).expect("a node")
}

/// Meets the others; the engines' view of the session, with a deviation towards one victim.
pub async fn enter(part: &Part, victim: &OrgId, deviation: Deviation) -> Option<Context> {
    enter_saying(part, |_| NONCE.to_vec(), victim, deviation).await
}

/// As [`enter`], telling each peer the nonce that `nonce` has for it.
async fn enter_saying(
    part: &Part,
    nonce: impl Fn(&OrgId) -> Vec<u8>,
    victim: &OrgId,
    deviation: Deviation,
) -> Option<Context> {
    let (session, links) = meet(part, nonce).await?;
    let plan = &part.run.plan;
    let split = |link: Link| {
        let (sender, receiver) = link.split();
        (Mutex::new(sender), Mutex::new(receiver))
    };
    let deviant = Deviant {
        wires: links.into_iter().map(|link| link.map(split)).collect(),
        victim: place(plan, victim),
        due: AtomicU64::new(0),
        deviation: Mutex::new(deviation),
    };
    let fill = Box::new(|out: &mut [u8]| base_rt::Entropy::fill(&base_rt::OsEntropy, out));
    Some(Context::new(session.0, place(plan, &part.me), plan.nodes.len(), Arc::new(deviant), fill))
}

/// Takes part in a star join; true when it came to the end of the protocol.
pub async fn take_part(part: Part, victim: OrgId, deviation: Deviation) -> bool {
    take_part_saying(part, |_| NONCE.to_vec(), victim, deviation).await
}

/// As [`take_part`], telling each peer the nonce that `nonce` has for it.
pub async fn take_part_saying(
    part: Part,
    nonce: impl Fn(&OrgId) -> Vec<u8>,
    victim: OrgId,
    deviation: Deviation,
) -> bool {
    let Some(mut context) = enter_saying(&part, nonce, &victim, deviation).await else { return false };
    let plan = &part.run.plan;
    let (shape, placement) = (shape(plan).expect("a shape"), placement(plan).expect("a placement"));
    mpc_relational::run::<Rep3>(&mut context, &shape, &placement, part.inputs, &mut |_| ()).await.is_ok()
}

/// Takes part in counting the pairs of rows of an overlap, with as many keys as its bound says.
pub async fn count_matches(part: Part, victim: OrgId, deviation: Deviation) -> bool {
    let Some(mut context) = enter(&part, &victim, deviation).await else { return false };
    let plan = &part.run.plan;
    let Program::Overlap(overlap) = &plan.program else { panic!("no overlap") };
    let side = |at: usize| {
        let rows = plan.reads[at].rows_bound;
        let rows_of_a_key = circuit::Bound { each: u64::from(overlap.ranges[at].rows), total: u64::from(rows) };
        circuit::Side { keys: rows as usize, columns: vec![rows_of_a_key] }
    };
    let (receiver, least) = (place(plan, &plan.reads[0].owner), u64::from(overlap.min_group));
    let counted = vec![circuit::Function::Product(0, 0)];
    let parameters = circuit::Parameters::new(receiver, side(0), side(1), counted, Some(least)).expect("in range");
    let parameters = parameters.told_by(vec![circuit::Function::Cardinality]).expect("one count");
    let mine = plan.reads.iter().find(|read| read.owner == part.me).expect("an owner");
    let keys = strangers(&part.me, mine.rows_bound as usize);
    let ones = vec![1; keys.len()];
    let input = circuit::Input::new(keys, vec![ones]).expect("distinct");
    circuit::run(&mut context, &parameters, &input).await.is_ok()
}

/// Takes part in an intersection of several owners, with as many keys as its bound says.
pub async fn match_several(part: Part, victim: OrgId, deviation: Deviation) -> bool {
    let Some(mut context) = enter(&part, &victim, deviation).await else { return false };
    let plan = &part.run.plan;
    let bound = |node: &OrgId| plan.reads.iter().find(|read| read.owner == *node).expect("an owner").rows_bound;
    let sizes = plan.nodes.iter().map(|node| bound(node) as usize).collect();
    let outputs = multi::Outputs::One(place(plan, &plan.request.receiver));
    let parameters = multi::Parameters::new(sizes, outputs, Mode::Fast).expect("three owners");
    let keys = strangers(&part.me, bound(&part.me) as usize);
    multi::run(&mut context, &parameters, &keys).await.is_ok()
}

/// What both owners know of an intersection with cells of `payload` bytes.
fn parameters(plan: &Plan, payload: usize) -> labelled::Parameters {
    let [own, other] = plan.reads.as_slice() else { panic!("two reads") };
    let parameters = two::Parameters {
        sender: place(plan, &other.owner),
        receiver: place(plan, &own.owner),
        sender_elements: other.rows_bound as usize,
        receiver_elements: own.rows_bound as usize,
        outputs: two::Outputs::Receiver,
        mode: Mode::Fast,
    };
    labelled::Parameters { two: parameters, payload }
}

/// Elements that nobody else has.
pub fn strangers(me: &OrgId, count: usize) -> Vec<Block> {
    let element = |number: usize| {
        let digest = tagged("test/element", &[me.as_str().as_bytes(), &(number as u64).to_be_bytes()]);
        Block::from_bytes(*digest.0.first_chunk().expect("32 bytes"))
    };
    (0..count).map(element).collect()
}

/// Takes part in an intersection, with keys that nobody else has and cells of `payload` bytes.
pub async fn match_keys(part: Part, victim: OrgId, payload: usize, deviation: Deviation) -> bool {
    let Some(mut context) = enter(&part, &victim, deviation).await else { return false };
    let parameters = parameters(&part.run.plan, payload);
    if context.me() == parameters.two.receiver {
        let elements = strangers(&part.me, parameters.two.receiver_elements);
        return labelled::receive(&mut context, &parameters, &elements).await.is_ok();
    }
    let elements = strangers(&part.me, parameters.two.sender_elements);
    let payloads = vec![0; elements.len() * payload];
    labelled::send(&mut context, &parameters, &elements, &payloads).await.is_ok()
}

/// Takes part in an intersection as the owner of the cells, with the keys `keys` and the same bytes sealed under each.
pub async fn seal(part: Part, victim: OrgId, keys: Vec<i64>, cells: Vec<u8>) -> bool {
    let honest: Deviation = Box::new(|_, frame| Move::Send(vec![frame]));
    let Some(mut context) = enter(&part, &victim, honest).await else { return false };
    let parameters = parameters(&part.run.plan, cells.len());
    let mut builder = Builder::new(&context.session());
    keys.iter().for_each(|key| builder.row(&[Key::Int(*key)]));
    let mut elements = builder.finish().blocks().to_vec();
    elements.extend(strangers(&part.me, parameters.two.sender_elements));
    elements.truncate(parameters.two.sender_elements);
    let payloads = cells.repeat(elements.len());
    labelled::send(&mut context, &parameters, &elements, &payloads).await.is_ok()
}

/// Takes part in a user's program, with these bits as its inputs.
pub async fn compute(part: Part, victim: OrgId, inputs: Vec<bool>, deviation: Deviation) -> bool {
    let Some(mut context) = enter(&part, &victim, deviation).await else { return false };
    let plan = &part.run.plan;
    let Program::Circuit(circuit) = &plan.program else { panic!("no program") };
    let program = mpc_program::Program::compile(&circuit.source, Bounds::default()).expect("a program");
    let owners = plan.reads.iter().map(|read| place(plan, &read.owner)).collect();
    let receivers = vec![vec![place(plan, &plan.request.receiver)]; 2];
    let shape = Shape::new(program.circuit(), plan.nodes.len(), owners, &receivers).expect("a shape");
    let Ok(mut session) = Session::setup(&mut context, Parameters::default()).await else { return false };
    session.run(&shape, &inputs).await.is_ok()
}
