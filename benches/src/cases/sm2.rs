//! `make bench NAME=sm2`: verifications and signatures a second on one core, beside RustCrypto's `sm2` and libsm.
//!
//! `SECONDS` (10) is how long each figure is measured, in five runs. `n` is the number of keys in turn: with many the
//! tables lie in memory, with one in the processor's cache.

use std::{hint::black_box, time::Duration};

use anyhow::ensure;
use base_gm::sm2::{KeyTables, SecretKey};
use benches::{
    crypto::{self, Libsm, RustCrypto, Signed},
    report::{Figure, Spread, runs},
    setting,
};

const KEYS: u32 = 2000;
const RUNS: usize = 5;

/// Two libraries' figures of the same work.
struct Peers {
    rust_crypto: Spread,
    libsm: Spread,
}

impl Peers {
    /// The faster one beside the figure; both on standard error.
    fn beside(&self, what: &str, figure: Figure) -> anyhow::Result<()> {
        let (rust_crypto, libsm) = (self.rust_crypto.value, self.libsm.value);
        eprintln!("{what}: RustCrypto sm2 {rust_crypto:.0}/s, libsm {libsm:.0}/s");
        let faster = if rust_crypto >= libsm { ("RustCrypto sm2 0.14", rust_crypto) } else { ("libsm 0.6", libsm) };
        figure.peer(faster.0, faster.1).print()
    }
}

fn figure(case: &str, n: usize, spread: Spread) -> Figure {
    Figure::new("sm2", case, n as u64, "1/s", spread)
}

fn verification(keys: &[SecretKey], time: Duration) -> anyhow::Result<()> {
    let each = if keys.len() > 1 { 4 } else { 64 };
    let signed: Vec<Signed> = crypto::signed(keys, each);
    let some = &signed[..signed.len().min(500)];
    let tables = crypto::registered(keys);
    ensure!(tables.len() == keys.len(), "{} of {} keys have a table", tables.len(), keys.len());
    let none = KeyTables::new(0);
    crypto::check(&tables, &signed)?;
    crypto::check(&none, some)?;
    let (rust_crypto, libsm) = (RustCrypto::new(some)?, Libsm::new(some)?);
    (0..some.len()).try_for_each(|at| rust_crypto.verify(at).and_then(|()| libsm.verify(at)))?;
    eprintln!("{} signatures by {} keys are right, and so the libraries say", signed.len(), keys.len());

    let registered = runs(RUNS, time, |at| crypto::verify(&tables, &signed, at))?;
    let unknown = runs(RUNS, time, |at| crypto::verify(&none, &signed, at))?;
    let peers = Peers {
        rust_crypto: runs(RUNS, time, |at| rust_crypto.verify(at))?,
        libsm: runs(RUNS, time, |at| libsm.verify(at))?,
    };
    peers.beside("verify", figure("verify_registered", keys.len(), registered))?;
    peers.beside("verify", figure("verify_unknown", keys.len(), unknown))
}

fn signing(keys: &[SecretKey], time: Duration) -> anyhow::Result<()> {
    let key = &keys[0];
    let theirs = RustCrypto::signer(key)?;
    let libsm = Libsm::new(&[])?;
    let libsm_key = libsm.signer(key)?;
    for at in 0..100usize {
        let message = at.to_be_bytes();
        // Both derive the nonce as RFC 6979 does, so that their signatures are one.
        let same = RustCrypto::sign(&theirs, &message)? == key.sign(&message).to_bytes();
        ensure!(same, "RustCrypto makes another signature");
    }
    let ours = runs(RUNS, time, |at| {
        black_box(keys[at % keys.len()].sign(&at.to_be_bytes()));
        Ok(())
    })?;
    let peers = Peers {
        rust_crypto: runs(RUNS, time, |at| {
            RustCrypto::sign(&theirs, &at.to_be_bytes()).map(|made| drop(black_box(made)))
        })?,
        libsm: runs(RUNS, time, |at| libsm.sign(&libsm_key, &at.to_be_bytes()).map(drop))?,
    };
    peers.beside("sign", figure("sign", keys.len(), ours))
}

/// Runs it.
///
/// # Errors
/// What failed or was computed wrong.
pub fn main() -> anyhow::Result<()> {
    let time = Duration::from_secs_f64(setting("SECONDS", 10.0_f64)? / RUNS as f64);
    let keys = crypto::keys(KEYS);
    verification(&keys, time)?;
    verification(&keys[..1], time)?;
    signing(&keys, time)
}
