//! The same without an engine: this program again as each container's process, which mounts its disk and changes
//! its root.

use std::fs;
use std::path::Path;
use std::process::Command;

use layerspec::sys::{NameSpace, enter_own};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

/// Makes this program a container's process: the directory, and what it is to do.
const VARIABLE: &str = "LAYERSPEC_BARE";

/// Why this cannot be done here.
pub(crate) fn probe() -> Result<(), String> {
    let is_root = rustix::process::geteuid().is_root();
    is_root
        .then_some(())
        .ok_or("the bare mounts need root".to_owned())
}

/// Ends here as a container's process.
pub(crate) fn dispatch() {
    if let Some(text) = std::env::var_os(VARIABLE) {
        let text = text.into_string().unwrap();
        let (top, name) = text.split_once(' ').unwrap();
        contained(Path::new(top), name);
        #[expect(clippy::exit, reason = "what follows in main is not for a container")]
        std::process::exit(0);
    }
}

fn contained(top: &Path, name: &str) {
    enter_own(NameSpace::Mount).unwrap();
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).unwrap();
    let own = top.join(name);
    let merged = own.join("merged");
    let at = |name: &str| own.join(name).display().to_string();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        top.join("layer").display(),
        at("upper"),
        at("work")
    );
    let options = std::ffi::CString::new(options).unwrap();
    rustix::mount::mount(
        "overlay",
        &merged,
        "overlay",
        MountFlags::empty(),
        &*options,
    )
    .unwrap();
    fs::create_dir(merged.join("data")).unwrap();
    rustix::mount::mount_bind(top.join("store"), merged.join("data")).unwrap();
    rustix::process::chroot(&merged).unwrap();
    rustix::process::chdir("/").unwrap();
    if name == "first" {
        fs::write("/data/rows", "1\n").unwrap();
        fs::write("/cache", "x\n").unwrap();
    } else {
        assert_eq!(fs::read("/data/rows").unwrap(), b"1\n");
        fs::read("/cache").unwrap_err();
    }
    rustix::mount::unmount("/data", UnmountFlags::DETACH).unwrap();
}

/// A layer, a volume, a process that writes and one that reads, and nothing is left.
pub(crate) fn volume_scenario(disk: &Path) {
    let top = disk.join("bare");
    fs::create_dir_all(top.join("layer/etc")).unwrap();
    fs::write(top.join("layer/etc/app.conf"), "mode = default\n").unwrap();
    fs::create_dir(top.join("store")).unwrap();
    for name in ["first", "second"] {
        for part in ["upper", "work", "merged"] {
            fs::create_dir_all(top.join(name).join(part)).unwrap();
        }
        let status = Command::new("/proc/self/exe")
            .env(VARIABLE, format!("{} {name}", top.display()))
            .status();
        assert!(status.unwrap().success());
        fs::remove_dir_all(top.join(name)).unwrap();
    }
    fs::remove_dir_all(&top).unwrap();
}
