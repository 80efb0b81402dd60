//! Operations by their names in the language.

use crate::engine::{FileAction, NodeKind, Operation};

/// The name of an operation as a step has it; that of its first request when it is a process's. What is no step
/// (`LoadImage`, `Plant`) has none.
pub fn operation_name(operation: &Operation) -> &'static str {
    use Operation as O;
    match operation {
        O::LoadImage(_) | O::Plant(..) => "",
        O::Files { requests, .. } => requests
            .first()
            .map_or("", |request| action_name(&request.action)),
        O::Create(_) => "create",
        O::Run(_) => "run",
        O::Start(_) => "start",
        O::Stop(_) => "stop",
        O::Kill(_) => "kill",
        O::Restart(_) => "restart",
        O::Pause(_) => "pause",
        O::Unpause(_) => "unpause",
        O::Remove { .. } => "rm",
        O::ContainerPrune => "container prune",
        O::Inspect(_) => "inspect",
        O::Commit(_) => "commit",
        O::Diff(_) => "diff",
        O::Copy { .. } => "cp",
        O::Export { .. } => "export",
        O::Import { .. } => "import",
        O::ImageRemove { .. } => "image rm",
        O::ImageTag { .. } => "image tag",
        O::VolumeCreate(_) => "volume create",
        O::VolumeRemove { .. } => "volume rm",
        O::VolumePrune { .. } => "volume prune",
        O::VolumeList { .. } => "volume ls",
        O::VolumeInspect(_) => "volume inspect",
        O::Crash => "crash",
        O::RestartEngine => "restart engine",
        O::FillDisk => "fill disk",
        O::FreeDisk => "free disk",
    }
}

/// The name of a process's request as a step has it.
pub fn action_name(action: &FileAction) -> &'static str {
    use FileAction as A;
    match action {
        A::Write { .. } | A::WriteAt { .. } => "write",
        A::Append { .. } => "append",
        A::Read { .. } => "read",
        A::Truncate { .. } => "truncate",
        A::Allocate { .. } => "allocate",
        A::SeekData { .. } => "seek data",
        A::SeekHole { .. } => "seek hole",
        A::Mkdir { .. } => "mkdir",
        A::Rmdir { .. } => "rmdir",
        A::Delete { .. } => "delete",
        A::Rename { .. } => "rename",
        A::Link { .. } | A::LinkHandle { .. } => "link",
        A::Symlink { .. } => "symlink",
        A::Readlink { .. } => "readlink",
        A::Chmod { .. } => "chmod",
        A::Chown { .. } => "chown",
        A::Touch { .. } => "touch",
        A::SetXattr { .. } => "setxattr",
        A::GetXattr { .. } => "getxattr",
        A::ListXattr { .. } => "listxattr",
        A::RemoveXattr { .. } => "removexattr",
        A::List { .. } => "list",
        A::Stat { .. } => "stat",
        A::Access { .. } => "access",
        A::Mknod { node, .. } => match node.kind {
            NodeKind::Fifo => "mkfifo",
            NodeKind::Socket => "mksock",
            _ => "mknod",
        },
        A::Open { .. } => "open",
        A::Close { .. } => "close",
        A::Lock { .. } => "lock",
        A::Sync { .. } => "sync",
    }
}
