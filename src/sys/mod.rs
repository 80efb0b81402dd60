//! System calls that `rustix` offers as unsafe only, or that want to be made again. The only place that may lift
//! the ban on `unsafe`.

mod namespaces;
mod scoped;

pub use namespaces::{NameSpace, enter_own};
pub use scoped::open_scoped;
