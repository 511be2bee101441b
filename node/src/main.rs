//! The one binary: every organisation's node, the command line, and the demo.

mod cli;
mod client;
mod config;
mod demo;
mod doctor;
mod init;
mod ledger_client;
mod observe;
mod serve;
mod wiring;

fn main() {
    std::process::exit(cli::main());
}
