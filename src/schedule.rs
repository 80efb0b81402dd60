//! Doing many things side by side and telling their results in order.
//!
//! Whoever tells the results also watches that none takes too long, so that a limit costs an item nothing. A thread whose
//! item hangs is left behind with what it holds, since Rust cannot end a thread, and another one takes its place.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Start the next one.
    Continue,
    /// Start no more; what has been started is finished and told.
    Stop,
}

/// The most that an item may take.
pub struct Limit<'l, R> {
    /// So long.
    pub most: Duration,
    /// What is told of an item that takes longer. What may still come of it is dropped.
    pub overdue: &'l dyn Fn(usize) -> R,
}

/// How long results may wait while there are more to come. To wake somebody up for each of them costs the threads that
/// work more than a small item.
const NAP: Duration = Duration::from_millis(1);

/// What the threads share.
struct Desk<W, S> {
    work: W,
    stop: S,
    count: usize,
    next: AtomicUsize,
    /// When the items that are under way were begun.
    begun: Mutex<BTreeMap<usize, Instant>>,
}

/// What a thread has to say.
enum Message<R> {
    /// The result of an item, or a panic.
    Done(usize, std::thread::Result<R>),
    /// There is nothing more to do for the thread of this number.
    Over(usize),
}

/// Those who work, by number.
#[derive(Default)]
struct Threads {
    all: Vec<Option<JoinHandle<()>>>,
    /// How many of them go on.
    count: usize,
}

/// Does `work` for each of `count` items on up to `jobs` threads, which take the next item from a
/// shared queue, and hands the results to `tell` on the calling thread in the order of the items.
/// `stop` is asked before each item is started. `tell` may end the whole too. A panic in the work is passed on.
pub fn in_order<R: Send + 'static>(
    count: usize,
    jobs: NonZeroUsize,
    stop: impl Fn() -> bool + Send + Sync + 'static,
    work: impl Fn(usize) -> R + Send + Sync + 'static,
    limit: Option<&Limit<'_, R>>,
    mut tell: impl FnMut(usize, R) -> Flow,
) {
    let desk = Arc::new(Desk {
        work,
        stop,
        count,
        next: AtomicUsize::new(0),
        begun: Mutex::default(),
    });
    let (sender, messages) = channel();
    let mut threads = Threads::default();
    for _ in 0..jobs.get().min(count) {
        threads.start(&desk, &sender);
    }
    if threads.count == 0 {
        // Better one after the other than not at all.
        desk.go_on(&sender, 0);
        threads.count = 1;
    }
    let (mut early, mut due) = (BTreeMap::new(), 0);
    while threads.count > 0 {
        match desk.wait(&messages, limit) {
            // With all that came while this one napped.
            Ok(first) => {
                for message in std::iter::once(first).chain(messages.try_iter()) {
                    match message {
                        Message::Over(number) => threads.end(number),
                        Message::Done(index, Ok(result)) => drop(early.insert(index, result)),
                        Message::Done(_, Err(panic)) => resume_unwind(panic),
                    }
                }
            }
            Err(late) => {
                for (index, result) in late {
                    early.insert(index, result);
                    threads.count -= 1;
                    threads.start(&desk, &sender);
                }
            }
        }
        while let Some(result) = early.remove(&due) {
            if tell(due, result) == Flow::Stop {
                desk.next.store(count, Ordering::SeqCst);
            }
            due += 1;
        }
        if count.saturating_sub(due) > jobs.get() {
            std::thread::sleep(NAP);
        }
    }
}

impl Threads {
    /// Starts one, if there can be one.
    fn start<R, W, S>(&mut self, desk: &Arc<Desk<W, S>>, sender: &Sender<Message<R>>)
    where
        R: Send + 'static,
        W: Fn(usize) -> R + Send + Sync + 'static,
        S: Fn() -> bool + Send + Sync + 'static,
    {
        let (desk, sender, number) = (Arc::clone(desk), sender.clone(), self.all.len());
        let thread = Builder::new().name("layerspec-case".to_owned());
        if let Ok(thread) = thread.spawn(move || desk.go_on(&sender, number)) {
            self.all.push(Some(thread));
            self.count += 1;
        }
    }

    /// Waits until one that has nothing more to do has let go of what it shared: whoever was given that last would have
    /// to tidy up, and might be cut short by the end of the process.
    fn end(&mut self, number: usize) {
        self.count -= 1;
        if let Some(thread) = self.all.get_mut(number).and_then(Option::take) {
            // Its panics are told in results.
            thread.join().ok();
        }
    }
}

impl<R, W: Fn(usize) -> R, S: Fn() -> bool> Desk<W, S> {
    fn begun(&self) -> MutexGuard<'_, BTreeMap<usize, Instant>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what there is to do. The receiver outlives all threads but those left behind.
    fn go_on(&self, results: &Sender<Message<R>>, number: usize) {
        loop {
            let index = self.next.fetch_add(1, Ordering::SeqCst);
            if index >= self.count || (self.stop)() {
                results.send(Message::Over(number)).ok();
                return;
            }
            self.begun().insert(index, Instant::now());
            let result = catch_unwind(AssertUnwindSafe(|| (self.work)(index)));
            if self.begun().remove(&index).is_none() {
                // Too late: another thread has this one's place.
                return;
            }
            results.send(Message::Done(index, result)).ok();
        }
    }

    /// Items that have taken so long; whoever does them has lost his place.
    fn take_late(&self, most: Duration) -> Vec<usize> {
        let mut late = Vec::new();
        self.begun().retain(|index, begun| {
            let is_late = begun.elapsed() >= most;
            late.extend(is_late.then_some(*index));
            !is_late
        });
        late
    }

    /// The next message, or the items that have taken too long.
    fn wait(
        &self,
        messages: &Receiver<Message<R>>,
        limit: Option<&Limit<'_, R>>,
    ) -> Result<Message<R>, Vec<(usize, R)>> {
        let Some(Limit { most, overdue }) = limit else {
            // Somebody has a sender: the caller.
            return messages.recv().map_err(|_| Vec::new());
        };
        let first = self.begun().values().min().copied();
        // What begins meanwhile has longer to go.
        let left = first.map_or(*most, |first| most.saturating_sub(first.elapsed()));
        match messages.recv_timeout(left) {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Disconnected) => Err(Vec::new()),
            Err(RecvTimeoutError::Timeout) => {
                let late = self.take_late(*most).into_iter();
                Err(late.map(|index| (index, overdue(index))).collect())
            }
        }
    }
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
            move |index| {
                if index < 2 {
                    barrier.wait();
                }
                index * 10
            },
            None,
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
                None,
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
            None,
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
            None,
            |_, ()| Flow::Continue,
        );
    }

    #[test]
    fn what_hangs_is_told_as_overdue_and_the_rest_goes_on() {
        let (release, hung) = channel::<()>();
        let hung = Mutex::new(hung);
        let mut told = Vec::new();
        let limit = Limit {
            most: Duration::from_millis(50),
            overdue: &|index| format!("{index} is late"),
        };
        in_order(
            4,
            jobs(1),
            || false,
            move |index| {
                if index == 1 {
                    hung.lock().unwrap().recv().ok();
                }
                index.to_string()
            },
            Some(&limit),
            |_, result| {
                told.push(result);
                Flow::Continue
            },
        );
        assert_eq!(told, ["0", "1 is late", "2", "3"]);
        release.send(()).unwrap();
    }

    #[test]
    fn nothing_that_was_shared_is_held_when_all_is_told() {
        struct Slow;
        impl Drop for Slow {
            fn drop(&mut self) {
                std::thread::sleep(Duration::from_millis(50));
                LEFT.store(1, Ordering::SeqCst);
            }
        }
        static LEFT: AtomicUsize = AtomicUsize::new(0);
        let shared = Slow;
        let work = move |_: usize| {
            let _held = &shared;
        };
        in_order(3, jobs(2), || false, work, None, |_, ()| Flow::Continue);
        assert_eq!(LEFT.load(Ordering::SeqCst), 1);
    }

    #[test]
    #[should_panic(expected = "on purpose")]
    fn a_panic_is_passed_on() {
        let work = |_| panic!("on purpose");
        in_order(2, jobs(1), || false, work, None, |_, ()| Flow::Continue);
    }
}
