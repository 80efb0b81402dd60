//! Binds, tmpfs, read-only roots, mount points.

use super::script::{Stage, play};
use crate::engine::Storage;

#[test]
fn a_bind_is_the_host() {
    // Rows 119 to 133.
    play(
        "in host mkdir /share => ok
         in host write /share/a 1 => ok
         in host write /conf c => ok
         run -v ./share:/data -v /conf:/etc/app.conf:ro -v ./conf:/etc/extra one app => ok
         in one list /data => a
         in one write /data/b 2 => ok
         in host read /share/b => \"2\"
         in host delete /share/a => ok
         in one list /data => b
         in one read /etc/app.conf => \"c\"
         in one write /etc/app.conf x => EROFS
         in one write /etc/passwd x => ok
         in one write /etc/extra new => ok
         in host read /conf => \"new\"
         commit one next => ok
         run two next => ok
         in two list /data => seed
         in two read /etc/app.conf => \"default\"
         in two stat /etc/extra => 755 0:0
         in two read /etc/extra => \"\"",
    );
}

#[test]
fn a_create_that_fails() {
    // Row 72; the order of refusals as Docker 20.10 has it: what `-v` asks for is read last, and one after the other: what
    // comes before a wrong one is made. Docker's command line hands them on in the order of a map, which is that
    // in which they were given 7 times in 8.
    play(
        "create -v bad:/x:bogus one nope => no-such-image
         create -v bad:/x:bogus --volumes-from nobody one app => no-such-container
         create -v bad:/x:bogus one app => invalid-mount
         create -v kept:/y -v bad:/x:bogus one app => invalid-mount
         create -v /data/seed one vol => mount-type-mismatch
         create -v bad:/x:bogus -v late:/y one app => invalid-mount
         volume ls => kept",
    );
}

#[test]
fn a_mount_inside_a_mount_of_a_container_that_does_not_run() {
    let stage = Stage::new();
    stage.play(
        "in host mkdir /inner => ok
         in host write /inner/f 1 => ok
         in host mkdir /outer => ok
         in host mkdir /outer/sub => ok
         create -v ./outer:/data -v ./inner:/data/sub one app => ok",
    );
    let world = stage.engine.observe().unwrap();
    let (_, tree) = &world.containers[0];
    let inner = tree.iter().find(|seen| seen.path == "/data/sub/f").unwrap();
    assert_eq!(inner.storage, Storage::Host);
}

#[test]
fn a_missing_source() {
    // Rows 120 to 122, 148.
    play(
        "create -v ./deep/er:/m one app => ok
         in host list / => 
         start one => ok
         in host stat /deep/er => 755 0:0
         create --mount type=bind,source=./nope,target=/m two app => mount-source-missing
         in host mkdir /there => ok
         create --mount type=bind,source=./there,target=/m three app => ok
         in host delete /there => ok
         start three => mount-source-missing
         inspect three => Created /m
         in host mkdir /later => ok
         run --mount type=bind,source=./later,target=/m later app => ok
         stop later => ok
         in host delete /later => ok
         start later => mount-source-missing
         inspect later => Exited 0 /m
         in host mkdir /typed => ok
         run -v ./typed:/data typed app => ok
         stop typed => ok
         in host delete /typed => ok
         in host write /typed f => ok
         start typed => mount-type-mismatch
         inspect typed => Exited 127 /data
         in host symlink /dangling nowhere => ok
         run -v ./dangling:/m four app => mount-source-missing
         in host symlink /link deep => ok
         run -v ./link:/m five app => ok
         in five list /m => er",
    );
}

#[test]
fn what_does_not_fit() {
    // Rows 129, 130, 136, 143, 144, 152 to 158.
    play(
        "in host mkdir /dir => ok
         in host write /file f => ok
         run -v ./file:/data one app => mount-type-mismatch
         run -v ./dir:/etc/app.conf two app => mount-type-mismatch
         inspect two => Created /etc/app.conf
         run --rm -v named:/n -v ./file:/data gone app => mount-type-mismatch
         inspect gone => no-such-container
         volume inspect named => named {} []
         create -v ./dir:/ three app => invalid-mount
         create -v ./dir:rel three app => invalid-mount
         create -v ./dir:/x:bogus three app => invalid-mount
         create -v ./dir:/x:nocopy three app => invalid-mount
         create -v first:/x -v second:/x/ three app => duplicate-mount
         create --tmpfs /x -v first:/x three app => duplicate-mount
         volume inspect first => first {} []
         volume inspect second => no-such-volume
         create --tmpfs rel three app => invalid-mount
         create --tmpfs / three app => invalid-mount
         create -w rel three app => other
         create -w /etc/app.conf three app => not-a-directory
         create --tmpfs /x:bogus four app => ok
         start four => invalid-option
         run -v ./dir:/x:shared five app => invalid-mount
         run -v ./dir:/proc six app => mount-target-failed
         run -v ./dir:/m:ro -v store:/m/missing seven app => mount-target-failed
         run -u nobody eight app => invalid-user
         run -v /x -v store:/x nine app => ok
         inspect nine => Running /x",
    );
}

#[test]
fn mount_points_are_made_and_stay() {
    // Rows 84, 126, 137, 163.
    play(
        "in host mkdir /dir => ok
         in host write /file f => ok
         run -v ./dir:/m -v store:/m/sub/vol -v ./file:/m/sub/file -v ./file:/new/file -w /m/work one app => ok
         in host list /dir => sub work
         in host list /dir/sub => file vol
         in host stat /dir/sub/file => 755 0:0
         in one write /m/sub/vol/x 1 => ok
         in volume=store list / => x
         in host list /dir/sub/vol => 
         diff one => A /m, A /m/work, A /new, A /new/file
         rm -f one => ok
         in host list /dir/sub => file vol",
    );
}

#[test]
fn tmpfs_is_new_at_each_start() {
    // Rows 164 to 168.
    play(
        "run --tmpfs /t:size=4096,mode=700 --mount type=tmpfs,target=/data one app => ok
         in one stat /t => 700 0:0
         in one stat /data => 2750 0:0
         in one write /t/x y => ok
         in one write /data/x y => ok
         restart one => ok
         in one list /t => 
         in one list /data => 
         in one stat /t => 755 0:0
         stop one => ok
         diff one => A /t",
    );
    let stage = Stage::new();
    stage.play("run --tmpfs /t:size=12288 one app => ok\n in one write /t/x y => ok");
    let answer = (0..3).map(|n| format!("in one write /t/f{n} {} => ", "x".repeat(2000)));
    let script: Vec<String> = answer
        .zip(["ok", "ok", "ENOSPC"])
        .map(|(line, word)| line + word)
        .collect();
    stage.play(&script.join("\n"));
}

#[test]
fn a_read_only_root() {
    // Rows 169, 170.
    play(
        "run --read-only --tmpfs /t -v store:/new one app => ok
         in one write /etc/app.conf x => EROFS
         in one write /new/x y => ok
         in one write /t/x y => ok
         stop one => ok
         start one => ok
         in one list /new => x",
    );
}

#[test]
fn looking_changes_nothing_and_sees_all() {
    let stage = Stage::new();
    stage.play(
        "create -v store:/m/deep --tmpfs /t -v ./missing:/b one app => ok
         in volume=store write /x 1 => ok",
    );
    let world = stage.engine.observe().unwrap();
    let (_, tree) = &world.containers[0];
    let storage = |path: &str| {
        tree.iter()
            .find(|seen| seen.path == path)
            .map(|s| &s.storage)
    };
    let volume = crate::engine::VolumeRef::Named("store".to_owned());
    let (container, target) = ("one".to_owned(), "/t".to_owned());
    for (path, expected) in [
        ("/m/deep/x", Some(Storage::Volume(volume))),
        (
            "/t",
            Some(Storage::Tmpfs {
                container: container.clone(),
                target,
            }),
        ),
        ("/m", Some(Storage::Writable { container })),
        (
            "/etc/app.conf",
            Some(Storage::Layer {
                image: "app".to_owned(),
                number: 2,
            }),
        ),
        (
            "/data/seed",
            Some(Storage::Layer {
                image: "app".to_owned(),
                number: 1,
            }),
        ),
        // Starting it would make it.
        ("/b", Some(Storage::Host)),
    ] {
        assert_eq!(storage(path), expected.as_ref(), "{path}");
    }
    assert_eq!(world.images, ["app", "vol"]);
    stage.play("diff one => \n in host list / => ");
    assert_eq!(stage.engine.observe().unwrap(), world);
}

#[test]
fn a_slash_at_the_end_of_a_target_is_not_shown() {
    // Docker inspects it as it was asked for, and mounts where it is without.
    let stage = Stage::new();
    stage.play("create --tmpfs /m/ one app => ok");
    let world = stage.engine.observe().unwrap();
    let (container, tree) = &world.containers[0];
    let memory = Storage::Tmpfs {
        container: "one".to_owned(),
        target: "/m".to_owned(),
    };
    let mounted = container.mounts.iter().find(|mount| mount.target == "/m");
    assert_eq!(mounted.map(|mount| &mount.storage), Some(&memory));
    let shown = tree.iter().find(|seen| seen.path == "/m");
    assert_eq!(shown.map(|seen| &seen.storage), Some(&memory));
}
