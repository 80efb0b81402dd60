//! Whose a run is, and its commands that are under way: they outlive a process that is killed, and may make something
//! after it is gone.

use std::fs;
use std::time::{Duration, Instant};

/// Marks the commands of a run in their environment: the run, then its owner.
pub(super) const MARK: &str = "LAYERSPEC_RUN";

/// The longest that a command may still take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Processes that live as long as a container, and inherit the environment of the command that made it.
const KEEPERS: &[&str] = &["conmon", "catatonit"];

/// This process, as others can find it: machine, boot, process, start.
pub(super) fn owner() -> String {
    let pid = std::process::id();
    format!("{} {pid} {}", machine(), started(pid).unwrap_or_default())
}

/// Whether an owner is on this machine.
pub(super) fn is_here(owner: &str) -> bool {
    owner.split(' ').next() == machine().split(' ').next()
}

fn machine() -> String {
    let read = |path: &str| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let name = read("/proc/sys/kernel/hostname");
    format!("{name} {}", read("/proc/sys/kernel/random/boot_id"))
}

/// When a process started, in ticks since boot: field 22 of `proc_pid_stat(5)`.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19).map(str::to_owned)
}

/// Whether the owner of a run is gone for certain: a process of this machine that has ended, or of an
/// earlier boot.
pub(super) fn is_gone(owner: &str) -> bool {
    let mut words = owner.split(' ');
    let mut here = machine();
    let (name, boot) = (words.next(), words.next());
    let (pid, start) = (words.next().and_then(|pid| pid.parse().ok()), words.next());
    let boot_here = here.split_off(here.find(' ').unwrap_or(here.len()));
    let (Some(name), Some(boot), Some(pid)) = (name, boot, pid) else {
        return false;
    };
    name == here && (boot != boot_here.trim() || started(pid).as_deref() != start)
}

/// Waits until no command of such a run is under way any more, but not for ever.
pub(super) fn wait_for_commands(concerns: impl Fn(&str, &str) -> bool) {
    let begin = Instant::now();
    while commands(&concerns) && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a command of such a run is under way: of a run and an owner.
fn commands(concerns: impl Fn(&str, &str) -> bool) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else {
        return false;
    };
    processes.flatten().any(|process| {
        let path = process.path();
        let Some(mark) = fs::read(path.join("environ"))
            .ok()
            .and_then(|environment| mark(&environment))
        else {
            return false;
        };
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        let (run, owner) = mark.split_once(' ').unwrap_or((&mark, ""));
        !KEEPERS.contains(&name.trim()) && concerns(run, owner)
    })
}

/// The mark in an environment as `proc_pid_environ(5)` has it.
fn mark(environment: &[u8]) -> Option<String> {
    let prefix = format!("{MARK}=");
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(prefix.as_bytes()))?;
    String::from_utf8(value.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_is_surely_gone_is_gone() {
        assert!(!is_gone(&owner()), "this process runs");
        let machine = machine();
        let name = machine.split(' ').next().unwrap();
        let pid = std::process::id();
        for (owner, gone) in [
            (format!("{machine} {pid} 1"), true),
            (format!("{machine} 4194305 1"), true),
            (format!("{name} earlier-boot {pid} 1"), true),
            (format!("elsewhere boot {pid} 1"), false),
            (String::new(), false),
            (machine.clone(), false),
        ] {
            assert_eq!(is_gone(&owner), gone, "{owner:?}");
        }
    }

    #[test]
    fn a_command_is_known_by_its_mark() {
        let run = format!("test-{}", std::process::id());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env(MARK, format!("{run} {}", owner()))
            .spawn()
            .unwrap();
        let ours = |other: &str, whose: &str| other == run && whose == owner();
        // Its environment is there once it has been started.
        let begin = Instant::now();
        while !commands(ours) {
            assert!(begin.elapsed() < PATIENCE, "it is not found");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!commands(ours), "it is gone");
    }
}
