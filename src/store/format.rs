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
//!   f9.10.json            record of a volume that is being filled
//!   t6/                   something in memory (a tmpfs); no opening keeps it
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
//! counts, should a crash leave two. Revisions come from the same counter as numbers.
//!
//! **Order.** A directory is made and filled before the record that names it is published, and removed after
//! that record is unlinked: publishing and unlinking one record is the step in which an object comes or goes. What
//! takes more than one record is put in an order that tells what was meant:
//!
//! - A container's anonymous volumes come before it and say with which container they go (`with`). One whose
//!   container has no record, and that no other container mounts, goes: its container was never finished, or it was
//!   removed with its volumes. A container that is removed without them first publishes them without `with`.
//! - An image that gets a name is published before the name is taken from the image that had it. Of two images
//!   with one name the later revision has it.
//! - A volume that stays is filled with an image's files between the publishing and the unlinking of an `f` record, which
//!   says what the directory was like. Where one is found, the directory is emptied again.
//!
//! Opening a store therefore removes: `new`; what lies in `work`; older revisions; records that are not whole; volumes
//! that go with a container that is not there; directories `cN` and `vN` without their record; `tN`; layers `lN` that no
//! image's and no container's record lists. Each of these steps may be the last before the next crash. What could not
//! be removed while the store was in use (`EIO`) is nobody's either, and goes then.
//!
//! **What is claimed.** The process that uses the store may die at any moment, by SIGKILL too: every object is then wholly
//! there or wholly absent, old or new, and nothing is left that belongs to no object. A disk that fails is answered with
//! an error, and the objects are as before. `tests/crash` holds it to both, system call by system call. **A loss of power
//! is another matter, and nothing is claimed for it:** nothing is fsynced unless the store is opened `durable`, and then
//! records only, not the content of layers and volumes. Not fsyncing is what makes a container cheap.
//!
//! **Records** are JSON objects of the types in this module's parent: [`Image`](super::Image),
//! [`Container`](super::Container), [`Volume`](super::Volume), [`Filling`](super::Filling). A field that is unknown makes a record invalid.
//!
//! **Assumptions about the medium.** `rename` within a directory is atomic, and directory entries can hold
//! the extended attributes and owners that the union's options ask for.
