//! The embedded engine: Docker's objects over the union library, in process, on a real directory. It needs
//! nothing: no root, no daemon, no mount.
//!
//! | file | what it holds |
//! |---|---|
//! | `provider`, `probe` | what this machine lets the engine do; opening engines |
//! | `engine` | the contract: object operations to the daemon, file operations past it |
//! | `ground`, `space` | how files are kept, and how much |
//! | `private`, `spares` | the private directory, and what stays in it for the next engine |
//! | `daemon` | what a crash takes with it: an open [`crate::store::Store`], open unions, running containers |
//! | `create`, `resolve`, `filling` | `docker create`: checks, mounts, WORKDIR, VOLUMEs, copying into volumes |
//! | `assemble`, `sources`, `subpath` | mounting: at start, to copy, to look |
//! | `lifecycle` | start, stop, kill, pause, rm |
//! | `volumes`, `images` | their life |
//! | `load`, `save` | images from archives, and to archives |
//! | `commit`, `copy`, `archive`, `transfer` | what goes from one tree into another |
//! | `look`, `observe`, `view` | what is there, and where it lies |
//! | `seats`, `files`, `plant` | who acts where; file operations; trees as data |
//! | `actors`, `kernel` | processes that are played here or real; what another engine does otherwise |
//! | `refusals`, `translate` | Docker's words; the store's objects in the contract's |
//!
//! Behaviour is that of Docker 20.10 on overlay2 (the rows of the behaviour catalogue), and of current moby where that is
//! newer: pruning of anonymous volumes only, volume subpaths, image mounts. A container's first process obeys
//! SIGTERM: stopped it exits with 0, killed or crashed with 137.

mod actors;
mod archive;
mod assemble;
mod commit;
mod copy;
mod create;
mod daemon;
mod engine;
mod files;
mod filling;
mod ground;
mod images;
pub(in crate::engine) mod kernel;
mod lifecycle;
mod load;
mod look;
mod observe;
mod output;
mod plant;
mod private;
mod probe;
mod provider;
mod refusals;
mod resolve;
mod save;
mod seats;
mod sources;
mod space;
mod spares;
mod subpath;
mod transfer;
mod translate;
mod view;
mod volumes;

#[cfg(test)]
mod tests;

pub(in crate::engine) use private::Pool;
pub(in crate::engine) use probe::{Survey, survey};
pub use provider::NativeProvider;
pub(in crate::engine) use provider::open_on_kernel;
pub use save::{SaveError, save};
