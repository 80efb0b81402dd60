//! Every scenario of this repository, one trial a case.

use std::process::ExitCode;

fn main() -> ExitCode {
    layerspec::harness::main("scenarios", "snapshots")
}
