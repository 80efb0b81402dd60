mod objects;

use super::ledger;
use crate::engine::{
    Answer, CommitSpec, FileAction, Operation, Place, RenameMode, SeenKind, Storage, Target, Value,
    VolumeRef, World,
};
use crate::outcome::{StepOutcome, fate_words};
use crate::run::execute::Performed;
use crate::testing::*;

/// The ledger of these steps, numbered from 1, as the text shows it, without the columns.
fn told(steps: Vec<(Operation, Answer)>, world: &World) -> Vec<String> {
    let steps: Vec<_> = steps
        .into_iter()
        .enumerate()
        .map(|(index, (operation, answer))| (step(&(index + 1).to_string(), operation), answer))
        .collect();
    let performed: Vec<Performed<'_>> = steps
        .iter()
        .map(|(step, answer)| Performed {
            step,
            outcome: StepOutcome {
                number: step.number.clone(),
                words: String::new(),
                answer: Some(answer.clone()),
                conditional: false,
                complaint: None,
            },
        })
        .collect();
    ledger(&performed, world)
        .iter()
        .map(|line| {
            let (fate, words) = fate_words(&line.fate);
            format!("{fate} {} {}: {words}", line.step, line.what)
        })
        .collect()
}

fn ok() -> Answer {
    done(Value::Nothing)
}

/// `first` writes a path in its writable layer.
fn wrote(path: &str, text: &str) -> (Operation, Answer) {
    (
        file(container("first"), write(path, text)),
        changed(&[(writable("first"), path)]),
    )
}

/// A request of `first` that changed these paths of its writable layer.
fn did(action: FileAction, paths: &[&str]) -> (Operation, Answer) {
    let places: Vec<_> = paths
        .iter()
        .map(|path| (writable("first"), *path))
        .collect();
    (file(container("first"), action), changed(&places))
}

/// A world in which `first` sees these files in its writable layer.
fn first_has(files: &[(&str, &str)]) -> World {
    let tree = files
        .iter()
        .map(|(path, text)| seen(path, text_file(text), writable("first")))
        .collect();
    World {
        containers: vec![(container_seen("first", &[]), tree)],
        ..World::default()
    }
}

fn rename(from: &str, to: &str, mode: RenameMode) -> FileAction {
    FileAction::Rename {
        from: from.to_owned(),
        to: to.to_owned(),
        mode,
    }
}

#[test]
fn a_volume_keeps_what_the_writable_layer_loses() {
    let rows = changed(&[(volume("store"), "/rows")]);
    let steps = vec![
        (run("first"), ok()),
        (file(container("first"), write("/data/rows", "1\n")), rows),
        wrote("/tmp/cache", "x"),
        (remove("first"), ok()),
        (run("second"), ok()),
    ];
    let in_volume = |path| seen_at(path, "/rows", text_file("1\n"), volume("store"));
    let mounts = [("/data", volume("store"))];
    let world = World {
        containers: vec![(
            container_seen("second", &mounts),
            vec![in_volume("/data/rows")],
        )],
        volumes: vec![(volume_seen("store"), vec![in_volume("/rows")])],
        ..World::default()
    };
    assert_eq!(
        told(steps, &world),
        [
            "kept 2 first:/data/rows: in volume store; second sees it at /data/rows",
            "lost 3 first:/tmp/cache: with the writable layer of first, removed at step 4",
        ]
    );
}

#[test]
fn a_loss_that_no_step_explains_is_called_so() {
    let steps = vec![wrote("/a", "1"), wrote("/b", "2"), wrote("/c", "3")];
    let mut world = first_has(&[("/b", "other")]);
    let directory = seen("/c", SeenKind::Directory, writable("first"));
    world.containers[0].1.push(directory);
    assert_eq!(
        told(steps, &world),
        [
            "lost 1 first:/a: no step explains it",
            "lost 2 first:/b: its content is \"other\", not \"2\": no step explains it",
            "lost 3 first:/c: it is a directory, not a file: no step explains it",
        ]
    );
}

#[test]
fn what_is_found_is_kept_whatever_the_steps_say() {
    let steps = vec![
        (run("first"), ok()),
        wrote("/a", "1"),
        (remove("first"), ok()),
    ];
    let found = ["kept 2 first:/a: in the writable layer of first"];
    assert_eq!(told(steps, &first_has(&[("/a", "1")])), found);
}

#[test]
fn deletions() {
    let gone = first_has(&[]);
    let own = vec![wrote("/a", "1"), did(delete("/a"), &["/a"])];
    assert_eq!(told(own, &gone), ["lost 1 first:/a: deleted at step 2"]);

    let image_file = || vec![did(delete("/etc/os"), &["/etc/os"])];
    assert_eq!(
        told(image_file(), &gone),
        ["kept 1 first:/etc/os: stays deleted"]
    );

    let mut back = first_has(&[]);
    back.containers[0]
        .1
        .push(seen("/etc/os", text_file("one"), layer("app", 1)));
    let said = "lost 1 first:/etc/os: it is back, from image app, layer 1: no step explains it";
    assert_eq!(told(image_file(), &back), [said]);

    let mut removed = image_file();
    removed.push((remove("first"), ok()));
    let said = "lost 1 first:/etc/os: with the writable layer of first, removed at step 2";
    assert_eq!(told(removed, &World::default()), [said]);

    // `rm -r` names everything that it removed, innermost first.
    let tree = vec![
        wrote("/d/own", "1"),
        did(delete("/d"), &["/d/own", "/d/image", "/d"]),
    ];
    let said = [
        "lost 1 first:/d/own: deleted at step 2",
        "kept 2 first:/d: stays deleted",
    ];
    assert_eq!(told(tree, &gone), said);

    let again = vec![
        wrote("/a", "1"),
        did(delete("/a"), &["/a"]),
        wrote("/a", "2"),
    ];
    let world = first_has(&[("/a", "2")]);
    assert_eq!(
        told(again, &world),
        ["kept 3 first:/a: in the writable layer of first"]
    );
}

#[test]
fn renames() {
    let replace = RenameMode::Replace;
    let kept = |step: &str, path: &str| {
        format!("kept {step} first:{path}: in the writable layer of first")
    };
    let own = vec![
        wrote("/a", "1"),
        did(rename("/a", "/b", replace), &["/a", "/b"]),
    ];
    assert_eq!(told(own, &first_has(&[("/b", "1")])), [kept("2", "/b")]);

    let image_file = vec![did(rename("/a", "/b", replace), &["/a", "/b"])];
    let said = [kept("1", "/b"), "kept 1 first:/a: stays deleted".to_owned()];
    assert_eq!(told(image_file, &first_has(&[("/b", "1")])), said);

    let directory = || {
        vec![
            wrote("/d/x", "1"),
            did(rename("/d", "/e", replace), &["/d", "/e"]),
        ]
    };
    let mut world = first_has(&[("/e/x", "1")]);
    world.containers[0]
        .1
        .push(seen("/e", SeenKind::Directory, writable("first")));
    let said = [
        format!("{} at /e/x", kept("1", "/d/x")),
        kept("2", "/e"),
        "kept 2 first:/d: stays deleted".to_owned(),
    ];
    assert_eq!(told(directory(), &world), said);

    let swapped = vec![
        wrote("/a", "1"),
        wrote("/b", "2"),
        did(rename("/a", "/b", RenameMode::Exchange), &["/a", "/b"]),
    ];
    let world = first_has(&[("/a", "2"), ("/b", "1")]);
    assert_eq!(told(swapped, &world), [kept("3", "/b"), kept("3", "/a")]);

    let replaced = vec![
        wrote("/a", "1"),
        wrote("/b", "2"),
        did(rename("/a", "/b", replace), &["/a", "/b"]),
    ];
    assert_eq!(
        told(replaced, &first_has(&[("/b", "1")])),
        [kept("3", "/b")]
    );
}

#[test]
fn the_names_of_one_file_share_its_content() {
    let link = FileAction::Link {
        from: "/a".to_owned(),
        to: "/b".to_owned(),
    };
    let append = FileAction::Append {
        target: Target::Path("/b".to_owned()),
        bytes: "2".into(),
    };
    let steps = vec![wrote("/a", "1"), did(link, &["/b"]), did(append, &["/b"])];
    let world = first_has(&[("/a", "12"), ("/b", "12")]);
    let kept = "in the writable layer of first";
    let said = [
        format!("kept 1 first:/a: {kept}"),
        format!("kept 3 first:/b: {kept}"),
    ];
    assert_eq!(told(steps, &world), said);
}

#[test]
fn content_and_mode_are_followed() {
    let path = || Target::Path("/a".to_owned());
    let at = |offset| FileAction::WriteAt {
        target: path(),
        offset: Some(offset),
        bytes: "X".into(),
    };
    let size = |size| FileAction::Truncate {
        target: path(),
        size,
    };
    let mode = |mode| FileAction::Chmod {
        target: path(),
        mode,
    };
    let kept = "kept 2 first:/a: in the writable layer of first".to_owned();
    for (action, found, said) in [
        (at(0), "Xbc", kept.clone()),
        (at(4), "abc\0X", kept.clone()),
        (at(u64::MAX), "whatever", kept.clone()),
        (size(1), "a", kept.clone()),
        (size(u64::MAX), "whatever", kept.clone()),
        (mode(0o644), "abc", kept.clone()),
        (mode(0o2644), "abc", kept),
        (
            mode(0o600),
            "abc",
            "lost 2 first:/a: its mode is 0644, not 0600: no step explains it".to_owned(),
        ),
        (
            size(1),
            "abc",
            "lost 2 first:/a: its content is \"abc\", not \"a\": no step explains it".to_owned(),
        ),
    ] {
        let steps = vec![wrote("/a", "abc"), did(action, &["/a"])];
        assert_eq!(told(steps, &first_has(&[("/a", found)])), [said]);
    }
}

#[test]
fn every_directory_of_a_path_is_made() {
    let mkdir = FileAction::Mkdir {
        path: "/p/q/".to_owned(),
        mode: None,
        parents: true,
    };
    let steps = vec![
        did(mkdir, &["/p", "/p/q"]),
        did(rename("/p", "/r", RenameMode::Replace), &["/p", "/r"]),
    ];
    let directory = |path| seen(path, SeenKind::Directory, writable("first"));
    let tree = vec![directory("/r"), directory("/r/q")];
    let world = World {
        containers: vec![(container_seen("first", &[]), tree)],
        ..World::default()
    };
    let kept = "in the writable layer of first";
    let said = [
        format!("kept 1 first:/p/q: {kept} at /r/q"),
        format!("kept 2 first:/r: {kept}"),
    ];
    assert_eq!(told(steps, &world), said);
}
