//! Where `cp` and `export` put things: the ledger wants to know, and the command lines do not say. So it is
//! found out beforehand, by the rules of `cp` (Docker rows 178 to 184).

use std::fs;
use std::path::{Path, PathBuf};

use super::engine::Cli;
use super::flavor::Flavor;
use super::mirror::Mirror;
use super::names::{below, clean, joined, seen};
use super::transfer::There;
use crate::agent::wire::{Ask, Given};
use crate::engine::{CopyEnd, FileAnswer, Place, Storage, Value};

/// Most symlinks that a destination may lead through.
const LINKS_MAX: usize = 40;

/// A place: a storage and a path in it.
pub(super) type Lying = (Storage, String);

/// Where a copy goes.
pub(super) enum Destination {
    Host(Option<Lying>),
    Container { container: String, path: String },
}

impl Cli {
    /// Where the top of a copy will lie, as far as that can be told before.
    pub(super) fn destination(&self, mirror: &Mirror, from: &CopyEnd, to: &CopyEnd) -> Destination {
        let source = match from {
            CopyEnd::Container { path, .. } | CopyEnd::Host(path) => path,
        };
        match to {
            CopyEnd::Host(path) => Destination::Host(host_place(mirror, path, base(source))),
            CopyEnd::Container { container, path } => Destination::Container {
                container: container.clone(),
                path: self.settle(container, &clean(path), base(source)),
            },
        }
    }

    /// Where the top of a copy lies, after it was made.
    pub(super) fn arrived(&self, at: Destination) -> Option<Lying> {
        let (container, mut path) = match at {
            Destination::Host(place) => return place,
            Destination::Container { container, path } => (container, path),
        };
        let place = Place::Container(container.clone());
        // Podman does not show the symlinks that it follows.
        if self.ground.about.flavor == Flavor::Podman || self.link_to(&place).is_some() {
            let real = self.ask(&place, Ask::Real { path: path.clone() });
            if let Ok(Given::Path(Some(real))) = real {
                path = real;
            }
        }
        let writable = Storage::Writable {
            container: container.clone(),
        };
        let known = self.known(&container);
        self.lies(&container, &known, &seen(&path), |_| Some(writable))
    }

    /// The path itself, or below it when it is a directory.
    fn settle(&self, container: &str, path: &str, base: &str) -> String {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            match self
                .ground
                .there(&format!("{}:{path}", self.names.container(container)))
            {
                Some(There::Directory) => return clean(&format!("{path}/{base}")),
                Some(There::Link(text)) if text.starts_with('/') => path = clean(&text),
                Some(There::Link(text)) => path = clean(&format!("{path}/../{text}")),
                Some(There::Other) | None => break,
            }
        }
        path
    }
}

/// The place of a file of the host directory.
pub(super) fn host_place(mirror: &Mirror, path: &str, base: &str) -> Option<Lying> {
    let top = fs::canonicalize(mirror.top()).ok()?;
    let real = landing(mirror, path, base)?;
    let inner = below(real.to_str()?, top.to_str()?)?;
    Some((Storage::Host, seen(&joined("/", &clean(inner)))))
}

/// Where on this machine a copy lands that is called so when it goes into a directory; symlinks followed.
pub(super) fn landing(mirror: &Mirror, path: &str, base: &str) -> Option<PathBuf> {
    let named = mirror.path(path).ok()?;
    let named = Path::new(&named);
    match fs::canonicalize(named) {
        Ok(real) if real.is_dir() => Some(real.join(base)),
        Ok(real) => Some(real),
        Err(_) => Some(
            fs::canonicalize(named.parent()?)
                .ok()?
                .join(named.file_name()?),
        ),
    }
}

/// The answer to a copy or an export.
pub(super) fn placed(place: Option<Lying>) -> Value {
    Value::Files(vec![FileAnswer {
        result: Ok(Value::Nothing),
        changed: place.into_iter().collect(),
    }])
}

/// What a copy is called when it goes into a directory; nothing for a directory's content.
pub(super) fn base(path: &str) -> &str {
    if path == "." || path.ends_with("/.") {
        return "";
    }
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_called_as_their_sources_unless_only_content_is_meant() {
        for (path, expected) in [
            ("/a/b", "b"),
            ("/a/b/", "b"),
            ("b", "b"),
            ("/a/.", ""),
            (".", ""),
            ("/", ""),
        ] {
            assert_eq!(base(path), expected, "{path}");
        }
    }

    #[test]
    fn a_copy_on_the_host_goes_into_a_directory_and_over_anything_else() {
        let host = tempfile::tempdir().unwrap();
        fs::create_dir(host.path().join("out")).unwrap();
        fs::write(host.path().join("old"), "").unwrap();
        std::os::unix::fs::symlink("out", host.path().join("link")).unwrap();
        let mirror = Mirror::Here(host.path().to_path_buf());
        for (to, expected) in [
            ("./new", Some("/new")),
            ("./old", Some("/old")),
            ("./out", Some("/out/x")),
            ("./out/", Some("/out/x")),
            ("/link", Some("/out/x")),
            ("./out/y", Some("/out/y")),
            ("./no/y", None),
        ] {
            let place = host_place(&mirror, to, "x").map(|(_, path)| path);
            assert_eq!(place.as_deref(), expected, "{to}");
        }
    }
}
