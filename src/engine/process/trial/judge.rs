//! What is right: the answers that an adapter has to give, and the requests that ask for them.

use serde::Serialize;

use super::super::protocol::{Given, Hello, VERSION};
use crate::engine::{
    Answer, Code, Content, Entry, FileAction, FileRequest, Node, NodeKind, Operation, Place, Seen,
    SeenKind, Storage, World,
};

pub(super) fn judge_hello(hello: &Hello) -> Result<(), String> {
    if hello.protocol != VERSION {
        return Err(format!(
            "its version of the protocol is {}, not {VERSION}",
            hello.protocol
        ));
    }
    for (what, text) in [("name", &hello.name), ("version", &hello.version)] {
        if text.trim().is_empty() {
            return Err(format!("its {what} is empty"));
        }
    }
    Ok(())
}

pub(super) fn judge_world(world: &World, own: &Storage) -> Result<(), String> {
    let Some((_, tree)) = world
        .containers
        .iter()
        .find(|(container, _)| container.name == "first")
    else {
        return Err("it shows no container first".to_owned());
    };
    let layer = |number| Storage::Layer {
        image: "app".to_owned(),
        number,
    };
    for (path, content, storage) in [
        ("/etc/base", "one\n", layer(1)),
        ("/etc/app", "two\n", layer(2)),
        ("/etc/old", "three\n", own.clone()),
        ("/etc/mine", "three\n", own.clone()),
    ] {
        let Some(seen) = tree.iter().find(|seen| seen.path == path) else {
            return Err(format!("it does not show {path}"));
        };
        judge_entry(seen, content, &storage)?;
    }
    if world.images != ["app"] {
        return Err(format!("its images are {}", written(&world.images)));
    }
    Ok(())
}

pub(super) fn judge_entry(seen: &Seen, content: &str, storage: &Storage) -> Result<(), String> {
    let expected = SeenKind::File {
        size: content.len() as u64,
        content: Some(content.into()),
        sha256: None,
    };
    let wrong = |what: &str, is: String, should: String| {
        Err(format!("the {what} of {} is {is}, not {should}", seen.path))
    };
    if seen.kind != expected {
        return wrong("kind", written(&seen.kind), written(&expected));
    }
    if seen.mode != 0o644 {
        return wrong("mode", format!("{:#o}", seen.mode), "0o644".to_owned());
    }
    if seen.storage != *storage {
        return wrong("storage", written(&seen.storage), written(storage));
    }
    if seen.inner != seen.path {
        return wrong("path in its storage", seen.inner.clone(), seen.path.clone());
    }
    Ok(())
}

pub(super) fn in_container(action: FileAction) -> Operation {
    let request = FileRequest {
        action,
        stop_on_refusal: true,
    };
    Operation::Files {
        place: Place::Container("first".to_owned()),
        user: None,
        requests: vec![request],
    }
}

pub(super) fn file(path: &str, text: &str) -> Entry {
    Entry {
        path: path.to_owned(),
        node: Node::new(NodeKind::File(Content::Bytes(text.into()))),
    }
}

pub(super) fn unsupported(given: Given) -> Result<(), String> {
    match given {
        Given::Unsupported(_) => Ok(()),
        other => Err(instead("unsupported", &other)),
    }
}

pub(super) fn done(answer: Answer) -> Result<(), String> {
    match answer {
        Answer::Done(_) => Ok(()),
        other => Err(format!("it gave {}", written(&other))),
    }
}

pub(super) fn refused(answer: &Answer, code: Code) -> Result<(), String> {
    match answer {
        Answer::Refused(refusal) if refusal.code == code => Ok(()),
        other => Err(format!("it gave {}", written(other))),
    }
}

pub(super) fn instead(wanted: &str, given: &Given) -> String {
    match given {
        Given::Unsupported(why) | Given::Broken(why) => {
            format!("it answered `{}`, not `{wanted}`: {why}", given.name())
        }
        other => format!("it answered `{}`, not `{wanted}`", other.name()),
    }
}

/// As it stands in the protocol.
pub(super) fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
