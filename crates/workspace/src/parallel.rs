//! Work on many items spread over threads.

use std::thread::{ScopedJoinHandle, available_parallelism, scope};

/// How many threads or processes work at a time.
pub(crate) fn processors() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// What `work` makes of each item, in their order.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    scope(|scope| {
        let parts = items.chunks(items.len().div_ceil(processors()).max(1));
        let begun = |part| scope.spawn(move || <[T]>::iter(part).map(work).collect());
        let threads: Vec<ScopedJoinHandle<'_, Vec<R>>> = parts.map(begun).collect();
        let ended = |thread: ScopedJoinHandle<'_, Vec<R>>| match thread.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().flat_map(ended).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, 2, 7] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                in_parallel(&items, |item| item * 2),
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }
}
