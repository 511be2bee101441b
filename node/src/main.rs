//! The one binary: every organisation's node, the command line, and the demo.

mod cli;
mod client;
mod config;
mod demo;
mod doctor;
mod init;
mod serve;
mod wiring;

fn main() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("HEQI_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,arc_malachitebft=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    std::process::exit(cli::main());
}
