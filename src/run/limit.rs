//! The time limit of a case.
//!
//! The work is done on a second thread, so that a case that hangs still gets a verdict. Starting a
//! thread costs more than a small scenario does, so each thread that runs cases keeps one worker. A
//! worker that hangs is left behind with what it holds, since Rust cannot end a thread; it is told
//! to stop at its next step, so that one that is merely slow cleans up after itself.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::Builder;
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// How far an execution has come, for the one who waits for it.
#[derive(Debug, Default)]
pub struct Progress {
    begun: AtomicUsize,
    stop: AtomicBool,
}

impl Progress {
    /// Position of the step that began last, from 1 in the order of [`super::all_steps`]; 0 before
    /// the first.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Tells the execution to begin no further step.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn begin(&self, position: usize) {
        self.begun.store(position, Ordering::Relaxed);
    }

    /// Whether it was told so.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// It took longer than the limit.
    TooSlow,
    /// It panicked, or no thread could be started.
    Died,
}

/// Does the work on this thread's worker and waits for it, but no longer than `limit`.
///
/// # Errors
/// [`Unfinished`]; `progress` is then told to stop.
pub fn within<T: Send + 'static>(
    limit: Duration,
    progress: &Arc<Progress>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (give, take) = sync_channel(1);
    let handed_over = hand_over(Box::new(move || send(&give, work())));
    if !handed_over {
        return Err(Unfinished::Died);
    }
    let result = take.recv_timeout(limit).map_err(|why| match why {
        RecvTimeoutError::Timeout => Unfinished::TooSlow,
        RecvTimeoutError::Disconnected => Unfinished::Died,
    });
    if result.is_err() {
        progress.stop();
        WORKER.with_borrow_mut(|worker| *worker = None);
    }
    result
}

thread_local! {
    static WORKER: RefCell<Option<Sender<Job>>> = const { RefCell::new(None) };
}

/// Gives the job to the worker, starting one when there is none or it is gone.
fn hand_over(job: Job) -> bool {
    WORKER.with_borrow_mut(|worker| {
        let job = match worker {
            Some(jobs) => match jobs.send(job) {
                Ok(()) => return true,
                Err(back) => back.0,
            },
            None => job,
        };
        *worker = start();
        worker.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    })
}

fn start() -> Option<Sender<Job>> {
    let (jobs, queue) = channel::<Job>();
    let name = "layerspec-case".to_owned();
    let thread = Builder::new()
        .name(name)
        .spawn(move || queue.iter().for_each(|job| job()));
    thread.is_ok().then_some(jobs)
}

fn send<T>(give: &SyncSender<T>, result: T) {
    // Nobody waits any more when the limit was passed.
    give.send(result).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_used_again() {
        let progress = Arc::new(Progress::default());
        let limit = Duration::from_secs(60);
        let id = || std::thread::current().id();
        let first = within(limit, &progress, id);
        assert!(first.is_ok());
        assert_eq!(first, within(limit, &progress, id));
        assert_ne!(first, Ok(id()));
        assert!(!progress.is_stopped());
    }

    #[test]
    fn a_worker_that_hangs_is_left_behind_and_told_to_stop() {
        let progress = Arc::new(Progress::default());
        let (release, wait) = channel::<()>();
        let hung = within(Duration::from_millis(5), &progress, move || {
            wait.recv().ok()
        });
        assert_eq!(hung, Err(Unfinished::TooSlow));
        assert!(progress.is_stopped());
        assert_eq!(within(Duration::from_secs(60), &progress, || 7), Ok(7));
        release.send(()).unwrap();
    }

    #[test]
    fn a_worker_that_panics_is_replaced() {
        let progress = Arc::new(Progress::default());
        let limit = Duration::from_secs(60);
        assert_eq!(
            within(limit, &progress, || -> u8 { panic!("on purpose") }),
            Err(Unfinished::Died)
        );
        assert_eq!(within(limit, &progress, || 7), Ok(7));
    }
}
