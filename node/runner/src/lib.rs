//! Executes an approved plan and nothing else: reads, shares, runs the engine, and tells the notary what happened.

mod answer;
mod cells;
mod intersect;
mod keys;
mod local;
mod run;
mod session;
mod shape;
mod star;
mod transport;

pub use answer::{Answer, AnswerCell, AnswerColumn};
pub use local::{carrier_rows, side_rows};
pub use run::{Minutes, Note, Run, Site, execute};
pub use shape::{placement, shape};
