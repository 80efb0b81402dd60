//! The layout on disk. This module has no items.
//!
//! ```text
//! STORE/
//!   work/                 files in the making; shared by all unions of the store
//!   l1/  l4/              read-only layers, in kernel overlayfs's format
//!   c5/                   the writable layer (upper) of container 5
//!   v3/                   the content of volume 3
//!   i2.2.json             record of image 2
//!   c5.7.json             record of container 5
//!   v3.3.json             record of volume 3
//!   new                   a record that is being written
//! ```
//!
//! **Few directories.** A container is one directory and one record, a volume likewise, a layer is a
//! directory. There is one work directory and there are no folders of folders: on ext4 a `mkdir` and its
//! `rmdir` cost ten times a small file.
//!
//! **Numbers, not names.** A directory or record is named by a letter and a number that the store
//! chose; the name that a user chose is inside the record. So no name can leave the folder, collide with
//! another by case or length, or be mistaken for one of the store's own files. Numbers only grow; the
//! next one is above every one that is there.
//!
//! **Publishing.** A record is written to `new` and renamed to `KIND NUMBER.REVISION.json`. A change of a
//! record is published under a higher revision, then the lower one is unlinked; nothing is ever renamed
//! over an existing name, because ext4 flushes the file to disk when that happens. The highest revision
//! counts, should a crash leave two. Revisions come from the same counter as numbers. Nothing is fsynced unless the store is opened
//! `durable`: a crash of the engine loses nothing that was published, a crash of the machine may.
//!
//! **Order.** A directory is made and filled before the record that names it is published, and removed after
//! that record is unlinked. Opening a store therefore removes: `new`; what lies in `work`; older revisions; records that
//! are not whole; directories `cN` and `vN` without their record; layers `lN` that no image's and no
//! container's record lists.
//!
//! **Records** are JSON objects of the types in this module's parent: [`Image`](super::Image),
//! [`Container`](super::Container), [`Volume`](super::Volume). A field that is unknown makes a record invalid.
//!
//! **Assumptions about the medium.** `rename` within a directory is atomic, and directory entries can hold
//! the extended attributes and owners that the union's options ask for.
