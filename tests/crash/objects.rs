//! What is there, object by object, as text that compares.

use std::collections::{BTreeMap, BTreeSet};

use layerspec::engine::{
    Answer, Code, Engine, FileAction, Seen, SeenKind, Storage, Value, VolumeRef, World,
};
use serde::{Deserialize, Serialize};

use crate::build::{at, create, file, remove};
use crate::script::{AGED, AGED_FILES};

/// Every object, and the volumes that nobody named and nobody uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Objects {
    all: BTreeMap<String, String>,
    unused: BTreeSet<String>,
}

/// Looks at everything. An image is looked at through a container of it, which also shows that the next operation
/// works.
pub(crate) fn look(engine: &dyn Engine) -> Objects {
    let world = engine.observe().expect("it can be looked at");
    let mut objects = Objects::default();
    for (seen, tree) in &world.containers {
        let own = |seen: &&Seen| {
            matches!(
                seen.storage,
                Storage::Layer { .. } | Storage::Writable { .. }
            )
        };
        let lines = lines(tree.iter().filter(own));
        let aged = aged(engine, &seen.name);
        objects.all.insert(
            format!("container {}", seen.name),
            format!("{seen:?}\n{lines}\n{aged}"),
        );
    }
    for (seen, tree) in &world.volumes {
        let mut seen = seen.clone();
        let name = match &seen.volume {
            VolumeRef::Named(name) if name.len() == 64 => "without a name".to_owned(),
            other => format!("{other:?}"),
        };
        if std::mem::take(&mut seen.used_by).is_empty() && name.contains("Anonymous") {
            objects.unused.insert(name.clone());
        }
        let head = format!("{:?} {:?} {:?}", seen.driver, seen.labels, seen.options);
        let lines = lines(tree.iter());
        objects
            .all
            .insert(format!("volume {name}"), format!("{head}\n{lines}"));
    }
    objects
        .all
        .insert("host".to_owned(), lines(world.host.iter()));
    images(engine, &world, &mut objects);
    objects
}

/// Which files are as old as they are in the image, if somebody in the container can say.
fn aged(engine: &dyn Engine, container: &str) -> String {
    let is_aged = |path: &&str| {
        let (target, follow) = (at(path), false);
        let asked = engine.perform(&file(container, FileAction::Stat { target, follow }));
        let Answer::Done(Value::Files(answers)) = asked else {
            return false;
        };
        let told = answers.into_iter().next().map(|answer| answer.result);
        matches!(told, Some(Ok(Value::Stat(told))) if told.mtime == AGED)
    };
    let aged: Vec<&str> = AGED_FILES.into_iter().filter(is_aged).collect();
    format!("old: {aged:?}")
}

/// What a process can tell of a tree. Where files lie is another matter: a copy-up changes it and nothing else.
fn lines<'a>(tree: impl Iterator<Item = &'a Seen>) -> String {
    let line = |seen: &Seen| {
        let mut seen = seen.clone();
        seen.storage = Storage::Host;
        seen.inner = String::new();
        if seen.path == "/one.tar" {
            // It tells times.
            seen.kind = SeenKind::Fifo;
        }
        format!("{seen:?}")
    };
    tree.map(line).collect::<Vec<_>>().join("\n")
}

fn images(engine: &dyn Engine, world: &World, objects: &mut Objects) {
    for (index, image) in world.images.iter().enumerate() {
        let name = format!("look-{index}");
        let done = Answer::Done(Value::Nothing);
        assert_eq!(engine.perform(&create(&name, image, &[])), done, "{image}");
        let with = engine.observe().expect("it can be looked at");
        let (_, tree) = with
            .containers
            .iter()
            .find(|(seen, _)| seen.name == name)
            .expect("it was made");
        let own = |seen: &&Seen| matches!(seen.storage, Storage::Layer { .. });
        let lines = lines(tree.iter().filter(own));
        objects.all.insert(format!("image {image}"), lines);
        assert_eq!(engine.perform(&remove(&name, true)), done, "{image}");
    }
}

/// Whether an operation did what it was asked to.
pub(crate) fn is_done(answer: &Answer) -> bool {
    match answer {
        Answer::Done(Value::Files(answers)) => answers.iter().all(|answer| answer.result.is_ok()),
        Answer::Done(_) => true,
        Answer::Refused(_) | Answer::Unsupported(_) | Answer::Broken(_) => false,
    }
}

/// What an answer says of a failure.
pub(crate) fn said(answer: &Answer) -> String {
    let refused = |refusal: &layerspec::engine::Refusal| match &refusal.code {
        Code::Errno(errno) => errno.to_string(),
        Code::Kind(kind) => format!("{kind}: {}", refusal.message),
    };
    match answer {
        Answer::Done(Value::Files(answers)) => answers
            .iter()
            .filter_map(|answer| answer.result.as_ref().err().map(refused))
            .collect(),
        Answer::Done(_) => "done".to_owned(),
        Answer::Refused(refusal) => refused(refusal),
        Answer::Unsupported(why) | Answer::Broken(why) => why.clone(),
    }
}

impl Objects {
    /// What no death of an engine changes: all but the containers, whose processes die too.
    pub(crate) fn lasting(&self) -> BTreeMap<&String, &String> {
        let lasts = |(name, _): &(&String, &String)| !name.starts_with("container ");
        self.all.iter().filter(lasts).collect()
    }

    /// Says what is as in none of these, each object on its own.
    pub(crate) fn torn(&self, allowed: &[&Self], may_be_between: bool) -> Vec<String> {
        let names: BTreeSet<&String> = allowed
            .iter()
            .chain([&self])
            .flat_map(|objects| objects.all.keys())
            .collect();
        let mut torn = Vec::new();
        for name in names {
            let is = self.all.get(name);
            let fine: Vec<_> = allowed
                .iter()
                .map(|objects| objects.all.get(name))
                .collect();
            let between = || match fine.as_slice() {
                [was, will, ..] if may_be_between => is_between(is, *was, *will),
                _ => false,
            };
            if !fine.contains(&is) && !between() {
                let shown =
                    |object: Option<&String>| object.map_or("(absent)", |text| text).to_owned();
                let fine: Vec<String> = fine.into_iter().map(shown).collect();
                let fine = fine.join("\nor\n");
                torn.push(format!("{name} is\n{}\ninstead of\n{fine}", shown(is)));
            }
        }
        for name in &self.unused {
            if !allowed.iter().any(|objects| objects.unused.contains(name)) {
                torn.push(format!("nobody uses volume {name}"));
            }
        }
        torn
    }
}

/// Whether a tree has all that both have, and nothing that neither has.
fn is_between(is: Option<&String>, was: Option<&String>, will: Option<&String>) -> bool {
    let (Some(is), Some(was), Some(will)) = (is, was, will) else {
        return false;
    };
    let [is, was, will] = [is, was, will].map(|text| text.lines().collect::<BTreeSet<_>>());
    was.intersection(&will).all(|line| is.contains(line))
        && is
            .iter()
            .all(|line| was.contains(line) || will.contains(line))
}
