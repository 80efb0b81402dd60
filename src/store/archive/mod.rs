//! Image archives: what `docker save`, skopeo, umoci and buildah write, as a file or as a folder.
//!
//! | file | what it holds |
//! |---|---|
//! | `open` | from a file to an [`Archive`]; a compressed file is spooled first |
//! | `blobs` | the files that an archive holds, by name, without leaving it |
//! | `layout`, `manifest`, `digest` | which blobs make an image: OCI image layout, or `manifest.json` of `docker save` |
//! | `stream` | a layer's blob as plain tar: decompressed and digested by a thread of its own |
//! | `entries`, `header`, `pax`, `sparse` | the tar format |
//! | `unpack`, `names`, `dress` | from entries to a layer on the disk: what, where, whose |
//! | `list` | what is in a layer, for who hands it on as it is |
//! | `write`, `layer` | the other way: an archive, and the layers in it |
//! | `symlink` | a symlink, for archives that others write |
//! | `limits`, `error` | what is too much; what is wrong |
//!
//! Archives are not trusted: neither what is unpacked here, nor what is handed on to another program, which has to pass
//! the same checks. Nothing but the layer's own directory is written, names are walked one by one in
//! a [`Union`](crate::union::Union), which follows no symlink, and whatever a header claims is checked
//! against [`Limits`] before memory, disk or time is spent on it. Every digest that the archive states is
//! verified; a layer is complete only when its digest was right.
//!
//! Sources: OCI image-spec (image-layout.md, manifest.md, config.md, layer.md); POSIX pax; GNU tar "Storing
//! sparse files". Where the specification is silent, a layer comes out as `docker load` of Docker 20.10 on
//! overlay2 makes it, which was asked: see `unpack`.

mod blobs;
mod digest;
mod dress;
mod entries;
mod error;
mod header;
mod input;
mod layer;
mod layout;
mod limits;
mod list;
mod manifest;
mod names;
mod open;
mod pax;
mod sparse;
mod stream;
mod symlink;
mod unpack;
mod write;

pub use error::{ArchiveError, ArchiveFault};
pub use layer::Layer;
pub use layout::{ArchivedImage, ArchivedLayer};
pub use limits::Limits;
pub use list::{Listed, Listing};
pub use open::{Archive, open_below};
pub use symlink::append_symlink;
pub use write::{Export, Format};
