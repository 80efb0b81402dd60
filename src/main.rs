//! The `layerspec` command: settings in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    layerspec::agent::dispatch();
    layerspec::cli::main()
}
