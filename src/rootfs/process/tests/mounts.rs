//! Mount points, mount boundaries, read-only mounts. The expected errnos are those of bind mounts on
//! Linux 6.18, over ext4 and over an overlay alike.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use crate::rootfs::testing::{perform, plain, process, word};
use crate::rootfs::{Mount, Rootfs, Subject, TargetKind, host_root};
use crate::union::{Errno, NodeRef, Union};

struct Disk {
    rootfs: Arc<Rootfs>,
    volume: Arc<Union>,
    root_directory: tempfile::TempDir,
    volume_directory: tempfile::TempDir,
}

const ROOT: &[&str] = &[
    "mkdir d 0755",
    "write d/f 0644 abc",
    "write d/secret 0600 abc",
    "mkdir open 0777",
    "write open/f 0666 abc",
    "mkdir open/dir 0777",
    "mkdir closed 0700",
    "fifo pipe 0666",
    "mkdir t 0777",
    "write tf 0666 abc",
    "link tf tf2",
    "mkdir big 0777",
    "mkdir big/sub 0777",
    "mkdir big/sub/t 0777",
    "symlink t tlink",
];

const VOLUME: &[&str] = &[
    "mkdir in 0777",
    "write in/f 0666 abc",
    "mkdir in/deep 0777",
    "write file 0666 abc",
];

/// The volume on `/t`, its file on `/tf`, its directory `in` on `/big/sub/t`.
fn disk(read_only: bool) -> Disk {
    let root_directory = tempfile::tempdir().unwrap();
    let volume_directory = tempfile::tempdir().unwrap();
    let root = plain(root_directory.path());
    let volume = plain(volume_directory.path());
    let maker = process(&Arc::new(Rootfs::new(Arc::clone(&root), false)), "host");
    for call in ROOT {
        assert_eq!(word(perform(&maker, call)), "ok", "{call}");
    }
    let maker = process(&Arc::new(Rootfs::new(Arc::clone(&volume), false)), "host");
    for call in VOLUME {
        assert_eq!(word(perform(&maker, call)), "ok", "{call}");
    }
    let rootfs = Arc::new(Rootfs::new(root, read_only));
    for (id, target, source) in [
        (1, "/t", "/"),
        (2, "/tf", "/file"),
        (3, "/big/sub/t", "/in"),
    ] {
        mount(&rootfs, &volume, target, source, id).unwrap();
    }
    Disk {
        rootfs,
        volume,
        root_directory,
        volume_directory,
    }
}

fn mount(
    rootfs: &Rootfs,
    union: &Arc<Union>,
    target: &str,
    source: &str,
    id: u64,
) -> Result<(), Errno> {
    let node = node_at(union, source);
    let union = Arc::clone(union);
    rootfs.mount(Mount {
        target: target.into(),
        union,
        node,
        read_only: false,
        id,
    })
}

fn node_at(union: &Arc<Union>, path: &str) -> NodeRef {
    Rootfs::new(Arc::clone(union), true)
        .find(Path::new(path))
        .unwrap()
        .1
}

/// Docker and Podman start no container then (observed with Docker 20.10 and Podman 4.3).
#[test]
fn no_symlink_leads_a_mount_onto_the_root() {
    let disk = disk(false);
    let maker = process(&disk.rootfs, "root");
    perform(&maker, "symlink .. top").unwrap();
    let refused = mount(&disk.rootfs, &disk.volume, "/top", "/", 9);
    assert_eq!(refused, Err(Errno::BUSY));
}

/// User, call, what comes of it, what comes of it when the root is read-only.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("root", "open d/f write", "ok", "EROFS"),
    ("1000", "open d/f write", "EACCES", "EACCES"),
    ("1000", "open d/f write,truncate", "EACCES", "EROFS"),
    ("1000", "open open/f write", "ok", "EROFS"),
    ("1000", "open open/f read,create", "ok", "ok"),
    ("1000", "open d/new write,create", "EACCES", "EROFS"),
    (
        "1000",
        "open d/f write,create,exclusive",
        "EEXIST",
        "EEXIST",
    ),
    ("root", "open d write", "EISDIR", "EISDIR"),
    ("root", "open pipe read,write", "ok", "ok"),
    ("1000", "open d write,tmpfile", "EACCES", "EROFS"),
    ("1000", "mkdir d/new 0755", "EACCES", "EROFS"),
    ("1000", "mkdir d/f 0755", "EEXIST", "EEXIST"),
    ("1000", "mkdir closed/new 0755", "EACCES", "EACCES"),
    ("root", "symlink x open/new/", "ENOENT", "ENOENT"),
    ("1000", "device open/new 1 3 0644", "EPERM", "EROFS"),
    ("root", "rmdir d/nope", "ENOENT", "EROFS"),
    ("1000", "rmdir d/f", "EACCES", "EROFS"),
    ("root", "unlink d/nope", "ENOENT", "EROFS"),
    ("root", "unlink d/f/", "ENOTDIR", "EROFS"),
    ("root", "rename d/f d/f", "ok", "EROFS"),
    ("root", "rename nope d/f", "ENOENT", "EROFS"),
    ("root", "rename d/nope/x d/f", "ENOENT", "ENOENT"),
    ("root", "noreplace d/f open/f", "EEXIST", "EROFS"),
    ("root", "link d/f open/f", "EEXIST", "EEXIST"),
    ("root", "link open/f open/new", "ok", "EROFS"),
    ("1000", "chmod d/f 0600", "EPERM", "EROFS"),
    ("1000", "chown d/f - -", "ok", "EROFS"),
    ("1000", "now d/f", "EACCES", "EROFS"),
    ("1000", "times d/f", "EPERM", "EROFS"),
    ("1000", "truncate d/secret 1", "EACCES", "EACCES"),
    ("1000", "truncate open/f 1", "ok", "EROFS"),
    ("1000", "truncate d 1", "EISDIR", "EISDIR"),
    ("1000", "setxattr d/f user.a 1", "EACCES", "EROFS"),
    ("1000", "setxattr d/f other.a 1", "EACCES", "EROFS"),
    ("1000", "access d/f w", "EACCES", "EACCES"),
    ("1000", "access open/f w", "ok", "EROFS"),
    ("1000", "access pipe w", "ok", "ok"),
    // Mount points.
    ("root", "rmdir t", "EBUSY", "EROFS"),
    ("1000", "rmdir t", "EACCES", "EROFS"),
    ("root", "unlink t", "EISDIR", "EROFS"),
    ("root", "unlink tf", "EBUSY", "EROFS"),
    ("root", "unlink tf2", "ok", "EROFS"),
    ("root", "unlink tf/", "ENOTDIR", "EROFS"),
    ("1000", "unlink tf", "EACCES", "EROFS"),
    ("root", "rename open/f tf", "EBUSY", "EROFS"),
    ("root", "rename tf open/new", "EBUSY", "EROFS"),
    ("root", "rename tf tf2", "ok", "EROFS"),
    ("root", "rename open/dir t", "EBUSY", "EROFS"),
    ("root", "rename t open/dir", "EBUSY", "EROFS"),
    ("root", "exchange t open/dir", "EBUSY", "EROFS"),
    ("root", "rename big open/big", "ok", "EROFS"),
    ("root", "mkdir t 0755", "EEXIST", "EEXIST"),
    ("root", "mkdir t/.. 0755", "EEXIST", "EEXIST"),
    ("root", "rmdir t/.", "EINVAL", "EINVAL"),
    ("root", "rmdir t/..", "ENOTEMPTY", "ENOTEMPTY"),
    // Across mounts.
    ("root", "rename t/in open/new", "EXDEV", "EXDEV"),
    ("root", "rename open/f t/new", "EXDEV", "EXDEV"),
    ("root", "rename open/nope t/new", "EXDEV", "EXDEV"),
    ("root", "rename . t/.", "EXDEV", "EXDEV"),
    ("root", "rename t t/new", "EXDEV", "EXDEV"),
    ("root", "rename t/in/f big/sub/t/g", "EXDEV", "EXDEV"),
    ("root", "rename t/in/f t/g", "ok", "ok"),
    ("root", "link tf open/new", "EXDEV", "EROFS"),
    ("root", "link tf open/f", "EEXIST", "EEXIST"),
    ("root", "link t open/new", "EXDEV", "EROFS"),
    ("root", "link open/f t/new", "EXDEV", "EXDEV"),
    ("root", "link t/file t/new", "ok", "ok"),
    // Walks.
    ("1000", "stat t/../d/f", "ok", "ok"),
    ("1000", "stat tlink/../d/f", "ok", "ok"),
    ("1000", "stat t/in/deep/../../../d/f", "ok", "ok"),
    ("1000", "stat big/sub/t/deep", "ok", "ok"),
    ("1000", "stat big/sub/t/../t/../../../d", "ok", "ok"),
    ("1000", "stat ../../../d", "ok", "ok"),
    ("1000", "unlink t/nope", "ENOENT", "ENOENT"),
    ("1000", "open t/in/new write,create", "ok", "ok"),
    ("1000", "open tf write", "ok", "ok"),
];

#[test]
fn mounts_are_guarded_as_the_kernel_guards_them() {
    let mut faults = Vec::new();
    for (user, call, writable, read_only) in TABLE {
        for (flag, expected) in [(false, writable), (true, read_only)] {
            let got = word(perform(&process(&disk(flag).rootfs, user), call));
            if got != *expected {
                faults.push(format!(
                    "{user}: {call} (read-only: {flag}): {expected}, got {got}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_mounted_file_stays_when_its_name_gets_another_file() {
    let disk = disk(false);
    let host = process(
        &Arc::new(Rootfs::new(Arc::clone(&disk.volume), false)),
        "host",
    );
    perform(&host, "write new 0644 new").unwrap();
    perform(&host, "rename new file").unwrap();
    let container = process(&disk.rootfs, "root");
    let file = container.open_to_read(OsStr::new("/tf")).unwrap();
    assert_eq!(container.read(&file, None, None).unwrap(), b"abc");
    assert_eq!(
        std::fs::read(disk.volume_directory.path().join("file")).unwrap(),
        b"new"
    );
}

#[test]
fn a_mount_point_removed_by_somebody_else_takes_its_mount_along() {
    let disk = disk(false);
    // Another container on the same root file system: the mounts are not its own.
    let union = disk.rootfs.root_union();
    let other = process(&Arc::new(Rootfs::new(union, false)), "root");
    perform(&other, "rmdir big/sub/t").unwrap();
    let container = process(&disk.rootfs, "root");
    assert_eq!(word(perform(&container, "stat big/sub/t")), "ENOENT");
    perform(&other, "rename t open/moved").unwrap();
    assert_eq!(word(perform(&container, "stat open/moved/in/f")), "ok");
}

#[test]
fn a_directory_moved_out_of_what_is_mounted_has_no_way_up() {
    let disk = disk(false);
    let rootfs = &disk.rootfs;
    let inside = super::super::Process::new(
        Arc::clone(rootfs),
        host_root(),
        Path::new("/big/sub/t/deep"),
    )
    .unwrap();
    assert_eq!(word(perform(&inside, "stat ../f")), "ok");
    let host = process(
        &Arc::new(Rootfs::new(Arc::clone(&disk.volume), false)),
        "host",
    );
    perform(&host, "rename in/deep moved").unwrap();
    assert_eq!(word(perform(&inside, "stat ..")), "ENOENT");
}

#[test]
fn what_was_changed_is_told_by_mount_and_path() {
    let disk = disk(false);
    let container = process(&disk.rootfs, "root");
    for (path, mount, inner) in [
        ("/big/sub/t/../t/f", 3, "/in/f"),
        ("/tf", 2, "/file"),
        ("/tlink/in/f", 1, "/in/f"),
        ("/open/../open/f", 0, "/open/f"),
        ("/tf2", 0, "/tf2"),
    ] {
        let subject = Subject::Path {
            path: OsStr::new(path),
            follow: true,
        };
        let changed = container.chmod(&subject, 0o640).unwrap().unwrap();
        assert_eq!(
            (changed.mount, changed.path.to_str().unwrap()),
            (mount, inner),
            "{path}"
        );
    }
}

#[test]
fn missing_mount_points_are_made_as_runc_makes_them() {
    let disk = disk(false);
    let root = disk.root_directory.path();
    let make = |path: &str, kind| disk.rootfs.make_target(Path::new(path), kind);
    make("/new/deep", TargetKind::Directory).unwrap();
    make("/new/file", TargetKind::File).unwrap();
    make("/new/../../etc/hosts", TargetKind::File).unwrap();
    make("/tf", TargetKind::Directory).unwrap();
    make("/big/sub/t/made", TargetKind::Directory).unwrap();
    assert!(root.join("new/deep").is_dir() && root.join("new/file").is_file());
    assert!(root.join("etc/hosts").is_file());
    assert!(disk.volume_directory.path().join("in/made").is_dir());
    let container = process(&disk.rootfs, "root");
    let mode = |path: &str| {
        let subject = Subject::Path {
            path: OsStr::new(path),
            follow: true,
        };
        container.stat(&subject).unwrap().attributes.mode
    };
    assert_eq!(
        (mode("/new"), mode("/new/deep"), mode("/new/file")),
        (0o755, 0o755, 0o755)
    );
    // A dangling link is followed to what it names, inside the root.
    perform(&container, "symlink /../made/here dangling").unwrap();
    make("/dangling/x", TargetKind::File).unwrap();
    assert!(root.join("made/here/x").is_file());
    assert_eq!(make("/d/f/x", TargetKind::File), Err(Errno::NOTDIR));
    let read_only = self::disk(true);
    let target = Path::new("/new/x");
    assert_eq!(
        read_only.rootfs.make_target(target, TargetKind::Directory),
        Err(Errno::ROFS)
    );
}

#[test]
fn a_mount_shows_a_directory_on_a_directory_and_a_file_on_a_file() {
    let disk = disk(false);
    assert_eq!(
        mount(&disk.rootfs, &disk.volume, "/d", "/file", 9),
        Err(Errno::NOTDIR)
    );
    assert_eq!(
        mount(&disk.rootfs, &disk.volume, "/d/f", "/in", 9),
        Err(Errno::NOTDIR)
    );
    assert_eq!(
        mount(&disk.rootfs, &disk.volume, "/nope", "/in", 9),
        Err(Errno::NOENT)
    );
    // A later mount on the same place hides the earlier one.
    mount(&disk.rootfs, &disk.volume, "/t", "/in", 9).unwrap();
    let container = process(&disk.rootfs, "root");
    assert_eq!(word(perform(&container, "stat t/f")), "ok");
    assert_eq!(word(perform(&container, "stat t/in")), "ENOENT");
    assert_eq!(disk.rootfs.mounts().len(), 5);
}

#[test]
fn a_tree_can_be_a_part_of_a_union() {
    let disk = disk(false);
    let top = node_at(&disk.volume, "/in");
    let locks = Arc::default();
    let part = Arc::new(Rootfs::of_part(Arc::clone(&disk.volume), top, false, locks));
    let inside = process(&part, "root");
    assert_eq!(word(perform(&inside, "stat /f")), "ok");
    assert_eq!(word(perform(&inside, "stat ../../file")), "ENOENT");
    perform(&inside, "symlink /../file escape").unwrap();
    assert_eq!(word(perform(&inside, "stat escape")), "ENOENT");
    let mut seen = Vec::new();
    part.visit(&mut |visited| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        seen.push((text(visited.path), text(visited.inner)));
        Ok(())
    })
    .unwrap();
    let pair = |path: &str, inner: &str| (path.to_owned(), inner.to_owned());
    assert_eq!(seen[..2], [pair("/", "/in"), pair("/deep", "/in/deep")]);
}

#[test]
fn a_restricted_mount_has_no_devices_and_no_programs() {
    let disk = disk(false);
    let node = disk.volume.root();
    let union = Arc::clone(&disk.volume);
    let target = "/open/dir".into();
    let mount = Mount {
        target,
        union,
        node,
        read_only: false,
        id: 9,
    };
    disk.rootfs.mount_restricted(mount).unwrap();
    let container = process(&disk.rootfs, "root");
    perform(&container, "device t/null 1 3 0666").unwrap();
    perform(&container, "write t/run 0755 x").unwrap();
    for (call, expected) in [
        ("open t/null read", "ok"),
        ("open open/dir/null read", "EACCES"),
        ("access t/run x", "ok"),
        ("access open/dir/run x", "EACCES"),
        ("access open/dir x", "ok"),
        ("open open/dir/run read", "ok"),
    ] {
        assert_eq!(word(perform(&container, call)), expected, "{call}");
    }
}
