use std::collections::BTreeMap;

use super::{
    Fate, LedgerLine, Outcome, StepOutcome, differences, operation_words, text, unified_diff,
};
use crate::engine::{
    Answer, BindRequest, ContainerState, DeviceKind, FileAction, Kind, MountRequest, MountSource,
    OpenFlag, Operation, Place, Refusal, Seen, SeenKind, StatAnswer, Storage, Target, Time, Value,
    VolumeRef, VolumeRequest,
};
use crate::testing::*;

fn step(number: &str, words: &str, answer: Option<Answer>) -> StepOutcome {
    let (number, words) = (number.to_owned(), words.to_owned());
    StepOutcome {
        number,
        words,
        answer,
        conditional: false,
        complaint: None,
    }
}

fn directory(path: &str, mode: u32, storage: Storage) -> Seen {
    Seen {
        mode,
        ..seen(path, SeenKind::Directory, storage)
    }
}

/// One of everything that a text can show.
#[expect(clippy::too_many_lines, reason = "a table")]
fn rich() -> Outcome {
    let mut second = container_seen(
        "second",
        &[("/conf", Storage::Host), ("/data", volume("store"))],
    );
    second.mounts[0].read_only = true;
    second.state = ContainerState::Exited;
    let big = SeenKind::File {
        size: 5000,
        content: None,
        sha256: Some("ab".repeat(32)),
    };
    let device = SeenKind::Device {
        kind: DeviceKind::Char,
        major: 1,
        minor: 3,
    };
    let own = || writable("second");
    let tree = vec![
        directory("/", 0o755, layer("app", 1)),
        seen_at("/conf", "/share/conf", SeenKind::Directory, Storage::Host),
        seen_at("/conf/x", "/share/conf/x", text_file("1"), Storage::Host),
        seen_at("/data", "/", SeenKind::Directory, volume("store")),
        Seen {
            uid: 1000,
            gid: 1000,
            ..seen_at("/data/rows", "/rows", text_file("1\n"), volume("store"))
        },
        directory("/etc", 0o755, layer("app", 1)),
        Seen {
            xattrs: BTreeMap::from([("user.note".to_owned(), "x\n".into())]),
            ..seen(
                "/etc/app.conf",
                text_file("mode = default\n"),
                layer("app", 1),
            )
        },
        directory("/etc/empty", 0o755, own()),
        seen_at("/etc/moved", "/etc/before", text_file(""), layer("app", 2)),
        seen("/n", device, own()),
        Seen {
            same_file_as: Some("/etc/app.conf".to_owned()),
            ..seen("/twin", text_file(""), own())
        },
        seen("/very big", big, own()),
        Seen {
            mode: 0o777,
            ..seen("/z", SeenKind::Symlink("/etc/a b".to_owned()), own())
        },
    ];
    let store = vec![
        seen("/", SeenKind::Directory, volume("store")),
        Seen {
            uid: 1000,
            gid: 1000,
            ..seen("/rows", text_file("1\n"), volume("store"))
        },
    ];
    let mut labelled = volume_seen("store");
    labelled.labels = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
    let mut anonymous = volume_seen("");
    anonymous.volume = VolumeRef::Anonymous {
        container: "first".to_owned(),
        target: "/data".to_owned(),
    };
    let empty = vec![seen(
        "/",
        SeenKind::Directory,
        Storage::Volume(anonymous.volume.clone()),
    )];
    Outcome {
        steps: vec![
            step(
                "1",
                "volume create store",
                Some(done(Value::Text("store".to_owned()))),
            ),
            step(
                "2.1",
                "in first: read /x",
                Some(gave(Value::Bytes("1\n".into()))),
            ),
            step("2.2", "in first: write /y", Some(errno("EROFS"))),
            step(
                "3",
                "rm first",
                Some(Answer::Refused(Refusal::kind(Kind::ContainerRunning, ""))),
            ),
            StepOutcome {
                conditional: true,
                complaint: None,
                ..step("4", "crash", None)
            },
        ],
        containers: vec![(second, tree)],
        volumes: vec![(anonymous, empty), (labelled, store)],
        host: vec![
            seen("/", SeenKind::Directory, Storage::Host),
            seen("/share", SeenKind::Directory, Storage::Host),
            seen("/share/conf", SeenKind::Directory, Storage::Host),
            seen("/share/conf/x", text_file("1"), Storage::Host),
        ],
        images: vec!["app".to_owned(), "snap".to_owned()],
        persistence: vec![
            LedgerLine {
                step: "2.1".to_owned(),
                what: "first:/data/rows".to_owned(),
                fate: Fate::Kept {
                    place: "in volume store".to_owned(),
                    seen_by: vec![
                        ("second".to_owned(), "/data/rows".to_owned()),
                        ("third".to_owned(), "/rows".to_owned()),
                    ],
                },
            },
            LedgerLine {
                step: "3".to_owned(),
                what: "first:/tmp/x".to_owned(),
                fate: Fate::Lost {
                    cause: "no step explains it".to_owned(),
                },
            },
        ],
    }
}

const RICH: &str = r#"steps
  1    volume create store  "store"
  2.1  in first: read /x    "1\n"
  2.2  in first: write /y   EROFS
  3    rm first             container-running
  4    crash                conditional
merged tree of second (exited)
  /conf/         dir      0755 0:0                                            host ./share/conf, read-only
  /conf/x        file     0644 0:0        "1"                                 host ./share/conf
  /data/         dir      0755 0:0                                            volume store
  /data/rows     file     0644 1000:1000  "1\n"                               volume store
  /etc/app.conf  file     0644 0:0        "mode = default\n"                  image app, layer 1
      user.note = "x\n"
  /etc/empty/    dir      0755 0:0                                            writable layer
  /etc/moved     file     0644 0:0        ""                                  image app, layer 2, path /etc/before
  /n             char     0644 0:0        1:3                                 writable layer
  /twin          file     0644 0:0        = /etc/app.conf                     writable layer
  "/very big"    file     0644 0:0        5000 bytes sha256:abababababababab  writable layer
  /z             symlink  0777 0:0        -> "/etc/a b"                       writable layer
anonymous volume of first at /data
  /  dir  0755 0:0
volume store, labels [tier=gold]
  /rows  file  0644 1000:1000  "1\n"
host
  /share/conf/x  file  0644 0:0  "1"
images
  app, snap
persistence
  kept  step 2.1  first:/data/rows  in volume store; second sees it at /data/rows, third at /rows
  lost  step 3    first:/tmp/x      no step explains it
end"#;

#[test]
fn the_text_of_an_outcome() {
    let text = text(&rich());
    assert_eq!(text, RICH, "\n{}", unified_diff(RICH, &text));
}

#[test]
fn the_text_of_nothing() {
    assert_eq!(
        text(&Outcome::default()),
        "steps\npersistence\n  nothing was written\nend"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn differences_speak_of_storage() {
    let same = |_: &mut Outcome| {};
    let tree = |change: fn(&mut Seen), path: &'static str| {
        move |outcome: &mut Outcome| {
            let tree = &mut outcome.containers[0].1;
            tree.iter_mut()
                .filter(|seen| seen.path == path)
                .for_each(change);
        }
    };
    let check = |change: &dyn Fn(&mut Outcome), expected: &[&str]| {
        let mut outcome = rich();
        change(&mut outcome);
        assert_eq!(differences(RICH, &text(&outcome)), expected);
    };
    check(&same, &[]);
    check(
        &tree(|seen| seen.mode = 0o600, "/etc/app.conf"),
        &["merged tree of second: /etc/app.conf: mode 0644 → 0600"],
    );
    check(
        &tree(
            |seen| (seen.uid, seen.kind) = (7, text_file("2")),
            "/conf/x",
        ),
        &[r#"merged tree of second: /conf/x: owner 0:0 → 7:0, content "1" → "2""#],
    );
    check(
        &tree(|seen| seen.kind = SeenKind::Fifo, "/data"),
        &[
            "merged tree of second: missing: /data/ dir 0755 0:0 volume store",
            "merged tree of second: only now: /data fifo 0755 0:0 volume store",
        ],
    );
    check(
        &tree(
            |seen| (seen.storage, seen.inner) = (writable("second"), seen.path.clone()),
            "/data/rows",
        ),
        &["merged tree of second: /data/rows: from volume store → writable layer"],
    );
    check(
        &tree(|seen| seen.xattrs.clear(), "/etc/app.conf"),
        &[r#"merged tree of second: /etc/app.conf: user.note gone (was "x\n")"#],
    );
    check(
        &tree(
            |seen| drop(seen.xattrs.insert("user.note".into(), "y".into())),
            "/etc/app.conf",
        ),
        &[r#"merged tree of second: /etc/app.conf: user.note "x\n" → "y""#],
    );
    check(
        &|outcome: &mut Outcome| outcome.containers[0].0.state = ContainerState::Running,
        &["merged tree of second: exited → running"],
    );
    check(
        &|outcome: &mut Outcome| outcome.steps[2].answer = Some(gave(Value::Nothing)),
        &["step 2.2, in first: write /y: EROFS → ok"],
    );
    check(
        &|outcome: &mut Outcome| drop(outcome.volumes.pop()),
        &["volume store: gone"],
    );
    check(
        &|outcome: &mut Outcome| outcome.images = vec!["app".to_owned()],
        &["images: app, snap → app"],
    );
    check(
        &|outcome: &mut Outcome| {
            outcome.persistence[0].fate = Fate::Lost {
                cause: "gone".into(),
            }
        },
        &[
            "persistence: first:/data/rows: kept → lost, in volume store; second sees it at \
           /data/rows, third at /rows → gone",
        ],
    );
}

#[test]
fn a_file_of_an_image_vanishes_by_a_whiteout_or_a_mount() {
    let tree = |rows: &str| format!("steps\nmerged tree of c (running)\n{rows}end");
    let file = "  /d/x  file  0644 0:0  \"1\"  image app, layer 1\n";
    let own = "  /d/y  file  0644 0:0  \"1\"  writable layer\n";
    let mount = "  /d/  dir  0755 0:0  volume store\n";
    let said = "/d/x file 0644 0:0 \"1\" image app, layer 1";
    for (before, after, expected) in [
        (file, "", format!("whiteout added, missing: {said}")),
        ("", file, format!("whiteout gone, only now: {said}")),
        (
            own,
            "",
            "missing: /d/y file 0644 0:0 \"1\" writable layer".to_owned(),
        ),
        (
            file,
            mount,
            format!("volume store on /d/ added, missing: {said}"),
        ),
        (
            mount,
            file,
            format!("volume store on /d/ gone, only now: {said}"),
        ),
    ] {
        let found = differences(&tree(before), &tree(after));
        let expected = format!("merged tree of c: {expected}");
        assert!(found.contains(&expected), "{expected}\n{found:#?}");
    }
}

#[test]
fn a_new_section_is_told_with_its_rows() {
    let before = "steps\npersistence\n  nothing was written\nend";
    let after = "steps\nhost\n  /x  file  0644 0:0  \"1\"\npersistence\n  nothing was written\nend";
    assert_eq!(
        differences(before, after),
        ["host: new", r#"host: /x file 0644 0:0 "1""#]
    );
    assert_eq!(
        unified_diff(before, after),
        "--- approved\n+++ actual\n@@ -1,4 +1,6 @@\n steps\n+host\n+  /x  file  0644 0:0  \"1\"\n \
         persistence\n   nothing was written\n end\n"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn operations_in_dockers_words() {
    let path = |path: &str| Target::Path(path.to_owned());
    let handle = |name: &str| Target::Handle(name.to_owned());
    let in_first = |action| file(container("first"), action);
    let mounted = crate::engine::ContainerSpec {
        mounts: vec![
            MountRequest::Short("store:/data".to_owned()),
            MountRequest::Long {
                target: "/conf".to_owned(),
                read_only: true,
                source: MountSource::Bind(BindRequest {
                    source: "/conf".to_owned(),
                    create_host_path: false,
                    propagation: None,
                    recursive: None,
                    selinux: None,
                }),
            },
            MountRequest::Long {
                target: "/v".to_owned(),
                read_only: false,
                source: MountSource::Volume(VolumeRequest {
                    nocopy: true,
                    ..VolumeRequest::default()
                }),
            },
        ],
        read_only: true,
        user: Some("1000".to_owned()),
        ..spec("first")
    };
    let as_user = match in_first(write("/data/rows", "")) {
        Operation::Files {
            place, requests, ..
        } => Operation::Files {
            place,
            user: Some("1000".to_owned()),
            requests,
        },
        other => other,
    };
    let anonymous = VolumeRef::Anonymous {
        container: "first".to_owned(),
        target: "/v".to_owned(),
    };
    for (operation, words) in [
        (as_user, "in first as 1000: write /data/rows"),
        (
            Operation::Run(mounted),
            "run first from app with store:/data, bind ./conf at /conf read-only, anonymous volume \
             nocopy at /v, user 1000, read-only",
        ),
        (remove("first"), "rm -f first"),
        (volume_create("store"), "volume create store"),
        (
            Operation::VolumeInspect(anonymous.clone()),
            "volume inspect anonymous volume of first at /v",
        ),
        (
            file(Place::Volume(anonymous), delete("/x")),
            "in anonymous volume of first at /v: delete -r /x",
        ),
        (
            in_first(FileAction::Chmod {
                target: path("/a b"),
                mode: 0o4755,
            }),
            "in first: chmod 4755 \"/a b\"",
        ),
        (
            in_first(FileAction::Open {
                path: "/x".to_owned(),
                flags: vec![OpenFlag::Read, OpenFlag::Write],
                mode: None,
                handle: "h".to_owned(),
            }),
            "in first: open /x for read, write as h",
        ),
        (
            in_first(FileAction::Read {
                target: handle("h"),
                offset: Some(3),
                length: Some(5),
            }),
            "in first: read handle h at 3, 5 bytes",
        ),
        (
            in_first(FileAction::Chown {
                target: path("/x"),
                uid: None,
                gid: Some(5),
                follow: false,
            }),
            "in first: chown :5 /x, no follow",
        ),
    ] {
        assert_eq!(operation_words(&operation), words);
    }
}

#[test]
fn what_differs_from_run_to_run_is_not_shown() {
    let stat = |ino, seconds| StatAnswer {
        kind: SeenKind::Directory,
        mode: 0o1777,
        uid: 0,
        gid: 0,
        size: ino,
        blocks: ino,
        links: ino,
        ino,
        dev: ino,
        atime: Time { seconds, nanos: 0 },
        mtime: Time { seconds, nanos: 0 },
        xattrs: BTreeMap::new(),
    };
    let words = |stat| super::value_words(&Value::Stat(stat));
    assert_eq!(words(stat(1, 1)), "directory 1777 0:0");
    assert_eq!(words(stat(2, 2)), words(stat(1, 1)));
}
