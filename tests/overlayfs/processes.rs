//! The processes of an engine.

use std::fs;
use std::path::Path;

/// A process, whose number may one day be another's.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: String,
    parent: String,
    started: String,
}

impl Process {
    fn read(pid: String) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state parent …`: a name may have spaces and brackets.
        let mut fields = stat.rsplit(") ").next()?.split(' ');
        (fields.next()? != "Z").then_some(())?;
        Some(Self {
            pid,
            parent: fields.next()?.to_owned(),
            started: fields.nth(17)?.to_owned(),
        })
    }

    pub(super) fn is_alive(&self) -> bool {
        let now = Self::read(self.pid.clone());
        now.is_some_and(|now| now.started == self.started)
    }
}

/// The process of the engine that was opened on this directory, and those that it has started.
pub(super) fn processes_of(scratch: &Path) -> Vec<Process> {
    let here = scratch.to_str().unwrap().as_bytes();
    let entries = fs::read_dir("/proc").unwrap();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut others: Vec<Process> = names
        .filter(|name| name.parse::<u32>().is_ok())
        .filter_map(Process::read)
        .collect();
    let is_engine = |process: &mut Process| {
        let environment = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
        environment.windows(here.len()).any(|part| part == here)
    };
    let mut found: Vec<Process> = others.extract_if(.., is_engine).collect();
    let mut at = 0;
    while let Some(parent) = found.get(at).map(|process| process.pid.clone()) {
        found.extend(others.extract_if(.., |process| process.parent == parent));
        at += 1;
    }
    found
}
