//! Which case and engine has which file.
//!
//! `volumes/reattach.yaml` has `volumes/reattach.snap`; a case has its parameters in the name:
//! `volumes/readonly[access=ro].snap`; an engine that the scenario's `differs:` names may have a
//! variant: `volumes/reattach@podman.snap`. A text that was not approved yet stands beside as
//! `.snap.new`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::outcome::sha256;
use crate::scenario::Scenario;

/// Longest name without its ending, in bytes; file systems take 255 in all.
const NAME_MAX: usize = 200;

/// The file of a case below the snapshot folder: the common one, or the variant of an engine.
pub fn snapshot_path(root: &Path, scenario: &Scenario, variant: Option<&str>) -> PathBuf {
    let mut path = root.to_path_buf();
    let mut components: Vec<&str> = scenario.stem.split('/').filter(|c| !c.is_empty()).collect();
    let last = components.pop().unwrap_or_default();
    path.extend(components.into_iter().map(escaped));
    path.push(format!("{}.snap", file_stem(last, &scenario.case, variant)));
    path
}

/// Where a text waits that was not approved yet.
pub fn pending_path(snapshot: &Path) -> PathBuf {
    let mut path = OsString::from(snapshot);
    path.push(".new");
    PathBuf::from(path)
}

fn file_stem(last: &str, case: &[(String, String)], variant: Option<&str>) -> String {
    let mut name = escaped(last);
    if !case.is_empty() {
        let parameters: Vec<String> = case
            .iter()
            .map(|(key, value)| format!("{}={}", escaped(key), escaped(value)))
            .collect();
        name = format!("{name}[{}]", parameters.join(","));
    }
    if name.len() > NAME_MAX {
        let digest = sha256(name.as_bytes());
        let cut = (0..=NAME_MAX - 17)
            .rev()
            .find(|at| name.is_char_boundary(*at))
            .unwrap_or(0);
        name.truncate(cut);
        name.push('~');
        name.extend(digest.chars().take(16));
    }
    match variant {
        Some(engine) => format!("{name}@{}", escaped(engine)),
        None => name,
    }
}

/// Characters that would make a name ambiguous, or that some file system does not take, as `%NN`.
fn escaped(text: &str) -> String {
    if matches!(text, "." | "..") {
        return text.replace('.', "%2E");
    }
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || r#"/\%@:*?"<>|"#.contains(character) {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                // Writing to a string cannot fail.
                write!(name, "%{byte:02X}").ok();
            }
        } else {
            name.push(character);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scenario;

    #[test]
    fn names() {
        let case = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        for (last, parameters, variant, name) in [
            ("reattach", &[][..], None, "reattach"),
            ("reattach", &[], Some("podman"), "reattach@podman"),
            (
                "a",
                &[("access", "ro"), ("at", "/data")],
                None,
                "a[access=ro,at=%2Fdata]",
            ),
            (
                "a",
                &[("user", "a@b")],
                Some("fuse:/x"),
                "a[user=a%40b]@fuse%3A%2Fx",
            ),
            ("a@b%", &[], None, "a%40b%25"),
        ] {
            assert_eq!(file_stem(last, &case(parameters), variant), name);
        }
    }

    #[test]
    fn no_stem_leads_out_of_the_folder() {
        let path = |stem: &str| {
            let scenario = Scenario {
                stem: stem.to_owned(),
                ..scenario(Vec::new())
            };
            snapshot_path(Path::new("snapshots"), &scenario, None)
        };
        for (stem, file) in [
            ("a/b", "snapshots/a/b.snap"),
            ("/etc/x", "snapshots/etc/x.snap"),
            ("../x", "snapshots/%2E%2E/x.snap"),
            ("a/..", "snapshots/a/%2E%2E.snap"),
        ] {
            assert_eq!(path(stem), Path::new(file));
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = |end: &str| file_stem(&format!("{}{end}", "é".repeat(150)), &[], None);
        assert!(long("a").len() <= NAME_MAX, "{}", long("a").len());
        assert_ne!(long("a"), long("b"));
    }
}
