//! Open files: positions, flags, locks, names that go away; limits of walks; whole trees.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::rootfs::testing::{flags, perform, process, scratch, word};
use crate::rootfs::{LockKind, OpenFile, OpenHow, Process, Rootfs, Subject};
use crate::union::{AllocateRange, Errno};

fn os(text: &str) -> &OsStr {
    OsStr::new(text)
}

fn path(text: &str) -> Subject<'_> {
    Subject::Path {
        path: OsStr::new(text),
        follow: true,
    }
}

fn open(process: &Process, name: &str, how: &str) -> Result<OpenFile, Errno> {
    let how = OpenHow::new(&flags(how));
    Ok(process.open(os(name), how, 0o644)?.file)
}

fn content(process: &Process, name: &str) -> String {
    let file = process.open_to_read(os(name)).unwrap();
    String::from_utf8(process.read(&file, None, None).unwrap()).unwrap()
}

/// A disk and a process of its container's root.
fn alone() -> (tempfile::TempDir, Arc<Rootfs>, Process) {
    let (directory, rootfs) = scratch();
    let root = process(&rootfs, "root");
    (directory, rootfs, root)
}

#[test]
fn positions_move_as_the_calls_say() {
    let (_directory, _rootfs, root) = alone();
    let file = open(&root, "f", "read,write,create").unwrap();
    root.write(&file, None, b"abcdef").unwrap();
    root.write(&file, Some(1), b"X").unwrap();
    root.write(&file, None, b"g").unwrap();
    assert_eq!(content(&root, "f"), "aXcdefg");
    assert_eq!(root.read(&file, Some(2), Some(3)).unwrap(), b"cde");
    assert_eq!(root.read(&file, None, None).unwrap(), b"");
    let reader = open(&root, "f", "read").unwrap();
    assert_eq!(root.read(&reader, None, Some(2)).unwrap(), b"aX");
    assert_eq!(root.read(&reader, None, Some(100)).unwrap(), b"cdefg");
    assert_eq!(root.write(&reader, None, b"x"), Err(Errno::BADF));
    assert_eq!(root.read(&reader, Some(u64::MAX), None), Err(Errno::INVAL));
    let writer = open(&root, "f", "write").unwrap();
    assert_eq!(root.read(&writer, None, None), Err(Errno::BADF));
}

#[test]
fn appending_ignores_positions_and_offsets() {
    let (_directory, _rootfs, root) = alone();
    let appender = open(&root, "f", "read,write,append,create").unwrap();
    root.write(&appender, None, b"ab").unwrap();
    root.write(&appender, Some(0), b"cd").unwrap();
    assert_eq!(root.read(&appender, None, None).unwrap(), b"cd");
    let other = open(&root, "f", "write").unwrap();
    root.write(&other, Some(6), b"z").unwrap();
    root.write(&appender, None, b"!").unwrap();
    assert_eq!(content(&root, "f"), "abcd\0\0z!");
}

#[test]
fn an_open_file_outlives_its_name() {
    let (_directory, _rootfs, root) = alone();
    let file = open(&root, "f", "read,write,create").unwrap();
    root.write(&file, None, b"abc").unwrap();
    root.unlink(os("f")).unwrap();
    assert_eq!(root.write(&file, None, b"def").unwrap(), None);
    assert_eq!(root.read(&file, Some(0), None).unwrap(), b"abcdef");
    root.truncate(&Subject::File(&file), 2).unwrap();
    root.chmod(&Subject::File(&file), 0o600).unwrap();
    let stat = root.stat(&Subject::File(&file)).unwrap().attributes;
    assert_eq!((stat.links, stat.size, stat.mode), (0, 2, 0o600));
    assert_eq!(root.link_file(&file, os("again")), Err(Errno::NOENT));
}

#[test]
fn a_nameless_file_can_be_given_a_name() {
    let (_directory, _rootfs, root) = alone();
    let file = open(&root, "/", "read,write,tmpfile").unwrap();
    assert_eq!(root.write(&file, None, b"abc").unwrap(), None);
    assert_eq!(root.list(&path("/")).unwrap().len(), 0);
    root.link_file(&file, os("named")).unwrap().unwrap();
    assert_eq!(content(&root, "named"), "abc");
    let private = open(&root, "/", "write,tmpfile,exclusive").unwrap();
    assert_eq!(root.link_file(&private, os("never")), Err(Errno::NOENT));
}

#[test]
fn a_place_can_only_be_looked_at() {
    let (_directory, _rootfs, root) = alone();
    perform(&root, "write f 0644 abc").unwrap();
    let place = open(&root, "f", "path").unwrap();
    let subject = Subject::File(&place);
    assert!(root.stat(&subject).is_ok());
    assert_eq!(root.read(&place, None, None), Err(Errno::BADF));
    assert_eq!(root.chmod(&subject, 0o600), Err(Errno::BADF));
    assert_eq!(root.truncate(&subject, 0), Err(Errno::BADF));
    assert_eq!(root.get_xattr(&subject, os("user.a")), Err(Errno::BADF));
    assert_eq!(place.lock(Some(LockKind::Shared)), Err(Errno::BADF));
    assert!(root.link_file(&place, os("linked")).is_ok());
}

#[test]
fn calls_on_open_files_are_refused_by_how_they_were_opened() {
    let (_directory, _rootfs, root) = alone();
    perform(&root, "mkdir d 0755").unwrap();
    perform(&root, "write f 0644 abc").unwrap();
    let reader = open(&root, "f", "read").unwrap();
    let directory = open(&root, "d", "read").unwrap();
    let grow = |file| root.allocate(file, AllocateRange::Grow, 0, 1);
    assert_eq!(root.truncate(&Subject::File(&reader), 0), Err(Errno::INVAL));
    assert_eq!(grow(&reader), Err(Errno::BADF));
    assert_eq!(
        root.allocate(&reader, AllocateRange::Grow, 0, 0),
        Err(Errno::INVAL)
    );
    assert_eq!(root.read(&directory, None, None), Err(Errno::ISDIR));
    assert_eq!(root.seek(&directory, true, 0), Err(Errno::INVAL));
    assert_eq!(root.seek(&reader, true, 3), Err(Errno::NXIO));
    assert_eq!(root.seek(&reader, false, 0), Ok(3));
    assert!(root.sync(&Subject::File(&directory)).is_ok());
    assert_eq!(root.list(&Subject::File(&reader)), Err(Errno::NOTDIR));
}

#[test]
fn memory_devices_work_and_others_are_refused() {
    let (_directory, _rootfs, root) = alone();
    for call in [
        "device null 1 3 0666",
        "device zero 1 5 0666",
        "device full 1 7 0666",
    ] {
        perform(&root, call).unwrap();
    }
    perform(&root, "device disk 8 0 0666").unwrap();
    let null = open(&root, "null", "read,write").unwrap();
    assert_eq!(root.write(&null, None, b"abc"), Ok(None));
    assert_eq!(root.read(&null, None, Some(9)).unwrap(), b"");
    let zero = open(&root, "zero", "read").unwrap();
    assert_eq!(root.read(&zero, None, Some(3)).unwrap(), [0; 3]);
    let full = open(&root, "full", "write").unwrap();
    assert_eq!(root.write(&full, None, b"abc"), Err(Errno::NOSPC));
    assert_eq!(word(perform(&root, "open disk read")), "EPERM");
    perform(&root, "block sda 8 0 0666").unwrap();
    assert_eq!(word(perform(&root, "open sda read")), "EPERM");
    perform(&root, "device random 1 9 0666").unwrap();
    let random = open(&root, "random", "read").unwrap();
    let bytes = root.read(&random, None, Some(32)).unwrap();
    assert_ne!(bytes, root.read(&random, None, Some(32)).unwrap());
    perform(&root, "device tty 5 0 0666").unwrap();
    assert_eq!(word(perform(&root, "open tty read")), "ENXIO");
}

#[test]
fn every_open_file_is_a_process_to_record_locks() {
    let (_directory, rootfs, root) = alone();
    perform(&root, "write f 0666 abc").unwrap();
    // Another container on the same volume, and one that shares nothing but the union.
    let neighbour = Rootfs::with_locks(rootfs.root_union(), false, Arc::clone(&rootfs.locks));
    let neighbour = process(&Arc::new(neighbour), "root");
    let one = open(&root, "f", "read,write").unwrap();
    let two = open(&root, "f", "read,write").unwrap();
    let three = open(&neighbour, "f", "read,write").unwrap();
    let reader = open(&root, "f", "read").unwrap();
    assert_eq!(one.lock(Some(LockKind::Shared)), Ok(()));
    assert_eq!(three.lock(Some(LockKind::Shared)), Ok(()));
    assert_eq!(two.lock(Some(LockKind::Exclusive)), Err(Errno::AGAIN));
    assert_eq!(reader.lock(Some(LockKind::Exclusive)), Err(Errno::BADF));
    assert_eq!(three.lock(None), Ok(()));
    assert_eq!(one.lock(Some(LockKind::Exclusive)), Ok(()));
    assert_eq!(two.lock(Some(LockKind::Shared)), Err(Errno::AGAIN));
    drop(one);
    assert_eq!(two.lock(Some(LockKind::Exclusive)), Ok(()));
}

#[test]
fn set_id_bits_go_when_owner_or_content_change() {
    let (_directory, rootfs, root) = alone();
    let host = process(&rootfs, "host");
    let user = process(&rootfs, "1000");
    let mode = |name| root.stat(&path(name)).unwrap().attributes.mode;
    for (call, left) in [
        ("chown f 5 5", 0o755),
        ("chown f - -", 0o755),
        ("chmod f 6755", 0o6755),
    ] {
        perform(&host, "write f 0755 abc").unwrap();
        perform(&host, "chown f 1000 50").unwrap();
        perform(&host, "chmod f 6755").unwrap();
        perform(&root, call).unwrap();
        assert_eq!(mode("f"), left, "{call}");
        perform(&host, "unlink f").unwrap();
    }
    perform(&host, "write f 0777 abc").unwrap();
    perform(&host, "chown f 1000 50").unwrap();
    // The owner is not in the file's group.
    perform(&user, "chmod f 6777").unwrap();
    assert_eq!(mode("f"), 0o4777);
    perform(&host, "chmod f 6777").unwrap();
    let file = open(&process(&rootfs, "1001"), "f", "write").unwrap();
    process(&rootfs, "1001").write(&file, None, b"x").unwrap();
    assert_eq!(mode("f"), 0o777);
    // Without group execution the bit means mandatory locking, and stays for the group's members.
    perform(&host, "chmod f 2767").unwrap();
    perform(&process(&rootfs, "1000:50"), "chown f - 50").unwrap();
    assert_eq!(mode("f"), 0o2767);
}

#[test]
fn walks_have_the_kernels_limits() {
    let (_directory, _rootfs, root) = alone();
    let name = "n".repeat(255);
    let call = |call: String| word(perform(&root, &call));
    assert_eq!(call(format!("mkdir {name} 0755")), "ok");
    assert_eq!(call(format!("mkdir {name}n 0755")), "ENAMETOOLONG");
    assert_eq!(call(format!("stat {name}n")), "ENAMETOOLONG");
    assert_eq!(call(format!("stat {}{name}", "./".repeat(1920))), "ok");
    assert_eq!(
        call(format!("stat {}{name}", "./".repeat(1921))),
        "ENAMETOOLONG"
    );
    assert_eq!(call(format!("stat {}", "/".repeat(4096))), "ENAMETOOLONG");
    perform(&root, "symlink . l0").unwrap();
    for index in 1..=40 {
        call(format!("symlink l{} l{index}", index - 1));
    }
    assert_eq!(call("stat l39".to_owned()), "ok");
    assert_eq!(call("stat l40".to_owned()), "ELOOP");
    assert_eq!(call("stat l38/l0".to_owned()), "ok");
    assert_eq!(call("stat l39/l0".to_owned()), "ELOOP");
    assert_eq!(
        call(format!("symlink {} long", "x".repeat(4096))),
        "ENAMETOOLONG"
    );
    assert_eq!(root.mkdir(os("a\0b"), 0o755), Err(Errno::INVAL));
}

#[test]
fn hostile_links_end_at_the_root() {
    let (directory, _rootfs, root) = alone();
    perform(&root, "write secret 0644 inside").unwrap();
    for (link, text) in [
        ("up", "../../../../secret"),
        ("absolute", "/secret"),
        ("dot", "/../secret"),
    ] {
        perform(&root, &format!("symlink {text} {link}")).unwrap();
        assert_eq!(content(&root, link), "inside", "{link}");
    }
    perform(&root, "symlink /tmp/../../outside escape").unwrap();
    assert_eq!(word(perform(&root, "open escape write,create")), "ENOENT");
    perform(&root, "symlink ../../outside escape2").unwrap();
    assert_eq!(word(perform(&root, "open escape2 write,create")), "ok");
    assert!(directory.path().join("outside").is_file());
}

/// As on Linux 6.18, where random scenarios found each.
#[test]
fn offsets_on_pipes_removed_directories_and_nothing_for_a_full_device() {
    let (_directory, _rootfs, root) = alone();
    perform(&root, "fifo p 0666").unwrap();
    let pipe = open(&root, "p", "read").unwrap();
    assert_eq!(root.write(&pipe, Some(1), b"x"), Err(Errno::SPIPE));
    assert_eq!(root.write(&pipe, None, b"x"), Err(Errno::BADF));

    perform(&root, "mkdir d 0755").unwrap();
    let directory = open(&root, "d", "read,directory").unwrap();
    perform(&root, "rmdir d").unwrap();
    assert_eq!(root.list(&Subject::File(&directory)), Ok(Vec::new()));

    perform(&root, "device full 1 7 0666").unwrap();
    let full = open(&root, "full", "write").unwrap();
    assert_eq!(root.write(&full, None, b""), Err(Errno::NOSPC));
}

/// Measured on overlayfs and ext4: `lookup_open` and `filename_create` look first.
#[test]
fn nothing_is_made_in_a_removed_directory_whoever_asks() {
    let (_directory, rootfs, root) = alone();
    perform(&root, "mkdir d 0755").unwrap();
    perform(&root, "write f 0644 abc").unwrap();
    let user = crate::rootfs::container_user(&rootfs, Some("1000")).unwrap();
    let there = Process::new(Arc::clone(&rootfs), user, "/d".as_ref()).unwrap();
    assert_eq!(word(perform(&there, "write new 0644 abc")), "EACCES");
    perform(&root, "rmdir d").unwrap();
    for call in [
        "write new 0644 abc",
        "mkdir new 0755",
        "fifo new 0644",
        "symlink x new",
        "rename /f new",
    ] {
        assert_eq!(word(perform(&there, call)), "ENOENT", "{call}");
    }
}

#[test]
fn what_was_made_before_a_failure_is_told() {
    let (_directory, _rootfs, root) = alone();
    perform(&root, "write f 0644 abc").unwrap();
    let mut made = Vec::new();
    let result = root.add_directories(os("/new/../f"), 0o755, &mut made);
    assert_eq!(result, Err(Errno::EXIST));
    let made: Vec<_> = made.iter().map(|changed| changed.path.as_path()).collect();
    assert_eq!(made, [std::path::Path::new("/new")]);
}

#[test]
fn missing_parents_are_made_and_existing_ones_kept() {
    let (_directory, rootfs, root) = alone();
    perform(&process(&rootfs, "host"), "mkdir a 0700").unwrap();
    let made = root.make_directories(os("/a/b/c/"), 0o750).unwrap();
    let names: Vec<_> = made
        .iter()
        .map(|changed| changed.path.to_str().unwrap())
        .collect();
    assert_eq!(names, ["/a/b", "/a/b/c"]);
    let mode = |name| root.stat(&path(name)).unwrap().attributes.mode;
    assert_eq!(
        (mode("a"), mode("a/b"), mode("a/b/c")),
        (0o700, 0o755, 0o750)
    );
    assert_eq!(root.make_directories(os("a/b/c"), 0o700).unwrap(), []);
    perform(&root, "write f 0644 abc").unwrap();
    assert_eq!(root.make_directories(os("f"), 0o755), Err(Errno::EXIST));
    assert_eq!(
        root.make_directories(os("f/x/y"), 0o755),
        Err(Errno::NOTDIR)
    );
    assert_eq!(root.make_directories(os(""), 0o755), Err(Errno::NOENT));
    assert_eq!(
        root.make_directories(os("relative"), 0o755).unwrap().len(),
        1
    );
}

#[test]
fn trees_are_removed_as_far_as_they_can_be() {
    let (_directory, rootfs, root) = alone();
    let host = process(&rootfs, "host");
    for call in [
        "mkdir t 0755",
        "write t/f 0644 abc",
        "mkdir t/sub 0755",
        "symlink /keep t/sub/link",
        "write keep 0644 abc",
        "mkdir t/locked 0755",
        "write t/locked/f 0644 abc",
        "mkdir t/empty 0000",
    ] {
        perform(&host, call).unwrap();
    }
    for name in ["t", "t/f", "t/sub", "t/sub/link", "t/empty"] {
        perform(&host, &format!("chown {name} 1000 1000")).unwrap_or_default();
    }
    let (removed, result) = process(&rootfs, "1000").remove_tree(os("t"));
    let names: Vec<_> = removed
        .iter()
        .map(|changed| changed.path.to_str().unwrap())
        .collect();
    assert_eq!(names, ["/t/empty", "/t/f", "/t/sub/link", "/t/sub"]);
    assert_eq!(result, Err(Errno::ACCESS));
    assert_eq!(root.remove_tree(os("t")).1, Ok(()));
    assert_eq!(root.remove_tree(os("t")).1, Err(Errno::NOENT));
    // rm looks first: what is missing is missing on a read-only disk too.
    let sealed = Arc::new(Rootfs::new(rootfs.root_union(), true));
    let sealed = process(&sealed, "host");
    assert_eq!(sealed.remove_tree(os("t")).1, Err(Errno::NOENT));
    assert_eq!(sealed.remove_tree(os("keep")).1, Err(Errno::ROFS));
    assert_eq!(content(&root, "keep"), "abc");
}

#[test]
fn concurrent_creators_agree_on_one_file() {
    let (_directory, rootfs, root) = alone();
    std::thread::scope(|scope| {
        for letter in ["a", "b", "c", "d"] {
            let worker = process(&rootfs, "root");
            scope.spawn(move || {
                for _ in 0..50 {
                    let file = open(&worker, "f", "write,create,append").unwrap();
                    worker.write(&file, None, letter.as_bytes()).unwrap();
                }
            });
        }
    });
    assert_eq!(content(&root, "f").len(), 200);
}

#[test]
fn missing_parents_are_found_by_their_names() {
    for (path, parent) in [
        ("/d/b/.", Some("/d/b")),
        ("/d/b/..", Some("/d/b")),
        ("/d//b/", Some("/d")),
        ("a/b", Some("a")),
        ("/a", None),
        ("a", None),
        ("/", None),
        ("", None),
    ] {
        let found = super::super::textual_parent(path.as_ref());
        assert_eq!(found, parent.map(AsRef::as_ref), "{path}");
    }
}
