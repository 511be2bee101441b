//! Every frame of a run changed in every way, between two parties and among three: the right outputs or an abort with blame.
//!
//! Tiers C and D: the party whose frame changes is the corrupt one, and no honest one ends with outputs that are wrong. The
//! transfers are ideal here, so that every run takes part in full; those of `mpc-ot` have sweeps of their own, and a program
//! over both has one in `mpc-program`.

mod common;

use async_trait::async_trait;
use common::{bits_of, circuit, everybody, numbers};
use mpc_authgarble::{Correlation, Session, Shape};
use mpc_block::{Block, BlockPrg};
use mpc_core::mutate::Change;
use mpc_core::sweep::{Kinds, Protocol, Run, Tally, Verdict, sweep};
use mpc_core::{Abort, Context};
use mpc_ot::bits;
use zeroize::Zeroizing;

/// The inputs of the first party and of the last.
const X: u64 = 0xa7;
const Y: u64 = 0x6b;

/// Transfers that nobody has to send: keys are a stream that both ends know, the MACs follow from the holder's `Δ`.
struct Dealt {
    own: BlockPrg,
    theirs: BlockPrg,
    /// The peer's.
    delta: Block,
}

/// A seed for a session and a number: in another session a key has another MAC, as no transfer serves twice.
fn seeded(session: &[u8; 32], number: usize) -> BlockPrg {
    let half: [u8; 16] = std::array::from_fn(|at| session[at] ^ session[16 + at]);
    BlockPrg::new(Block::from_u128(u128::from_be_bytes(half).wrapping_add(number as u128)))
}

/// What keys for the party that holds `Δ` come from.
fn stream(session: &[u8; 32], holder: usize, peer: usize) -> BlockPrg {
    seeded(session, 256 + 16 * holder + peer)
}

fn delta(session: &[u8; 32], party: usize) -> Block {
    seeded(session, party).next().with_lsb(party == 1)
}

#[async_trait]
impl Correlation for Dealt {
    async fn keys(&mut self, count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
        let mut keys = Zeroizing::new(vec![Block::ZERO; count]);
        self.own.fill(&mut keys);
        Ok(keys)
    }

    async fn macs(&mut self, choices: &[Block], count: usize) -> Result<Zeroizing<Vec<Block>>, Abort> {
        let mut macs = Zeroizing::new(vec![Block::ZERO; count]);
        self.theirs.fill(&mut macs);
        for (at, mac) in macs.iter_mut().enumerate() {
            *mac ^= self.delta.masked(bits::get(choices, at));
        }
        Ok(macs)
    }
}

fn end(session: &[u8; 32], me: usize, peer: usize) -> Option<Box<dyn Correlation>> {
    let of = |holder, peer| stream(session, holder, peer);
    let dealt = || Dealt { own: of(me, peer), theirs: of(peer, me), delta: delta(session, peer) };
    (peer != me).then(|| Box::new(dealt()) as Box<dyn Correlation>)
}

/// The sum of two bytes and which is less, for everybody; the first party and the last have a byte each.
fn shape(parties: usize) -> Shape {
    let circuit = circuit(&[8, 8], |b, inputs| {
        let less = b.less(&inputs[0], &inputs[1]);
        vec![b.add(&inputs[0], &inputs[1]), vec![less]]
    });
    Shape::new(&circuit, parties, vec![0, parties - 1], &everybody(parties, 2)).expect("a shape")
}

fn sum_and_order(me: usize, mut ctx: Context) -> Run<Vec<Option<u64>>> {
    Box::pin(async move {
        let parties = ctx.parties();
        let shape = shape(parties);
        let id = ctx.id();
        let ends = (0..parties).map(|peer| end(&id, me, peer)).collect();
        let mut session = Session::over(&mut ctx, delta(&id, me), ends)?;
        let input = match me {
            0 => bits_of(X, 8),
            last if last + 1 == parties => bits_of(Y, 8),
            _ => Vec::new(),
        };
        Ok(numbers(&session.run(&shape, &input).await?))
    })
}

/// A corrupt owner may have another input: it says that input masked. All honest parties then have the outputs of one and the same.
fn judge(change: Option<&Change>, outputs: &[Option<Vec<Option<u64>>>]) -> Verdict {
    let culprit = change.map(|change| change.party);
    let parties = outputs.len();
    let mut honest =
        outputs.iter().enumerate().filter(|(me, _)| Some(*me) != culprit).filter_map(|(_, output)| output.as_ref());
    let Some(said) = honest.next() else { return Verdict::Right };
    let (Some(Some(sum)), true) = (said.first(), honest.all(|output| output == said)) else { return Verdict::Wrong };
    let (x, y) = match culprit {
        Some(0) => (sum.wrapping_sub(Y) & 0xff, Y),
        Some(last) if last + 1 == parties => (X, sum.wrapping_sub(X) & 0xff),
        _ => (X, Y),
    };
    if *said != [Some((x + y) & 0xff), Some(u64::from(x < y))] {
        return Verdict::Wrong;
    }
    if (x, y) == (X, Y) { Verdict::Right } else { Verdict::Other }
}

/// Nobody is played: what a party sends after the change depends on what it hears, and a tape would answer in the name of
/// labels that the party never got.
async fn swept(parties: usize, runs: usize) -> Tally {
    let protocol = Protocol { parties, party: sum_and_order, judge, kinds: Kinds::All, taped: &[], runs };
    let tally = sweep(protocol).await.unwrap();
    assert!(tally.runs >= runs, "{tally:?}");
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_two_parties() {
    let tally = swept(2, 240).await;
    // What is not read where a bit is 0: products of leaky triples, rows of tables.
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn among_three_parties() {
    let tally = swept(3, 300).await;
    assert!(tally.unnoticed * 2 < tally.runs, "{tally:?}");
}
