//! System calls that `rustix` offers as unsafe only or not at all, or that want to be made again. The only place that may lift
//! the ban on `unsafe`.

mod fork;
mod handles;
mod locks;
mod namespaces;
mod scoped;

pub use fork::fork_sibling;
pub use handles::{FileHandle, file_system_uuid, handle_of, open_handle};
pub use locks::{RecordLock, lock_record};
pub use namespaces::{NameSpace, enter_own};
pub use scoped::open_scoped;
