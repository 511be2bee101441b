//! The benchmarks by name: one program, so that it is linked once.

mod cases {
    pub mod garble;
    pub mod growth;
    pub mod ledger;
    pub mod ot;
    pub mod psi;
    pub mod queries;
    pub mod recovery;
    pub mod share;
    pub mod sm2;
    pub mod state;
    pub mod switch;
}

use anyhow::bail;
use benches::{bounded, validator};

fn main() -> anyhow::Result<()> {
    // A validator, or a side of an intersection, is this program, started again.
    if validator::requested()? || bounded::requested()? {
        return Ok(());
    }
    match std::env::args().nth(1).as_deref() {
        Some("garble") => cases::garble::main(),
        Some("growth") => cases::growth::main(),
        Some("ledger") => cases::ledger::main(),
        Some("ot") => cases::ot::main(),
        Some("psi") => cases::psi::main(),
        Some("queries") => cases::queries::main(),
        Some("recovery") => cases::recovery::main(),
        Some("share") => cases::share::main(),
        Some("sm2") => cases::sm2::main(),
        Some("state") => cases::state::main(),
        Some("switch") => cases::switch::main(),
        other => bail!("there is no benchmark {}", other.unwrap_or("without a name")),
    }
}
