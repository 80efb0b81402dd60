//! The words of the union's interface.

use std::ffi::OsString;

use super::Directory;

/// What to merge.
#[derive(Debug)]
pub struct Stack {
    /// The writable layer; without it every change is `EROFS`.
    pub upper: Option<Directory>,
    /// A directory on the same file system as `upper`, for files in the making. Several unions may share
    /// it. Needed when there is an upper.
    pub work: Option<Directory>,
    /// Read-only layers, topmost first.
    pub lowers: Vec<Directory>,
    /// How.
    pub options: Options,
}

/// Mount options, by the kernel's names where it has them (overlayfs.rst).
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "mount options are independent switches"
)]
pub struct Options {
    /// Where the union keeps its marks.
    pub namespace: XattrNamespace,
    /// How owners, modes and devices are kept.
    pub ownership: Ownership,
    /// `redirect_dir=…`; absent, it is as in a kernel that is configured as Debian's or Docker's: `on` with
    /// [`metacopy`](Self::metacopy), `nofollow` in [`XattrNamespace::User`], else `off`, which follows.
    pub redirect_dir: Option<RedirectDir>,
    /// `metacopy=on`: a change of attributes leaves the data in the lower layer. Off, a file whose data are in
    /// another layer is `EPERM`.
    pub metacopy: bool,
    /// `index=on`: a lower file with several names stays one file when it is copied up, and the layers are nobody
    /// else's meanwhile. The work directory is this upper layer's alone, then. Off, a layer that was written with an
    /// index is read as the kernel reads it: the index counts among a file's links, and links of a lower file break.
    ///
    /// Where there is nothing to keep an index by, it stays off, as in the kernel: on file systems without file
    /// handles, for a process without `CAP_DAC_READ_SEARCH` (so with [`Ownership::Override`], too), and when several
    /// lower file systems have one UUID. [`Union::has_index`](super::Union::has_index) tells.
    pub index: bool,
    /// `volatile`: nothing is flushed to the disk, and the upper layer cannot be opened again.
    pub volatile: bool,
    /// One directory as it is: no whiteouts, no marks, nothing hidden. Takes an upper and no lowers.
    pub plain: bool,
    /// Of a plain union: nobody else changes the directory while it is open, so names that were looked up
    /// are remembered. An upper layer is always the union's own.
    pub alone: bool,
    /// The upper directory was just made: it is empty, has no default ACL, and nobody else changes it. Spares
    /// looking.
    pub fresh: bool,
    /// What the union may allocate.
    pub space: Option<std::sync::Arc<dyn Space>>,
    /// Something to keep for as long as the union is open: the mount that its directories lie in.
    pub keep: Option<std::sync::Arc<dyn std::any::Any + Send + Sync>>,
    /// What the union is to do without, although the disk may have it: so that the ways around it can be
    /// tried on any disk.
    pub without: Vec<Feature>,
}

impl Options {
    /// What goes for the user of this process on most disks: root keeps owners and modes themselves, and marks in
    /// `trusted.overlay.*`; anyone else keeps them in `user.*` (`userxattr` in overlayfs.rst).
    #[must_use]
    pub fn of_this_user() -> Self {
        let (namespace, ownership) = if rustix::process::geteuid().is_root() {
            (XattrNamespace::Trusted, Ownership::Real)
        } else {
            (XattrNamespace::User, Ownership::Override)
        };
        Self {
            namespace,
            ownership,
            ..Self::default()
        }
    }
}

/// What to do with redirects: `redirect_dir` in overlayfs.rst, "renaming directories".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectDir {
    /// Renaming a directory of a lower layer writes a redirect; redirects are followed.
    On,
    /// Renaming one is `EXDEV`; redirects are followed.
    Follow,
    /// Renaming one is `EXDEV`, and so is following refused: such a directory is `EPERM`.
    NoFollow,
    /// As `Follow`, which is what `off` means while `redirect_always_follow` is set.
    Off,
}

/// Something that not every disk has, and that the union knows a way around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// `O_TMPFILE`; else a file in the making has a name in the work directory.
    Tmpfile,
    /// `FICLONE`; else data are copied.
    Clone,
    /// `copy_file_range`; else data are read and written.
    CopyRange,
    /// `RENAME_WHITEOUT`; else the whiteout comes in a second step.
    RenameWhiteout,
    /// Character devices 0:0; else a whiteout is an empty file with an attribute.
    WhiteoutDevice,
    /// Several names of one whiteout; else each is a file of its own.
    WhiteoutLink,
}

/// Accounts for disk space: `fill disk`, a tmpfs with a size.
pub trait Space: Send + Sync + std::fmt::Debug {
    /// Asks for so many more bytes (a new inode asks for 0).
    ///
    /// # Errors
    /// `ENOSPC` when there are none; the union then changes nothing.
    fn take(&self, bytes: u64) -> super::Result<()>;

    /// Gives so many bytes back.
    fn give(&self, bytes: u64);

    /// Whether it would give any amount right now and does not count, so that nobody need count for it.
    fn is_endless(&self) -> bool {
        false
    }
}

/// The namespace of the overlay's own extended attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XattrNamespace {
    /// `trusted.overlay.`
    #[default]
    Trusted,
    /// `user.overlay.` (the kernel's `userxattr`)
    User,
}

/// How owners, modes and device nodes are kept on the real disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// As they are; needs root.
    #[default]
    Real,
    /// In `user.containers.override_stat`, as containers/storage keeps them: `uid:gid:mode[:type]`.
    /// A file without the attribute that belongs to this process's user shows as 0:0.
    Override,
}

/// Who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// File system user ID.
    pub uid: u32,
    /// File system group ID.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective capabilities.
    pub capabilities: Vec<CallerCapability>,
    /// File mode creation mask.
    pub umask: u32,
}

/// The capabilities that matter to a file system: capabilities(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerCapability {
    /// `CAP_CHOWN`
    Chown,
    /// `CAP_DAC_OVERRIDE`
    DacOverride,
    /// `CAP_DAC_READ_SEARCH`
    DacReadSearch,
    /// `CAP_FOWNER`
    Fowner,
    /// `CAP_FSETID`
    Fsetid,
    /// `CAP_MKNOD`
    Mknod,
    /// `CAP_SETFCAP`
    Setfcap,
    /// `CAP_SYS_ADMIN`
    SysAdmin,
}

impl Caller {
    /// Whether the caller has a capability.
    pub fn can(&self, capability: CallerCapability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Whether the caller is in a group.
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}

/// Type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `S_IFREG`
    Regular,
    /// `S_IFDIR`
    Directory,
    /// `S_IFLNK`
    Symlink,
    /// `S_IFIFO`
    Fifo,
    /// `S_IFSOCK`
    Socket,
    /// `S_IFCHR`
    Character,
    /// `S_IFBLK`
    Block,
}

/// Seconds and nanoseconds since 1970-01-01 UTC; nanoseconds count forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Whole seconds.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

/// What `stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Type.
    pub kind: FileKind,
    /// At most 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Allocated, in units of 512 bytes.
    pub blocks: u64,
    /// Number of names; 1 for a merged directory.
    pub links: u64,
    /// Inode number, the same before and after copy-up.
    pub ino: u64,
    /// Major and minor of a device node, else 0, 0.
    pub device: (u32, u32),
    /// Last access.
    pub atime: Timestamp,
    /// Last modification.
    pub mtime: Timestamp,
    /// Last change of attributes.
    pub ctime: Timestamp,
}

/// What to change; `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttributes {
    /// Permission bits, at most 0o7777.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Length in bytes.
    pub size: Option<u64>,
    /// Last access.
    pub atime: Option<SetTime>,
    /// Last modification.
    pub mtime: Option<SetTime>,
}

/// A time to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// The clock's.
    Now,
    /// This one.
    At(Timestamp),
}

/// A file to be. Its owner is the caller, its group the caller's or that of a set-group-ID parent.
#[derive(Clone, Debug)]
pub struct New {
    /// Type.
    pub kind: NewKind,
    /// Mode before the umask (which a default ACL of the parent replaces).
    pub mode: u32,
}

/// Type of a file to be.
#[derive(Clone, Debug)]
pub enum NewKind {
    /// An empty regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link with this text.
    Symlink(OsString),
    /// A named pipe.
    Fifo,
    /// A UNIX socket.
    Socket,
    /// A character device.
    Character(u32, u32),
    /// A block device.
    Block(u32, u32),
}

/// One name of a merged directory, without `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Name.
    pub name: OsString,
    /// Type.
    pub kind: FileKind,
    /// Inode number, as `stat` gives it.
    pub ino: u64,
}

/// How to open a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// For reading.
    pub read: bool,
    /// For writing: copies up, unless the file has no data (fifo, socket, device).
    pub write: bool,
    /// Cut to length 0; a copy-up then skips the data.
    pub truncate: bool,
}

/// Flags of `renameat2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenameFlags {
    /// None: replace.
    #[default]
    Replace,
    /// `RENAME_NOREPLACE`
    NoReplace,
    /// `RENAME_EXCHANGE`
    Exchange,
    /// `RENAME_WHITEOUT`
    Whiteout,
}

/// Flags of `setxattr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XattrFlags {
    /// None.
    #[default]
    Any,
    /// `XATTR_CREATE`
    Create,
    /// `XATTR_REPLACE`
    Replace,
}

/// A range for `fallocate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocateRange {
    /// Mode 0.
    Grow,
    /// `FALLOC_FL_KEEP_SIZE`
    KeepSize,
    /// `FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE`
    PunchHole,
    /// `FALLOC_FL_ZERO_RANGE`
    Zero,
}

/// Which layer a file, or the topmost part of a directory, comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The writable layer.
    Upper,
    /// This one of the lowers, 0 the topmost.
    Lower(usize),
}

/// One difference between the upper layer and the lowers, as `docker diff` reports it (Docker rows
/// 171-173).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UpperChange {
    /// Merged path from the root, in the form `/etc/hosts`.
    pub path: std::path::PathBuf,
    /// What became of it.
    pub kind: ChangeKind,
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// `A`
    Added,
    /// `C`
    Changed,
    /// `D`
    Deleted,
}

/// What [`copy_tree`](super::copy_tree) copies besides the children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Give the target directory the attributes (owner, mode, times, xattrs) of the source directory.
    pub root_attributes: bool,
    /// Give directories their attributes before what is in them, so that one with content was modified just now: the way
    /// of containerd's `continuity/fs`, by which Docker fills volumes.
    pub directories_first: bool,
}
