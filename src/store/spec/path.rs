//! Paths as text.

/// The shortest equivalent of a path without looking at a disk, as Go's `path.Clean`: no doubled slash, no `.`,
/// no `..` but leading ones of a relative path. An empty path is `.`.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.last().is_some_and(|last| *last != "..") {
                    parts.pop();
                } else if !rooted {
                    parts.push(part);
                }
            }
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// [`clean`], made absolute as seen from `/`.
pub fn absolute(path: &str) -> String {
    clean(&format!("/{path}"))
}

/// Whether a relative path stays below where it starts, as Go's `filepath.IsLocal`.
pub fn is_local(path: &str) -> bool {
    let cleaned = clean(path);
    !path.is_empty() && !path.starts_with('/') && cleaned != ".." && !cleaned.starts_with("../")
}

/// How deep a path is: mounts are made parents first. `/` is 0.
pub fn depth(path: &str) -> usize {
    path.split('/').filter(|part| !part.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        for (path, cleaned, local) in [
            ("/", "/", false),
            ("/./", "/", false),
            ("//a//b/", "/a/b", false),
            ("/a/../../b", "/b", false),
            ("/..", "/", false),
            ("a/./b/..", "a", true),
            ("..", "..", false),
            ("../../a", "../../a", false),
            ("a/../..", "..", false),
            ("", ".", false),
            (".", ".", true),
            ("..a/b", "..a/b", true),
        ] {
            assert_eq!(
                (clean(path).as_str(), is_local(path)),
                (cleaned, local),
                "{path}"
            );
        }
        assert_eq!(absolute("rel/../x/"), "/x");
        assert_eq!((depth("/"), depth("/a//b/")), (0, 2));
    }
}
