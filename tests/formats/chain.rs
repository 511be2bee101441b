//! Samples of what contracts, the government and the stored chain keep.

use ledger_chain::{Certified, Executed, Placed};
use ledger_light::{BFT, Handover, Organisation, RAFT, Validator};
use ledger_vm::{
    Address, Command, Contract, Event, Machine, NativeContract,
    evm::Account,
    govern::{Action, Addresses, ChangeRecord, ChangeStatus, EpochChange, Revocation},
    wasm::Code,
};

use crate::samples::{Sample, certificate, digest, epoch, genesis, header, key, org, person, sample, transaction};

fn change() -> EpochChange {
    EpochChange {
        engine: RAFT,
        interval_ms: 500,
        validators: vec![Validator { org: org("audit"), key: key("audit") }],
        organisations: vec![Organisation {
            id: org("audit"),
            name_zh: "审计".into(),
            name_en: "Audit".into(),
            ca: vec![0x30],
        }],
        members: genesis().members,
        deadline: 200,
    }
}

fn record(status: ChangeStatus) -> ChangeRecord {
    ChangeRecord {
        change: change(),
        proposer: person("health/admin"),
        height: 12,
        yes: vec![org("civil")],
        no: vec![org("health")],
        ready: vec![org("audit")],
        status,
    }
}

fn executed() -> Executed {
    let event = Event { contract: Address([1; 20]), topics: vec![digest(1)], data: vec![2] };
    Executed {
        height: 9,
        index: 3,
        seq: Some(4),
        refusal: Some("no".into()),
        gas: 21_000,
        output: vec![5],
        events: vec![event],
        contract: Some(Address([6; 20])),
    }
}

/// The samples.
pub fn samples() -> Vec<Sample> {
    assert_ne!(BFT, RAFT);
    let to = NativeContract::Government.address();
    let revocation = Revocation { org: org("health"), serial: [7; 16], key: Some(key("old")), from: 14 };
    let addresses = Addresses { control: "10.0.0.1:7100".into(), data: "10.0.0.1:7200".into() };
    let contract =
        Contract { machine: Machine::Evm, deployer: person("health/dev"), tx: digest(8), height: 9, code: digest(10) };
    vec![
        sample("Handover", &Handover { header: header(), certificate: certificate(), epoch: epoch() }),
        sample("Command::Deploy", &Command::Deploy { machine: Machine::Wasm, code: vec![1], input: vec![2], gas: 3 }),
        sample("Command::Call", &Command::Call { to, input: vec![2], gas: 3 }),
        sample("Action::Propose", &Action::Propose(change())),
        sample("Action::Vote", &Action::Vote { change: digest(1), approve: true }),
        sample("Action::Ready", &Action::Ready { change: digest(1) }),
        sample("Action::Revoke", &Action::Revoke(revocation)),
        sample("Action::Announce", &Action::Announce(addresses)),
        sample("ChangeRecord voting", &record(ChangeStatus::Voting)),
        sample("ChangeRecord passed", &record(ChangeStatus::Passed)),
        sample("ChangeRecord scheduled", &record(ChangeStatus::Scheduled { first_height: 20 })),
        sample("ChangeRecord lapsed", &record(ChangeStatus::Lapsed { why: "late".into() })),
        sample("Contract", &contract),
        sample("Code of WebAssembly", &Code { version: 1, code: vec![0, 1] }),
        sample("Account of the EVM", &Account { nonce: 1, balance: [2; 32], code: digest(3) }),
        sample("Executed", &executed()),
        sample("Placed", &Placed { executed: executed(), transaction: transaction() }),
        sample("Certified", &Certified { header: header(), certificate: certificate(), transactions: 4 }),
    ]
}
