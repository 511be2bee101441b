//! Executes an approved plan and nothing else: reads, shares, runs the engine, and tells the notary what happened.

mod answer;
mod apart;
mod beats;
mod buckets;
mod budget;
mod cells;
mod common;
mod connections;
mod flows;
mod half_gates;
mod halt;
mod intersect;
mod keys;
mod local;
mod matching;
mod overlap;
mod program;
mod published;
mod room;
mod run;
mod session;
mod shape;
mod star;
mod transport;
mod vectors;

pub use answer::{Answer, AnswerCell, AnswerColumn};
pub use buckets::Scratch;
pub use budget::{Budget, Limits};
pub use flows::{Count, Direction, Flow, Flows};
pub use halt::Halt;
pub use local::{carrier_rows, side_rows};
pub use published::{Releases, Shelf};
pub use run::{Minutes, Note, Run, Site, execute};
pub use shape::{placement, shape};
