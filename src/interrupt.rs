//! Ends work in the middle of a solve, where one process does many things and cannot kill a worker: the
//! Python package. Solvers ask [`check`] once a step. Everywhere else it costs nothing.

#[cfg(feature = "python")]
pub(crate) use flag::{current, with};

use crate::error::Result;

/// `Error::Cancelled` where the work of this thread is to end.
#[cfg(feature = "python")]
pub(crate) fn check() -> Result<()> {
    flag::check()
}

/// Nothing ends the work but its process.
#[cfg(not(feature = "python"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature `python`")]
pub(crate) fn check() -> Result<()> {
    Ok(())
}

#[cfg(feature = "python")]
mod flag {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::error::{Error, Result};

    thread_local! {
        static FLAG: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
    }

    /// Does work on this thread that ends soon after the flag is set.
    pub(crate) fn with<T>(flag: Option<Arc<AtomicBool>>, work: impl FnOnce() -> T) -> T {
        let before = FLAG.replace(flag);
        let done = work();
        FLAG.set(before);
        done
    }

    /// The flag of this thread, for others that work for it.
    pub(crate) fn current() -> Option<Arc<AtomicBool>> {
        FLAG.with_borrow(Clone::clone)
    }

    pub(crate) fn check() -> Result<()> {
        let is_set = FLAG.with_borrow(|flag| {
            flag.as_ref()
                .is_some_and(|flag| flag.load(Ordering::Relaxed))
        });
        if is_set {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}
