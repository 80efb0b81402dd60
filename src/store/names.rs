//! Names that users choose, and names that nobody chose.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::{Reason, Refusal};

/// Longest name of a volume in bytes: it was a directory's name in Docker (row 59).
const VOLUME_NAME_MAX: usize = 255;

/// What Docker's messages call the pattern of both kinds of name.
const PATTERN: &str = "[a-zA-Z0-9][a-zA-Z0-9_.-]";

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`: moby `daemon/names`, `RestrictedNamePattern`.
fn is_restricted(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Checks the name of a volume that is to be made: Docker rows 57 to 60.
///
/// # Errors
/// A refusal about a [`Reason::Name`].
pub fn check_volume(name: &str) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::new(Reason::Name, message));
    if name.len() == 1 {
        return refuse(format!(
            "create {name}: volume name is too short, names should be at least two alphanumeric characters"
        ));
    }
    if !is_restricted(name) {
        return refuse(format!(
            "create {name}: {name:?} includes invalid characters for a local volume name, only \
             \"{PATTERN}\" are allowed. If you intended to pass a host directory, use absolute path"
        ));
    }
    if name.len() > VOLUME_NAME_MAX {
        return refuse(format!(
            "create {name}: error while creating volume root path '{name}': mkdir {name}: file name too long"
        ));
    }
    Ok(())
}

/// Checks the name of a container that is to be made.
///
/// # Errors
/// A refusal about a [`Reason::Name`].
pub fn check_container(name: &str) -> Result<(), Refusal> {
    if is_restricted(name) {
        return Ok(());
    }
    let message = format!("Invalid container name ({name}), only {PATTERN} are allowed");
    Err(Refusal::new(Reason::Name, message))
}

/// An image's name as it is kept: `app:latest` is `app`.
pub fn image(name: &str) -> &str {
    name.strip_suffix(":latest").unwrap_or(name)
}

/// An image's name as messages show it: `app` is `app:latest`.
pub fn image_with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') || last.contains('@') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

/// 64 hexadecimal digits that nobody else has: identifiers, names of anonymous volumes. Random, from
/// the standard library's hash keys, so that asking for one costs no system call.
pub fn random() -> String {
    use std::fmt::Write as _;
    let mut name = String::with_capacity(64);
    for part in 0..4_u64 {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(part);
        // Writing to a string cannot fail.
        let _ = write!(name, "{:016x}", hasher.finish());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes() {
        let long = "x".repeat(256);
        for (name, expected) in [
            ("ab", ""),
            ("A.b-c_1", ""),
            ("a", "volume name is too short"),
            ("_x", "includes invalid characters"),
            (".hid", "includes invalid characters"),
            ("a b", "includes invalid characters"),
            ("x/y", "includes invalid characters"),
            ("../x", "includes invalid characters"),
            ("x:y", "includes invalid characters"),
            ("xé", "includes invalid characters"),
            ("", "includes invalid characters"),
            (long.as_str(), "file name too long"),
        ] {
            let said = check_volume(name)
                .err()
                .map_or(String::new(), |r| r.message);
            assert!(
                said.contains(expected) && expected.is_empty() == said.is_empty(),
                "{name}: {said}"
            );
        }
    }

    #[test]
    fn containers() {
        for (name, fine) in [
            ("db", true),
            ("x", false),
            ("_x", false),
            ("a/b", false),
            ("", false),
        ] {
            assert_eq!(check_container(name).is_ok(), fine, "{name}");
        }
    }

    #[test]
    fn images() {
        for (name, kept, shown) in [
            ("app", "app", "app:latest"),
            ("app:latest", "app", "app:latest"),
            ("app:2", "app:2", "app:2"),
            ("host:5000/app", "host:5000/app", "host:5000/app:latest"),
        ] {
            assert_eq!((image(name), image_with_tag(name).as_str()), (kept, shown));
        }
    }

    #[test]
    fn random_names_differ_and_are_64_hexadecimal_digits() {
        let (one, two) = (random(), random());
        assert_ne!(one, two);
        assert_eq!(one.len(), 64);
        assert!(one.chars().all(|c| c.is_ascii_hexdigit()));
    }
}
