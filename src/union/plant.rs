//! Marks made on purpose: the layers of an image are written down, not copied up.

use std::ffi::{OsStr, OsString};

use super::{Caller, New, NewKind, NodeRef, Result, Union, XattrFlags};

impl Union {
    /// Makes a whiteout under a free name of a plain union that will be a layer.
    ///
    /// # Errors
    /// `EEXIST`; what the disk gives.
    pub fn plant_whiteout(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        let new = New {
            kind: NewKind::Character(0, 0),
            mode: 0,
        };
        self.create(dir, name, &new, &Caller::default()).map(drop)
    }

    /// Marks a directory of a plain union that will be a layer as opaque.
    ///
    /// # Errors
    /// What the disk gives.
    pub fn mark_opaque(&self, dir: &NodeRef) -> Result<()> {
        let name = OsString::from("trusted.overlay.opaque");
        self.set_xattr(dir, &name, b"y", XattrFlags::Any)
    }
}
