//! All cases of some paths: found, loaded and checked, each with the folder of its snapshots and the
//! rules that it covers.
//!
//! | file | what it does |
//! |---|---|
//! | `load` | paths in, cases out, or every fault of every file |
//! | `root` | where the snapshots and the rule book of a scenario folder are |
//! | `filter` | choosing cases by their ids |

mod filter;
mod load;
mod root;

pub use filter::Filter;
pub use load::{Case, Covers, Suite};
pub use root::{Root, short};
