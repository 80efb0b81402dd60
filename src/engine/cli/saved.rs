//! An image out of an archive that somebody gave.
//!
//! The archive itself reaches no daemon: it may hold other images and other names, `debian:latest` for one, and what
//! `load` does with those is not for a scenario to say. Our own reader opens it, as for the embedded engine, and what
//! it refuses is refused. Layers are copied, plain, and handed on byte by byte once their digests are right, so that it
//! is the daemon that says what a layer means; name, labels and configuration are ours.

use std::fs::File;
use std::io::{self, Seek as _};
use std::path::Path;
use std::sync::Arc;

use super::engine::{Cli, Fault, Image, Result};
use super::images::Origin;
use super::layers::{Directory, Layer, Paths};
use super::packed::Packed;
use crate::engine::{ArchiveFile, Bytes, ImageConfig, Kind, Refusal, Storage, escape};
use crate::store::archive::{
    Archive, ArchiveError, ArchiveFault, Limits, Listed, Listing, open_below,
};

/// What an archive holds.
#[derive(Debug, Default)]
struct Saved {
    /// Bottom first, each with what is in it.
    layers: Vec<(Packed, Paths)>,
    config: ImageConfig,
}

impl Cli {
    /// The image of an archive, as one that has this name; and its layers to be loaded.
    pub(super) fn saved(
        &self,
        name: &str,
        file: &ArchiveFile,
    ) -> Result<(Image, Vec<Arc<Origin>>)> {
        let saved = read(file, &self.ground.scratch).map_err(|why| about(file, why))?;
        let mut image = Image {
            layers: Vec::new(),
            config: saved.config,
        };
        let mut origins = Vec::new();
        for (packed, paths) in saved.layers {
            let storage = Storage::Layer {
                image: name.to_owned(),
                number: image.layers.len() + 1,
            };
            image.layers.push(Arc::new(Layer { storage, paths }));
            origins.push(Arc::new(Origin::Saved(packed)));
        }
        Ok((image, origins))
    }
}

/// Why an archive was not read.
enum Unread {
    Archive(ArchiveError),
    /// This machine's disk, which has nothing to do with the engine's.
    Scratch(io::Error),
}

impl From<ArchiveError> for Unread {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

/// Reads an image, its layers into one nameless file of `scratch`.
fn read(file: &ArchiveFile, scratch: &Path) -> std::result::Result<Saved, Unread> {
    let opened = open_below(&file.folder, &file.path)?;
    let spool = || tempfile::tempfile_in(scratch);
    let mut archive = Archive::open_spooling(opened, Limits::default(), spool)?;
    let image = archive.image(file.tag.as_deref())?;
    let mut spool: File = spool().map_err(Unread::Scratch)?;
    let mut found = Vec::new();
    for (index, layer) in image.layers.iter().enumerate() {
        let start = spool.stream_position().map_err(Unread::Scratch)?;
        let copied = archive.copy(layer, &mut spool);
        let (length, listing) =
            copied.map_err(|error| error.within(format!("layer {}", index + 1)))?;
        found.push((start, length, layer.diff_id(), paths(listing)));
    }
    let spool = Arc::new(spool);
    let layers = found.into_iter().map(|(start, length, digest, paths)| {
        let packed = Packed::lying(Arc::clone(&spool), start, length, digest);
        (packed, paths)
    });
    Ok(Saved {
        layers: layers.collect(),
        config: ImageConfig {
            volumes: image.config.volumes,
            user: image.config.user,
            working_dir: image.config.working_dir,
        },
    })
}

/// What is wrong with an archive, in words that name it: those of the embedded engine.
fn about(file: &ArchiveFile, why: Unread) -> Fault {
    let error = match why {
        Unread::Archive(error) => error,
        Unread::Scratch(error) => return Fault::Broken(format!("scratch directory: {error}")),
    };
    let message = format!("archive {}: {error}", file.path);
    Fault::Refused(match error.fault {
        ArchiveFault::Disk(_) => return Fault::Broken(message),
        ArchiveFault::Absent(_) => Refusal::kind(Kind::NoSuchPath, message),
        _ => Refusal::kind(Kind::Other, message),
    })
}

fn paths(listing: Listing) -> Paths {
    let what = |listed| match listed {
        Listed::File => None,
        Listed::Directory {
            mode,
            uid,
            gid,
            xattrs,
        } => {
            let named = xattrs.into_iter().filter_map(|(name, value)| {
                let name = String::from_utf8(name).ok()?;
                Some((name, Bytes(value)))
            });
            Some(Directory {
                mode,
                uid,
                gid,
                xattrs: named.collect(),
            })
        }
    };
    let listing = listing.into_iter();
    listing
        .map(|(path, listed)| (escape(&path), what(listed)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::archive;
    use super::super::layers::Layers;
    use super::*;
    use crate::engine::{Code, Content, Entry, Node, NodeKind, Tree};

    fn tree(entries: &[(&str, NodeKind)]) -> Tree {
        let entry = |(path, kind): &(&str, NodeKind)| Entry {
            path: (*path).to_owned(),
            node: Node::new(kind.clone()),
        };
        Tree(entries.iter().map(entry).collect())
    }

    fn layer(entries: &[(&str, NodeKind)]) -> Packed {
        Packed::made(archive::layer(&tree(entries), &Layers::new()).unwrap())
    }

    fn text() -> NodeKind {
        NodeKind::File(Content::Bytes("x".into()))
    }

    /// Writes an archive as somebody else would, and reads it.
    fn read_again(
        layers: &[Packed],
        change: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> std::result::Result<Saved, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        let image = archive::Image {
            reference: "debian:latest",
            config: json!({"User": "7", "Volumes": {"/v": {}}, "Entrypoint": ["/bin/evil"],
                "Labels": {"layerspec.run": "another"}}),
            layers,
        };
        image.write(&mut bytes).unwrap();
        std::fs::write(folder.path().join("a.tar"), change(bytes)).unwrap();
        let file = ArchiveFile {
            folder: folder.path().to_owned(),
            path: "a.tar".to_owned(),
            tag: None,
        };
        read(&file, folder.path()).map_err(|why| about(&file, why))
    }

    fn refusal(saved: std::result::Result<Saved, Fault>) -> (Kind, String) {
        match saved {
            Err(Fault::Refused(Refusal {
                code: Code::Kind(kind),
                message,
            })) => (kind, message),
            other => panic!("{other:?}"),
        }
    }

    /// The documents of an archive that is for a daemon.
    fn documents(bytes: &[u8]) -> (Value, Value) {
        let mut archive = tar::Archive::new(bytes);
        let mut documents: Vec<Value> = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            if path.extension().is_some_and(|ending| ending == "json") {
                documents.push(serde_json::from_reader(entry).unwrap());
            }
        }
        let manifest = documents.pop().unwrap();
        (manifest, documents.pop().unwrap())
    }

    #[test]
    fn layers_are_handed_on_and_nothing_else_is() {
        let layers = [
            layer(&[("/d/low", text()), ("/gone", text())]),
            layer(&[("/gone", NodeKind::Whiteout), ("/d/top", text())]),
        ];
        let saved = read_again(&layers, |bytes| bytes).unwrap();
        assert_eq!(saved.config.user.as_deref(), Some("7"));
        assert_eq!(saved.config.volumes, ["/v"]);
        let mut packed = Vec::new();
        for ((copy, paths), before) in saved.layers.iter().zip(&layers) {
            let bytes = |layer: &Packed| {
                let mut bytes = Vec::new();
                io::copy(&mut layer.read(), &mut bytes).unwrap();
                bytes
            };
            assert_eq!(bytes(copy), bytes(before));
            assert_eq!(copy.digest, before.digest);
            assert!(paths.contains_key("/d"), "{paths:?}");
            packed.push(copy.clone());
        }
        assert!(!saved.layers[1].1.contains_key("/gone"), "a whiteout");
        let mut bytes = Vec::new();
        let image = archive::Image {
            reference: "localhost/layerspec-r-1/app:latest",
            config: json!({"Labels": {"layerspec.run": "r"}}),
            layers: &packed,
        };
        image.write(&mut bytes).unwrap();
        let (manifest, config) = documents(&bytes);
        assert_eq!(manifest.as_array().unwrap().len(), 1);
        let tags = manifest.pointer("/0/RepoTags").unwrap();
        assert_eq!(*tags, json!(["localhost/layerspec-r-1/app:latest"]));
        assert_eq!(
            config.pointer("/config").unwrap(),
            &json!({"Labels": {"layerspec.run": "r"}})
        );
        let said = String::from_utf8_lossy(&bytes);
        assert!(!said.contains("debian") && !said.contains("evil"));
    }

    /// A layer of empty files; a name with `->` is a symlink.
    fn raw(names: &[&str]) -> Packed {
        let mut builder = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_mode(0o644);
            let (name, target) = name.split_once("->").unwrap_or((name, ""));
            if target.is_empty() {
                builder.append_data(&mut header, name, io::empty()).unwrap();
            } else {
                header.set_entry_type(tar::EntryType::Symlink);
                builder.append_link(&mut header, name, target).unwrap();
            }
        }
        Packed::made(builder.into_inner().unwrap())
    }

    #[test]
    fn what_our_reader_refuses_reaches_no_daemon() {
        for (names, words) in [
            (&["b", "b"][..], "entry `b`: its path comes a second time"),
            (&["s->/etc", "s/x"], "it lies below `s`, a symbolic link"),
            (&[".wh.a/b"], "it lies below a whiteout"),
        ] {
            let saved = read_again(&[raw(&["fine"]), raw(names)], |bytes| bytes);
            let (kind, message) = refusal(saved);
            assert_eq!(kind, Kind::Other);
            let place = "archive a.tar: layer 2: ";
            assert!(message.starts_with(place), "{message}");
            assert!(message.ends_with(words), "{message}");
        }
        let changed = read_again(&[raw(&["usual"])], |bytes| {
            let at = bytes.windows(5).position(|part| part == b"usual").unwrap();
            let mut bytes = bytes;
            bytes[at..at + 5].copy_from_slice(b"other");
            bytes
        });
        let (_, message) = refusal(changed);
        assert!(message.contains("its digest is"), "{message}");
        let (_, message) = refusal(read_again(&[], |_| b"no archive".to_vec()));
        assert!(message.starts_with("archive a.tar: "), "{message}");
    }

    #[test]
    fn an_archive_lies_below_its_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("inner");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(outer.path().join("a.tar"), b"x").unwrap();
        std::os::unix::fs::symlink("../a.tar", folder.join("link.tar")).unwrap();
        for (path, words) in [
            ("../a.tar", "it leads out of its folder"),
            ("link.tar", "it leads out of its folder"),
            ("none.tar", "no such file or directory"),
        ] {
            let file = ArchiveFile {
                folder: folder.clone(),
                path: path.to_owned(),
                tag: None,
            };
            let refused = read(&file, outer.path()).map_err(|why| about(&file, why));
            let expected = (Kind::NoSuchPath, format!("archive {path}: {words}"));
            assert_eq!(refusal(refused), expected);
        }
    }
}
