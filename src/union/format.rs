//! The format of layers on the disk (documentation only).
//!
//! Layers are kept exactly as kernel overlayfs keeps them, so that the kernel can mount what this union
//! wrote and the other way round; both are tested. Source: the kernel's
//! `Documentation/filesystems/overlayfs.rst`. `NS` stands for `trusted` or, with
//! [`XattrNamespace::User`](super::XattrNamespace::User) (`userxattr`), for `user`.
//!
//! # A layer
//!
//! A directory whose tree is laid over those of the layers below. A file hides everything of that name
//! below; a directory is merged with the directories below, down to the first layer that has something
//! else there. Attributes of a merged directory are those of its topmost part.
//!
//! | mark | where | meaning |
//! |---|---|---|
//! | character device 0:0 | any layer | whiteout: the name does not exist, whatever is below |
//! | `NS.overlay.whiteout` on an empty file, in a directory with opaque `x` | any layer; for the kernel, lower ones | whiteout |
//! | `NS.overlay.opaque` = `y` | directory | nothing below is merged with it |
//! | `NS.overlay.redirect` | directory | its lower part is at this name in the same parent, or at this absolute path; `EPERM` with `redirect_dir=nofollow`, which is the only choice with `userxattr` |
//! | `NS.overlay.metacopy` | regular file | its data are in a layer below, by the same name or where its redirect says; `EPERM` with `metacopy` off, `EIO` when they are missing |
//! | `NS.overlay.overlay.*` | any | a program's own attribute `NS.overlay.*`, one level up |
//! | `NS.overlay.origin` | any | which lower file it was copied up from, as a handle; of the root of an upper layer, with which lower layer it was used; read with an index only |
//! | `NS.overlay.nlink` | a file in an index | how many names it has in the merged view: a difference from the links of the upper file (`U+1`) or of the lower (`L-2`) |
//! | `NS.overlay.upper` = a handle | `index` in the work directory | the upper layer that it belongs to |
//! | `NS.overlay.impure` = `y` | directory | files with an `origin` or `metacopy` are in it; written when one comes there |
//! | other `NS.overlay.*` (`uuid`, `protattr`) | any | the kernel's; hidden, not interpreted, never copied |
//! | `work/incompat/*` | work directory | the upper layer needs something unknown, or was `volatile`: refused |
//!
//! Written are whiteout devices (several names of one inode), the xattr form where devices are refused,
//! opaque `y` on a directory that is made or moved over something hidden, and redirects and `metacopy` if
//! the [options](super::Options) ask for them. `origin` is written with an index only, on what is in it: any
//! other copied-up file keeps its inode number while the union is open, not beyond.
//!
//! # The work directory
//!
//! Holds files in the making, called `#` and a hexadecimal number. After a crash what is left there means
//! nothing and can be removed by whoever knows that no union uses it; it is never read.
//!
//! With `index=on` there is also `index`, with one more name of each upper file whose lower has several: `origin` in
//! hexadecimal digits. The whole is tied together by handles (`ESTALE`), and used by one union at a time (`EBUSY`).
//! Entries that nothing refers to any more, and what lies there in the making, go when it is opened. A handle is
//! the file system's own; around it are version 0, magic 0xfb, length, flags (1 big endian, 2 any, 4 in the upper
//! layer), type, and the file system's UUID, zeros where it has none. Linux tells it since 6.9; before, what the kernel
//! wrote on a file system with a UUID is `ESTALE` here, and the other way round.
//!
//! # Ownership
//!
//! With [`Ownership::Override`](super::Ownership::Override), for a process that may not give files away:
//!
//! | attribute | meaning |
//! |---|---|
//! | `user.containers.override_stat` | `uid:gid:mode[:type]`; types `dir`, `file`, `symlink`, `pipe`, `socket`, `block-MAJOR-MINOR`, `char-MAJOR-MINOR` |
//! | `user.containers.override_NAME` | a program's attribute NAME of a privileged namespace |
//!
//! Without the attribute a file has its real mode, and the owner 0:0 if it belongs to the process's user.
//! Links, pipes and sockets that do not belong to 0:0 are regular files that carry the attribute; a link's
//! text is their content. Devices always are. The real permission bits always let the owner in.
//!
//! # Where this union is not the kernel
//!
//! - Rows 23-25: the kernel lists whiteouts in directories that are in one layer only. Here no whiteout
//!   is ever listed.
//! - Row 83: copy-up keeps holes.
//! - Row 107: the inode number of a merged directory is always that of its topmost lower part, also when
//!   the layers were merged offline.
//! - Row 29: a whiteout has one link more for every further one, and none in the work directory.
//! - Nothing is flushed to the disk on copy-up.
//! - A file whose data are missing, or may not be looked for, can be unlinked; all else is `EIO` or `EPERM`.
//! - A lower pipe, socket or device that was removed while open stays removed when its attributes are changed; the
//!   kernel copies it up to where it was, over the whiteout (measured on 6.18, `tests/union/apart.rs`).
//! - Who uses layers with an index is known among unions (flock(2)) and among mounts, not between the two; and a
//!   union without an index leaves no sign that it uses its layers, though it may use those of another, as a mount may.
//! - In the user namespace of attributes the kernel leaves an index that it refuses to mount again when a symlink or a
//!   special file with several names is changed (measured on 6.18); here the change is the same `EPERM`, and leaves nothing.
//! - Directories are numbered by their topmost lower part also in a listing, except that the listing of a
//!   directory without lower parts does not look for redirects unless `redirect_dir` is on.
