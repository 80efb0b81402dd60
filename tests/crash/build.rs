//! Operations in few words.

use std::path::Path;

use layerspec::engine::{
    ArchiveFile, CommitSpec, ContainerSpec, Content, Entry, FileAction, FileRequest, ImageConfig,
    ImageSpec, MountRequest, Node, NodeKind, Operation, Place, RenameMode, Target, Tree, VolumeRef,
    VolumeSpec, XattrMode,
};

pub(crate) fn text(content: &str) -> Node {
    Node::new(NodeKind::File(Content::Bytes(content.into())))
}

pub(crate) fn folder(mode: u32, owner: u32) -> Node {
    Node {
        mode: Some(mode),
        uid: Some(owner),
        gid: Some(owner),
        ..Node::new(NodeKind::Directory { opaque: false })
    }
}

pub(crate) fn tree<const N: usize>(entries: [(&str, Node); N]) -> Tree {
    let entry = |(path, node): (&str, Node)| Entry {
        path: path.to_owned(),
        node,
    };
    Tree(entries.into_iter().map(entry).collect())
}

pub(crate) fn image(name: &str, layers: Vec<Tree>) -> ImageSpec {
    ImageSpec {
        name: name.to_owned(),
        layers,
        ..ImageSpec::default()
    }
}

/// Loads an image on top of another one, with volumes of its own.
pub(crate) fn derived(name: &str, from: &str, layers: Vec<Tree>, volumes: &[&str]) -> Operation {
    Operation::LoadImage(ImageSpec {
        from: Some(from.to_owned()),
        config: ImageConfig {
            volumes: volumes.iter().map(|&path| path.to_owned()).collect(),
            ..ImageConfig::default()
        },
        ..image(name, layers)
    })
}

/// Loads an image of two layers from what `docker save` wrote.
pub(crate) fn archived(name: &str) -> Operation {
    let archive = ArchiveFile {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/layers/saved"),
        path: "app.tar".to_owned(),
        tag: None,
    };
    Operation::LoadImage(ImageSpec {
        archive: Some(Box::new(archive)),
        ..image(name, vec![])
    })
}

pub(crate) fn container(name: &str, image: &str, mounts: &[&str]) -> ContainerSpec {
    ContainerSpec {
        name: name.to_owned(),
        image: image.to_owned(),
        mounts: mounts
            .iter()
            .map(|&mount| MountRequest::Short(mount.to_owned()))
            .collect(),
        ..ContainerSpec::default()
    }
}

pub(crate) fn run(name: &str, image: &str, mounts: &[&str]) -> Operation {
    Operation::Run(container(name, image, mounts))
}

pub(crate) fn create(name: &str, image: &str, mounts: &[&str]) -> Operation {
    Operation::Create(container(name, image, mounts))
}

pub(crate) fn volume(name: &str) -> Operation {
    Operation::VolumeCreate(VolumeSpec {
        name: Some(name.to_owned()),
        ..VolumeSpec::default()
    })
}

pub(crate) fn commit(container: &str, image: &str) -> Operation {
    Operation::Commit(CommitSpec {
        container: container.to_owned(),
        image: image.to_owned(),
        ..CommitSpec::default()
    })
}

pub(crate) fn remove(container: &str, volumes: bool) -> Operation {
    Operation::Remove {
        container: container.to_owned(),
        force: true,
        volumes,
    }
}

pub(crate) fn named(volume: &str) -> VolumeRef {
    VolumeRef::Named(volume.to_owned())
}

/// One file operation in a container.
pub(crate) fn file(container: &str, action: FileAction) -> Operation {
    Operation::Files {
        place: Place::Container(container.to_owned()),
        user: None,
        requests: vec![FileRequest {
            action,
            stop_on_refusal: true,
        }],
    }
}

pub(crate) fn at(path: &str) -> Target {
    Target::Path(path.to_owned())
}

pub(crate) fn write(path: &str, content: &str) -> FileAction {
    FileAction::Write {
        path: path.to_owned(),
        node: text(content),
    }
}

pub(crate) fn append(path: &str, content: &str) -> FileAction {
    FileAction::Append {
        target: at(path),
        bytes: content.into(),
    }
}

pub(crate) fn rename(from: &str, to: &str, mode: RenameMode) -> FileAction {
    FileAction::Rename {
        from: from.to_owned(),
        to: to.to_owned(),
        mode,
    }
}

pub(crate) fn link(from: &str, to: &str) -> FileAction {
    FileAction::Link {
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

pub(crate) fn mkdir(path: &str) -> FileAction {
    FileAction::Mkdir {
        path: path.to_owned(),
        mode: None,
        parents: false,
    }
}

pub(crate) fn delete(path: &str) -> FileAction {
    FileAction::Delete {
        path: path.to_owned(),
        recursive: false,
    }
}

pub(crate) fn rmdir(path: &str) -> FileAction {
    FileAction::Rmdir {
        path: path.to_owned(),
    }
}

pub(crate) fn chmod(path: &str, mode: u32) -> FileAction {
    FileAction::Chmod {
        target: at(path),
        mode,
    }
}

pub(crate) fn chown(path: &str, owner: u32) -> FileAction {
    FileAction::Chown {
        target: at(path),
        uid: Some(owner),
        gid: Some(owner),
        follow: false,
    }
}

pub(crate) fn truncate(path: &str, size: u64) -> FileAction {
    FileAction::Truncate {
        target: at(path),
        size,
    }
}

pub(crate) fn set_xattr(path: &str, name: &str, value: &str) -> FileAction {
    FileAction::SetXattr {
        target: at(path),
        name: name.to_owned(),
        value: value.into(),
        mode: XattrMode::Any,
    }
}
