//! Every scenario of this repository, one trial a case.
fn main() {}
