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
