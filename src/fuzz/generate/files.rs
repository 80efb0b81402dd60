//! What processes do to their disks.

use super::attributes::{getxattr, listxattr, removexattr, setxattr};
use super::held::{close, link_handle, lock, open};
use super::pool;
use super::state::State;
use crate::engine::{
    AccessMode, AllocateMode, Capability, DeviceKind, FileAction, FileRequest, Node, NodeKind,
    Operation, Place, RenameMode, Target,
};
use crate::fuzz::dice::Dice;

/// One process's request, made for a place.
type Make = fn(&mut Scene<'_>) -> FileAction;

/// How often each is tried.
const KINDS: &[(usize, Make)] = &[
    (12, write),
    (5, write_at),
    (5, append),
    (6, read),
    (4, truncate),
    (2, allocate),
    (1, seek_data),
    (1, seek_hole),
    (9, mkdir),
    (5, rmdir),
    (9, delete),
    (14, rename),
    (8, link),
    (4, symlink),
    (2, readlink),
    (5, chmod),
    (5, chown),
    (4, touch),
    (4, setxattr),
    (2, getxattr),
    (2, removexattr),
    (2, listxattr),
    (6, list),
    (8, stat),
    (4, access),
    (2, mknod),
    (2, mkfifo),
    (1, mksock),
    (8, open),
    (3, close),
    (2, lock),
    (1, link_handle),
    (1, sync),
];

/// Where a request is made.
pub(super) struct Scene<'s> {
    pub(super) state: &'s mut State,
    pub(super) dice: &'s mut Dice,
    pub(super) place: Place,
}

/// One step of a process.
pub(super) fn step(state: &mut State, dice: &mut Dice) -> Operation {
    let place = state.place(dice);
    let user = dice.weighted(pool::USERS).map(str::to_owned);
    let mut scene = Scene {
        state,
        dice,
        place: place.clone(),
    };
    let total = KINDS.iter().map(|(weight, _)| weight).sum();
    let mut rest = scene.dice.below(total);
    let mut actions = Vec::new();
    for (weight, make) in KINDS {
        if rest < *weight {
            actions.push(make(&mut scene));
            break;
        }
        rest -= weight;
    }
    if matches!(actions.as_slice(), [FileAction::Write { .. }]) {
        scene.write_more(&mut actions);
    }
    operation(place, user, actions)
}

/// A directory of the layers goes, one of the same name is made, and is looked into: it must not show what it hides.
pub(super) fn remake(state: &mut State, dice: &mut Dice) -> Vec<Operation> {
    let container = state.container(dice);
    let Some(path) = dice.pick(&state.layered_directories).cloned() else {
        return Vec::new();
    };
    let place = Place::Container(container);
    state.note_removal(&place);
    state.note_directory(&place, &path);
    let actions = [
        FileAction::Delete {
            path: path.clone(),
            recursive: true,
        },
        FileAction::Mkdir {
            path: path.clone(),
            mode: None,
            parents: false,
        },
        FileAction::List {
            target: Target::Path(path),
        },
    ];
    actions
        .into_iter()
        .map(|action| operation(place.clone(), None, vec![action]))
        .collect()
}

/// A step with these requests.
pub(super) fn operation(place: Place, user: Option<String>, actions: Vec<FileAction>) -> Operation {
    let request = |action| FileRequest {
        action,
        stop_on_refusal: true,
    };
    Operation::Files {
        place,
        user,
        requests: actions.into_iter().map(request).collect(),
    }
}

impl Scene<'_> {
    fn plain_path(&mut self) -> String {
        self.state.path(&self.place, self.dice)
    }

    /// A path, now and then written in another way.
    fn path(&mut self) -> String {
        let path = self.plain_path();
        self.decorated(path)
    }

    fn decorated(&mut self, path: String) -> String {
        let relative = matches!(self.place, Place::Container(_));
        match self.dice.below(60) {
            0 => format!("{path}/"),
            1 => format!("/{path}"),
            2 => format!("{path}/."),
            3 => format!("{path}/.."),
            4 => format!("/a/..{path}"),
            5 if relative => path.trim_start_matches('/').to_owned(),
            6 if relative => format!(".{path}"),
            7 if self.dice.chance(20) => String::new(),
            7 => format!("/{}", "n".repeat(256)),
            8 => format!("/a/../../b{path}"),
            9 => "/".to_owned(),
            _ => path,
        }
    }

    /// Mostly in a directory that is there.
    fn fresh_path(&mut self) -> String {
        if self.dice.chance(65) {
            self.state.path_in_directory(&self.place, self.dice)
        } else {
            self.plain_path()
        }
    }

    /// A path that something will be at.
    pub(super) fn new_path(&mut self) -> String {
        let path = self.fresh_path();
        self.state.note(&self.place, &path);
        self.decorated(path)
    }

    pub(super) fn handle(&mut self) -> Option<String> {
        let here: Vec<&String> = self
            .state
            .handles
            .iter()
            .filter(|(place, _)| *place == self.place)
            .map(|(_, name)| name)
            .collect();
        match self.dice.pick(&here) {
            Some(name) => Some((*name).clone()),
            None if self.dice.chance(2) => Some("nothing".to_owned()),
            None => None,
        }
    }

    /// A path, or a handle that is open.
    pub(super) fn target(&mut self) -> Target {
        if self.dice.chance(25)
            && let Some(handle) = self.handle()
        {
            return Target::Handle(handle);
        }
        Target::Path(self.path())
    }

    /// The same of what gets other attributes.
    pub(super) fn changed_target(&mut self) -> Target {
        let target = self.target();
        self.unless_it_comes_back(target)
    }

    pub(super) fn unless_it_comes_back(&mut self, target: Target) -> Target {
        match target {
            Target::Handle(handle) if self.state.may_come_back(&self.place, &handle) => {
                Target::Path(self.path())
            }
            target => target,
        }
    }

    /// Further entries of a `write`, no path twice.
    fn write_more(&mut self, actions: &mut Vec<FileAction>) {
        for _ in 0..self.dice.weighted(&[(8, 0), (2, 1), (1, 2)]) {
            let another = write(self);
            let path = |action: &FileAction| match action {
                FileAction::Write { path, .. } => path.clone(),
                _ => String::new(),
            };
            if !actions.iter().any(|action| path(action) == path(&another)) {
                actions.push(another);
            }
        }
    }
}

fn write(scene: &mut Scene<'_>) -> FileAction {
    let path = scene.fresh_path();
    scene.state.note(&scene.place, &path);
    let kind = match scene.dice.below(20) {
        // What ends in `/` is a directory in the language, and nothing else can be said of the root.
        _ if path == "/" => NodeKind::Directory { opaque: false },
        0..3 => NodeKind::Directory { opaque: false },
        3 => NodeKind::Symlink {
            target: pool::link_text(&path, scene.dice),
        },
        4 if scene.state.has(Capability::HardLinks) => NodeKind::Hardlink {
            to: scene.plain_path(),
        },
        5 if scene.state.has(Capability::Fifos) => NodeKind::Fifo,
        _ => NodeKind::File(pool::content(scene.dice)),
    };
    let mut node = Node::new(kind);
    if let NodeKind::Directory { .. } = node.kind {
        let place = scene.place.clone();
        scene.state.note_directory(&place, &path);
    }
    if !matches!(node.kind, NodeKind::Hardlink { .. }) && scene.dice.chance(40) {
        let (long, at) = (scene.state.tmpfs == 0, scene.place.clone());
        pool::dress(&mut node, scene.dice, |dice| pool::xattr(dice, long, &at));
    }
    for name in node.xattrs.keys() {
        let target = Target::Path(path.clone());
        scene.state.note_attribute(&scene.place, &target, name);
    }
    FileAction::Write { path, node }
}

fn write_at(scene: &mut Scene<'_>) -> FileAction {
    FileAction::WriteAt {
        target: scene.target(),
        offset: scene.dice.maybe(60, pool::size),
        bytes: pool::bytes(scene.dice),
    }
}

fn append(scene: &mut Scene<'_>) -> FileAction {
    let target = scene.target();
    if let Target::Path(path) = &target {
        scene.state.note(&scene.place, path);
    }
    FileAction::Append {
        target,
        bytes: pool::bytes(scene.dice),
    }
}

fn read(scene: &mut Scene<'_>) -> FileAction {
    FileAction::Read {
        target: scene.target(),
        offset: scene.dice.maybe(30, pool::size),
        length: scene.dice.maybe(30, pool::size),
    }
}

fn truncate(scene: &mut Scene<'_>) -> FileAction {
    FileAction::Truncate {
        target: scene.target(),
        size: pool::size(scene.dice),
    }
}

fn allocate(scene: &mut Scene<'_>) -> FileAction {
    let modes = [
        AllocateMode::Grow,
        AllocateMode::KeepSize,
        AllocateMode::PunchHole,
        AllocateMode::Zero,
    ];
    FileAction::Allocate {
        target: scene.target(),
        offset: pool::size(scene.dice),
        length: pool::size(scene.dice),
        mode: scene
            .dice
            .pick(&modes)
            .copied()
            .unwrap_or(AllocateMode::Grow),
    }
}

fn seek_data(scene: &mut Scene<'_>) -> FileAction {
    FileAction::SeekData {
        target: scene.target(),
        offset: pool::size(scene.dice),
    }
}

fn seek_hole(scene: &mut Scene<'_>) -> FileAction {
    FileAction::SeekHole {
        target: scene.target(),
        offset: pool::size(scene.dice),
    }
}

fn mkdir(scene: &mut Scene<'_>) -> FileAction {
    let path = scene.new_path();
    let place = scene.place.clone();
    scene.state.note_directory(&place, &path);
    FileAction::Mkdir {
        path,
        mode: scene.dice.maybe(30, pool::mode),
        parents: scene.dice.chance(30),
    }
}

fn rmdir(scene: &mut Scene<'_>) -> FileAction {
    scene.state.note_removal(&scene.place);
    FileAction::Rmdir { path: scene.path() }
}

fn delete(scene: &mut Scene<'_>) -> FileAction {
    scene.state.note_removal(&scene.place);
    let path = scene.path();
    FileAction::Delete {
        recursive: scene.dice.chance(40) && !pool::is_top(&path),
        path,
    }
}

fn rename(scene: &mut Scene<'_>) -> FileAction {
    scene.state.note_removal(&scene.place);
    scene.state.note_made(&scene.place);
    let flags = scene.state.has(Capability::RenameFlags);
    let mode = match scene.dice.below(20) {
        0..3 if flags => RenameMode::Exchange,
        3..5 if flags => RenameMode::NoReplace,
        5 if flags => RenameMode::Whiteout,
        _ => RenameMode::Replace,
    };
    FileAction::Rename {
        from: scene.path(),
        to: scene.new_path(),
        mode,
    }
}

fn link(scene: &mut Scene<'_>) -> FileAction {
    if !scene.state.has(Capability::HardLinks) {
        return read(scene);
    }
    FileAction::Link {
        from: scene.path(),
        to: scene.new_path(),
    }
}

fn symlink(scene: &mut Scene<'_>) -> FileAction {
    let path = scene.new_path();
    FileAction::Symlink {
        target: if scene.dice.chance(3) {
            String::new()
        } else {
            pool::link_text(&path, scene.dice)
        },
        path,
    }
}

fn readlink(scene: &mut Scene<'_>) -> FileAction {
    FileAction::Readlink { path: scene.path() }
}

fn chmod(scene: &mut Scene<'_>) -> FileAction {
    FileAction::Chmod {
        target: scene.changed_target(),
        mode: pool::mode(scene.dice),
    }
}

fn chown(scene: &mut Scene<'_>) -> FileAction {
    let target = scene.changed_target();
    let (mut uid, gid) = (
        scene.dice.maybe(70, pool::id),
        scene.dice.maybe(60, pool::id),
    );
    if uid.is_none() && gid.is_none() {
        uid = Some(0);
    }
    FileAction::Chown {
        follow: follow(&target, scene.dice),
        target,
        uid,
        gid,
    }
}

/// A handle is not followed.
fn follow(target: &Target, dice: &mut Dice) -> bool {
    matches!(target, Target::Handle(_)) || dice.chance(75)
}

fn touch(scene: &mut Scene<'_>) -> FileAction {
    let target = scene.changed_target();
    FileAction::Touch {
        follow: follow(&target, scene.dice),
        target,
        atime: scene.dice.maybe(25, pool::time),
        mtime: scene.dice.maybe(50, pool::time),
    }
}

fn list(scene: &mut Scene<'_>) -> FileAction {
    FileAction::List {
        target: scene.target(),
    }
}

pub(super) fn stat(scene: &mut Scene<'_>) -> FileAction {
    let target = scene.target();
    FileAction::Stat {
        follow: follow(&target, scene.dice),
        target,
    }
}

fn access(scene: &mut Scene<'_>) -> FileAction {
    FileAction::Access {
        path: scene.path(),
        mode: AccessMode {
            read: scene.dice.chance(40),
            write: scene.dice.chance(40),
            execute: scene.dice.chance(30),
        },
    }
}

fn special(scene: &mut Scene<'_>, kind: NodeKind) -> FileAction {
    let mut node = Node::new(kind);
    node.mode = scene.dice.maybe(40, pool::mode);
    FileAction::Mknod {
        path: scene.new_path(),
        node,
    }
}

fn mknod(scene: &mut Scene<'_>) -> FileAction {
    if !scene.state.has(Capability::Devices) {
        return mkdir(scene);
    }
    let kind = pool::device(scene.dice);
    debug_assert!(matches!(
        kind,
        NodeKind::Device {
            kind: DeviceKind::Char | DeviceKind::Block,
            ..
        }
    ));
    special(scene, kind)
}

fn mkfifo(scene: &mut Scene<'_>) -> FileAction {
    if !scene.state.has(Capability::Fifos) {
        return mkdir(scene);
    }
    special(scene, NodeKind::Fifo)
}

fn mksock(scene: &mut Scene<'_>) -> FileAction {
    if !scene.state.has(Capability::Fifos) {
        return mkdir(scene);
    }
    special(scene, NodeKind::Socket)
}

fn sync(scene: &mut Scene<'_>) -> FileAction {
    FileAction::Sync {
        target: scene.target(),
    }
}
