//! Every form of every operation on containers, images, volumes and the world.

use std::collections::BTreeMap;

use super::operation;
use crate::engine::{
    CommitSpec, ContainerSpec, CopyEnd, ImageConfig, MountRequest, Operation, VolumeFilter,
    VolumeRef, VolumeSpec,
};

fn s(text: &str) -> String {
    text.to_owned()
}

#[track_caller]
fn check(table: Vec<(&str, Operation)>) {
    for (line, expected) in table {
        assert_eq!(operation(line), expected, "{line}");
    }
}

#[test]
fn containers() {
    let remove = |force, volumes| Operation::Remove {
        container: s("c"),
        force,
        volumes,
    };
    let small = ContainerSpec {
        name: s("d"),
        image: s("app"),
        ..ContainerSpec::default()
    };
    let full = ContainerSpec {
        mounts: vec![MountRequest::Short(s("store:/data:ro"))],
        volumes_from: vec![s("c:ro")],
        tmpfs: vec![s("/run"), s("/tmp:size=1m")],
        read_only: true,
        user: Some(s("1000")),
        working_dir: Some(s("/srv")),
        remove_on_exit: true,
        ..small.clone()
    };
    let keys = "volumes: ['store:/data:ro'], volumes_from: ['c:ro'], tmpfs: [/run, '/tmp:size=1m'], \
                read_only: true, user: 1000, working_dir: /srv, rm: true";
    assert_eq!(
        operation(&format!("create: {{name: d, image: app, {keys}}}")),
        Operation::Create(full)
    );
    check(vec![
        ("run: {name: d, image: app}", Operation::Run(small.clone())),
        ("run: {name: d, image: app, tmpfs: /run}", {
            Operation::Run(ContainerSpec {
                tmpfs: vec![s("/run")],
                ..small
            })
        }),
        ("start: c", Operation::Start(s("c"))),
        ("stop: c", Operation::Stop(s("c"))),
        ("kill: c", Operation::Kill(s("c"))),
        ("restart: c", Operation::Restart(s("c"))),
        ("pause: c", Operation::Pause(s("c"))),
        ("unpause: c", Operation::Unpause(s("c"))),
        ("inspect: c", Operation::Inspect(s("c"))),
        ("diff: c", Operation::Diff(s("c"))),
        ("rm: c", remove(false, false)),
        ("rm: {container: c}", remove(false, false)),
        (
            "rm: {container: c, force: true, volumes: true}",
            remove(true, true),
        ),
        ("container prune", Operation::ContainerPrune),
        ("container prune:", Operation::ContainerPrune),
        ("container prune: {}", Operation::ContainerPrune),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn images_and_copies() {
    let inside = |path: &str| CopyEnd::Container {
        container: s("c"),
        path: s(path),
    };
    let copy = |from, to, archive, follow| Operation::Copy {
        from,
        to,
        archive,
        follow,
    };
    let host = |path: &str| CopyEnd::Host(s(path));
    let commit = |change| {
        Operation::Commit(CommitSpec {
            container: s("c"),
            image: s("new"),
            change,
        })
    };
    check(vec![
        (
            "commit: {container: c, image: new}",
            commit(ImageConfig::default()),
        ),
        (
            "commit: {container: c, image: new, volumes: [/x], user: 1, working_dir: /w}",
            {
                let (user, working_dir) = (Some(s("1")), Some(s("/w")));
                commit(ImageConfig {
                    volumes: vec![s("/x")],
                    user,
                    working_dir,
                })
            },
        ),
        (
            "cp: {from: 'c:/x', to: ./y}",
            copy(inside("/x"), host("/y"), false, false),
        ),
        (
            "cp: {from: ./y/., to: 'c:/x', archive: true, follow: true}",
            copy(host("/y/."), inside("/x"), true, true),
        ),
        (
            "cp: {from: /y, to: 'c:x'}",
            copy(host("/y"), inside("x"), false, false),
        ),
        (
            "export: {container: c, to: ./c.tar}",
            Operation::Export {
                container: s("c"),
                to: s("/c.tar"),
            },
        ),
        (
            "import: {from: ./c.tar, image: new}",
            Operation::Import {
                from: s("/c.tar"),
                image: s("new"),
            },
        ),
        (
            "image rm: app",
            Operation::ImageRemove {
                image: s("app"),
                force: false,
            },
        ),
        (
            "image rm: {image: app, force: true}",
            Operation::ImageRemove {
                image: s("app"),
                force: true,
            },
        ),
        (
            "image tag: {image: app, tag: 'app:2'}",
            Operation::ImageTag {
                image: s("app"),
                tag: s("app:2"),
            },
        ),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn volumes() {
    let named = |name: &str| VolumeRef::Named(s(name));
    let filter = |key: &str, value: &str| VolumeFilter {
        key: s(key),
        value: s(value),
    };
    let anonymous = VolumeRef::Anonymous {
        container: s("c"),
        target: s("/x"),
    };
    let created = VolumeSpec {
        name: Some(s("v")),
        ..VolumeSpec::default()
    };
    let full = VolumeSpec {
        driver: Some(s("local")),
        driver_opts: BTreeMap::from([(s("type"), s("tmpfs"))]),
        labels: BTreeMap::from([(s("tier"), s("gold"))]),
        ..created.clone()
    };
    check(vec![
        ("volume create: v", Operation::VolumeCreate(created)),
        (
            "volume create",
            Operation::VolumeCreate(VolumeSpec::default()),
        ),
        (
            "volume create: {}",
            Operation::VolumeCreate(VolumeSpec::default()),
        ),
        (
            "volume create: {name: v, driver: local, driver_opts: {type: tmpfs}, labels: {tier: gold}}",
            Operation::VolumeCreate(full),
        ),
        (
            "volume rm: store",
            Operation::VolumeRemove {
                volume: named("store"),
                force: false,
            },
        ),
        (
            "volume rm: anonymous volume of c at /x",
            Operation::VolumeRemove {
                volume: anonymous.clone(),
                force: false,
            },
        ),
        (
            "volume rm: {volume: nowhere, force: true}",
            Operation::VolumeRemove {
                volume: named("nowhere"),
                force: true,
            },
        ),
        (
            "volume inspect: store",
            Operation::VolumeInspect(named("store")),
        ),
        (
            "volume inspect: anonymous volume of c at /x",
            Operation::VolumeInspect(anonymous),
        ),
        ("volume ls", Operation::VolumeList { filters: vec![] }),
        ("volume ls: {filters: {dangling: true, label: [a=b, c]}}", {
            let filters = vec![
                filter("dangling", "true"),
                filter("label", "a=b"),
                filter("label", "c"),
            ];
            Operation::VolumeList { filters }
        }),
        (
            "volume prune",
            Operation::VolumePrune {
                all: false,
                filters: vec![],
            },
        ),
        ("volume prune: {all: true, filters: {'label!': keep}}", {
            Operation::VolumePrune {
                all: true,
                filters: vec![filter("label!", "keep")],
            }
        }),
    ]);
}

#[test]
fn the_world() {
    check(vec![
        ("crash", Operation::Crash),
        ("crash: {}", Operation::Crash),
        ("restart engine", Operation::RestartEngine),
        ("fill disk", Operation::FillDisk),
        ("free disk", Operation::FreeDisk),
    ]);
}
