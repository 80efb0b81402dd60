//! Names of trials and of the test program.

use std::ffi::OsStr;
use std::path::Path;

/// The trial that fails when a scenario file is at fault.
pub(super) const LOAD: &str = "layerspec::load";
/// The trial that fails when a snapshot belongs to no case.
pub(super) const ORPHANS: &str = "layerspec::orphans";
/// The trial that fails when an engine that was asked for cannot be used.
pub(super) const ENGINES: &str = "layerspec::engines";

/// The stem of the scenario file whose case a trial is: its name less parameters and engine. `None`
/// when the name is no case's.
pub(super) fn stem_of(name: &str) -> Option<&str> {
    let stem = name
        .split(['[', '@'])
        .next()
        .filter(|stem| !stem.is_empty())?;
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    (!name.contains("::") && stem.split('/').all(plain)).then_some(stem)
}

/// The name of the test target, from the path of its program: cargo adds a dash and sixteen
/// hexadecimal digits.
pub(super) fn target_name(program: &OsStr) -> String {
    let name = Path::new(program)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "scenarios".to_owned());
    match name.rsplit_once('-') {
        Some((target, hash)) if hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()) => {
            target.to_owned()
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_names_less_parameters_and_engine() {
        for (name, stem) in [
            ("volumes/x", Some("volumes/x")),
            ("volumes/x[a=b,c=d/e]@docker", Some("volumes/x")),
            ("volumes/x@overlayfs", Some("volumes/x")),
            ("layerspec::load", None),
            ("/etc/passwd", None),
            ("a/../b", None),
            ("", None),
        ] {
            assert_eq!(stem_of(name), stem, "{name}");
        }
    }

    #[test]
    fn targets_are_programs_less_their_hash() {
        for (program, target) in [
            ("/t/debug/deps/scenarios-0123456789abcdef", "scenarios"),
            ("/t/my-tests-0123456789abcdef", "my-tests"),
            ("my-tests", "my-tests"),
            ("", "scenarios"),
        ] {
            assert_eq!(target_name(OsStr::new(program)), target, "{program}");
        }
    }
}
