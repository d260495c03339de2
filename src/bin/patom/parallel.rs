//! Work that consists of many independent pieces, on threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use indicatif::ProgressBar;

use crate::Outcomes;

/// Does the pieces 0 to `count` and returns what they give in their order, whichever thread did them:
/// one for each core where `threads` does not say. Where one fails, the others need not begin.
pub fn all<T: Send>(
    count: usize,
    threads: Option<usize>,
    bar: &ProgressBar,
    work: impl Fn(usize) -> Outcomes<T> + Sync,
) -> Outcomes<Vec<T>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.unwrap_or(cores).clamp(1, 64);
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Vec<Mutex<Option<Outcomes<T>>>> = (0..count).map(|_| Mutex::new(None)).collect();
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = results.get(number) else {
                return;
            };
            if failed.load(Ordering::Relaxed) {
                return;
            }
            let result = work(number);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            *place.lock().expect("no thread panics with the lock") = Some(result);
            bar.inc(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    bar.finish_and_clear();
    // A piece that was skipped because another one failed has no result.
    (results.into_iter())
        .filter_map(|result| result.into_inner().expect("no thread panics with the lock"))
        .collect()
}
