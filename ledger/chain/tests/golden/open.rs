//! Opens a version's data folder as a node of this version does, and holds it to what it held when it was written.

use std::{fs, path::Path};

use base_types::Height;
use base_wire::Decode;
use ledger_chain::{At, COLUMNS, Certified, Chain, Proven, audit};
use ledger_light::{Certificate, Genesis, Header, epoch_at};
use ledger_store::Store;
use ledger_vm::{Address, Command};

use crate::{
    DATA, EXPECTED, GENESIS,
    expected::{Expected, NONE, proven, rows, told, unhex},
    world::{self, DEVELOPER, GAS, NODE},
};

/// Numbers of transactions that no folder has.
const FURTHER: u64 = 1_000_000;

pub async fn opens(folder: &Path) {
    let name = folder.display();
    let text = fs::read_to_string(folder.join(EXPECTED)).unwrap_or_else(|why| panic!("{name}: {why}"));
    let expected = Expected::parse(&text);
    let genesis = fs::read(folder.join(GENESIS)).unwrap_or_else(|why| panic!("{name}: {why}"));
    let genesis = Genesis::from_wire(&genesis).expect("a genesis");
    let work = tempfile::tempdir().expect("a folder");
    world::copy(&folder.join(DATA), work.path());
    let store = Store::open(work.path(), &COLUMNS).unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(store.verify(), Ok(()), "{name}");
    for (words, _) in expected.of("column") {
        // Columns live as long as the program; this version may not name all that an older one had.
        let column: &'static str = words.concat().leak();
        expected.holds([rows(&store, column)]);
    }
    let before = audit(&store, &genesis).unwrap_or_else(|why| panic!("{name}: {why}"));
    expected.holds(proven(&before));

    let chain = world::start(store.clone(), genesis.clone()).unwrap_or_else(|why| panic!("{name}: {why}"));
    expected.holds(told(&chain));
    values(&chain, &genesis, &expected);
    calls(&chain, &expected);
    let sent = goes_on(&chain, &genesis, &expected).await;
    chain.stop().await;
    drop(chain);
    let after = audit(&store, &genesis).unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(after.transactions, before.transactions + sent, "{name}");
    assert!(after.height > before.height && after.certified == Some(after.height - 1), "{name}: {after:?}");
}

/// The validators to which the genesis leads have certified a header.
fn certified(chain: &Chain, genesis: &Genesis, header: &Header, certificate: &Certificate) {
    let handovers = chain.handovers().expect("handovers");
    let epoch = epoch_at(genesis, &handovers, header.height).expect("an epoch");
    assert_eq!(certificate.verify(header, &epoch), Ok(()), "height {}", header.height);
}

fn height(word: &str) -> Height {
    word.parse().expect("a height")
}

fn address(word: &str) -> Address {
    word.parse().expect("an address")
}

/// `value KEY at HEIGHT`: what the state of an older height held is read and proven.
fn values(chain: &Chain, genesis: &Genesis, expected: &Expected) {
    let lines = expected.of("value");
    assert!(!lines.is_empty(), "no value is named");
    for (words, wanted) in lines {
        let [key, "at", at] = words[..] else { panic!("not KEY at HEIGHT: {words:?}") };
        let (key, at) = (unhex(key), height(at));
        let wanted = (wanted != NONE).then(|| unhex(wanted));
        let Proven { header, certificate, value, proof } = chain.proven(At::Height(at), &key).expect("proven");
        assert_eq!((&value, header.height), (&wanted, at + 1), "{words:?}");
        assert_eq!(proof.verify(&header.state_root, &key, wanted.as_deref()), Ok(()), "{words:?}");
        certified(chain, genesis, &header, &certificate);
    }
}

/// `call CONTRACT INPUT at HEIGHT`: a contract answers on the state of an older height.
fn calls(chain: &Chain, expected: &Expected) {
    for (words, output) in expected.of("call") {
        let [to, input, "at", at] = words[..] else { panic!("not CONTRACT INPUT at HEIGHT: {words:?}") };
        let outcome = chain.call(At::Height(height(at)), None, address(to), &unhex(input), GAS).expect("called");
        assert_eq!((outcome.refusal, outcome.output), (None, unhex(output)), "{words:?}");
    }
}

/// `further CONTRACT INPUT`: the next transactions are executed on what the folder holds, an entry after them, and the root
/// that they lead to is certified. Answers with how many there were.
async fn goes_on(chain: &Chain, genesis: &Genesis, expected: &Expected) -> u64 {
    let mut sent = 0;
    for (words, output) in expected.of("further") {
        let [to, input] = words[..] else { panic!("not CONTRACT INPUT: {words:?}") };
        let call = Command::Call { to: address(to), input: unhex(input), gas: GAS }.to_payload();
        let call = world::sign(chain, DEVELOPER, FURTHER + sent, call);
        let executed = chain.submit(call).await.expect("executed");
        assert_eq!((executed.refusal, executed.output), (None, unhex(output)), "{words:?}");
        sent += 1;
    }
    let note = world::sign(chain, NODE, FURTHER + sent, world::note("opened"));
    let executed = chain.submit(note).await.expect("executed");
    assert_eq!((executed.refusal, executed.seq), (None, Some(0)));
    chain.reached(executed.height + 1).await.expect("one more block");
    let next = chain.header(executed.height + 1).expect("read").expect("a header");
    let Certified { header, certificate, .. } = next;
    assert_eq!(chain.state_root(executed.height), Ok(header.state_root));
    certified(chain, genesis, &header, &certificate);
    sent + 1
}
