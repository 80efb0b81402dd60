//! What the union file system costs in process, without a mount: against plain system calls on the same disk. The
//! union has an empty writable layer, as a new container has, on one read-only layer, unless said.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkGroup, Criterion, SamplingMode};
use layerspec::union::{Caller, Directory, NodeRef, OpenFlags, Options, Stack, Union};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::TempDir;

use crate::measure::{Ratio, compare, compare_prepared};
use crate::world::{disks, full};

type Group<'a> = BenchmarkGroup<'a, Ratio>;

/// Files of 4 KiB in one directory of the read-only layer.
const FILES: u32 = 500;

const READ: OpenFlags = OpenFlags {
    read: true,
    write: false,
    truncate: false,
};

const WRITE: OpenFlags = OpenFlags {
    read: false,
    write: true,
    truncate: false,
};

/// Nothing is known of what becomes of a value, so that it has to be computed.
fn blind<T>(value: T) {
    drop(black_box(value));
}

fn directory(path: &Path) -> Directory {
    Arc::new(File::open(path).unwrap().into())
}

/// A union with a new writable layer on these, topmost first; its directories go away with it.
fn union_on(home: &Path, lowers: Vec<Directory>) -> (Arc<Union>, TempDir) {
    let own = tempfile::tempdir_in(home).unwrap();
    for name in ["upper", "work"] {
        fs::create_dir(own.path().join(name)).unwrap();
    }
    let stack = Stack {
        upper: Some(directory(&own.path().join("upper"))),
        work: Some(directory(&own.path().join("work"))),
        lowers,
        options: Options {
            fresh: true,
            ..Options::default()
        },
    };
    (Union::open(stack).unwrap(), own)
}

/// Names of files.
fn names(count: u32) -> Vec<OsString> {
    (0..count)
        .map(|number| format!("file-{number}").into())
        .collect()
}

fn fill(folder: &Path, names: &[OsString], size: usize) {
    fs::create_dir_all(folder).unwrap();
    for name in names {
        fs::write(folder.join(name), vec![b'x'; size]).unwrap();
    }
}

pub(crate) fn engine(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let mut group = criterion.benchmark_group(format!("union ÷ system calls, {name}"));
        group.sample_size(20).sampling_mode(SamplingMode::Flat);
        look(&mut group, &disk);
        data(&mut group, &disk);
        change(&mut group, &disk);
        copy_up(&mut group, &disk);
        list(&mut group, &disk);
        group.finish();
        let mut group = criterion.benchmark_group(format!("many layers, {name}"));
        group.sample_size(20).sampling_mode(SamplingMode::Flat);
        layers(&mut group, &disk);
        group.finish();
    }
}

/// Looking at files of the read-only layer. Nobody holds them, so that each is looked up anew.
fn look(group: &mut Group<'_>, disk: &Path) {
    let home = tempfile::tempdir_in(disk).unwrap();
    let lower = home.path().join("lower");
    let (there, absent) = (
        names(FILES),
        (0..FILES).map(|n| OsString::from(format!("no-{n}"))),
    );
    let absent: Vec<OsString> = absent.collect();
    fill(&lower, &there, 4096);
    let lower = directory(&lower);
    let (union, _own) = union_on(home.path(), vec![Arc::clone(&lower)]);
    let root = union.root();
    let stat = |name: &OsStr| rustix::fs::statat(&*lower, name, AtFlags::SYMLINK_NOFOLLOW);
    group.bench_function("stat (1.5)", |bencher| {
        compare(
            bencher,
            || {
                for name in &there {
                    blind(stat(name).unwrap());
                }
            },
            || {
                for name in &there {
                    blind(union.lookup_attributes(&root, name).unwrap());
                }
            },
        );
    });
    let held: Vec<NodeRef> = there
        .iter()
        .map(|name| union.lookup(&root, name).unwrap())
        .collect();
    group.bench_function("stat of files that are held (1.5)", |bencher| {
        compare(
            bencher,
            || {
                for name in &there {
                    blind(stat(name).unwrap());
                }
            },
            || {
                for node in &held {
                    blind(union.attributes(node).unwrap());
                }
            },
        );
    });
    drop(held);
    group.bench_function("absent name (1.5)", |bencher| {
        compare(
            bencher,
            || {
                for name in &absent {
                    blind(stat(name).unwrap_err());
                }
            },
            || {
                for name in &absent {
                    blind(union.lookup(&root, name).unwrap_err());
                }
            },
        );
    });
}

/// The data of files of the read-only layer, and of a new one.
fn data(group: &mut Group<'_>, disk: &Path) {
    let home = tempfile::tempdir_in(disk).unwrap();
    let lower = home.path().join("lower");
    let there = names(FILES);
    fill(&lower, &there, 4096);
    let lower = directory(&lower);
    let (union, _own) = union_on(home.path(), vec![Arc::clone(&lower)]);
    let root = union.root();
    let mut buffer = vec![0; 4096];
    let mut other = vec![0; 4096];
    group.bench_function("open, read 4 KiB (1.5)", |bencher| {
        compare(
            bencher,
            || {
                for name in &there {
                    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                    let file = rustix::fs::openat(&*lower, name, flags, Mode::empty()).unwrap();
                    rustix::io::pread(&file, &mut *buffer, 0).unwrap();
                }
            },
            || {
                for name in &there {
                    let node = union.lookup(&root, name).unwrap();
                    let handle = union.open_file(&node, READ).unwrap();
                    handle.read_at(&mut other, 0).unwrap();
                }
            },
        );
    });
    let data = vec![b'y'; 4096];
    let file = File::create(home.path().join("data")).unwrap();
    let handle = union
        .create_open(&root, OsStr::new("data"), 0o644, &Caller::default())
        .unwrap();
    group.bench_function("write 4 KiB to an open file (1.0)", |bencher| {
        use std::os::unix::fs::FileExt as _;
        compare(
            bencher,
            || (0..FILES).for_each(|_| file.write_all_at(&data, 0).unwrap()),
            || {
                for _ in 0..FILES {
                    handle.write_at(&data, 0, &Caller::default()).unwrap();
                }
            },
        );
    });
}

/// Making and removing.
fn change(group: &mut Group<'_>, disk: &Path) {
    let home = tempfile::tempdir_in(disk).unwrap();
    let lower = home.path().join("lower");
    let files = names(FILES);
    fill(&lower, &files, 0);
    let lower = directory(&lower);
    let plain = || tempfile::tempdir_in(home.path()).unwrap();
    group.bench_function("create (1.5)", |bencher| {
        let reference = |made: TempDir| {
            let folder = directory(made.path());
            for name in &files {
                drop(make(&folder, name));
            }
            made
        };
        let subject = |(union, own): (Arc<Union>, TempDir)| {
            let root = union.root();
            for name in &files {
                drop(
                    union
                        .create_open(&root, name, 0o644, &Caller::default())
                        .unwrap(),
                );
            }
            own
        };
        let empty = tempfile::tempdir_in(home.path()).unwrap();
        let union = || union_on(home.path(), vec![directory(empty.path())]);
        compare_prepared(bencher, (plain, reference), (union, subject));
    });
    group.bench_function(
        "remove a file of the layer: whiteout ÷ link (1.2)",
        |bencher| {
            let reference = |made: TempDir| {
                let folder = directory(made.path());
                drop(make(&folder, OsStr::new("whiteout")));
                for name in &files {
                    rustix::fs::linkat(&*folder, "whiteout", &*folder, name, AtFlags::empty())
                        .unwrap();
                }
                made
            };
            let subject = |(union, own): (Arc<Union>, TempDir)| {
                let root = union.root();
                for name in &files {
                    union.unlink(&root, name).unwrap();
                }
                own
            };
            let union = || union_on(home.path(), vec![Arc::clone(&lower)]);
            compare_prepared(bencher, (plain, reference), (union, subject));
        },
    );
}

fn make(folder: &Directory, name: &OsStr) -> OwnedFd {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    rustix::fs::openat(&**folder, name, flags, Mode::from_raw_mode(0o644)).unwrap()
}

/// Writing to files of the layer.
fn copy_up(group: &mut Group<'_>, disk: &Path) {
    let home = tempfile::tempdir_in(disk).unwrap();
    let lower = home.path().join("lower");
    let files = names(FILES);
    let big = [OsString::from("big")];
    fill(&lower, &files, 4096);
    let lower = directory(&lower);
    let size = u64::from(full(1 << 10)) << 20;
    let mut bench =
        |title: &str, names: &[OsString], recipe: fn(&Directory, &OsStr, &Directory)| {
            group.bench_function(title, |bencher| {
                if names.len() == 1 {
                    make_big(&lower, &names[0], size);
                }
                let reference = |made: TempDir| {
                    let folder = directory(made.path());
                    for name in names {
                        recipe(&lower, name, &folder);
                    }
                    made
                };
                let subject = |(union, own): (Arc<Union>, TempDir)| {
                    let root = union.root();
                    for name in names {
                        let node = union.lookup(&root, name).unwrap();
                        drop(union.open_file(&node, WRITE).unwrap());
                    }
                    own
                };
                let plain = || tempfile::tempdir_in(home.path()).unwrap();
                let union = || union_on(home.path(), vec![Arc::clone(&lower)]);
                compare_prepared(bencher, (plain, reference), (union, subject));
            });
        };
    bench(
        "copy-up of 4 KiB ÷ its recipe (1.3)",
        &files,
        copy_with_attributes,
    );
    bench("copy-up of 1 GiB ÷ copy_file_range (1.1)", &big, copy);
}

fn make_big(folder: &Directory, name: &OsStr, size: u64) {
    let Ok(file) = rustix::fs::openat(
        &**folder,
        name,
        OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC,
        Mode::RUSR,
    ) else {
        return;
    };
    let mut file = File::from(file);
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(b'x'), size),
        &mut file,
    )
    .unwrap();
}

/// Into a new file of this name, which appears when it is whole.
fn copy(from: &Directory, name: &OsStr, to: &Directory) {
    let (_, copy) = copied(from, name, to);
    publish(&copy, to, name);
}

/// The same with owner, mode, attributes and times.
fn copy_with_attributes(from: &Directory, name: &OsStr, to: &Directory) {
    use rustix::fs::{Gid, Timespec, Timestamps, Uid};
    let (from, copy) = copied(from, name, to);
    let stat = rustix::fs::fstat(&from).unwrap();
    let mut attributes = [0; 512];
    assert_eq!(
        rustix::fs::flistxattr(&from, &mut attributes).unwrap_or(0),
        0
    );
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::fchown(&copy, Some(uid), Some(gid)).unwrap();
    rustix::fs::fchmod(&copy, Mode::from_raw_mode(stat.st_mode)).unwrap();
    let time = |seconds, nanos| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanos).unwrap(),
    };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    };
    rustix::fs::futimens(&copy, &times).unwrap();
    publish(&copy, to, name);
}

fn copied(from: &Directory, name: &OsStr, to: &Directory) -> (OwnedFd, OwnedFd) {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let from = rustix::fs::openat(&**from, name, flags, Mode::empty()).unwrap();
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let copy = rustix::fs::openat(&**to, ".", flags, Mode::RUSR | Mode::WUSR).unwrap();
    let mut left = usize::try_from(rustix::fs::fstat(&from).unwrap().st_size).unwrap();
    while left > 0 {
        left -= rustix::fs::copy_file_range(&from, None, &copy, None, left).unwrap();
    }
    (from, copy)
}

fn publish(copy: &OwnedFd, to: &Directory, name: &OsStr) {
    use std::os::fd::AsRawFd as _;
    let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
    rustix::fs::linkat(CWD, path, &**to, name, AtFlags::SYMLINK_FOLLOW).unwrap();
}

/// Listing 10,000 names of 8 layers ÷ listing as many of one directory.
fn list(group: &mut Group<'_>, disk: &Path) {
    const LAYERS: usize = 8;
    let home = tempfile::tempdir_in(disk).unwrap();
    let files = names(full(10_000));
    let plain = home.path().join("plain");
    fill(&plain, &files, 0);
    let mut lowers = Vec::new();
    for layer in 0..LAYERS {
        let folder = home.path().join(layer.to_string());
        let some: Vec<OsString> = files.iter().skip(layer).step_by(LAYERS).cloned().collect();
        fill(&folder, &some, 0);
        lowers.push(directory(&folder));
    }
    let list = || assert_eq!(fs::read_dir(&plain).unwrap().count(), files.len());
    let all = |union: &Union| {
        assert_eq!(
            union.read_directory(&union.root()).unwrap().len(),
            files.len()
        );
    };
    group.bench_function("list 10,000 names of 8 layers, first time (2)", |bencher| {
        let union = || union_on(home.path(), lowers.clone());
        let subject = |(union, own): (Arc<Union>, TempDir)| {
            all(&union);
            (union, own)
        };
        compare_prepared(bencher, (|| (), |()| list()), (union, subject));
    });
    group.bench_function("list 10,000 names of 8 layers, again (1)", |bencher| {
        let (union, _own) = union_on(home.path(), lowers.clone());
        compare(bencher, list, || all(&union));
    });
}

/// Many layers ÷ one, every directory being in every layer.
fn layers(group: &mut Group<'_>, disk: &Path) {
    const LAYERS: u32 = 64;
    let home = tempfile::tempdir_in(disk).unwrap();
    let make = |count: u32| -> Vec<Directory> {
        let stack = home.path().join(count.to_string());
        for number in 0..full(10_000) {
            let folder = stack.join(format!("{}/{}", number % count, number / 100));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(number.to_string()), "").unwrap();
        }
        for (layer, folder) in (0..count).flat_map(|n| (0..full(10_000) / 100).map(move |f| (n, f)))
        {
            fs::create_dir_all(stack.join(format!("{layer}/{folder}"))).unwrap();
        }
        (0..count)
            .map(|n| directory(&stack.join(n.to_string())))
            .collect()
    };
    let (one, many) = (make(1), make(LAYERS));
    group.bench_function("first walk of 64 layers ÷ of 1 (2)", |bencher| {
        let walk = |(union, own): (Arc<Union>, TempDir)| {
            walk(&union, &union.root());
            (union, own)
        };
        let on = |lowers: &Vec<Directory>| union_on(home.path(), lowers.clone());
        compare_prepared(bencher, (|| on(&one), walk), (|| on(&many), walk));
    });
    group.bench_function("open 64 layers ÷ openat of their directories", |bencher| {
        let (_, own) = union_on(home.path(), many.clone());
        let (upper, work) = (own.path().join("upper"), own.path().join("work"));
        let paths: Vec<_> = (0..LAYERS)
            .map(|n| home.path().join(format!("{LAYERS}/{n}")))
            .collect();
        let open = || -> Vec<Directory> { paths.iter().map(|path| directory(path)).collect() };
        compare(bencher, open, || {
            let stack = Stack {
                upper: Some(directory(&upper)),
                work: Some(directory(&work)),
                lowers: open(),
                options: Options::default(),
            };
            let union = Union::open(stack).unwrap();
            union.attributes(&union.root()).unwrap();
            union
        });
    });
}

fn walk(union: &Union, dir: &NodeRef) {
    for entry in union.read_directory(dir).unwrap() {
        let (node, attributes) = union.lookup_attributes(dir, &entry.name).unwrap();
        if attributes.kind == layerspec::union::FileKind::Directory {
            walk(union, &node);
        }
    }
}
