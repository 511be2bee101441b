//! The types that Malachite's core is generic over, filled with the ledger's own.

use std::{cmp::Ordering, fmt, sync::Arc};

use base_gm::sm2::{PublicKey, Signature};
use base_types::{Digest, Height, OrgId};
use base_wire::{Decode, Encode, WireError};
use ledger_light::{Block, Epoch};
use malachite_types::{self as bft, LinearTimeouts, NilOrVal, Round, SignedExtension, VoteType, VotingPower};

/// Chooses the types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerContext;
/// What is fed to the core.
pub(crate) type CoreInput = malachite_core::Input<LedgerContext>;
/// A vote and its signature.
pub(crate) type SignedVote = bft::SignedVote<LedgerContext>;
/// A proposal and its signature.
pub(crate) type SignedProposal = bft::SignedProposal<LedgerContext>;

/// A validator's address: its organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub OrgId);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl bft::Address for Address {}

/// A height.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlockHeight(pub u64);

impl fmt::Display for BlockHeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl bft::Height for BlockHeight {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);
    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }
    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }
    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// A block as a value to agree on. Its header's digest names it; the transactions fit the header by construction, but
/// their signatures are outside that digest, so that `body` tells apart what `id` does not.
#[derive(Clone)]
pub(crate) struct Value {
    pub block: Arc<Block>,
    pub id: Digest,
    pub body: Digest,
}

impl Value {
    /// `None` when the header does not commit to these transactions.
    pub fn new(block: Block) -> Option<Self> {
        (block.header.transactions_root == block.transactions_root()).then(|| Self {
            id: block.header.digest(),
            body: block.body(),
            block: Arc::new(block),
        })
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Value {}
impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.id, self.body).cmp(&(other.id, other.body))
    }
}
impl bft::Value for Value {
    type Id = Digest;
    fn id(&self) -> Digest {
        self.id
    }
}

/// A proposal; it carries the whole block, so there are no parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub height: BlockHeight,
    pub round: Round,
    pub value: Value,
    /// The round whose polka justifies proposing this value again.
    pub polka: Round,
    pub proposer: Address,
}

impl bft::Proposal<LedgerContext> for Proposal {
    fn height(&self) -> BlockHeight {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &Value {
        &self.value
    }
    fn take_value(self) -> Value {
        self.value
    }
    fn pol_round(&self) -> Round {
        self.polka
    }
    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// No such thing: see [`Proposal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoPart {}

impl bft::ProposalPart<LedgerContext> for NoPart {
    fn is_first(&self) -> bool {
        match *self {}
    }
    fn is_last(&self) -> bool {
        match *self {}
    }
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vote {
    pub kind: VoteType,
    pub height: BlockHeight,
    pub round: Round,
    pub value: NilOrVal<Digest>,
    pub voter: Address,
}

impl bft::Vote<LedgerContext> for Vote {
    fn height(&self) -> BlockHeight {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &NilOrVal<Digest> {
        &self.value
    }
    fn take_value(self) -> NilOrVal<Digest> {
        self.value
    }
    fn vote_type(&self) -> VoteType {
        self.kind
    }
    fn validator_address(&self) -> &Address {
        &self.voter
    }
    fn extension(&self) -> Option<&SignedExtension<LedgerContext>> {
        None
    }
    fn take_extension(&mut self) -> Option<SignedExtension<LedgerContext>> {
        None
    }
    fn extend(self, _: SignedExtension<LedgerContext>) -> Self {
        self
    }
}

/// A validator of the epoch; each has one vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validator {
    pub address: Address,
    pub key: PublicKey,
}

impl bft::Validator<LedgerContext> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }
    fn public_key(&self) -> &PublicKey {
        &self.key
    }
    fn voting_power(&self) -> VotingPower {
        1
    }
}

/// The validators of an epoch, in its order: at least one, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValidatorSet {
    first: Validator,
    all: Arc<[Validator]>,
}

impl ValidatorSet {
    /// `None` when the epoch names nobody, or somebody twice, or more than a certificate can name.
    pub fn new(epoch: &Epoch) -> Option<Self> {
        let of = |v: &ledger_light::Validator| Validator { address: Address(v.org.clone()), key: v.key };
        let all: Arc<[_]> = epoch.validators.iter().map(of).collect();
        let distinct = all.iter().enumerate().all(|(i, v)| all.iter().take(i).all(|w| w.address != v.address));
        let first = all.first()?.clone();
        (distinct && all.len() <= crate::wire::MAX_SIGNATURES).then_some(Self { first, all })
    }
    /// The place of a validator, as certificates name it.
    pub fn place_of(&self, address: &Address) -> Option<u16> {
        u16::try_from(self.all.iter().position(|v| &v.address == address)?).ok()
    }
    /// The proposer of a round: they take turns.
    pub fn proposer(&self, height: BlockHeight, round: Round) -> &Validator {
        let turn = turn(height.0, round.as_u32().unwrap_or(0), self.all.len());
        turn.and_then(|turn| self.all.get(turn)).unwrap_or(&self.first)
    }
}

/// Whose turn a round is, by place among so many validators.
fn turn(height: Height, round: u32, count: usize) -> Option<usize> {
    let turn = height.wrapping_add(round.into()).checked_rem(u64::try_from(count).ok()?)?;
    usize::try_from(turn).ok()
}

/// The organisation that proposes in a round of an epoch under BFT; `None` when the epoch names no validator.
pub fn proposer(epoch: &Epoch, height: Height, round: u32) -> Option<&OrgId> {
    let turn = turn(height, round, epoch.validators.len())?;
    epoch.validators.get(turn).map(|validator| &validator.org)
}

impl bft::ValidatorSet<LedgerContext> for ValidatorSet {
    fn count(&self) -> usize {
        self.all.len()
    }
    fn total_voting_power(&self) -> VotingPower {
        self.all.len() as u64
    }
    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.all.iter().find(|v| &v.address == address)
    }
    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.all.get(index)
    }
}

/// SM2 with SM3. The core never holds a private key: it asks for signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sm2;

impl bft::SigningScheme for Sm2 {
    type DecodingError = WireError;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = ();
    fn decode_signature(bytes: &[u8]) -> Result<Signature, WireError> {
        Signature::from_wire(bytes)
    }
    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.to_wire()
    }
    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, WireError> {
        PublicKey::from_wire(bytes)
    }
    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.to_wire()
    }
}

impl bft::Context for LedgerContext {
    type Address = Address;
    type Height = BlockHeight;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = ValidatorSet;
    type Timeouts = LinearTimeouts;
    type Value = Value;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Sm2;

    fn select_proposer<'a>(&self, set: &'a ValidatorSet, height: BlockHeight, round: Round) -> &'a Validator {
        set.proposer(height, round)
    }
    fn new_proposal(&self, height: BlockHeight, round: Round, value: Value, polka: Round, by: Address) -> Proposal {
        Proposal { height, round, value, polka, proposer: by }
    }
    fn new_prevote(&self, height: BlockHeight, round: Round, value: NilOrVal<Digest>, voter: Address) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, voter }
    }
    fn new_precommit(&self, height: BlockHeight, round: Round, value: NilOrVal<Digest>, voter: Address) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, voter }
    }
}
