//! Work on a thread of its own, while the thread that called listens for signals: the interpreter's
//! lock is released, and Ctrl-C is heard in the middle of a solve. Progress is called on the thread that
//! called.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::exception;
use crate::error::{Error, Result};
use crate::{interrupt, pool};

/// How long a signal waits at most.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a callback is called with.
pub enum Progress {
    /// Iteration, mean metric of the targets, utility.
    Iteration(usize, Option<f64>, f64),
    /// So many of so many.
    Count(usize, usize),
    /// A row of a sweep.
    Row(String),
}

impl Progress {
    fn call(&self, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        match self {
            Self::Iteration(iteration, metric, utility) => {
                callback.call1((iteration, metric, utility))
            }
            Self::Count(done, all) => callback.call1((done, all)),
            Self::Row(row) => callback.call1((row,)),
        }
        .map(drop)
    }
}

/// Where work reports its progress.
pub struct Reporter {
    /// Waits until the callback has returned or failed; none without a callback.
    send: Option<Box<dyn FnMut(Progress) -> bool + Send>>,
    /// Nobody waits for the result any more.
    abandoned: Arc<AtomicBool>,
}

impl Reporter {
    /// Reports, and says whether to go on.
    pub fn report(&mut self, progress: Progress) -> ControlFlow<()> {
        let goes_on = !self.is_abandoned() && self.send.as_mut().is_none_or(|send| send(progress));
        if goes_on {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Whether the work can end.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

enum Message<T> {
    Progress(Progress),
    Done(Result<T>),
}

/// Does the work, and calls `progress` with what it reports. A signal or an error of the callback ends
/// both.
pub fn interruptibly<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&mut Reporter) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let abandoned = Arc::new(AtomicBool::new(false));
    // Without a buffer: work waits for the callback.
    let (sender, receiver) = mpsc::sync_channel(0);
    let send = progress.is_some().then(|| {
        let sender = sender.clone();
        let send = move |progress| sender.send(Message::Progress(progress)).is_ok();
        Box::new(send) as Box<dyn FnMut(Progress) -> bool + Send>
    });
    let mut reporter = Reporter {
        send,
        abandoned: Arc::clone(&abandoned),
    };
    let flag = Arc::clone(&abandoned);
    std::thread::spawn(move || {
        let done = interrupt::with(Some(flag), || work(&mut reporter));
        // Nobody hears it where the caller has left.
        let _ = sender.send(Message::Done(done));
    });
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough in its lifetime"
    )]
    let wait = move || {
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(Message::Progress(step)) => Python::attach(|py| match &progress {
                    Some(callback) => step.call(callback.bind(py)),
                    None => Ok(()),
                })?,
                Ok(Message::Done(done)) => {
                    return done.map_err(|error| Python::attach(|py| exception(py, &error)));
                }
                Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err(
                        "the engine panicked (the message is on standard error): this is a fault of \
                         it; please report it with the specification",
                    ));
                }
            }
        }
    };
    let result = py.detach(wait);
    abandoned.store(true, Ordering::Relaxed);
    result
}

/// Does all the work on several threads, and reports how much is done. The results are in the order of
/// `items`, whichever thread made them. After an error no further item is begun.
pub fn run_all<T: Sync, R: Send>(
    items: &[T],
    threads: Option<usize>,
    reporter: &mut Reporter,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let all = items.len();
    let count = |done, result| (Progress::Count(done, all), result);
    run_each(items, threads, reporter, work, count)
}

/// The same for work that gives rows, which are reported and not kept.
pub fn run_rows<T: Sync>(
    items: &[T],
    threads: Option<usize>,
    reporter: &mut Reporter,
    work: impl Fn(&T) -> Result<String> + Sync,
) -> Result<()> {
    let row = |_, row| (Progress::Row(row), ());
    run_each(items, threads, reporter, work, row).map(drop)
}

/// `step` says what is reported of a result, given how many are done, and what is kept of it.
fn run_each<T: Sync, R, K: Send>(
    items: &[T],
    threads: Option<usize>,
    reporter: &mut Reporter,
    work: impl Fn(&T) -> Result<R> + Sync,
    step: impl Fn(usize, R) -> (Progress, K) + Sync,
) -> Result<Vec<K>> {
    let flag = interrupt::current();
    let state = Mutex::new((0, reporter));
    pool::run_all(items, threads, |item| {
        let result = interrupt::with(flag.clone(), || work(item))?;
        let mut state = state.lock().expect("no thread panics with the lock");
        state.0 += 1;
        let (progress, kept) = step(state.0, result);
        match state.1.report(progress) {
            ControlFlow::Continue(()) => Ok(kept),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    })
}
