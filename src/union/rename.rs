//! `renameat2`.
//!
//! The old name is hidden by a whiteout when a lower layer has it, in the same step. A directory that
//! comes to lie above lower ones is made opaque first; one that has lower parts cannot move (`EXDEV`)
//! unless `redirect_dir` is on. Source: overlayfs.rst "renaming directories"; `ovl_rename` in
//! `fs/overlayfs/dir.c`; union rows 112-138.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{Mode, RenameFlags as Native, XattrFlags, mkdirat};

use super::filesystem::{Step, Union, check_name};
use super::find::UpperSight;
use super::lock::lock;
use super::marks::Mark;
use super::node::NodeRef;
use super::real::Real;
use super::{Errno, Feature, FileKind, RenameFlags, Result};

/// One end of a rename.
#[derive(Clone, Copy)]
struct End<'a> {
    dir: &'a NodeRef,
    name: &'a OsStr,
}

impl Union {
    /// Renames a file.
    ///
    /// # Errors
    /// `EROFS`; `ENOENT`; `EEXIST` with `NoReplace`; `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `EINVAL` as
    /// `rename(2)`; `EINVAL` for `Whiteout` (union row 45), except in a plain union; `EXDEV` for a
    /// directory with lower parts; what the disk gives.
    pub fn rename(
        &self,
        from: (&NodeRef, &OsStr),
        to: (&NodeRef, &OsStr),
        flags: RenameFlags,
    ) -> Result<()> {
        check_name(from.1)?;
        check_name(to.1)?;
        self.check_writable()?;
        let from = End {
            dir: from.0,
            name: from.1,
        };
        let to = End {
            dir: to.0,
            name: to.1,
        };
        self.change_names(|| self.try_rename(from, to, flags))
    }

    fn try_rename(&self, from: End<'_>, to: End<'_>, flags: RenameFlags) -> Result<Step<()>> {
        let is_exchange = flags == RenameFlags::Exchange;
        let old = self.find(from.dir, from.name)?.ok_or(Errno::NOENT)?;
        let new = self.find(to.dir, to.name)?;
        match (flags, &new) {
            (RenameFlags::NoReplace, Some(_)) => return Err(Errno::EXIST),
            (RenameFlags::Exchange, None) => return Err(Errno::NOENT),
            _ => {}
        }
        Self::learn_used(to.dir, to.name);
        // Where a file leaves, a whiteout may stay.
        Self::learn_used(from.dir, from.name);
        if self.is_within(to.dir, &old) {
            return Err(Errno::INVAL);
        }
        if let Some(new) = &new {
            if self.is_within(from.dir, new) {
                return Err(if is_exchange {
                    Errno::INVAL
                } else {
                    Errno::NOTEMPTY
                });
            }
            if old.same(new) {
                return Ok(Step::Done(()));
            }
            match (old.0.is_directory(), new.0.is_directory()) {
                (true, false) if !is_exchange => return Err(Errno::NOTDIR),
                (false, true) if !is_exchange => return Err(Errno::ISDIR),
                _ => {}
            }
        }
        if self.options.plain {
            return self
                .rename_plain(from, to, flags, &old, new.as_ref())
                .map(Step::Done);
        }
        if flags == RenameFlags::Whiteout {
            return Err(Errno::INVAL);
        }
        let moving = [Some(&old), new.as_ref().filter(|_| is_exchange)];
        for node in moving.into_iter().flatten() {
            self.check_movable(node)?;
        }
        if let Some(new) = new.as_ref().filter(|_| !is_exchange) {
            self.check_replaceable(new)?;
        }
        for needed in [
            Some(&old),
            Some(to.dir),
            // One that loses a name needs a copy to keep the number of its names on.
            new.as_ref().filter(|new| is_exchange || new.0.is_shared),
        ] {
            if let Some(node) = needed.filter(|node| !node.is_up()) {
                return Ok(Step::CopyUp(node.clone()));
            }
        }
        match new {
            Some(new) if is_exchange => self.exchange(from, to, &old, &new)?,
            new => self.move_over(from, to, &old, new.as_ref())?,
        }
        Ok(Step::Done(()))
    }

    /// Whether `dir` is `node` or lies below it.
    fn is_within(&self, dir: &NodeRef, node: &NodeRef) -> bool {
        if !node.0.is_directory() {
            return false;
        }
        let mut at = Some(dir.clone());
        while let Some(here) = at {
            if here.same(node) {
                return true;
            }
            at = self.parent(&here);
        }
        false
    }

    /// Directories with lower parts stay where they are, unless a redirect may be written (union rows
    /// 115-117).
    fn check_movable(&self, node: &NodeRef) -> Result<()> {
        let is_pinned_down = node.0.is_directory()
            && !self.rules.writes_redirects
            && (!lock(&node.0.state).lowers.is_empty() || !node.0.is_in_upper());
        if is_pinned_down {
            Err(Errno::XDEV)
        } else {
            Ok(())
        }
    }

    fn check_replaceable(&self, node: &NodeRef) -> Result<()> {
        if node.0.is_directory() && !is_left_to_the_disk(node) && !self.is_empty(node)? {
            return Err(Errno::NOTEMPTY);
        }
        if !node.0.is_in_upper()
            && let Some(lower) = self.lower_real(node)?
        {
            lower.refuse_immutable()?;
        }
        Ok(())
    }

    fn move_over(
        &self,
        from: End<'_>,
        to: End<'_>,
        old: &NodeRef,
        new: Option<&NodeRef>,
    ) -> Result<()> {
        let source = self.place(from)?;
        let target = self.place(to)?;
        let is_hiding = self.lower_sight(from.dir, from.name)?.is_some();
        self.mark_for_move(old, from, to)?;
        self.mark_for_arrival(old, from.dir, to.dir)?;
        let sight = self.upper_sight(to.dir, to.name)?;
        let farewell = match &sight {
            UpperSight::File(real, facts) => {
                let farewell = self.prepare_farewell(to.dir, to.name, real, facts)?;
                if new.is_some_and(|new| new.0.is_directory() && !is_left_to_the_disk(new)) {
                    self.clear_whiteouts(real)?;
                }
                Some(farewell)
            }
            UpperSight::Whiteout(_) | UpperSight::Nothing => None,
        };
        let is_over_whiteout = matches!(sight, UpperSight::Whiteout(_));
        if let UpperSight::Whiteout(whiteout) = &sight {
            // It changes places with the file, for a moment or for good.
            self.announce_arrival(whiteout, &source.directory)?;
        }
        if is_hiding && is_over_whiteout {
            source.rename_to(&target, Native::EXCHANGE)?;
        } else if is_hiding {
            self.take_space(0)?;
            self.rename_leaving_whiteout(&source, &target)?;
        } else if is_over_whiteout && old.0.is_directory() {
            source.rename_to(&target, Native::EXCHANGE)?;
            // Renamed it is; a whiteout over nothing, should it have to stay, hides nothing.
            let _unlinked = source.unlink();
        } else {
            source.rename_to(&target, Native::empty())?;
        }
        if let Some(farewell) = farewell {
            self.complete_farewell(to.dir, to.name, farewell);
        } else if let Some(new) = new {
            self.lose_name(new, to.dir, to.name, None);
        }
        forget(from, to);
        settle(old, from, to);
        Ok(())
    }

    fn exchange(&self, from: End<'_>, to: End<'_>, old: &NodeRef, new: &NodeRef) -> Result<()> {
        let source = self.place(from)?;
        let target = self.place(to)?;
        self.mark_for_move(old, from, to)?;
        self.mark_for_move(new, to, from)?;
        self.mark_for_arrival(old, from.dir, to.dir)?;
        self.mark_for_arrival(new, to.dir, from.dir)?;
        source.rename_to(&target, Native::EXCHANGE)?;
        forget(from, to);
        settle(old, from, to);
        settle(new, to, from);
        Ok(())
    }

    fn rename_plain(
        &self,
        from: End<'_>,
        to: End<'_>,
        flags: RenameFlags,
        old: &NodeRef,
        new: Option<&NodeRef>,
    ) -> Result<()> {
        let source = self.place(from)?;
        let target = self.place(to)?;
        let native = match flags {
            RenameFlags::Replace => Native::empty(),
            RenameFlags::NoReplace => Native::NOREPLACE,
            RenameFlags::Exchange => Native::EXCHANGE,
            RenameFlags::Whiteout => Native::WHITEOUT,
        };
        let is_exchange = flags == RenameFlags::Exchange;
        let farewell = match target.look()?.filter(|_| !is_exchange) {
            Some(facts) => Some(self.prepare_farewell(to.dir, to.name, &target, &facts)?),
            None => None,
        };
        source.rename_to(&target, native)?;
        if let Some(farewell) = farewell {
            self.complete_farewell(to.dir, to.name, farewell);
        }
        forget(from, to);
        settle(old, from, to);
        if let Some(new) = new.filter(|_| is_exchange) {
            settle(new, to, from);
        }
        Ok(())
    }

    fn place(&self, end: End<'_>) -> Result<Real> {
        let directory = self.upper_directory(end.dir)?.ok_or(Errno::STALE)?;
        Ok(Real::named(directory, end.name))
    }

    /// Writes on a directory what will keep its view the same at the new place.
    fn mark_for_move(&self, node: &NodeRef, from: End<'_>, to: End<'_>) -> Result<()> {
        if !node.0.is_directory() {
            return self.mark_for_data(node, from.dir.same(to.dir));
        }
        let (is_merged, is_opaque) = {
            let state = lock(&node.0.state);
            (!state.lowers.is_empty(), state.opaque)
        };
        let real = self.real(node)?;
        if is_merged {
            return self.set_redirect(node, &real, from.dir.same(to.dir));
        }
        if !is_opaque && !lock(&to.dir.0.state).lowers.is_empty() {
            self.set_opaque(&real).map_err(|_errno| Errno::XDEV)?;
            lock(&node.0.state).opaque = true;
        }
        Ok(())
    }

    /// Marks a directory that is to get a file whose inode number the kernel takes from a lower one.
    pub(super) fn mark_for_arrival(
        &self,
        node: &NodeRef,
        from: &NodeRef,
        to: &NodeRef,
    ) -> Result<()> {
        if from.same(to) {
            return Ok(());
        }
        let has_lower_data = lock(&node.0.state).data.is_some();
        let origin = self.marks.name(Mark::Origin);
        if has_lower_data || self.real(node)?.xattr(origin)?.is_some() {
            self.set_impure(&self.real(to)?)?;
        }
        Ok(())
    }

    /// Marks a directory in which files have the inode numbers of lower ones: without the mark, the kernel
    /// lists them under other numbers than `stat` shows.
    pub(super) fn set_impure(&self, real: &Real) -> Result<()> {
        let name = self.marks.name(Mark::Impure);
        if real.xattr(name)?.is_some() {
            return Ok(());
        }
        real.set_xattr(name, b"y", XattrFlags::empty())
    }

    /// Writes on a file whose data are in a lower layer where they will be found. One of several names of a
    /// lower file is said absolutely, as the kernel does.
    pub(super) fn mark_for_data(&self, node: &NodeRef, same_parent: bool) -> Result<()> {
        let real = self.real(node)?;
        let elsewhere = lock(&node.0.state).data.clone();
        match elsewhere {
            Some((directory, name)) => {
                let lower = directory.child(&self.descriptors, &name)?.stat()?;
                self.set_redirect(node, &real, same_parent && lower.links <= 1)
            }
            None if node.0.kind == FileKind::Regular => self.refuse_metacopy(&real),
            None => Ok(()),
        }
    }

    fn set_redirect(&self, node: &NodeRef, real: &Real, same_parent: bool) -> Result<()> {
        let present: Option<OsString> = lock(&node.0.state).redirect.clone();
        let is_absolute = |value: &OsString| value.as_bytes().starts_with(b"/");
        if present
            .as_ref()
            .is_some_and(|value| same_parent || is_absolute(value))
        {
            return Ok(());
        }
        let redirect = super::redirect::redirect_for(node, same_parent)?;
        let name = self.marks.name(Mark::Redirect);
        real.set_xattr(name, redirect.as_bytes(), XattrFlags::empty())
            .map_err(|_errno| Errno::XDEV)?;
        lock(&node.0.state).redirect = Some(redirect);
        Ok(())
    }

    /// Replaces a directory that holds nothing but whiteouts by an empty, opaque one, so that it can be
    /// renamed over.
    fn clear_whiteouts(&self, real: &Real) -> Result<()> {
        if super::temporary::names_in(real)?.is_empty() {
            return Ok(());
        }
        let empty = self.temporary(|work, name| mkdirat(work, name, Mode::RWXU))?;
        self.set_opaque(empty.real())?;
        empty.exchange(real)
    }

    /// Renames and leaves a whiteout behind, in one step where the file system can.
    fn rename_leaving_whiteout(&self, source: &Real, target: &Real) -> Result<()> {
        if self.may_use(Feature::RenameWhiteout) && self.may_use(Feature::WhiteoutDevice) {
            match source.rename_to(target, Native::WHITEOUT) {
                Err(Errno::INVAL | Errno::PERM | Errno::NOSYS) => {}
                other => return other,
            }
        }
        let whiteout = self.whiteout_for(source)?;
        source.rename_to(target, Native::empty())?;
        whiteout.publish(source)
    }
}

/// Whether a directory that is to be replaced is one of the upper layer alone. As in the kernel, the disk
/// refuses it if there is anything in it, a whiteout too; what was copied up and marked before stays.
fn is_left_to_the_disk(node: &NodeRef) -> bool {
    node.0.is_in_upper() && lock(&node.0.state).lowers.is_empty()
}

/// Neither name stands for what it did.
fn forget(from: End<'_>, to: End<'_>) {
    from.dir.0.forget_child(from.name);
    to.dir.0.forget_child(to.name);
}

/// Records a node's new name, if the old one was the one it is known by.
fn settle(node: &NodeRef, from: End<'_>, to: End<'_>) {
    if node.0.is_directory() {
        to.dir.0.remember_child(to.name, node);
    }
    let mut state = lock(&node.0.state);
    let is_known_by = match &state.dentry {
        Some((at, known)) => at.same(from.dir) && known == from.name,
        None => false,
    };
    if is_known_by {
        let before = state.dentry.replace((to.dir.clone(), to.name.to_owned()));
        drop(state);
        drop(before);
    }
}
