//! Threads with a large stack that run contracts, while the caller's thread answers what they read from the state.
//!
//! The machine's store owns its data, so it cannot hold a borrowed view; and contracts need a stack of known size.

use std::{
    rc::Rc,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use super::{Shared, THREAD_STACK, run};
use crate::{Address, Effects, Env, Halt, StateView, Unavailable};

/// What a contract is asked to do, owned.
pub(super) struct Job {
    pub(super) env: Env,
    pub(super) work: Work,
    pub(super) input: Vec<u8>,
    /// The limit.
    pub(super) gas: u64,
}

pub(super) enum Work {
    /// Make a contract of code as the compiler gave it.
    Deploy { code: Vec<u8> },
    /// Call one.
    Call { to: Address },
}

type Read = Result<Option<Vec<u8>>, Unavailable>;

enum Order {
    Run(Box<Job>),
    Value(Read),
}

enum Report {
    Read(Vec<u8>),
    Done(Box<Result<Effects, Halt>>),
}

/// A thread that runs one job after the other; it ends when this is dropped.
pub(super) struct Worker {
    orders: Sender<Order>,
    reports: Receiver<Report>,
}

fn gone<E>(_: E) -> Unavailable {
    Unavailable("the thread of a contract has ended".into())
}

impl Worker {
    /// Starts a thread.
    ///
    /// # Errors
    /// [`Unavailable`] when the system gives none.
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, Unavailable> {
        let (orders, inbox) = mpsc::channel();
        let (outbox, reports) = mpsc::channel();
        let builder = thread::Builder::new().name("wasm".into()).stack_size(THREAD_STACK);
        let thread = builder.spawn(move || serve(&Rc::new(Port { inbox, outbox }), &shared));
        match thread {
            Ok(_) => Ok(Self { orders, reports }),
            Err(error) => Err(Unavailable(format!("no thread for a contract: {error}"))),
        }
    }

    /// Runs a job; the view is read on the caller's thread.
    ///
    /// # Errors
    /// [`Unavailable`] when the thread has ended; the worker is then of no more use.
    pub(super) fn run(&self, view: &dyn StateView, job: Job) -> Result<Result<Effects, Halt>, Unavailable> {
        self.orders.send(Order::Run(Box::new(job))).map_err(gone)?;
        loop {
            match self.reports.recv().map_err(gone)? {
                Report::Read(key) => self.orders.send(Order::Value(view.get(&key))).map_err(gone)?,
                Report::Done(outcome) => return Ok(*outcome),
            }
        }
    }
}

/// The thread's end of the channels: how a contract reads the state.
pub(super) struct Port {
    inbox: Receiver<Order>,
    outbox: Sender<Report>,
}

impl Port {
    /// The value of a key of the ledger's state.
    ///
    /// # Errors
    /// [`Unavailable`] when the view gives it, or the caller is gone.
    pub(super) fn read(&self, key: Vec<u8>) -> Read {
        self.outbox.send(Report::Read(key)).map_err(gone)?;
        match self.inbox.recv().map_err(gone)? {
            Order::Value(value) => value,
            Order::Run(job) => Err(gone(job)),
        }
    }
}

fn serve(port: &Rc<Port>, shared: &Shared) {
    while let Ok(order) = port.inbox.recv() {
        let Order::Run(job) = order else { continue };
        let outcome = Box::new(run::run(shared, port, *job));
        if port.outbox.send(Report::Done(outcome)).is_err() {
            return;
        }
    }
}
