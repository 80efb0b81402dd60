//! The operations of steps, in one table: name, what it answers, decoder.

use super::super::decoder::Decoder;
use super::super::source::Node;
use super::files::{self, Files};
use super::objects;
use crate::engine::{FileAction, Operation};

/// What an operation answers, as far as expectations go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Nothing but done or refused.
    Nothing,
    /// Bytes.
    Bytes,
    /// A text.
    Text,
    /// A number.
    Number,
    /// Names.
    Names,
    /// Attributes of a file.
    Attributes,
    /// The lines of `diff`.
    Changes,
    /// A container.
    Container,
    /// Volumes.
    Volumes,
    /// A volume.
    Volume,
}

impl Answers {
    /// The expectations that fit.
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Bytes => &["text", "base64", "sha256", "size"],
            Self::Text => &["text"],
            Self::Number => &["number"],
            Self::Names => &["names", "includes", "excludes"],
            Self::Attributes => &[
                "type",
                "mode",
                "owner",
                "size",
                "links",
                "device",
                "mtime",
                "atime",
                "blocks_max",
                "same_file_as",
            ],
            Self::Changes => &["changes"],
            Self::Container => &["state", "exit_code", "mounts"],
            Self::Volumes => &["volumes"],
            Self::Volume => &["labels", "used_by"],
        }
    }
}

/// How the value of an operation's key is decoded.
#[derive(Clone, Copy)]
pub(crate) enum Decode {
    /// Something about objects.
    Object(fn(&Node, &mut Decoder<'_>) -> Option<Operation>),
    /// The same, where the key may also stand alone.
    ObjectAlone(fn(&Node, &mut Decoder<'_>) -> Option<Operation>),
    /// Something that a process does to its disk.
    Files(fn(&Node, Files<'_>, &mut Decoder<'_>) -> Option<Vec<FileAction>>),
    /// Something that takes nothing.
    World(fn() -> Operation),
    /// Branches side by side.
    Concurrently,
}

/// One operation.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// The key.
    pub(crate) name: &'static str,
    /// What it answers.
    pub(crate) answers: Answers,
    /// Its decoder.
    pub(crate) decode: Decode,
}

impl Row {
    /// Whether it is something that a process does.
    pub(crate) fn is_file_operation(&self) -> bool {
        matches!(self.decode, Decode::Files(_))
    }
}

/// Finds an operation.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    OPERATIONS.iter().find(|row| row.name == name)
}

macro_rules! operations {
    ($($name:literal $answers:ident $form:ident($decode:expr))+) => {
        /// Every operation.
        pub(crate) const OPERATIONS: &[Row] = &[
            $(Row { name: $name, answers: Answers::$answers, decode: Decode::$form($decode) },)+
            Row { name: "concurrently", answers: Answers::Nothing, decode: Decode::Concurrently },
        ];
    };
}

operations! {
    "create" Nothing Object(objects::create)
    "run" Nothing Object(objects::run)
    "start" Nothing Object(objects::start)
    "stop" Nothing Object(objects::stop)
    "kill" Nothing Object(objects::kill)
    "restart" Nothing Object(objects::restart)
    "pause" Nothing Object(objects::pause)
    "unpause" Nothing Object(objects::unpause)
    "rm" Nothing Object(objects::remove)
    "container prune" Nothing World(|| Operation::ContainerPrune)
    "inspect" Container Object(objects::inspect)
    "diff" Changes Object(objects::diff)
    "commit" Nothing Object(objects::commit)
    "cp" Nothing Object(objects::copy)
    "export" Nothing Object(objects::export)
    "import" Nothing Object(objects::import)
    "image rm" Nothing Object(objects::image_remove)
    "image tag" Nothing Object(objects::image_tag)
    "volume create" Text ObjectAlone(objects::volume_create)
    "volume rm" Nothing Object(objects::volume_remove)
    "volume inspect" Volume Object(objects::volume_inspect)
    "volume ls" Volumes ObjectAlone(objects::volume_list)
    "volume prune" Volumes ObjectAlone(objects::volume_prune)
    "write" Nothing Files(files::write)
    "append" Nothing Files(files::append)
    "read" Bytes Files(files::read)
    "truncate" Nothing Files(files::truncate)
    "allocate" Nothing Files(files::allocate)
    "seek data" Number Files(files::seek_data)
    "seek hole" Number Files(files::seek_hole)
    "mkdir" Nothing Files(files::mkdir)
    "rmdir" Nothing Files(files::rmdir)
    "delete" Nothing Files(files::delete)
    "rename" Nothing Files(files::rename)
    "link" Nothing Files(files::link)
    "symlink" Nothing Files(files::symlink)
    "readlink" Text Files(files::readlink)
    "chmod" Nothing Files(files::chmod)
    "chown" Nothing Files(files::chown)
    "touch" Nothing Files(files::touch)
    "setxattr" Nothing Files(files::setxattr)
    "getxattr" Bytes Files(files::getxattr)
    "removexattr" Nothing Files(files::removexattr)
    "listxattr" Names Files(files::listxattr)
    "list" Names Files(files::list)
    "stat" Attributes Files(files::stat)
    "access" Nothing Files(files::access)
    "mknod" Nothing Files(files::mknod)
    "mkfifo" Nothing Files(files::mkfifo)
    "mksock" Nothing Files(files::mksock)
    "open" Nothing Files(files::open)
    "close" Nothing Files(files::close)
    "lock" Nothing Files(files::lock)
    "sync" Nothing Files(files::sync)
    "crash" Nothing World(|| Operation::Crash)
    "restart engine" Nothing World(|| Operation::RestartEngine)
    "fill disk" Nothing World(|| Operation::FillDisk)
    "free disk" Nothing World(|| Operation::FreeDisk)
}
