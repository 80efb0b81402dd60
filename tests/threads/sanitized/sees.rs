//! The sanitizer sees what it is there for.

use std::process::Command;
use std::thread;

use annotated::sync::Mutex;

const ALONE: &str = "LAYERSPEC_TEST_ALONE";

/// Runs a test again in a process of its own, which the sanitizer is to end with these words.
fn is_seen(test: &str, words: &str) {
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains(words), "{said}");
}

/// Two locks in both orders, although nobody waits for ever this time.
#[test]
fn locks_in_both_orders() {
    if std::env::var_os(ALONE).is_none() {
        return is_seen("locks_in_both_orders", "lock-order-inversion");
    }
    let (one, other) = (Mutex::new(1), Mutex::new(2));
    thread::scope(|scope| {
        let both = || drop((one.lock(), other.lock()));
        scope.spawn(both).join().unwrap();
        drop((other.lock(), one.lock()));
    });
}

/// Something that two threads change without a lock.
#[test]
fn a_race() {
    if std::env::var_os(ALONE).is_none() {
        return is_seen("a_race", "data race");
    }
    struct Shared(std::cell::UnsafeCell<u64>);
    // SAFETY: none; that is what is to be seen.
    unsafe impl Sync for Shared {}
    let shared = Shared(0.into());
    thread::scope(|scope| {
        for _ in 0..2 {
            let shared = &shared;
            scope.spawn(move || {
                for _ in 0..1000 {
                    // SAFETY: none.
                    unsafe { *shared.0.get() += 1 };
                }
            });
        }
    });
}
