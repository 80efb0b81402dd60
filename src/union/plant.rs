//! Marks made on purpose: the layers of an image are written down, not copied up.

use std::ffi::OsStr;

use super::filesystem::{Step, Union, check_name};
use super::node::NodeRef;
use super::real::Real;
use super::{Errno, Result};

impl Union {
    /// Makes a whiteout under a free name of a plain union that will be a layer.
    ///
    /// # Errors
    /// `EEXIST`; `EROFS`; what the disk gives.
    pub fn plant_whiteout(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        check_name(name)?;
        self.check_writable()?;
        self.change_names(|| {
            self.free_name(dir, name)?;
            let directory = self.upper_directory(dir)?.ok_or(Errno::STALE)?;
            self.make_whiteout(&directory, name, &directory)?;
            Ok(Step::Done(()))
        })
    }

    /// Marks a directory of a plain union that will be a layer as opaque.
    ///
    /// # Errors
    /// `ENOTDIR`; `EROFS`; what the disk gives.
    pub fn mark_opaque(&self, dir: &NodeRef) -> Result<()> {
        self.check_writable()?;
        self.change_names(|| {
            let directory = self.upper_directory(dir)?.ok_or(Errno::NOTDIR)?;
            self.set_opaque(&Real::itself(directory))?;
            Ok(Step::Done(()))
        })
    }
}
