//! A program for tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Makes a program in a directory. Another process writes it: a program cannot be started while somebody has it open for writing,
/// as whatever another thread starts meanwhile would have.
pub(super) fn program(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    let mut shell = Command::new("sh")
        .args(["-c", r#"cat >"$0" && chmod +x "$0""#])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
    path
}
