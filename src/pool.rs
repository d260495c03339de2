//! The one way to run many: items on several threads, results in the order of the items.

use std::sync::atomic::{AtomicUsize, Ordering};

/// More would only wait for each other.
const MAX_THREADS: usize = 256;

/// Calls `work` for every item, on one thread for each core unless `threads` says otherwise. The results
/// are in the order of `items`, whichever thread made them.
///
/// # Errors
/// After the first failure no further item is begun; of several failures, the one of the first item is
/// returned.
pub fn run_all<T: Sync, R: Send, E: Send>(
    items: &[T],
    threads: Option<usize>,
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    run_all_with(items, threads, || (), |(), item| work(item))
}

/// The same with something that a thread keeps from one item to the next.
///
/// # Errors
/// As [`run_all`].
pub fn run_all_with<T: Sync, S, R: Send, E: Send>(
    items: &[T],
    threads: Option<usize>,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.unwrap_or(cores).clamp(1, MAX_THREADS);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut state = state();
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else {
                return done;
            };
            let result = work(&mut state, item);
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((number, result));
        }
    };
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.min(items.len()))
            .map(|_| scope.spawn(worker))
            .collect();
        let joined = threads.into_iter().flat_map(|thread| {
            let result = thread.join();
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for threads in [None, Some(0), Some(1), Some(7), Some(1000)] {
            let squares = run_all(&items, threads, |&item| Ok::<_, String>(item * item));
            let squares = squares.unwrap_or_default();
            assert_eq!(squares.len(), items.len(), "{threads:?}");
            assert!(items.iter().all(|&item| squares[item] == item * item));
        }
        let none = run_all(&[0; 0], None, |_| Ok::<_, String>(()));
        assert!(none.is_ok_and(|none| none.is_empty()));
    }

    #[test]
    fn the_first_failure_ends_the_work() {
        let items: Vec<usize> = (0..100).collect();
        let begun = AtomicUsize::new(0);
        let result = run_all(&items, Some(1), |&item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if item < 3 {
                Ok(())
            } else {
                Err(format!("item {item}"))
            }
        });
        assert_eq!(result, Err("item 3".to_string()));
        assert_eq!(begun.into_inner(), 4);
    }

    #[test]
    fn a_thread_keeps_its_state() {
        let count = |seen: &mut usize, _: &usize| {
            *seen += 1;
            Ok::<_, String>(*seen)
        };
        let seen = run_all_with(&[0; 5], Some(1), || 0, count);
        assert_eq!(seen, Ok(vec![1, 2, 3, 4, 5]));
    }
}
