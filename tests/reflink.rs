//! Where files can share their blocks, a copy-up shares them: seen on btrfs, on a loop device.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use layerspec::sys::{NameSpace, enter_own};
use layerspec::union::{Caller, OpenFlags, Options, Stack, Union};
use rustix::mount::MountPropagationFlags;

/// Of the disk, and of the file that is copied up, in bytes.
const DISK: u64 = 512 << 20;
const FILE: usize = 64 << 20;

/// What a copy that shares its blocks may take: some metadata, and the block that is written.
const LITTLE: u64 = 4 << 20;

#[test]
fn a_copy_up_shares_the_blocks_of_the_lower_file() {
    // The mounts of this thread go with it.
    let seen = std::thread::spawn(|| {
        let place = tempfile::tempdir().unwrap();
        mount_disk(place.path()).map(|()| copy_up(&place.path().join("disk")))
    });
    match seen.join().unwrap() {
        Ok(taken) => assert!(taken <= LITTLE, "the copy takes {taken} bytes"),
        Err(why) => {
            let required = std::env::var("LAYERSPEC_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|name| name == "btrfs"), "{why}");
            eprintln!("skipped: {why}");
        }
    }
}

/// A file system of `place/image` at `place/disk`, which this thread alone sees.
fn mount_disk(place: &Path) -> Result<(), String> {
    let [image, disk] = ["image", "disk"].map(|name| place.join(name));
    File::create(&image).unwrap().set_len(DISK).unwrap();
    fs::create_dir(&disk).unwrap();
    enter_own(NameSpace::Mount).map_err(|errno| format!("no mounts of its own: {errno}"))?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", private).map_err(|errno| errno.to_string())?;
    succeed(Command::new("mkfs.btrfs").arg("--quiet").arg(&image))?;
    succeed(
        Command::new("mount")
            .args(["-o", "loop"])
            .args([&image, &disk]),
    )
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_owned();
    let output = command.output();
    let output = output.map_err(|error| format!("{}: {error}", name.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or(said.into())
}

/// How many bytes of the disk the copy-up of a file takes.
fn copy_up(disk: &Path) -> u64 {
    let [lower, upper, work] = ["lower", "upper", "work"].map(|name| disk.join(name));
    for directory in [&lower, &upper, &work] {
        fs::create_dir(directory).unwrap();
    }
    // Nothing that compression or holes would make small.
    let noise = (0..FILE / 4).scan(1_u32, |state, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(*state)
    });
    let content: Vec<u8> = noise.flat_map(u32::to_le_bytes).collect();
    File::create(lower.join("file"))
        .unwrap()
        .write_all(&content)
        .unwrap();
    let before = free(disk);
    let open = |path: &Path| Arc::new(File::open(path).unwrap().into());
    let union = Union::open(Stack {
        upper: Some(open(&upper)),
        work: Some(open(&work)),
        lowers: vec![open(&lower)],
        options: Options::default(),
    })
    .unwrap();
    let file = union.lookup(&union.root(), OsStr::new("file")).unwrap();
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    let handle = union.open_file(&file, flags).unwrap();
    handle.write_at(b"X", 0, &Caller::default()).unwrap();
    let copy = fs::read(upper.join("file")).unwrap();
    assert!(copy.first() == Some(&b'X') && copy.get(1..) == content.get(1..));
    before.saturating_sub(free(disk))
}

/// Free bytes, when everything is on the disk.
fn free(disk: &Path) -> u64 {
    rustix::fs::syncfs(File::open(disk).unwrap()).unwrap();
    let seen = rustix::fs::statvfs(disk).unwrap();
    seen.f_bfree * seen.f_frsize
}
