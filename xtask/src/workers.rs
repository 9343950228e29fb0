//! Many things at once, as many as there are processors.
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Does something with each item and its number. Those that come first are begun first.
pub(crate) fn for_each<T: Sync>(items: &[T], work: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else {
                        break;
                    };
                    work(number, item);
                }
            });
        }
    });
}
