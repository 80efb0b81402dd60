//! The kernel's side: system calls below a mounted overlay.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::script::{Described, Outcome, Side, as_user, brief, octal};

/// Where the layers of one copy are.
#[derive(Debug)]
pub(crate) struct Layers {
    pub(crate) upper: PathBuf,
    pub(crate) work: PathBuf,
    pub(crate) lowers: Vec<PathBuf>,
}

/// A mounted overlay, unmounted on drop.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) mount: PathBuf,
    handles: BTreeMap<String, rustix::fd::OwnedFd>,
    pub(crate) inodes: BTreeMap<String, u64>,
    is_mounted: bool,
}

impl Kernel {
    pub(crate) fn mount(layers: &Layers, mount: &Path, options: &str) -> Result<Self, Errno> {
        let lowers: Vec<_> = layers
            .lowers
            .iter()
            .map(|path| path.to_str().unwrap())
            .collect();
        let data = format!(
            "lowerdir={},upperdir={},workdir={}{options}",
            lowers.join(":"),
            layers.upper.display(),
            layers.work.display()
        );
        Self::mount_with(mount, data)
    }

    /// All layers as lowers.
    pub(crate) fn mount_read_only(layers: &Layers, mount: &Path) -> Result<Self, Errno> {
        let lowers: Vec<_> = std::iter::once(&layers.upper)
            .chain(&layers.lowers)
            .map(|path| path.to_str().unwrap())
            .collect();
        Self::mount_with(mount, format!("lowerdir={}", lowers.join(":")))
    }

    fn mount_with(mount: &Path, data: String) -> Result<Self, Errno> {
        std::fs::create_dir_all(mount).unwrap();
        let data = CString::new(data).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        let try_once =
            || rustix::mount::mount("overlay", mount, "overlay", flags, Some(data.as_c_str()));
        let mut mounted = try_once();
        // With an index, the layers must not be in use: a namespace that somebody makes at the moment in which
        // they are unmounted keeps them so for as long as it takes to get rid of its copy.
        for _ in 0..500 {
            if mounted != Err(Errno::BUSY) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            mounted = try_once();
        }
        mounted?;
        let mut side = Self::plain(mount);
        side.is_mounted = true;
        Ok(side)
    }

    /// A directory as it is.
    pub(crate) fn plain(path: &Path) -> Self {
        Self {
            mount: path.to_owned(),
            handles: BTreeMap::new(),
            inodes: BTreeMap::new(),
            is_mounted: false,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.mount.join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, flags: OFlags, text: &str) -> Outcome {
        let file = open(&self.path(path), flags | OFlags::WRONLY)?;
        rustix::io::write(&file, text.as_bytes())?;
        Ok(String::new())
    }

    fn describe(&self, path: &str) -> Result<Described, Errno> {
        describe(&self.path(path))
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.handles.clear();
        if self.is_mounted {
            rustix::mount::unmount(&self.mount, rustix::mount::UnmountFlags::DETACH).unwrap();
        }
    }
}

/// Opens a regular file, as the union does: no other kind, and through no link.
fn open(path: &Path, flags: OFlags) -> Result<rustix::fd::OwnedFd, Errno> {
    let kind = FileType::from_raw_mode(fs::lstat(path)?.st_mode);
    match kind {
        FileType::RegularFile | FileType::Symlink => {}
        FileType::Directory => return Err(Errno::ISDIR),
        _ => return Err(Errno::NXIO),
    }
    fs::open(path, flags | OFlags::NOFOLLOW, Mode::empty())
}

fn done<T>(result: Result<T, Errno>) -> Outcome {
    result.map(|_| String::new())
}

impl Side for Kernel {
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
    fn run(&mut self, words: &[&str]) -> Outcome {
        let mode =
            |at: usize, usual| Mode::from_raw_mode(words.get(at).map_or(usual, |mode| octal(mode)));
        let path = |at: usize| self.path(words[at]);
        let creating = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
        match words[0] {
            "as" => {
                let (uid, gid) = (words[1].parse().unwrap(), words[2].parse().unwrap());
                as_user(uid, gid, || self.run(&words[3..]))
            }
            "create" => done(fs::open(path(1), creating, mode(2, 0o666))),
            "mkdir" => done(fs::mkdir(path(1), mode(2, 0o777))),
            "symlink" => done(fs::symlink(words[1], path(2))),
            "fifo" => done(fs::mknodat(
                fs::CWD,
                path(1),
                FileType::Fifo,
                mode(2, 0o666),
                0,
            )),
            "sock" => done(fs::mknodat(
                fs::CWD,
                path(1),
                FileType::Socket,
                mode(2, 0o666),
                0,
            )),
            "char" => {
                let device = fs::makedev(words[2].parse().unwrap(), words[3].parse().unwrap());
                let kind = FileType::CharacterDevice;
                done(fs::mknodat(
                    fs::CWD,
                    path(1),
                    kind,
                    Mode::from_raw_mode(0o644),
                    device,
                ))
            }
            "write" => self.write(words[1], OFlags::empty(), words[2]),
            "append" => self.write(words[1], OFlags::APPEND, words[2]),
            "otrunc" => self.write(words[1], OFlags::TRUNC, words[2]),
            "openw" => done(open(&path(1), OFlags::WRONLY)),
            "alloc" => {
                let flags = match words[2] {
                    "grow" => fs::FallocateFlags::empty(),
                    "keep" => fs::FallocateFlags::KEEP_SIZE,
                    _ => fs::FallocateFlags::PUNCH_HOLE | fs::FallocateFlags::KEEP_SIZE,
                };
                let (offset, length) = (words[3].parse().unwrap(), words[4].parse().unwrap());
                let file = open(&path(1), OFlags::WRONLY)?;
                done(fs::fallocate(file, flags, offset, length))
            }
            "trunc" => {
                let size = words[2].parse().unwrap();
                let file = open(&path(1), OFlags::WRONLY)?;
                done(fs::ftruncate(file, size))
            }
            "read" => {
                let mut file = std::fs::File::from(open(&path(1), OFlags::RDONLY)?);
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes).map_err(errno)?;
                Ok(brief(&bytes))
            }
            "readlink" => Ok(fs::readlink(path(1), Vec::new())?
                .to_str()
                .unwrap()
                .to_owned()),
            "chmod" => {
                // Not through a link.
                if fs::lstat(path(1))
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
                {
                    return Err(Errno::OPNOTSUPP);
                }
                done(fs::chmod(path(1), mode(2, 0)))
            }
            "chown" => {
                let uid = words[2].parse().ok().map(Uid::from_raw);
                let gid = words[3].parse().ok().map(Gid::from_raw);
                done(fs::chownat(
                    fs::CWD,
                    path(1),
                    uid,
                    gid,
                    AtFlags::SYMLINK_NOFOLLOW,
                ))
            }
            "times" => {
                let time = |text: &str| Timespec {
                    tv_sec: text.parse().unwrap(),
                    tv_nsec: 7,
                };
                let times = Timestamps {
                    last_access: time(words[2]),
                    last_modification: time(words[3]),
                };
                done(fs::utimensat(
                    fs::CWD,
                    path(1),
                    &times,
                    AtFlags::SYMLINK_NOFOLLOW,
                ))
            }
            "atime" => {
                let stat = fs::lstat(path(1))?;
                Ok(format!("{}.{}", stat.st_atime, stat.st_atime_nsec))
            }
            "setx" => {
                let flags = match words.get(4) {
                    Some(&"create") => fs::XattrFlags::CREATE,
                    Some(&"replace") => fs::XattrFlags::REPLACE,
                    _ => fs::XattrFlags::empty(),
                };
                done(fs::lsetxattr(
                    path(1),
                    words[2],
                    &super::ours::value(words[3]),
                    flags,
                ))
            }
            "getx" => {
                let mut value = vec![0; 65_536];
                let length = fs::lgetxattr(path(1), words[2], &mut *value)?;
                Ok(brief(&value[..length]))
            }
            "rmx" => done(fs::lremovexattr(path(1), words[2])),
            "unlink" => done(fs::unlink(path(1))),
            "rmdir" => done(fs::rmdir(path(1))),
            "rename" => {
                let flags = match words.get(3) {
                    Some(&"noreplace") => fs::RenameFlags::NOREPLACE,
                    Some(&"exchange") => fs::RenameFlags::EXCHANGE,
                    Some(&"whiteout") => fs::RenameFlags::WHITEOUT,
                    _ => fs::RenameFlags::empty(),
                };
                done(fs::renameat_with(fs::CWD, path(1), fs::CWD, path(2), flags))
            }
            "link" => {
                let flags = AtFlags::empty();
                done(fs::linkat(fs::CWD, path(1), fs::CWD, path(2), flags))
            }
            "list" => {
                if fs::lstat(path(1))?.st_mode & 0o170_000 == 0o120_000 {
                    return Err(Errno::NOTDIR);
                }
                let mut names: Vec<String> = std::fs::read_dir(path(1))
                    .map_err(errno)?
                    .map(Result::unwrap)
                    // Without the whiteouts that the kernel lists (rows 23-25).
                    .filter(|entry| fs::lstat(entry.path()).is_ok())
                    .map(|entry| entry.file_name().to_str().unwrap().to_owned())
                    .collect();
                names.sort();
                Ok(names.join(","))
            }
            "stat" => self.describe(words[1]).map(|described| described.text()),
            "same" => {
                let (a, b) = (fs::lstat(path(1))?, fs::lstat(path(2))?);
                Ok((a.st_ino == b.st_ino).to_string())
            }
            "remember" => {
                self.inodes
                    .insert(words[1].to_owned(), fs::lstat(path(2))?.st_ino);
                Ok(String::new())
            }
            "is" => Ok((fs::lstat(path(2))?.st_ino == self.inodes[words[1]]).to_string()),
            "open" => {
                let flags = match words[3] {
                    "r" => OFlags::RDONLY,
                    "w" => OFlags::WRONLY,
                    _ => OFlags::RDWR,
                };
                let file = open(&path(2), flags)?;
                self.handles.insert(words[1].to_owned(), file);
                Ok(String::new())
            }
            "pin" => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW;
                let file = fs::open(path(2), flags, Mode::empty())?;
                self.handles.insert(words[1].to_owned(), file);
                Ok(String::new())
            }
            "tmpfile" => {
                let flags = OFlags::TMPFILE | OFlags::RDWR;
                let file = fs::open(path(2), flags, mode(3, 0o666))?;
                self.handles.insert(words[1].to_owned(), file);
                Ok(String::new())
            }
            "close" => {
                self.handles.remove(words[1]);
                Ok(String::new())
            }
            handle => {
                let file = self.handles.get(words[1]).ok_or(Errno::BADF)?;
                match handle {
                    "hread" => {
                        let mut bytes = vec![0; 1 << 16];
                        let length = rustix::io::pread(file, &mut *bytes, 0)?;
                        Ok(brief(&bytes[..length]))
                    }
                    "hwrite" => {
                        let at = words[2].parse().unwrap();
                        done(rustix::io::pwrite(file, words[3].as_bytes(), at))
                    }
                    "htrunc" => done(fs::ftruncate(file, words[2].parse().unwrap())),
                    "hchmod" => done(fs::fchmod(file, mode(2, 0))),
                    "pchown" => {
                        let uid = Some(Uid::from_raw(words[2].parse().unwrap()));
                        done(fs::chownat(file, "", uid, None, AtFlags::EMPTY_PATH))
                    }
                    "hstat" => {
                        let stat = fs::fstat(file)?;
                        let mode = stat.st_mode & 0o7777;
                        Ok(format!("{mode:o} n{} s{}", stat.st_nlink, stat.st_size))
                    }
                    "hlink" => done(fs::linkat(
                        fs::CWD,
                        format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file)),
                        fs::CWD,
                        path(2),
                        AtFlags::SYMLINK_FOLLOW,
                    )),
                    other => panic!("no such step: {other}"),
                }
            }
        }
    }

    fn tree(&mut self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        let mut open = vec![String::new()];
        while let Some(dir) = open.pop() {
            tree.insert(format!("{dir}/"), self.describe(&dir).unwrap().text());
            for entry in std::fs::read_dir(self.path(&dir)).unwrap() {
                let entry = entry.unwrap();
                let path = format!("{dir}/{}", entry.file_name().to_str().unwrap());
                // Directories that were merged offline differ (row 107).
                if let Ok(stat) = fs::lstat(entry.path())
                    && FileType::from_raw_mode(stat.st_mode) != FileType::Directory
                {
                    let listed = std::os::unix::fs::DirEntryExt::ino(&entry);
                    assert_eq!(listed, stat.st_ino, "inode number in the listing: {path}");
                }
                // The kernel lists whiteouts in directories of one layer (rows 23-25).
                match self.describe(&path) {
                    Err(Errno::NOENT) => {}
                    Ok(described) if described.kind == 'd' => open.push(path),
                    Ok(described) => {
                        tree.insert(path, described.text());
                    }
                    Err(errno) => {
                        tree.insert(path, errno.to_string());
                    }
                }
            }
        }
        tree
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap()
}

/// Describes a file of the real disk.
pub(crate) fn describe(path: &Path) -> Result<Described, Errno> {
    let stat = fs::lstat(path)?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => 'd',
        FileType::Symlink => 'l',
        FileType::Fifo => 'p',
        FileType::Socket => 's',
        FileType::CharacterDevice => 'c',
        FileType::BlockDevice => 'b',
        _ => 'f',
    };
    let content = match kind {
        'f' => match std::fs::read(path) {
            Ok(bytes) => brief(&bytes),
            Err(error) => errno(error).to_string(),
        },
        'l' => fs::readlink(path, Vec::new())?.to_str().unwrap().to_owned(),
        _ => String::new(),
    };
    let mut names = vec![0; 65_536];
    let length = fs::llistxattr(path, &mut *names)?;
    let mut xattrs: Vec<(String, Vec<u8>)> = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 65_536];
            let length = fs::lgetxattr(path, name, &mut *value).unwrap_or(0);
            (
                String::from_utf8(name.to_vec()).unwrap(),
                value[..length].to_vec(),
            )
        })
        .collect();
    xattrs.sort();
    Ok(Described {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink,
        size: u64::try_from(stat.st_size).unwrap(),
        device: if matches!(kind, 'c' | 'b') {
            (fs::major(stat.st_rdev), fs::minor(stat.st_rdev))
        } else {
            (0, 0)
        },
        mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap()),
        content,
        xattrs,
    })
}
