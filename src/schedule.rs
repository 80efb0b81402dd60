//! Doing many things side by side and telling their results in order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Start the next one.
    Continue,
    /// Start no more; what has been started is finished and told.
    Stop,
}

/// Does `work` for each of `count` items on up to `jobs` threads, which take the next item from a
/// shared queue, and hands the results to `tell` on the calling thread in the order of the items.
/// `stop` is asked before each item is started. `tell` may end the whole too.
pub fn in_order<R: Send>(
    count: usize,
    jobs: NonZeroUsize,
    stop: impl Fn() -> bool + Sync,
    work: impl Fn(usize) -> R + Sync,
    mut tell: impl FnMut(usize, R) -> Flow,
) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    let worker = |sender: mpsc::Sender<(usize, R)>| {
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            if index >= count || stop() {
                break;
            }
            // The receiver outlives the workers.
            drop(sender.send((index, work(index))));
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.get().min(count) {
            let sender = sender.clone();
            scope.spawn(|| worker(sender));
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                if tell(due, result) == Flow::Stop {
                    next.store(count, Ordering::SeqCst);
                }
                due += 1;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn jobs(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn results_come_in_order_however_they_finish() {
        // The first item waits for the second, so that they finish the other way round or together.
        let barrier = Barrier::new(2);
        let mut told = Vec::new();
        in_order(
            8,
            jobs(2),
            || false,
            |index| {
                if index < 2 {
                    barrier.wait();
                }
                index * 10
            },
            |index, result| {
                told.push((index, result));
                Flow::Continue
            },
        );
        let expected: Vec<_> = (0..8).map(|index| (index, index * 10)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn nothing_is_started_after_a_stop() {
        for (stop_at, told_max) in [(0, 1), (3, 4)] {
            let mut told = 0;
            in_order(
                100,
                jobs(1),
                || false,
                |index| index,
                |index, _| {
                    told += 1;
                    if index == stop_at {
                        Flow::Stop
                    } else {
                        Flow::Continue
                    }
                },
            );
            // One worker may run ahead of the telling, but what was started is told.
            assert!(told >= told_max, "{told} told");
        }
        let mut told = 0;
        in_order(
            100,
            jobs(4),
            || true,
            |index| index,
            |_, _| {
                told += 1;
                Flow::Continue
            },
        );
        assert_eq!(told, 0);
    }

    #[test]
    fn no_items_is_no_work() {
        in_order(
            0,
            jobs(4),
            || false,
            |_| panic!("no work"),
            |_, ()| Flow::Continue,
        );
    }
}
