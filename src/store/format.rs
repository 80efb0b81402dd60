//! The layout on disk. This module has no items.
//!
//! ```text
//! STORE/
//!   l1/  l4/              read-only layers, in kernel overlayfs's format
//!   c5/                   the writable layer (upper) of container 5
//!   x5/                   its work directory, if it has an index (`index=on`)
//!   v3/                   the content of volume 3
//!   t6/                   the content of a tmpfs
//!   records               what all of these are
//!   records.new           a shorter log in the making
//!   #1a2b3c               a file in the making
//! ```
//!
//! **Few directories.** A container is one directory, a volume likewise, and so is a layer. There are
//! no folders of folders, and files in the making lie in the folder itself: on ext4 a `mkdir` and its `rmdir`
//! cost ten times a small file.
//!
//! **Numbers, not names.** A directory or record is named by a letter and a number that the store
//! chose; the name that a user chose is inside the record. So no name can leave the folder, collide with
//! another by case or length, or be mistaken for one of the store's own files. Numbers only grow; the
//! next one is above every one that is there or was told of.
//!
//! **Publishing.** `records` is a log. Each line is a JSON object whose members are changes: `{"c5":{…},"i2":null}`
//! sets the record of container 5 and drops that of image 2; the last word on a record counts. A line is
//! appended by one write, and what it says is so once its newline is there: changes that belong together stand in
//! one line, and are made together or not at all. A tail without a newline was never published; the next line
//! takes its place. Any other line that cannot be read is damage, and the store does not open: what is no longer
//! told of would be removed. A log much longer than what it tells is written anew when the store is opened, as
//! `records.new`, and renamed. One file that grows costs a scenario one create and one unlink; a file for each
//! record and revision, renamed into place, took a fifth of its time.
//!
//! **Order.** A directory is made and filled before the line that tells of it, and removed after the line that
//! drops it: the line is the step in which an object comes or goes. What takes more than one line is put in an
//! order that tells what was meant:
//!
//! - A container's anonymous volumes come before it and say with which container they go (`with`). One whose
//!   container has no record, and that no other container mounts, goes: its container was never finished, or it was
//!   removed with its volumes. A container that is removed without them first takes `with` out of their records.
//! - A volume that stays is filled with an image's files between the setting and the dropping of an `f` record, which
//!   says what the directory was like. Where one is found, the directory is emptied again.
//!
//! A folder whose store is gone may be emptied but for layers, and a new store made in it, which gives numbers above theirs: until an image
//! lists one it is nobody's, as any layer that was made and not yet listed.
//!
//! Opening a store therefore removes: `#…`, in `xN` too, and `records.new`; volumes that go with a container that is not there;
//! directories `cN` and `vN` without their record, and `xN` without that of `cN`; layers `lN` that no image's and no container's record lists; every
//! `tN`. Each of these steps may be the last before the next crash. What could not be removed while the store was in use
//! (`EIO`) is nobody's either, and goes then.
//!
//! **What is claimed.** The process that uses the store may die at any moment, by SIGKILL too: every object is then wholly
//! there or wholly absent, old or new, and nothing is left that belongs to no object. A disk that fails is answered with
//! an error, and the objects are as before. `tests/crash` holds it to both, system call by system call. **A loss of power
//! is another matter, and nothing is claimed for it:** nothing is synced unless the store is opened `durable`, and then
//! records only, not the content of layers and volumes. Not syncing is what makes a container cheap.
//!
//! **Records** are JSON objects of the types in this module's parent: [`Image`](super::Image),
//! [`Container`](super::Container), [`Volume`](super::Volume), [`Filling`](super::Filling). A field that is unknown makes a record invalid.
//!
//! **Assumptions about the medium.** A write that returned is seen by every later open, and directory entries can
//! hold the extended attributes and owners that the union's options ask for.
