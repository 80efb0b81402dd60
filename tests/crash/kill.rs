//! Killed before every write.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use layerspec::engine::Operation;
use libtest_mimic::Failed;
use tempfile::TempDir;

use crate::objects::{Objects, look};
use crate::script::{Script, provider};
use crate::strace::{self, Call, fresh_scratch, private, trace};
use crate::{child, disk};

/// Failures that are told; the rest is counted.
const TOLD: usize = 6;

/// Kinds of recovery that were themselves killed at every write.
static RECOVERIES: Mutex<BTreeSet<Vec<String>>> = Mutex::new(BTreeSet::new());

/// What is found after the engine died when so many acts were done, and after what may happen instead.
pub(crate) fn worlds(script: &Script) -> (Vec<Objects>, Vec<Objects>) {
    let after = |acts: &[Operation]| {
        let scratch = fresh_scratch();
        let engine = child::prepare(script, scratch.path());
        for act in acts {
            drop(engine.perform(act));
        }
        let alive = look(engine.as_ref());
        drop(engine);
        let again = provider(script.options)
            .reopen(&private(scratch.path()))
            .unwrap();
        let dead = look(again.as_ref());
        if !script.goes_with_the_engine {
            assert_eq!(alive.lasting(), dead.lasting(), "after {acts:?}");
        }
        dead
    };
    (
        (0..=script.acts.len())
            .map(|count| after(&script.acts[..count]))
            .collect(),
        script.also.iter().map(|acts| after(acts)).collect(),
    )
}

/// A store after its engine died, and what may be found there.
struct Wreck<'a> {
    script: &'a Script,
    /// The old world, the new one, and others.
    allowed: Vec<&'a Objects>,
    /// When it died, for messages.
    when: String,
}

pub(crate) fn test(script: &Script) -> Result<(), Failed> {
    let (worlds, also) = worlds(script);
    let mut faults = Vec::new();
    let logs = fresh_scratch();
    let log = logs.path().join("log");
    let scratch = fresh_scratch();
    let perform = |scratch: &TempDir| {
        let path = scratch.path().to_str().unwrap().to_owned();
        ["perform".to_owned(), script.name.to_owned(), path]
    };
    let (calls, _) = trace(&perform(&scratch).each_ref().map(String::as_str), &log);
    let writes: Vec<&Call> = calls.iter().filter(|call| call.is_write()).collect();
    assert!(!writes.is_empty(), "nothing was written");
    for call in writes {
        let scratch = fresh_scratch();
        let ended = strace::kill(call, &perform(&scratch).each_ref().map(String::as_str));
        let done = ended.lines.iter().filter(|line| *line == "done").count();
        if (ended.signal, done) != (Some(9), call.act) {
            faults.push(format!("{}: {ended:?} in act {}", call.text, call.act));
            continue;
        }
        let wreck = Wreck {
            script,
            allowed: worlds.iter().skip(call.act).take(2).chain(&also).collect(),
            when: format!("killed in act {} before {}", call.act, call.text),
        };
        wreck.explore(scratch.path(), &log, &mut faults);
    }
    tell(&faults)
}

/// A failure that lists faults, if there are any.
pub(crate) fn tell(faults: &[String]) -> Result<(), Failed> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut text = format!("{} faults\n", faults.len());
    for fault in faults.iter().take(TOLD) {
        let _ = writeln!(text, "\n{fault}");
    }
    Err(Failed::from(text))
}

impl Wreck<'_> {
    /// Recovers in a process of its own; if it does so in a way not seen before, also kills that before each
    /// of its writes.
    fn explore(&self, dead: &Path, log: &Path, faults: &mut Vec<String>) {
        let copies = fresh_scratch();
        let store = private(dead);
        let name = store.file_name().unwrap();
        let copy = |to: &str| {
            let to = copies.path().join(to);
            std::fs::create_dir(&to).unwrap();
            let copied = Command::new("cp").arg("-a").args([&store, &to]).status();
            assert!(copied.unwrap().success());
            to.join(name)
        };
        // An index is no other copy's: it goes by the inodes of its own.
        let can_be_copied = self.script.options.is_empty();
        let first = if can_be_copied {
            copy("first")
        } else {
            store.clone()
        };
        let (calls, ended) = trace(
            &["recover", first.to_str().unwrap(), self.script.options],
            log,
        );
        if ended.lines.last().is_none_or(|line| line != "done") {
            faults.push(format!("{}: no recovery: {ended:?}", self.when));
            return;
        }
        self.check(&first, "", faults);
        if !can_be_copied {
            return;
        }
        let writes: Vec<&Call> = calls.iter().filter(|call| call.is_write()).collect();
        let mut shape: Vec<String> = writes.iter().map(|call| call.kind()).collect();
        shape.dedup();
        if !RECOVERIES.lock().unwrap().insert(shape) {
            return;
        }
        for (index, call) in writes.into_iter().enumerate() {
            let again = copy(&index.to_string());
            let ended = strace::kill(
                call,
                &["recover", again.to_str().unwrap(), self.script.options],
            );
            if ended.signal != Some(9) || ended.lines.len() != 1 {
                faults.push(format!("{}: {}: {ended:?}", self.when, call.text));
                continue;
            }
            let when = format!(", recovery killed before {}", call.text);
            self.check(&again, &when, faults);
        }
    }

    /// Opens the store once more, here, and looks.
    fn check(&self, store: &Path, and: &str, faults: &mut Vec<String>) {
        let Self {
            script,
            allowed,
            when,
        } = self;
        let engine = match provider(script.options).reopen(store) {
            Ok(engine) => engine,
            Err(fault) => return faults.push(format!("{when}{and}: {fault}")),
        };
        let mut found = disk::faults(store);
        found.extend(look(engine.as_ref()).torn(allowed, script.may_be_between));
        found.extend(disk::faults(store));
        if !found.is_empty() {
            faults.push(format!("{when}{and}:\n{}", found.join("\n")));
        }
    }
}
