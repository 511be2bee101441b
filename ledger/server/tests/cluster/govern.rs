//! Changing the rules of a running chain, as administrators do.

use base_types::Digest;
use base_wire::Encode;
use ledger_chain::Executed;
use ledger_vm::{
    Command, NativeContract,
    govern::{Action, ChangeRecord, EpochChange, change_key},
};

use crate::world::{INTERVAL_MS, World, key, org, staff, until};

/// What calls the government.
pub fn payload(action: &Action) -> Vec<u8> {
    let to = NativeContract::Government.address();
    Command::Call { to, input: action.to_wire(), gas: 0 }.to_payload()
}

impl World {
    /// The change to this engine and these validators; whoever does not belong to the chain joins with it.
    pub fn change(&self, engine: u8, validators: &[usize]) -> EpochChange {
        let (_, chain) = self.running().next().expect("a node");
        let known = |at: &usize| {
            let row = chain.read::<ledger_light::Organisation>(&ledger_vm::organisation_key(&org(*at)));
            row.expect("read").is_some()
        };
        let joining: Vec<usize> = validators.iter().copied().filter(|at| !known(at)).collect();
        EpochChange {
            engine,
            interval_ms: INTERVAL_MS,
            validators: validators.iter().map(|at| self.seats[*at].validator()).collect(),
            organisations: joining.iter().map(|at| self.seats[*at].organisation()).collect(),
            members: joining.iter().flat_map(|at| staff(*at)).collect(),
            deadline: self.top() + 400,
        }
    }

    /// Has an organisation's member ask the government for something.
    pub async fn govern(&self, at: usize, who: &str, action: &Action) -> (Digest, Executed) {
        let transaction = self.sign(&key(at, who), payload(action));
        (transaction.digest(), self.submit(&transaction).await)
    }

    /// Proposes a change and votes for it with just as many as are needed.
    pub async fn pass(&self, change: EpochChange) -> Digest {
        let (_, chain) = self.running().next().expect("a node");
        let epoch = chain.epoch().expect("an epoch");
        let seat = |name: &str| (0..self.seats.len()).find(|at| org(*at).as_str() == name).expect("a seat");
        let voters: Vec<usize> = epoch.validators.iter().map(|v| seat(v.org.as_str())).collect();
        let (proposal, executed) = self.govern(voters[0], "admin", &Action::Propose(change)).await;
        assert_eq!(executed.refusal, None);
        for at in &voters[1..epoch.quorum()] {
            let (_, executed) = self.govern(*at, "admin", &Action::Vote { change: proposal, approve: true }).await;
            assert_eq!(executed.refusal, None);
        }
        proposal
    }

    /// Waits until every running node is in an epoch.
    pub async fn begun(&self, number: u64) {
        let there = |chain: &ledger_chain::Chain| chain.epoch().expect("an epoch").number >= number;
        until("the epoch begins", || self.running().all(|(_, chain)| there(chain))).await;
        assert!(self.running().all(|(_, chain)| chain.epoch().expect("an epoch").number == number));
    }

    /// What the newest of all states says of a change.
    pub fn record(&self, change: &Digest) -> Option<ChangeRecord> {
        let (_, chain) = self.running().max_by_key(|(_, chain)| chain.height())?;
        chain.read(&change_key(change)).expect("read")
    }
}
