//! The embedded engine: Docker's objects over the union library, in process, on a real directory.

mod files;
mod observe;
mod plant;
mod view;
