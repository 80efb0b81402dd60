//! What a process can do to its disk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bytes, Node, Time};

/// One file operation, and whether to go on when it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRequest {
    /// What to do.
    pub action: FileAction,
    /// The rest of the batch is not performed when this one is refused.
    pub stop_on_refusal: bool,
}

/// A path, or a handle that an earlier [`FileAction::Open`] named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A path; relative ones start at the process's working directory.
    Path(String),
    /// A held handle, by name. Handles belong to a place (a container, the host, a volume) and live
    /// until closed or until that container stops.
    Handle(String),
}

/// A file operation. Unless said otherwise a final symlink is followed, as the system call does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileAction {
    /// Make what `node` says at `path`. A file is opened with `O_WRONLY|O_CREAT|O_TRUNC` and written,
    /// so an existing one keeps its inode; a directory that exists is left as it is. Attributes that
    /// the node gives are then set. Parents are not made.
    Write {
        /// Where.
        path: String,
        /// What.
        node: Node,
    },
    /// `pwrite` to a handle, or to a path opened with `O_WRONLY` (no truncation, no creation).
    WriteAt {
        /// Where.
        target: Target,
        /// Offset in bytes; `None` is the handle's own position, 0 for a path.
        offset: Option<u64>,
        /// What.
        bytes: Bytes,
    },
    /// `O_WRONLY|O_CREAT|O_APPEND`, then one write.
    Append {
        /// Where.
        target: Target,
        /// What.
        bytes: Bytes,
    },
    /// Read bytes. Answer: [`super::Value::Bytes`].
    Read {
        /// What.
        target: Target,
        /// From this offset; `None` is the handle's own position, 0 for a path.
        offset: Option<u64>,
        /// At most so many bytes; `None` is to the end.
        length: Option<u64>,
    },
    /// `truncate`, `ftruncate`.
    Truncate {
        /// What.
        target: Target,
        /// New length in bytes.
        size: u64,
    },
    /// `fallocate`.
    Allocate {
        /// What.
        target: Target,
        /// Offset in bytes.
        offset: u64,
        /// Length in bytes.
        length: u64,
        /// How.
        mode: AllocateMode,
    },
    /// `lseek` with `SEEK_DATA`. Answer: [`super::Value::Number`], the offset; `ENXIO` at the end.
    SeekData {
        /// What.
        target: Target,
        /// From here.
        offset: u64,
    },
    /// `lseek` with `SEEK_HOLE`. Answer: [`super::Value::Number`].
    SeekHole {
        /// What.
        target: Target,
        /// From here.
        offset: u64,
    },
    /// `mkdir`, with `parents` as `mkdir -p`.
    Mkdir {
        /// Where.
        path: String,
        /// Mode before the umask; 0777 when absent.
        mode: Option<u32>,
        /// Make missing parents too, and accept an existing directory.
        parents: bool,
    },
    /// `rmdir`.
    Rmdir {
        /// What.
        path: String,
    },
    /// `unlink`; with `recursive`, as `rm -r`: names in order, no symlink followed; it goes on after a
    /// refusal and answers the first one.
    Delete {
        /// What. Not followed.
        path: String,
        /// Whole trees too.
        recursive: bool,
    },
    /// `renameat2`.
    Rename {
        /// Old name.
        from: String,
        /// New name.
        to: String,
        /// Flags.
        mode: RenameMode,
    },
    /// `link`. Does not follow `from`.
    Link {
        /// Existing name.
        from: String,
        /// New name.
        to: String,
    },
    /// `symlink`.
    Symlink {
        /// Where.
        path: String,
        /// Text of the link.
        target: String,
    },
    /// `readlink`. Answer: [`super::Value::Text`].
    Readlink {
        /// What.
        path: String,
    },
    /// `chmod`, `fchmod`.
    Chmod {
        /// What.
        target: Target,
        /// At most 0o7777.
        mode: u32,
    },
    /// `chown`, `lchown`, `fchown`. `None` leaves one as it is.
    Chown {
        /// What.
        target: Target,
        /// Owner.
        uid: Option<u32>,
        /// Group.
        gid: Option<u32>,
        /// Follow a final symlink.
        follow: bool,
    },
    /// `utimensat`; without times, as `touch`: to now, creating an empty file that is missing.
    Touch {
        /// What.
        target: Target,
        /// Last access.
        atime: Option<Time>,
        /// Last modification.
        mtime: Option<Time>,
        /// Follow a final symlink.
        follow: bool,
    },
    /// `setxattr`.
    SetXattr {
        /// What.
        target: Target,
        /// Full name.
        name: String,
        /// Value.
        value: Bytes,
        /// Flags.
        mode: XattrMode,
    },
    /// `getxattr`. Answer: [`super::Value::Bytes`].
    GetXattr {
        /// What.
        target: Target,
        /// Full name.
        name: String,
    },
    /// `listxattr`. Answer: [`super::Value::Names`], sorted.
    ListXattr {
        /// What.
        target: Target,
    },
    /// `removexattr`.
    RemoveXattr {
        /// What.
        target: Target,
        /// Full name.
        name: String,
    },
    /// The names in a directory. Answer: [`super::Value::Names`], sorted, without `.` and `..`.
    List {
        /// What.
        target: Target,
    },
    /// `stat`, `lstat`, `fstat`. Answer: [`super::Value::Stat`].
    Stat {
        /// What.
        target: Target,
        /// Follow a final symlink.
        follow: bool,
    },
    /// `access`.
    Access {
        /// What.
        path: String,
        /// What is to be allowed.
        mode: AccessMode,
    },
    /// `mknod`, `mkfifo`, or `bind` of a UNIX socket: `node` is a fifo, a socket or a device.
    Mknod {
        /// Where.
        path: String,
        /// What.
        node: Node,
    },
    /// `open`, held under a name.
    Open {
        /// What.
        path: String,
        /// How.
        flags: Vec<OpenFlag>,
        /// Mode of a new file before the umask; 0666 when absent.
        mode: Option<u32>,
        /// The handle's name.
        handle: String,
    },
    /// `close`.
    Close {
        /// The handle's name.
        handle: String,
    },
    /// `fcntl` record lock over the whole file, never waiting. Each handle counts as a process of its own: it is in the way of
    /// the others of its container, too, and closing it gives the lock back.
    Lock {
        /// The handle's name.
        handle: String,
        /// Which.
        kind: LockKind,
    },
    /// `linkat` of a held handle (`AT_EMPTY_PATH`): gives a nameless file a name.
    LinkHandle {
        /// The handle's name.
        handle: String,
        /// New name.
        to: String,
    },
    /// `fsync`.
    Sync {
        /// What.
        target: Target,
    },
}

/// What a file action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFamily {
    /// Changes nothing.
    Look,
    /// What is in a file.
    Data,
    /// Opens, closes or needs an open file.
    Handle,
    /// What is told of a file, and who may do what with it.
    Attributes,
    /// What is where.
    Names,
}

impl FileAction {
    /// What it is about.
    #[must_use]
    pub const fn family(&self) -> FileFamily {
        match self {
            Self::Read { .. }
            | Self::Readlink { .. }
            | Self::GetXattr { .. }
            | Self::ListXattr { .. }
            | Self::List { .. }
            | Self::Stat { .. }
            | Self::SeekData { .. }
            | Self::SeekHole { .. } => FileFamily::Look,
            Self::WriteAt { .. }
            | Self::Append { .. }
            | Self::Truncate { .. }
            | Self::Allocate { .. }
            | Self::Sync { .. } => FileFamily::Data,
            Self::Open { .. }
            | Self::Close { .. }
            | Self::Lock { .. }
            | Self::LinkHandle { .. } => FileFamily::Handle,
            Self::Chmod { .. }
            | Self::Chown { .. }
            | Self::Touch { .. }
            | Self::SetXattr { .. }
            | Self::RemoveXattr { .. }
            | Self::Access { .. } => FileFamily::Attributes,
            Self::Write { .. }
            | Self::Mkdir { .. }
            | Self::Rmdir { .. }
            | Self::Delete { .. }
            | Self::Rename { .. }
            | Self::Link { .. }
            | Self::Symlink { .. }
            | Self::Mknod { .. } => FileFamily::Names,
        }
    }
}

/// Flags of `open`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OpenFlag {
    /// For reading.
    Read,
    /// For writing.
    Write,
    /// `O_APPEND`
    Append,
    /// `O_CREAT`
    Create,
    /// `O_EXCL`
    Exclusive,
    /// `O_TRUNC`
    Truncate,
    /// `O_DIRECTORY`
    Directory,
    /// `O_NOFOLLOW`
    Nofollow,
    /// `O_PATH`
    Path,
    /// `O_TMPFILE`
    Tmpfile,
}

/// Flags of `renameat2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RenameMode {
    /// Replace what is there.
    Replace,
    /// `RENAME_NOREPLACE`
    NoReplace,
    /// `RENAME_EXCHANGE`
    Exchange,
    /// `RENAME_WHITEOUT`
    Whiteout,
}

/// Flags of `setxattr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum XattrMode {
    /// Create or replace.
    Any,
    /// `XATTR_CREATE`
    Create,
    /// `XATTR_REPLACE`
    Replace,
}

/// What `access` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessMode {
    /// `R_OK`
    pub read: bool,
    /// `W_OK`
    pub write: bool,
    /// `X_OK`
    pub execute: bool,
}

/// Modes of `fallocate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllocateMode {
    /// Reserve, and grow the file.
    Grow,
    /// Reserve without growing it.
    KeepSize,
    /// Punch a hole.
    PunchHole,
    /// Zero a range.
    Zero,
}

/// Kinds of record lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// `F_RDLCK`
    Shared,
    /// `F_WRLCK`
    Exclusive,
    /// `F_UNLCK`
    Unlock,
}
