//! An image as an archive that `load` takes: what `docker save` writes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::layers::{Directory, Layers, implied};
use super::names::seen;
use super::packed::{Packed, digest};
use crate::engine::{Bytes, Content, DeviceKind, Entry, Node, NodeKind, Time, Tree};
use crate::store::archive::append_symlink;

/// Prefix of the name of a deleted file, and the name that makes a directory opaque (OCI image
/// specification, layer.md).
const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// Prefix of an extended attribute in a PAX header.
const PAX_XATTR: &str = "SCHILY.xattr.";

/// An archive with one image.
pub(super) struct Image<'a> {
    /// Name with tag.
    pub(super) reference: &'a str,
    /// Its `config` object: `Volumes`, `User`, `WorkingDir`, `Labels`.
    pub(super) config: Value,
    /// Bottom first.
    pub(super) layers: &'a [Packed],
}

impl Image<'_> {
    /// Writes the archive.
    pub(super) fn write(&self, to: impl Write) -> io::Result<()> {
        let digests: Vec<&str> = self
            .layers
            .iter()
            .map(|layer| layer.digest.as_str())
            .collect();
        let config = json!({
            "architecture": architecture(),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": self.config,
            "rootfs": {
                "type": "layers",
                "diff_ids": digests.iter().map(|hex| format!("sha256:{hex}")).collect::<Vec<_>>(),
            },
            "history": digests.iter().map(|_| json!({"created_by": "layerspec"})).collect::<Vec<_>>(),
        });
        let config = serde_json::to_vec(&config)?;
        let config_name = format!("{}.json", digest(&config));
        let names: Vec<String> = digests
            .iter()
            .enumerate()
            .map(|(number, hex)| format!("{number}-{hex}/layer.tar"))
            .collect();
        let manifest =
            json!([{"Config": config_name, "RepoTags": [self.reference], "Layers": names}]);
        let mut archive = Builder::new(to);
        file(&mut archive, &config_name, &config)?;
        for (name, layer) in names.iter().zip(self.layers) {
            let mut header = header_of(layer.length);
            archive.append_data(&mut header, name, layer.read())?;
        }
        file(
            &mut archive,
            "manifest.json",
            &serde_json::to_vec(&manifest)?,
        )?;
        archive.into_inner()?.flush()
    }
}

/// Go's name of this machine's architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "riscv64" => "riscv64",
        other => other,
    }
}

fn file(archive: &mut Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header_of(bytes.len() as u64), name, bytes)
}

/// The header of a plain file of so many bytes.
fn header_of(length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(length);
    header
}

/// A declared layer as a tar archive; of the kind [`Unsupported`](io::ErrorKind::Unsupported) is the error of one that
/// no archive can hold. Every parent that it implies is in it, with the attributes that the
/// layers below have there: an engine would else make it 0755.
pub(super) fn layer(tree: &Tree, below: &Layers) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let mut written = BTreeSet::new();
    let declared = |path: &str| {
        tree.0.iter().any(|entry| {
            entry.path == path && matches!(entry.node.kind, NodeKind::Directory { .. })
        })
    };
    let (links, others): (Vec<_>, Vec<_>) = tree
        .0
        .iter()
        .partition(|entry| matches!(entry.node.kind, NodeKind::Hardlink { .. }));
    if below.is_empty() && !declared("/") {
        // Podman takes a root that no layer names for 0555.
        directory(&mut archive, "/", &implied(below, "/"), None)?;
    }
    for entry in others.into_iter().chain(links) {
        for (at, _) in entry.path.match_indices('/').skip(1) {
            let parent = entry.path.get(..at).unwrap_or_default();
            if !declared(parent) && written.insert(parent.to_owned()) {
                directory(&mut archive, parent, &implied(below, &seen(parent)), None)?;
            }
        }
        let named = match &entry.node.kind {
            NodeKind::Hardlink { to } => tree.0.iter().find(|other| other.path == *to),
            _ => None,
        };
        // What a link says of its file is believed, owner and time too.
        let attributes = named.map_or(&entry.node, |named| &named.node);
        self::entry(&mut archive, entry, attributes)?;
    }
    archive.into_inner()
}

fn entry(archive: &mut Builder<Vec<u8>>, entry: &Entry, node: &Node) -> io::Result<()> {
    let name = entry.path.trim_start_matches('/');
    if let NodeKind::Directory { opaque } = entry.node.kind {
        let attributes = Directory {
            mode: node.mode.unwrap_or(0o755),
            uid: node.uid.unwrap_or(0),
            gid: node.gid.unwrap_or(0),
            xattrs: node.xattrs.clone(),
        };
        directory(archive, &entry.path, &attributes, node.mtime)?;
        if opaque {
            let mark = if name.is_empty() {
                OPAQUE.to_owned()
            } else {
                format!("{name}/{OPAQUE}")
            };
            file(archive, &mark, b"")?;
        }
        return Ok(());
    }
    let mut header = Header::new_gnu();
    header.set_mode(node.mode.unwrap_or(0o644));
    header.set_uid(node.uid.unwrap_or(0).into());
    header.set_gid(node.gid.unwrap_or(0).into());
    header.set_size(0);
    extended(archive, &mut header, &node.xattrs, node.mtime)?;
    match &entry.node.kind {
        NodeKind::File(content) => {
            header.set_entry_type(EntryType::Regular);
            let bytes = bytes_of(content);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes.as_slice())
        }
        NodeKind::Symlink { target } => {
            header.set_mode(0o777);
            append_symlink(archive, &mut header, name.as_ref(), target.as_bytes())
        }
        NodeKind::Hardlink { to } => {
            header.set_entry_type(EntryType::Link);
            archive.append_link(&mut header, name, to.trim_start_matches('/'))
        }
        NodeKind::Fifo => {
            header.set_entry_type(EntryType::Fifo);
            archive.append_data(&mut header, name, io::empty())
        }
        NodeKind::Device { kind, major, minor } => {
            header.set_entry_type(match kind {
                DeviceKind::Char => EntryType::Char,
                DeviceKind::Block => EntryType::Block,
            });
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            archive.append_data(&mut header, name, io::empty())
        }
        NodeKind::Whiteout => {
            let (parent, last) = name.rsplit_once('/').map_or(("", name), |(p, l)| (p, l));
            let slash = if parent.is_empty() { "" } else { "/" };
            file(archive, &format!("{parent}{slash}{WHITEOUT}{last}"), b"")
        }
        NodeKind::Socket | NodeKind::Directory { .. } => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("{}: a layer's archive cannot hold a socket", entry.path),
        )),
    }
}

fn directory(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    attributes: &Directory,
    mtime: Option<Time>,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_mode(attributes.mode);
    header.set_uid(attributes.uid.into());
    header.set_gid(attributes.gid.into());
    header.set_size(0);
    extended(archive, &mut header, &attributes.xattrs, mtime)?;
    let name = path.trim_start_matches('/');
    if name.is_empty() {
        // By this name alone do Docker and Podman take the top for what it is; as a path the crate does not write it.
        header.as_old_mut().name = std::array::from_fn(|at| if at == 0 { b'/' } else { 0 });
        header.set_cksum();
        return archive.append(&header, io::empty());
    }
    archive.append_data(&mut header, format!("{name}/"), io::empty())
}

/// What has no declared time was made now; within a run that is one moment, so that equal layers are.
fn now() -> u64 {
    static NOW: OnceLock<u64> = OnceLock::new();
    *NOW.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    })
}

/// The time, and a PAX header for what the old one has no room for.
fn extended(
    archive: &mut Builder<Vec<u8>>,
    header: &mut Header,
    xattrs: &BTreeMap<String, Bytes>,
    mtime: Option<Time>,
) -> io::Result<()> {
    let mut records: Vec<(String, Vec<u8>)> = xattrs
        .iter()
        .map(|(name, value)| (format!("{PAX_XATTR}{name}"), value.0.clone()))
        .collect();
    header.set_mtime(now());
    if let Some(time) = mtime {
        match u64::try_from(time.seconds) {
            Ok(seconds) if time.nanos == 0 => header.set_mtime(seconds),
            _ => records.push(("mtime".to_owned(), decimal(time).into_bytes())),
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    archive.append_pax_extensions(
        records
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    )
}

/// Seconds with a fraction. `nanos` counts forward, also before 1970.
fn decimal(time: Time) -> String {
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    format!(
        "{sign}{}.{:09}",
        nanos / 1_000_000_000,
        nanos % 1_000_000_000
    )
}

fn bytes_of(content: &Content) -> Vec<u8> {
    match content {
        Content::Bytes(bytes) => bytes.0.clone(),
        Content::Fill { size, fill } => {
            let pattern = fill.as_ref().map_or(&[0][..], |fill| fill.as_slice());
            let size = usize::try_from(*size).unwrap_or(usize::MAX);
            pattern.iter().copied().cycle().take(size).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::layers::{Layer, of_tree};
    use super::*;
    use crate::engine::Storage;

    fn entry(path: &str, kind: NodeKind) -> Entry {
        Entry {
            path: path.to_owned(),
            node: Node::new(kind),
        }
    }

    fn listed(archive: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap();
        entries
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                let mode = header.mode().unwrap();
                format!(
                    "{} {mode:o} {}",
                    entry.path().unwrap().display(),
                    header.uid().unwrap()
                )
            })
            .collect()
    }

    #[test]
    fn a_directory_that_was_deleted_below_is_implied_anew() {
        let mut data = entry("/data", NodeKind::Directory { opaque: false });
        data.node.mode = Some(0o700);
        let inner = entry("/data/in", NodeKind::Directory { opaque: false });
        let mut below = Layers::new();
        for tree in [vec![data, inner], vec![entry("/data", NodeKind::Whiteout)]] {
            let paths = of_tree(&Tree(tree), &below);
            let storage = Storage::Host;
            below.push(Arc::new(Layer { storage, paths }));
        }
        let text = NodeKind::File(Content::Bytes(Bytes::from("x")));
        let top = Tree(vec![entry("/data/in/file", text)]);
        assert_eq!(
            listed(&layer(&top, &below).unwrap()),
            ["data/ 755 0", "data/in/ 755 0", "data/in/file 644 0"]
        );
    }

    #[test]
    fn a_layer_says_again_what_its_parents_are() {
        let mut data = entry("/data", NodeKind::Directory { opaque: false });
        (data.node.mode, data.node.uid) = (Some(0o2750), Some(1000));
        let bottom = Tree(vec![data]);
        let below: Layers = vec![Arc::new(Layer {
            storage: Storage::Host,
            paths: of_tree(&bottom, &Vec::new()),
        })];
        let text = NodeKind::File(Content::Bytes(Bytes::from("x")));
        let top = Tree(vec![
            entry("/data/new/file", text),
            entry("/data/old", NodeKind::Whiteout),
            entry("/etc", NodeKind::Directory { opaque: true }),
        ]);
        assert_eq!(
            listed(&layer(&top, &below).unwrap()),
            [
                "data/ 2750 1000",
                "data/new/ 755 0",
                "data/new/file 644 0",
                "data/.wh.old 644 0",
                "etc/ 755 0",
                "etc/.wh..wh..opq 644 0"
            ]
        );
    }

    #[test]
    fn the_top_of_a_layer_has_its_own_name() {
        let mut top = entry("/", NodeKind::Directory { opaque: false });
        (top.node.mode, top.node.gid) = (Some(0o711), Some(9));
        let archive = layer(&Tree(vec![top]), &Vec::new()).unwrap();
        assert_eq!(listed(&archive), ["/ 711 0"]);
        let implied = layer(&Tree::default(), &Vec::new()).unwrap();
        assert_eq!(listed(&implied), ["/ 755 0"]);
    }

    #[test]
    fn what_has_no_time_was_made_now() {
        let mut old = entry("/old", NodeKind::Fifo);
        old.node.mtime = Some(Time {
            seconds: 1,
            nanos: 0,
        });
        let tree = Tree(vec![old, entry("/etc/new", NodeKind::Fifo)]);
        let archive = layer(&tree, &Vec::new()).unwrap();
        let mut archive = tar::Archive::new(&*archive);
        let times = archive.entries().unwrap();
        let times: Vec<u64> = times
            .map(|e| e.unwrap().header().mtime().unwrap())
            .collect();
        // The top, the old one, the directory of the new one.
        assert_eq!(times, [now(), 1, now(), now()]);
        assert!(now() > 1_600_000_000);
    }

    #[test]
    fn times_before_1970_count_backwards() {
        let time = |seconds, nanos| decimal(Time { seconds, nanos });
        assert_eq!(time(-1, 500_000_000), "-0.500000000");
        assert_eq!(time(1, 5), "1.000000005");
    }

    #[test]
    fn an_image_is_manifest_config_and_layers() {
        let layers = [Packed::made(vec![0; 1024])];
        let image = Image {
            reference: "localhost/x:latest",
            config: json!({"User": "7"}),
            layers: &layers,
        };
        let mut bytes = Vec::new();
        image.write(&mut bytes).unwrap();
        let names = listed(&bytes);
        assert_eq!(names.len(), 3);
        assert!(names.last().unwrap().starts_with("manifest.json"));
    }
}
