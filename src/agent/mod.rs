//! The agent: file operations by a real process inside a real container.
//!
//! An engine that runs real containers places the running executable in them ([`Payload`]) and starts it
//! again with [`VARIABLE`] set. Every `main` that uses this crate therefore calls [`dispatch`] first.
//!
//! | file | what it holds |
//! |---|---|
//! | `descriptors` | open files by a path, and from one process to another |
//! | `devices` | those that a contained process may open |
//! | `dispatch` | tells the agent's process from every other |
//! | `payload` | the executable and what it needs to be started where nothing else is |
//! | `wire` | calls and replies |
//! | `serve` | the loop: a thread a call |
//! | `zygote` | a process that becomes containers' processes |
//! | `contained` | entering a container: mounts, the root, capabilities |
//! | `user` | who acts: credentials of one thread |
//! | `files` | file requests by system calls |
//! | `walk` | everything in a tree |
//! | `plant` | a tree of files, made as the superuser |
//! | `beneath` | whether a path stays in a directory, and finding one that does |
//! | `attributes` | what `stat` and `listxattr` tell, in the contract's words |

mod attributes;
mod beneath;
mod contained;
mod descriptors;
mod devices;
mod dispatch;
mod files;
mod payload;
mod plant;
mod serve;
mod user;
mod walk;
pub mod wire;
mod zygote;

pub(crate) use beneath::{leads_out, parent_of};
pub(crate) use descriptors::link_to;
pub use dispatch::{Mode, VARIABLE, dispatch};
pub use payload::Payload;
pub(crate) use serve::answer_calls;
pub(crate) use zygote::fork;

/// Result of system calls.
type Result<T> = std::result::Result<T, rustix::io::Errno>;
