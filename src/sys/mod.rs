//! System calls that `rustix` offers as unsafe only. The only place that may lift the ban on `unsafe`.

mod namespaces;

pub use namespaces::{NameSpace, enter_own};
