//! How steps are numbered, share and are left out.

use super::super::{Action, Span, Step, When};
use super::{good, load_text, steps_of};
use crate::engine::{Capability, FileAction, Operation, Place, Target};

fn numbers(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.number.as_str()).collect()
}

fn is_files(step: &Step, container: &str, as_user: Option<&str>) -> bool {
    matches!(&step.action, Action::Operation(Operation::Files { place: Place::Container(name), user, .. })
        if name == container && user.as_deref() == as_user)
}

#[test]
fn the_steps_of_a_do_share_and_are_numbered() {
    let line = "{in: c, as: 5, note: why, do: [{read: /a}, {as: 6, read: /b, note: own}, {in: c, read: /c}]}";
    let steps = steps_of(line);
    assert_eq!(numbers(&steps), ["3.1", "3.2", "3.3"]);
    assert!(is_files(&steps[0], "c", Some("5")));
    assert!(is_files(&steps[1], "c", Some("6")));
    let notes: Vec<Option<&str>> = steps.iter().map(|step| step.note.as_deref()).collect();
    assert_eq!(notes, [Some("why"), Some("own"), None]);
}

#[test]
fn branches_are_numbered() {
    let line =
        "concurrently: [{in: c, do: [{read: /a}, {read: /b}]}, {in: c, read: /c}, {stop: c}]";
    let steps = steps_of(line);
    assert_eq!(numbers(&steps), ["3"]);
    let Action::Concurrently(branches) = &steps[0].action else {
        panic!("{steps:?}")
    };
    let numbers: Vec<Vec<&str>> = branches.iter().map(|branch| numbers(branch)).collect();
    assert_eq!(numbers, [vec!["3.1.1", "3.1.2"], vec!["3.2"], vec!["3.3"]]);
}

#[test]
fn conditions() {
    let engines = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let table = [
        (
            "{engine: docker}",
            When {
                engines: engines(&["docker"]),
                ..When::default()
            },
        ),
        ("{engine: [docker, 'process:x y']}", {
            When {
                engines: engines(&["docker", "process:x y"]),
                ..When::default()
            }
        }),
        (
            "{not: {engine: podman}}",
            When {
                not_engines: engines(&["podman"]),
                ..When::default()
            },
        ),
        (
            "{requires: [xattrs, locks], engine: native}",
            When {
                engines: engines(&["native"]),
                not_engines: vec![],
                requires: vec![Capability::Xattrs, Capability::Locks],
            },
        ),
    ];
    for (when, expected) in table {
        let steps = steps_of(&format!("{{crash: {{}}, when: {when}}}"));
        assert_eq!(steps[0].when.as_ref(), Some(&expected), "{when}");
    }
    assert_eq!(steps_of("crash")[0].when, None);
}

#[test]
fn conditions_of_a_do_and_its_steps_both_hold() {
    let line = "{in: c, when: {engine: [docker, podman]}, do: [{read: /a, when: {engine: [podman, native]}}, \
                {read: /b, when: {engine: native}}, {read: /c, when: {not: {engine: docker}}}]}";
    let steps = steps_of(line);
    assert_eq!(numbers(&steps), ["3.1", "3.3"]);
    assert_eq!(steps[0].when.as_ref().unwrap().engines, ["podman"]);
    let third = steps[1].when.as_ref().unwrap();
    assert_eq!((third.engines.len(), third.not_engines.len()), (2, 1));
}

#[test]
fn parameters_decide_when_the_file_is_read() {
    let text = "title: t\ncases: {x: [a, b]}\nsteps: [{crash: , when: {x: a}}, {fill disk: , when: {not: {x: [a]}}}, free disk]\n";
    let cases = load_text(text).unwrap();
    assert_eq!(numbers(&cases[0].steps), ["1", "3"]);
    assert_eq!(numbers(&cases[1].steps), ["2", "3"]);
}

#[test]
fn places_in_the_file() {
    let scenario = good(
        "title: t\nimages: {app: {}}\nsteps:\n  - run: {name: c, image: app}\n  - in: c\n    do:\n      - {read: /a}\n      - read: /b\n        expect:\n          text: x\n",
    );
    let span = |at| scenario.file.span(at).unwrap();
    let at = |line, column| Span { line, column };
    assert_eq!(span(&scenario.steps[0].at), at(4, 5));
    assert_eq!(span(&scenario.steps[1].at), at(7, 9));
    assert_eq!(span(&scenario.steps[2].at), at(8, 9));
    let expect = scenario.steps[2].expect.as_ref().unwrap();
    assert_eq!(span(&expect.at), at(10, 11));
    assert_eq!(span(&expect.checks[0].at), at(10, 17));
}

#[test]
fn aliases_repeat_values() {
    let scenario = good(
        "title: t\nimages: {app: &same {user: 1}, two: *same}\nsteps: [{run: {name: &n first, image: app}}, {stop: *n}]\n",
    );
    assert_eq!(scenario.images[1].config.user.as_deref(), Some("1"));
    assert!(
        matches!(&scenario.steps[1].action, Action::Operation(Operation::Stop(name)) if name == "first")
    );
}

#[test]
fn block_text_and_odd_scalars() {
    let scenario = good(
        "title: >-\n  two\n  lines\nabout: |\n  a\n  b\nsteps:\n- in: host\n  append:\n    /x: |+\n      text\n\n",
    );
    assert_eq!(scenario.title, "two lines");
    assert_eq!(scenario.about.as_deref(), Some("a\nb\n"));
    let Action::Operation(Operation::Files { requests, .. }) = &scenario.steps[0].action else {
        panic!()
    };
    let expected = FileAction::Append {
        target: Target::Path("/x".to_owned()),
        bytes: "text\n\n".into(),
    };
    assert_eq!(requests[0].action, expected);
}
