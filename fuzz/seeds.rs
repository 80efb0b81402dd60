//! Writes what fuzzing begins with: `cargo run --bin seeds -- FOLDER`. The loader begins with the scenarios of this
//! repository, the others with small archives, the records of a store at work, and what the embedded engine says.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use layerspec::case::{CaseOptions, run_case, skip_reason};
use layerspec::engine::native::NativeProvider;
use layerspec::engine::process::{Given, Reply};
use layerspec::engine::{
    Absent, Answer, Description, Engine, EngineFault, OpenOptions, Operation, Provider, World,
};
use layerspec::snapshot::UpdateMode;
use serde::Serialize;

#[path = "../tests/archive/build.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod build;
mod cases;
#[path = "../tests/archive/forms.rs"]
mod forms;
#[path = "../tests/archive/table.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod table;
mod world;

fn main() {
    let to = PathBuf::from(std::env::args_os().nth(1).expect("a folder"));
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = to.join(target);
        fs::create_dir_all(&folder).unwrap();
        let name = name.replace(['/', ' '], "-");
        fs::write(folder.join(name), bytes).unwrap();
    };
    archives(&write);
    let scratch = tempfile::tempdir().unwrap();
    let store = scratch.path().join("store");
    world::leave_store(&store);
    write(
        "records",
        "store",
        &fs::read(store.join("records")).unwrap(),
    );
    messages(scratch.path(), &write);
}

type Write<'a> = &'a dyn Fn(&str, &str, &[u8]);

fn archives(write: Write<'_>) {
    let form = |letter: u8, bytes: &[u8]| [&[letter], bytes].concat();
    for row in table::rows() {
        let last = row.layers.last().unwrap();
        write("archive", row.name, &form(b'l', last));
    }
    let layer = build::tar(&[
        build::folder("d/"),
        build::file("d/a", "one"),
        build::symlink("l", "a"),
    ]);
    write("archive", "gzip", &form(b'g', &build::gzip(&layer)));
    write("archive", "zstd", &form(b'z', &build::zstd(&layer)));
    let saved = build::saved("a:1", std::slice::from_ref(&layer));
    let oci = build::tar(&build::layout(
        "{}",
        std::slice::from_ref(&layer),
        std::slice::from_ref(&layer),
    ));
    for (name, bytes) in [
        ("saved", saved.clone()),
        ("saved gzip", build::gzip(&saved)),
        ("saved zstd", build::zstd(&saved)),
        ("oci", oci),
    ] {
        write("archive", name, &form(b'a', &bytes));
    }
}

/// The embedded engine, overheard.
struct Overheard<T>(T, Arc<Mutex<Vec<String>>>);

impl<T> Overheard<T> {
    fn note<V: Serialize>(&self, said: V) -> V {
        self.1
            .lock()
            .unwrap()
            .push(serde_json::to_string(&said).unwrap());
        said
    }
}

impl Provider for Overheard<NativeProvider> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        self.0.probe(options)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        Ok(Box::new(Overheard(
            self.0.open(options)?,
            Arc::clone(&self.1),
        )))
    }
}

impl Engine for Overheard<Box<dyn Engine>> {
    fn perform(&self, operation: &Operation) -> Answer {
        self.note(self.0.perform(operation))
    }

    fn observe(&self) -> Result<World, EngineFault> {
        self.0.observe().map(|world| self.note(world))
    }
}

fn messages(scratch: &Path, write: Write<'_>) {
    let lines = Arc::default();
    let provider = Overheard(NativeProvider::new(), Arc::clone(&lines));
    let options = CaseOptions {
        scratch: scratch.to_owned(),
        keep: false,
        snapshots: scratch.join("snapshots"),
        update: UpdateMode::Check,
        timeout: None,
    };
    let how = OpenOptions {
        scratch: scratch.to_owned(),
        keep: false,
    };
    let description = provider.probe(&how).unwrap();
    for case in cases::cases() {
        if skip_reason(&case, &description).is_some() {
            continue;
        }
        run_case(&case, &provider, &description, &options);
        let said = std::mem::take(&mut *lines.lock().unwrap());
        let mut text = case.id();
        for line in said {
            text.push('\n');
            text.push_str(&line);
        }
        let replies = replies(&text);
        if replies.len() < 1 << 10 {
            write(
                "messages",
                &format!("{} replies", case.id()),
                replies.as_bytes(),
            );
        }
        // Long ones take long, and are not told anything new.
        if text.len() < 8 << 10 {
            write("messages", &case.id(), text.as_bytes());
        }
    }
}

/// The same, as an adapter says it.
fn replies(said: &str) -> String {
    let mut lines = said.lines();
    let mut text = lines.next().unwrap_or_default().to_owned();
    for (line, id) in lines.zip(1..) {
        let given = match serde_json::from_str::<Answer>(line) {
            Ok(answer) => answer.into(),
            Err(_) => Given::World(serde_json::from_str(line).unwrap()),
        };
        let reply = Reply { id, given };
        text.push('\n');
        text.push_str(&serde_json::to_string(&reply).unwrap());
    }
    text.push('\n');
    text
}
