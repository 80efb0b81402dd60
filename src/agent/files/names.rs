//! Requests that make, remove and change names.

use std::ffi::OsStr;

use rustix::fs::{AtFlags, CWD, FileType, Mode, RenameFlags};
use rustix::io::Errno;

use super::super::Result;
use super::batch::{Batch, Resolved};
use super::look;
use super::place::is_directory;
use super::write::{new_node, set_attributes};
use crate::engine::{FileAction, Node, RenameMode};
use crate::rootfs::textual_parent;

/// Longest path, and so the most directories in one (limits.h).
const PATH_MAX: usize = 4096;

impl Batch<'_> {
    pub(super) fn change_names(&mut self, action: &FileAction) -> Result<()> {
        match action {
            FileAction::Write { path, node } => return self.write(path, node),
            FileAction::Mkdir {
                path,
                mode,
                parents,
            } => {
                let mode = mode.unwrap_or(0o777);
                if *parents {
                    return self.make_directories(path, mode);
                }
                mkdir(path, mode)?;
                self.note(self.place_of_name(path));
            }
            FileAction::Rmdir { path } => {
                let place = self.place_of_name(path);
                rustix::fs::rmdir(path.as_str())?;
                self.note(place);
            }
            FileAction::Delete { path, recursive } => {
                if *recursive {
                    return self.remove_tree(path);
                }
                self.unlink(path)?;
            }
            FileAction::Rename { from, to, mode } => self.rename(from, to, *mode)?,
            FileAction::Link { from, to } => {
                rustix::fs::link(from.as_str(), to.as_str())?;
                self.note(self.place_of_name(to));
            }
            FileAction::Symlink { path, target } => {
                rustix::fs::symlink(target.as_str(), path.as_str())?;
                self.note(self.place_of_name(path));
            }
            FileAction::Mknod { path, node } => self.make_node(path, node)?,
            _ => return Err(Errno::NOSYS),
        }
        Ok(())
    }

    fn unlink(&mut self, path: &str) -> Result<()> {
        let place = self.place_of_name(path);
        rustix::fs::unlink(path)?;
        self.note(place);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str, mode: RenameMode) -> Result<()> {
        let flags = match mode {
            RenameMode::Replace => RenameFlags::empty(),
            RenameMode::NoReplace => RenameFlags::NOREPLACE,
            RenameMode::Exchange => RenameFlags::EXCHANGE,
            RenameMode::Whiteout => RenameFlags::WHITEOUT,
        };
        let places = [self.place_of_name(from), self.place_of_name(to)];
        let inode = |path: &str| {
            let stat = rustix::fs::lstat(path).ok()?;
            Some((stat.st_dev, stat.st_ino))
        };
        let are_one = || inode(from).is_some_and(|file| inode(to) == Some(file));
        let were_one = are_one();
        rustix::fs::renameat_with(CWD, from, CWD, to, flags)?;
        // Two names of one file stay as they are; two that a lower layer has for one file, and that have
        // one number, do not.
        if !(were_one && are_one()) {
            self.note(places.into_iter().flatten());
        }
        Ok(())
    }

    /// `mkdir -p`
    fn make_directories(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut missing = vec![(path, mode)];
        while let Some((path, mode)) = missing.last().copied() {
            match mkdir(path, mode) {
                Err(Errno::NOENT) => {
                    let parent = textual_parent(path.as_ref()).and_then(OsStr::to_str);
                    missing.push((parent.ok_or(Errno::NOENT)?, 0o777));
                    if missing.len() > PATH_MAX {
                        return Err(Errno::NOENT);
                    }
                    continue;
                }
                Err(Errno::EXIST) if is_directory(path, AtFlags::empty()) => {}
                made => {
                    made?;
                    self.note(self.place_of_name(path));
                }
            }
            missing.pop();
        }
        Ok(())
    }

    /// `rm -r`: names in order, no symlink followed. It goes on after a refusal and gives the first.
    fn remove_tree(&mut self, path: &str) -> Result<()> {
        rustix::fs::lstat(path)?;
        let mut first = Ok(());
        // Directories to empty, each with whether its names have been added after it.
        let mut todo = vec![(path.to_owned(), false)];
        while let Some((path, emptied)) = todo.pop() {
            if !is_directory(&path, AtFlags::SYMLINK_NOFOLLOW) {
                first = first.and(self.unlink(&path));
                continue;
            }
            let place = self.place_of_name(&path);
            if emptied {
                match rustix::fs::rmdir(&path) {
                    Ok(()) => self.note(place),
                    // Not empty because of an earlier refusal.
                    Err(errno) => first = first.and(Err(errno)),
                }
                continue;
            }
            match look::open_directory(&path).and_then(|directory| look::list(&directory)) {
                Ok(names) => {
                    todo.push((path.clone(), true));
                    let below = |name| format!("{}/{name}", path.trim_end_matches('/'));
                    todo.extend(names.into_iter().rev().map(|name| (below(name), false)));
                }
                // An unreadable directory goes if it is empty.
                Err(errno) => match rustix::fs::rmdir(&path) {
                    Ok(()) => self.note(place),
                    Err(_) => first = first.and(Err(errno)),
                },
            }
        }
        first
    }

    /// `mknod`: the mode is before the umask; other attributes that the node gives are set after.
    fn make_node(&mut self, path: &str, node: &Node) -> Result<()> {
        let (kind, device, mode) = new_node(&node.kind).ok_or(Errno::INVAL)?;
        mknod(path, kind, node.mode.unwrap_or(mode), device)?;
        self.note(self.place_of_name(path));
        let rest = Node {
            mode: None,
            ..node.clone()
        };
        set_attributes(&Resolved::Path(path), &rest, false)
    }
}

pub(super) fn mkdir(path: &str, mode: u32) -> Result<()> {
    rustix::fs::mkdir(path, Mode::from_raw_mode(mode))
}

pub(super) fn mknod(path: &str, kind: FileType, mode: u32, device: u64) -> Result<()> {
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(mode), device)
}
