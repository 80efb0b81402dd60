//! Differential runs: random worlds and operations in the language, performed on several engines that ought to agree.
//!
//! | file | what it holds |
//! |---|---|
//! | `dice` | random choices, from a seed |
//! | `generate/` | scenarios at random |
//! | `fuzzer` | one case on every engine; making it small |
//! | `difference` | what two engines showed, held against each other |
//! | `shrink/` | smaller scenarios |
//! | `found` | a small scenario, with what the reference answers as its expectations |
//! | `reach` | how often each operation and form was reached |

mod dice;
mod difference;
mod found;
mod fuzzer;
mod generate;
mod reach;
mod shrink;
#[cfg(test)]
mod tests;

pub use dice::case_seed;
pub use difference::Difference;
pub use fuzzer::{Found, Fuzzer, Shown};
pub use reach::{Count, Reach};
#[cfg(test)]
pub(crate) use tests::sample;
