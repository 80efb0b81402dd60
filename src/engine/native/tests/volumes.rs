//! Volumes.

use super::script::{Stage, play, text};
use crate::engine::{Answer, Bytes, FileAction, FileRequest, Operation, Place, Seen, VolumeRef};

#[test]
fn a_named_volume_outlives_its_containers() {
    // Rows 49 to 56.
    play(
        "volume create store => store
         volume create label.late=x store => store
         volume inspect store => store {} []
         run -v store:/s one app => ok
         in one write /s/file kept => ok
         volume rm store => volume-in-use
         volume rm -f store => volume-in-use
         rm -f -v one => ok
         run -v store:/elsewhere two app => ok
         in two read /elsewhere/file => \"kept\"
         rm -f two => ok
         volume rm store => ok
         volume rm store => no-such-volume
         volume rm -f store => ok
         volume inspect store => no-such-volume",
    );
}

#[test]
fn names_and_drivers() {
    // Rows 57 to 60, 68, 188.
    play(
        "volume create a => invalid-name
         volume create _x => invalid-name
         volume create ../../etc => invalid-name
         run -v rel/x:/y one app => invalid-name
         inspect one => no-such-container
         volume create driver=nope store => no-such-driver
         volume create foo=bar store => invalid-option
         volume create type=tmpfs store => invalid-option
         volume ls => ",
    );
}

#[test]
fn volumes_are_shared_at_once() {
    // Rows 62, 70.
    play(
        "run -v store:/s one app => ok
         run -v store:/s:ro two app => ok
         in one write /s/file x => ok
         in two read /s/file => \"x\"
         in two write /s/file y => EROFS
         in volume=store read /file => \"x\"
         in volume=store write /outside z => ok
         in two read /s/outside => \"z\"",
    );
}

#[test]
fn what_volume_declares() {
    // Rows 74 to 84.
    play(
        "run one vol => ok
         in one read /data/seed => \"s\"
         in one stat /data => 2750 1000:1000
         in one write /data/own x => ok
         in volume=<one:/data> list / => own seed
         run two vol => ok
         in two list /data => seed
         run -v named:/data three vol => ok
         in three list /data => seed
         run -v named:/other four vol => ok
         inspect four => Running /data /other
         run --tmpfs /data five vol => ok
         in five list /data => 
         volume ls => named <four:/data> <one:/data> <two:/data>
         rm -f one => ok
         rm -f -v two => ok
         rm -f -v four => ok
         in volume=<one:/data> list / => own seed
         run one vol => ok
         in volume=<one:/data> list / => seed
         rm -f -v one => ok
         in volume=<one:/data> list / => own seed
         volume ls => named <one:/data>
         volume ls dangling=true => <one:/data>
         volume prune => <one:/data>
         rm -f three => ok
         volume prune => 
         volume prune --all => named",
    );
}

#[test]
fn filling_an_empty_volume() {
    // Rows 105 to 114.
    play(
        "create -v store:/data one app => ok
         in volume=store list / => seed
         in volume=store stat / => 2750 1000:1000
         in volume=store delete /seed => ok
         create -v store:/etc two app => ok
         in volume=store list / => app.conf passwd
         create -v store:/data three app => ok
         in volume=store list / => app.conf passwd
         create -v bare:/data:nocopy four app => ok
         in volume=bare list / => 
         create -v bare:/nothing five app => ok
         in volume=bare stat / => 755 0:0
         run -u 1000 -v bare:/nothing six app => ok
         in six write /nothing/x y => EACCES
         run -v bare:/gone seven app => ok
         create -v file:/etc/app.conf eight app => mount-type-mismatch
         create -v /etc/app.conf eight app => mount-type-mismatch
         inspect eight => no-such-container
         volume inspect file => file {} []",
    );
}

#[test]
fn from_other_containers() {
    // Rows 91 to 104.
    play(
        "in host write /conf c => ok
         create -v store:/s -v ./conf:/c:ro --tmpfs /t one vol => ok
         run --volumes-from one two app => ok
         inspect two => Running /c /data /s
         in two write /s/x 1 => ok
         in two write /c 1 => EROFS
         in two read /data/seed => \"s\"
         run --volumes-from two:ro three app => ok
         in three write /s/x 1 => EROFS
         in three read /s/x => \"1\"
         run --volumes-from one -v other:/s four app => ok
         in four list /s => 
         run --volumes-from one --tmpfs /s five app => ok
         in five list /s => 
         rm -v one => ok
         in two read /data/seed => \"s\"
         run --volumes-from one six app => no-such-container
         run --volumes-from two:bad six app => invalid-volumes-from
         create --mount type=tmpfs,target=/m seven app => ok
         run --volumes-from seven eight app => no-such-volume",
    );
}

#[test]
fn filters() {
    // Rows 63 to 67.
    play(
        "volume create label.tier=gold one1 => one1
         volume create two2 => two2
         create -v two2:/x user app => ok
         volume ls name=o => one1 two2
         volume ls label=tier=gold => one1
         volume ls dangling=false => two2
         volume ls bogus=x => invalid-filter
         volume prune --all label!=tier => 
         volume prune all=true => one1",
    );
}

#[test]
fn driver_options_of_the_local_driver() {
    // Rows 67, 115, 189 to 191.
    play(
        "in host mkdir /dir => ok
         volume create type=none o=bind device=/dir bound => bound
         run -v bound:/data one app => ok
         in one write /data/new x => ok
         in host list /dir => new seed
         in volume=bound list / => new seed
         in volume=bound list /../.. => new seed
         volume create type=none o=bind device=/missing broken => broken
         create -v broken:/nothing two app => ok
         start two => mount-source-missing
         volume create type=tmpfs o=size=4096 device=tmpfs memory => memory
         run -v memory:/m three app => ok
         in three write /m/x y => ok
         in three truncate /m/x 1 => ok
         run -v memory:/m four app => ok
         in four read /m/x => \"y\"
         stop three => ok
         in four read /m/x => \"y\"
         stop four => ok
         start three => ok
         in three list /m => 
         rm -f one => ok
         rm -f two => ok
         rm -f three => ok
         rm -f four => ok
         volume prune --all => 
         volume rm bound => ok
         in host list /dir => new seed",
    );
}

#[test]
fn subpaths_and_images() {
    // Rows 185, 186.
    play(
        "volume create store => store
         in volume=store mkdir /a/b => ok
         in volume=store write /a/b/file x => ok
         in volume=store symlink /out /etc => ok
         in volume=store symlink /in a/b => ok
         run --mount type=volume,source=store,target=/m,volume-subpath=a/b one app => ok
         in one list /m => file
         run --mount type=volume,source=store,target=/m,volume-subpath=in two app => ok
         in two list /m => file
         run --mount type=volume,source=store,target=/m,volume-subpath=out three app => invalid-mount
         run --mount type=volume,source=store,target=/m,volume-subpath=missing four app => mount-source-missing
         run --mount type=volume,source=store,target=/m,volume-subpath=../x five app => invalid-mount
         run --mount type=volume,source=store,target=/f,volume-subpath=a/b/file six app => ok
         in six read /f => \"x\"
         run --mount type=image,source=app,target=/image seven app => ok
         in seven read /image/etc/app.conf => \"default\"
         in seven write /image/x y => EROFS
         rmi vol => ok
         rmi app => image-in-use",
    );
}

/// As its own processes do not see them: Docker leaves no container `CAP_SYS_ADMIN`.
#[test]
fn trusted_attributes_show_in_the_volume_only() {
    let stage = Stage::new();
    stage.play(
        "run -v store:/s one app => ok
         create -v store:/s two app => ok",
    );
    let mut file = text("x");
    for name in ["trusted.a", "user.a"] {
        file.xattrs.insert(name.to_owned(), Bytes::from("1"));
    }
    let write = Operation::Files {
        place: Place::Volume(VolumeRef::Named("store".to_owned())),
        user: None,
        requests: vec![FileRequest {
            action: FileAction::Write {
                path: "/f".to_owned(),
                node: file,
            },
            stop_on_refusal: true,
        }],
    };
    let Answer::Done(_) = stage.engine.perform(&write) else {
        panic!("the host's superuser may set both");
    };
    let names = |tree: &[Seen], path: &str| -> Vec<String> {
        let seen = tree.iter().find(|seen| seen.path == path).unwrap();
        seen.xattrs.keys().cloned().collect()
    };
    let world = stage.engine.observe().unwrap();
    assert_eq!(names(&world.volumes[0].1, "/f"), ["trusted.a", "user.a"]);
    for (container, tree) in &world.containers {
        assert_eq!(names(tree, "/s/f"), ["user.a"], "{container:?}");
    }
}
