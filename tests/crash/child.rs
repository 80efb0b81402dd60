//! The process that is killed, or whose calls fail. It says on standard output how far it has come, and never says
//! goodbye.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use layerspec::engine::{Engine, OpenOptions, Operation, Provider};
use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};

use crate::objects::{is_done, look, said};
use crate::script::{self, Script, provider};
use crate::strace::private;
use crate::{disk, durable};

/// First argument of this program when it is the child.
pub(crate) const FLAG: &str = "--child";

/// What the child says before its operations are under fire.
pub(crate) const BEGIN: &str = "begin";

pub(crate) fn main(arguments: &[String]) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["perform", name, scratch] => perform(&named(name), Path::new(scratch)),
        ["fail", name, scratch, act] => fail(&named(name), Path::new(scratch), act, || None),
        ["full", name, scratch, act, limit] => {
            let limit = limit.parse().unwrap();
            let full = || Some(limit_files(limit));
            fail(&named(name), Path::new(scratch), act, full);
        }
        ["held", name, scratch, act] => {
            let seized = || {
                // Whoever is to change a call takes hold of this process now.
                std::io::stdin().read_line(&mut String::new()).unwrap();
                None
            };
            fail(&named(name), Path::new(scratch), act, seized);
        }
        ["durable", folder] => durable::perform(Path::new(folder)),
        ["recover", directory, options] => recover(Path::new(directory), options),
        other => panic!("no such child: {other:?}"),
    }
    kill_process(getpid(), Signal::KILL).unwrap();
}

pub(crate) fn named(name: &str) -> Script {
    let mut all = script::all().into_iter();
    all.find(|script| script.name == name).expect(name)
}

/// Opens an engine whose directory stays, and performs what comes before the test.
pub(crate) fn prepare(script: &Script, scratch: &Path) -> Box<dyn Engine> {
    let options = OpenOptions {
        scratch: scratch.to_owned(),
        keep: true,
    };
    let engine = provider(script.options).open(&options).unwrap();
    for operation in &script.before {
        let answer = engine.perform(operation);
        assert!(is_done(&answer), "{operation:?}: {}", said(&answer));
    }
    engine
}

fn perform(script: &Script, scratch: &Path) {
    let engine = prepare(script, scratch);
    println!("{BEGIN}");
    for act in &script.acts {
        drop(engine.perform(act));
        println!("done");
    }
}

fn recover(directory: &Path, asked: &str) {
    let provider = provider(asked);
    let options = OpenOptions {
        scratch: directory.parent().unwrap().to_owned(),
        keep: true,
    };
    drop(provider.probe(&options).unwrap());
    println!("{BEGIN}");
    drop(provider.reopen(directory).unwrap());
    println!("done");
}

/// Performs one act while the disk fails, looks, tries again if it was refused, and looks again. Then come the others.
fn fail(script: &Script, scratch: &Path, act: &str, begin: impl FnOnce() -> Option<Rlimit>) {
    let engine = prepare(script, scratch);
    let act: usize = act.parse().unwrap();
    println!("{BEGIN}");
    for earlier in &script.acts[..act] {
        drop(engine.perform(earlier));
        println!("done");
    }
    let (act, later) = script.acts[act..].split_first().expect("an act");
    let limited = begin();
    let is_done = tell(engine.as_ref(), act);
    if let Some(before) = limited {
        setrlimit(Resource::Fsize, before).unwrap();
    }
    tell_left(scratch);
    tell_objects(engine.as_ref());
    if !is_done {
        for operation in &script.tidy {
            drop(engine.perform(operation));
        }
        tell(engine.as_ref(), act);
        tell_objects(engine.as_ref());
    }
    for act in later {
        drop(engine.perform(act));
    }
}

/// From here on a file that grows beyond the limit is cut there: a short write, then `EFBIG`.
fn limit_files(bytes: u64) -> Rlimit {
    let handled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, handled).unwrap();
    let before = getrlimit(Resource::Fsize);
    let full = Rlimit {
        current: Some(bytes),
        ..before
    };
    setrlimit(Resource::Fsize, full).unwrap();
    before
}

fn tell(engine: &dyn Engine, act: &Operation) -> bool {
    let answer = engine.perform(act);
    println!("{}", serde_json::to_string(&answer).unwrap());
    is_done(&answer)
}

/// What lies on the disk that belongs to nothing, though the engine lives and could have taken it away.
fn tell_left(scratch: &Path) {
    let mut left = disk::faults(&private(scratch));
    left.retain(|fault| {
        // A tmpfs of a container that runs has no record.
        let is_passing = fault.starts_with('t');
        // A record may wait for the next opening: a volume's that is forsaken.
        let is_record = fault.contains(": no ") && !fault.ends_with("no record names it");
        !is_passing && !is_record
    });
    println!("{}", serde_json::to_string(&left).unwrap());
}

fn tell_objects(engine: &dyn Engine) {
    println!("{}", serde_json::to_string(&look(engine)).unwrap());
}
