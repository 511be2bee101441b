//! One party's state behind [`crate::Two`]: both directions of transfers, randomness of its own, and keys of ring LWE.

use mpc_block::Block;
use mpc_core::{Abort, Context, Prg};
use zeroize::Zeroizing;

use crate::line::Line;
use crate::parameters::Parameters;
use crate::rlwe::Keys;
use crate::transfers::{Receiver, Sender};

/// Which of the two a party is, where the parts differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Zero,
    One,
}

/// One party's state.
pub(crate) struct Party {
    ctx: Context,
    pub(crate) role: Role,
    pub(crate) parameters: Parameters,
    /// Transfers that this party sends.
    pub(crate) sender: Sender,
    /// Transfers that this party receives.
    pub(crate) receiver: Receiver,
    /// What masks this party's values.
    pub(crate) prg: Prg,
    /// Made with the first product that needs them.
    pub(crate) keys: Option<Keys>,
}

/// A stream of its own for one purpose, from the party's entropy.
pub(crate) fn fresh_prg(random: impl Fn(&mut [u8])) -> Prg {
    let mut seed = Zeroizing::new([0_u8; 32]);
    random(&mut seed[..]);
    Prg::new(&seed)
}

impl Party {
    /// Forks the session and sets up the transfers in both directions, those that party 0 sends first.
    pub(crate) async fn setup(ctx: &mut Context, parameters: Parameters) -> Result<Self, Abort> {
        if ctx.parties() != 2 {
            return Err(Abort::local(format!("a session of {} parties, not of two", ctx.parties())));
        }
        let mut ctx = ctx.fork_bound("two", &parameters.encode());
        let (role, peer) = if ctx.me() == 0 { (Role::Zero, 1) } else { (Role::One, 0) };
        let hash_key = |sending: &str| {
            let digest = ctx.digest("heqi/mpc/two/hash-key/1", &[sending.as_bytes()]);
            let (halves, _) = digest.as_chunks::<16>();
            Block::from_bytes(halves[0])
        };
        let (from_zero, from_one) = (hash_key("party 0 sends"), hash_key("party 1 sends"));
        let (sender, receiver) = match role {
            Role::Zero => {
                let sender = Sender::setup(&mut ctx, peer, &parameters, from_zero).await?;
                (sender, Receiver::setup(&mut ctx, peer, &parameters, from_one).await?)
            }
            Role::One => {
                let receiver = Receiver::setup(&mut ctx, peer, &parameters, from_zero).await?;
                (Sender::setup(&mut ctx, peer, &parameters, from_one).await?, receiver)
            }
        };
        let prg = fresh_prg(|out: &mut [u8]| ctx.random(out));
        Ok(Self { ctx, role, parameters, sender, receiver, prg, keys: None })
    }

    /// Forks the session for one operation; the fork's identifier binds its name and lengths, so parties that disagree
    /// abort.
    pub(crate) fn line(&mut self, operation: &str, shape: &[usize]) -> Line {
        let shape: Vec<u8> = shape.iter().flat_map(|len| (*len as u64).to_be_bytes()).collect();
        Line::new(self.ctx.fork_bound(operation, &shape), self.peer())
    }

    /// Sees to it that so many transfers that party 0 sends, and so many that party 1 sends, can be taken.
    pub(crate) async fn reserve(&mut self, from_zero: usize, from_one: usize) -> Result<(), Abort> {
        match self.role {
            Role::Zero => {
                self.sender.reserve(from_zero).await?;
                self.receiver.reserve(from_one).await
            }
            Role::One => {
                self.receiver.reserve(from_zero).await?;
                self.sender.reserve(from_one).await
            }
        }
    }

    /// The other party's number.
    pub(crate) fn peer(&self) -> usize {
        1 - self.me()
    }

    /// This party's number.
    pub(crate) fn me(&self) -> usize {
        match self.role {
            Role::Zero => 0,
            Role::One => 1,
        }
    }

    /// `value` at party 0 and `other` at party 1.
    pub(crate) fn pick<T>(&self, value: T, other: T) -> T {
        match self.role {
            Role::Zero => value,
            Role::One => other,
        }
    }
}
