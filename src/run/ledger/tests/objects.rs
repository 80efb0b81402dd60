//! Objects: what their removal takes, and how places are named.

use super::*;

#[test]
fn objects_of_the_same_name_are_told_apart() {
    let steps = vec![
        (run("first"), ok()),
        wrote("/a", "1"),
        (remove("first"), ok()),
        (run("first"), ok()),
        wrote("/a", "1"),
    ];
    assert_eq!(
        told(steps, &first_has(&[("/a", "1")])),
        [
            "lost 2 first:/a: with the writable layer of first, removed at step 3",
            "kept 5 first:/a: in the writable layer of first",
        ]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_goes_with_a_stop_a_prune_or_a_crash() {
    let anonymous = VolumeRef::Anonymous {
        container: "first".to_owned(),
        target: "/v".to_owned(),
    };
    let written = |storage: Storage| {
        (
            file(container("first"), write("/x", "1")),
            changed(&[(storage, "/x")]),
        )
    };
    let once = Operation::Run(crate::engine::ContainerSpec {
        remove_on_exit: true,
        ..spec("first")
    });
    let stop = Operation::Stop("first".to_owned());
    let pruned = Value::Volumes(vec![volume_seen("store")]);
    let prune = Operation::VolumePrune {
        all: true,
        filters: Vec::new(),
    };
    for (begin, storage, end, answer, cause) in [
        (
            run("first"),
            tmpfs("first", "/run"),
            stop.clone(),
            ok(),
            "with the tmpfs of first, stopped at step 3",
        ),
        (
            once.clone(),
            Storage::Volume(anonymous.clone()),
            stop,
            ok(),
            "with the anonymous volume of first, removed as it was stopped at step 3",
        ),
        (
            run("first"),
            Storage::Volume(anonymous),
            Operation::Remove {
                container: "first".to_owned(),
                force: true,
                volumes: true,
            },
            ok(),
            "with the anonymous volume of first, removed at step 3",
        ),
        (
            run("first"),
            volume("store"),
            prune,
            done(pruned),
            "with volume store, pruned at step 3",
        ),
        (
            run("first"),
            writable("first"),
            Operation::Crash,
            ok(),
            "by the crash at step 3",
        ),
        (
            run("first"),
            tmpfs("first", "/run"),
            Operation::Crash,
            ok(),
            "with the tmpfs of first, stopped by the crash at step 3",
        ),
        (
            Operation::Create(spec("first")),
            writable("first"),
            Operation::ContainerPrune,
            ok(),
            "with the writable layer of first, pruned at step 3",
        ),
        (
            run("first"),
            writable("first"),
            Operation::ContainerPrune,
            ok(),
            "no step explains it",
        ),
    ] {
        let steps = vec![(begin, ok()), written(storage), (end, answer)];
        assert_eq!(
            told(steps, &World::default()),
            [format!("lost 2 first:/x: {cause}")]
        );
    }
}

#[test]
fn a_commit_keeps_what_its_container_loses() {
    let commit = Operation::Commit(CommitSpec {
        container: "first".to_owned(),
        image: "snap".to_owned(),
        ..CommitSpec::default()
    });
    let steps = || {
        vec![
            (run("first"), ok()),
            wrote("/a", "1"),
            (commit.clone(), ok()),
            (remove("first"), ok()),
        ]
    };
    let tree = vec![seen("/a", text_file("1"), layer("snap", 2))];
    let world = World {
        containers: vec![(container_seen("second", &[]), tree)],
        ..World::default()
    };
    let said = "kept 2 first:/a: in image snap, layer 2, committed at step 3; second sees it at /a";
    assert_eq!(told(steps(), &world), [said]);
    let said = "lost 2 first:/a: with the writable layer of first, removed at step 4; committed at \
                step 3 to image snap, which no container shows";
    assert_eq!(told(steps(), &World::default()), [said]);
}

#[test]
fn a_commit_keeps_a_deletion() {
    let commit = Operation::Commit(CommitSpec {
        container: "first".to_owned(),
        image: "snap".to_owned(),
        ..CommitSpec::default()
    });
    let steps = || {
        vec![
            (run("first"), ok()),
            did(delete("/etc/os"), &["/etc/os"]),
            (commit.clone(), ok()),
            (remove("first"), ok()),
        ]
    };
    let mut second = container_seen("second", &[]);
    second.image = "snap".to_owned();
    let mut world = World {
        containers: vec![(second, Vec::new())],
        ..World::default()
    };
    let said = "kept 2 first:/etc/os: stays deleted in image snap, committed at step 3";
    assert_eq!(told(steps(), &world), [said]);
    let lost = ["lost 2 first:/etc/os: with the writable layer of first, removed at step 4"];
    world.containers[0]
        .1
        .push(seen("/etc/os", text_file("one"), layer("app", 1)));
    assert_eq!(told(steps(), &world), lost);
    assert_eq!(told(steps(), &World::default()), lost);
}

#[test]
fn refused_and_reading_steps_write_nothing() {
    let steps = vec![
        (file(container("first"), write("/a", "1")), errno("EROFS")),
        did(read("/a"), &[]),
        (
            run("first"),
            Answer::Refused(crate::engine::Refusal::kind(
                crate::engine::Kind::NameInUse,
                "",
            )),
        ),
    ];
    assert!(told(steps, &World::default()).is_empty());
}

#[test]
fn host_and_volume_are_named_as_places() {
    let host = file(Place::Host, write("/share/x", "1"));
    let inside = file(
        Place::Volume(VolumeRef::Named("store".to_owned())),
        write("/y", "2"),
    );
    let steps = vec![
        (host, changed(&[(Storage::Host, "/share/x")])),
        (inside, changed(&[(volume("store"), "/y")])),
    ];
    let world = World {
        host: vec![seen("/share/x", text_file("1"), Storage::Host)],
        volumes: vec![(
            volume_seen("store"),
            vec![seen("/y", text_file("2"), volume("store"))],
        )],
        ..World::default()
    };
    let said = [
        "kept 1 host:/share/x: in the host directory",
        "kept 2 volume store:/y: in volume store",
    ];
    assert_eq!(told(steps, &world), said);
}

#[test]
fn a_copy_that_does_not_say_where_is_a_suspect() {
    let copy = Operation::Copy {
        from: crate::engine::CopyEnd::Host("/x".to_owned()),
        to: crate::engine::CopyEnd::Container {
            container: "first".to_owned(),
            path: "/a".to_owned(),
        },
        archive: false,
        follow: false,
    };
    let steps = vec![wrote("/a", "1"), (copy.clone(), ok())];
    let said = "lost 1 first:/a: its content is \"2\", not \"1\": unexplained, unless by step 2";
    assert_eq!(told(steps, &first_has(&[("/a", "2")])), [said]);
    let steps = vec![
        wrote("/a", "1"),
        (copy, changed(&[(writable("first"), "/a")])),
    ];
    let said = "kept 2 cp ./x first:/a: in the writable layer of first";
    assert_eq!(told(steps, &first_has(&[("/a", "2")])), [said]);
}
