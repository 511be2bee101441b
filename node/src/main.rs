//! The one binary: every organisation's node, the command line, and the demo.

mod cli;
mod client;
mod config;
mod demo;
mod doctor;
mod files;
mod init;
mod ledger_client;
mod observe;
mod renew;
mod serve;
mod wiring;

/// The system's allocator gives pages back to ask for them again at every block.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    std::process::exit(cli::main());
}
