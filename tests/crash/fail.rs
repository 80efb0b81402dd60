//! Every call fails once.

use layerspec::engine::{Answer, Operation};
use libtest_mimic::Failed;
use nix::errno::Errno;

use crate::kill::tell;
use crate::objects::{Objects, is_done, look, said};
use crate::script::{Script, provider};
use crate::strace::{self, Call, Ended, fresh_scratch, private, run, trace};
use crate::tracer::{self, Change};
use crate::{child, disk, kill};

/// The lengths beyond which files cannot grow.
const LIMITS: &[u64] = &[0, 1, 64, 300, 700, 4096, 19_999];

/// What is seen by the living engine, before the acts and after each of them, and what may be seen else when one is
/// refused; which acts are done; and what is there after the engine has died.
struct Story {
    worlds: Vec<Objects>,
    also: Vec<Objects>,
    done: Vec<bool>,
    after_death: Vec<Objects>,
}

impl Story {
    fn new(script: &Script) -> Self {
        let after = |acts: &[Operation]| {
            let scratch = fresh_scratch();
            let engine = child::prepare(script, scratch.path());
            let done: Vec<bool> = acts
                .iter()
                .map(|act| is_done(&engine.perform(act)))
                .collect();
            (look(engine.as_ref()), done)
        };
        let prefixes = (0..=script.acts.len()).map(|count| after(&script.acts[..count]).0);
        Self {
            worlds: prefixes.collect(),
            also: script.also.iter().map(|acts| after(acts).0).collect(),
            done: after(&script.acts).1,
            after_death: kill::worlds(script).0,
        }
    }
}

pub(crate) fn test(script: &Script) -> Result<(), Failed> {
    let story = Story::new(script);
    let mut faults = Vec::new();
    let logs = fresh_scratch();
    let scratch = fresh_scratch();
    let path = scratch.path().to_str().unwrap();
    let log = logs.path().join("log");
    let (calls, _) = trace(&["perform", script.name, path], &log);
    let acts = script.acts.len();
    let can_fail = |call: &&Call| call.act < acts && (call.nth.is_some() || call.is_distinct);
    for call in calls.iter().filter(can_fail) {
        let mut errors = Vec::new();
        if call.is_write() || !call.is_open() {
            errors.push(Errno::EIO);
        }
        if call.is_growing() {
            errors.push(Errno::ENOSPC);
        }
        if call.is_open() {
            errors.push(Errno::EMFILE);
        }
        for error in errors {
            let when = format!("{error:?} in act {} from {}", call.act, call.text);
            one(script, &story, call.act, &when, &mut faults, |arguments| {
                if call.nth.is_some() {
                    tracer::run(&arguments[1..], call, Change::Fail(error))
                } else {
                    strace::fail(call, &format!("{error:?}"), &log, arguments)
                }
            });
        }
    }
    tell(&faults)
}

/// Every write in turn takes half of what it is given, and says so.
pub(crate) fn test_short_writes(script: &Script) -> Result<(), Failed> {
    let story = Story::new(script);
    let mut faults = Vec::new();
    let logs = fresh_scratch();
    let scratch = fresh_scratch();
    let path = scratch.path().to_str().unwrap();
    let (calls, _) = trace(&["perform", script.name, path], &logs.path().join("log"));
    let acts = script.acts.len();
    // Only the first thread writes to a disk.
    for call in calls.iter().filter(|call| call.act < acts) {
        let Some(moved) = call.moved().filter(|moved| *moved >= 2) else {
            continue;
        };
        let when = format!("half of it is written in act {} by {}", call.act, call.text);
        one(script, &story, call.act, &when, &mut faults, |arguments| {
            tracer::run(&arguments[1..], call, Change::Shorten(moved / 2))
        });
    }
    tell(&faults)
}

pub(crate) fn test_full_files(script: &Script) -> Result<(), Failed> {
    test_full(script, &[])
}

/// The same where the kernel copies nothing, and each piece is read and written.
pub(crate) fn test_full_files_by_hand(script: &Script) -> Result<(), Failed> {
    let by_hand = "--inject=copy_file_range:error=EXDEV";
    test_full(
        script,
        &[
            "--seccomp-bpf",
            "-o",
            "/dev/null",
            "--trace=copy_file_range",
            by_hand,
        ],
    )
}

fn test_full(script: &Script, strace: &[&str]) -> Result<(), Failed> {
    let story = Story::new(script);
    let mut faults = Vec::new();
    for act in 0..script.acts.len() {
        for limit in LIMITS {
            let limit = limit.to_string();
            let when = format!("no file beyond {limit} bytes in act {act}");
            one(script, &story, act, &when, &mut faults, |arguments| {
                let mut all = vec!["full"];
                all.extend(&arguments[1..]);
                all.push(&limit);
                run(strace, &all)
            });
        }
    }
    tell(&faults)
}

/// One failure: the answer is clean, the old or the new state is there, trying again works, and so does what follows,
/// also for who opens the store later.
fn one(
    script: &Script,
    story: &Story,
    act: usize,
    when: &str,
    faults: &mut Vec<String>,
    run: impl FnOnce(&[&str]) -> Ended,
) {
    let scratch = fresh_scratch();
    let path = scratch.path().to_str().unwrap();
    let ended = run(&["fail", script.name, path, &act.to_string()]);
    let mut told = ended.lines.iter().skip(1 + act);
    let mut wrong = Vec::new();
    let new = &story.worlds[act + 1];
    let mut line = || told.next().map(String::as_str).unwrap_or_default();
    let (first, left, seen) = (
        read::<Answer>(line()),
        read(line()),
        read::<Objects>(line()),
    );
    let (Some(first), Some(left), Some(seen)) = (first, left, seen) else {
        faults.push(format!("{when}: {ended:?}"));
        return;
    };
    let left: Vec<String> = left;
    wrong.extend(left.into_iter().filter(|_| !may_stay(when)));
    if !ended.errors.is_empty() {
        wrong.push(ended.errors.clone());
    }
    if is_done(&first) {
        wrong.extend(seen.torn(&[new], false));
    } else {
        let mut allowed = vec![&story.worlds[act]];
        if script.may_be_between || script.may_be_done {
            allowed.push(new);
        }
        allowed.extend(&story.also);
        wrong.extend(seen.torn(&allowed, script.may_be_between));
        match (read::<Answer>(line()), read::<Objects>(line())) {
            (Some(second), Some(later)) if is_done(&second) == story.done[act] => {
                wrong.extend(later.torn(&[new], false));
            }
            (Some(second), Some(_)) => wrong.push(format!("and then {}", said(&second))),
            _ => wrong.push(format!("{ended:?}")),
        }
    }
    let store = private(scratch.path());
    match provider(script.options).reopen(&store) {
        Ok(engine) => {
            wrong.extend(disk::faults(&store));
            let last: Vec<&Objects> = story.after_death.last().into_iter().collect();
            wrong.extend(look(engine.as_ref()).torn(&last, false));
        }
        Err(fault) => wrong.push(fault.to_string()),
    }
    if !wrong.is_empty() {
        faults.push(format!("{when}: {}\n{}", said(&first), wrong.join("\n")));
    }
}

/// Whether that may have kept something from being taken away: it goes when the store is opened again.
fn may_stay(when: &str) -> bool {
    let removing = ["unlinkat", "openat", "getdents64", "lseek", "fcntl"];
    removing
        .iter()
        .any(|name| when.contains(&format!(" from {name}(")))
}

fn read<T: serde::de::DeserializeOwned>(line: &str) -> Option<T> {
    serde_json::from_str(line).ok()
}
