//! What the benchmarks share: figures as JSON lines, a network of validator processes, the load, and the checks.
//!
//! A benchmark prints one JSON line a figure on standard output and all else on standard error, and fails when
//! something that was computed is wrong. What it is given comes from environment variables, named in its own file.

pub mod accounts;
pub mod book;
pub mod bounded;
pub mod bounds;
pub mod check;
pub mod clients;
pub mod cluster;
pub mod crypto;
pub mod govern;
pub mod ids;
pub mod limits;
pub mod load;
pub mod net;
pub mod parting;
pub mod peers;
pub mod psi;
pub mod reads;
pub mod reference;
pub mod report;
pub mod run;
pub mod shares;
pub mod sign;
pub mod star;
pub mod token;
pub mod tree;
pub mod validator;
pub mod wire;
pub mod world;

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::str::FromStr;

use anyhow::anyhow;

/// A number or word of the environment, or what stands for it where it is not set.
///
/// # Errors
/// When it is set and cannot be read.
pub fn setting<T: FromStr>(name: &str, default: T) -> anyhow::Result<T> {
    match std::env::var(name) {
        Ok(text) => text.trim().parse().map_err(|_| anyhow!("{name}={text} cannot be read")),
        Err(_) => Ok(default),
    }
}

/// A list of numbers of the environment, separated by commas.
///
/// # Errors
/// When it is set and cannot be read.
pub fn settings(name: &str, default: &[u32]) -> anyhow::Result<Vec<u32>> {
    let Ok(text) = std::env::var(name) else { return Ok(default.to_vec()) };
    text.split(',').map(|part| part.trim().parse().map_err(|_| anyhow!("{name}={text} cannot be read"))).collect()
}

/// The cases that `ONLY` names, with commas between; all of them where it is not set.
pub struct Only(Vec<String>);

impl Only {
    /// What was asked for.
    ///
    /// # Errors
    /// When it names a case that is not one of `known`.
    pub fn of(known: &[&str]) -> anyhow::Result<Self> {
        let text: String = setting("ONLY", String::new())?;
        let names: Vec<String> = text.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(anyhow!("there is no case {name}, but {}", known.join(", "))),
            None => Ok(Self(names)),
        }
    }

    /// Whether a case is to run.
    pub fn wants(&self, case: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| name == case)
    }
}

/// Whether the long form was asked for (`LONG=1`).
pub fn long() -> bool {
    std::env::var("LONG").is_ok_and(|word| !word.is_empty() && word != "0")
}

/// The runtime of a generator or a validator: two workers, for a machine of two cores.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// A new folder on a disk, below `BENCH_DIR` or the system's folder for such; it goes away when dropped.
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> std::io::Result<tempfile::TempDir> {
    let place = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, std::path::PathBuf::from);
    tempfile::tempdir_in(place)
}
