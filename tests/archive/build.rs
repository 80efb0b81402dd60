//! Archives as somebody who means no good could write them: byte by byte.

use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// One entry of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    kind: EntryType,
    /// The type as it is written, when it is none of the usual ones.
    flag: Option<u8>,
    link: Vec<u8>,
    data: Vec<u8>,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    device: (u32, u32),
    pax: Vec<(Vec<u8>, Vec<u8>)>,
}

fn item(name: impl AsRef<[u8]>, kind: EntryType, mode: u32) -> Item {
    Item {
        name: name.as_ref().to_vec(),
        kind,
        flag: None,
        link: Vec::new(),
        data: Vec::new(),
        mode,
        owner: (0, 0),
        mtime: 1000,
        device: (0, 0),
        pax: Vec::new(),
    }
}

pub(crate) fn file(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Item {
    Item {
        data: data.as_ref().to_vec(),
        ..item(name, EntryType::Regular, 0o644)
    }
}

pub(crate) fn folder(name: impl AsRef<[u8]>) -> Item {
    item(name, EntryType::Directory, 0o755)
}

pub(crate) fn symlink(name: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Item {
    Item {
        link: to.as_ref().to_vec(),
        ..item(name, EntryType::Symlink, 0o777)
    }
}

pub(crate) fn hardlink(name: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Item {
    Item {
        link: to.as_ref().to_vec(),
        ..item(name, EntryType::Link, 0o644)
    }
}

pub(crate) fn fifo(name: impl AsRef<[u8]>) -> Item {
    item(name, EntryType::Fifo, 0o644)
}

pub(crate) fn device(name: impl AsRef<[u8]>, device: (u32, u32)) -> Item {
    Item {
        device,
        ..item(name, EntryType::Char, 0o644)
    }
}

pub(crate) fn other(name: impl AsRef<[u8]>, kind: u8, data: impl AsRef<[u8]>) -> Item {
    Item {
        data: data.as_ref().to_vec(),
        flag: Some(kind),
        ..item(name, EntryType::Regular, 0o644)
    }
}

impl Item {
    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(crate) fn owner(mut self, uid: u64, gid: u64) -> Self {
        self.owner = (uid, gid);
        self
    }

    pub(crate) fn mtime(mut self, mtime: u64) -> Self {
        self.mtime = mtime;
        self
    }

    pub(crate) fn pax(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.pax
            .push((key.as_bytes().to_vec(), value.as_ref().to_vec()));
        self
    }

    fn write(&self, into: &mut Vec<u8>) {
        let mut pax = Vec::new();
        for (key, value) in &self.pax {
            pax.extend(record(key, value));
        }
        if self.name.len() > 100 {
            pax.extend(record(b"path", &self.name));
        }
        if self.link.len() > 100 {
            pax.extend(record(b"linkpath", &self.link));
        }
        if !pax.is_empty() {
            block(
                into,
                &header(b"pax", EntryType::XHeader, pax.len() as u64),
                &pax,
            );
        }
        let mut main = header(&self.name, self.kind, self.data.len() as u64);
        let gnu = main.as_gnu_mut().unwrap();
        let length = self.link.len().min(100);
        gnu.linkname[..length].copy_from_slice(&self.link[..length]);
        gnu.set_device_major(self.device.0);
        gnu.set_device_minor(self.device.1);
        if let Some(flag) = self.flag {
            main.as_mut_bytes()[156] = flag;
        }
        main.set_mode(self.mode);
        main.set_uid(self.owner.0);
        main.set_gid(self.owner.1);
        main.set_mtime(self.mtime);
        main.set_cksum();
        block(into, &main, &self.data);
    }
}

/// A header with a name that nobody looks at.
pub(crate) fn header(name: &[u8], kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    let length = name.len().min(100);
    header.as_gnu_mut().unwrap().name[..length].copy_from_slice(&name[..length]);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    header
}

/// A header with what follows it, up to whole blocks.
pub(crate) fn block(into: &mut Vec<u8>, header: &Header, data: &[u8]) {
    into.extend_from_slice(header.as_bytes());
    into.extend_from_slice(data);
    into.resize(into.len().next_multiple_of(512), 0);
}

/// `LENGTH KEY=VALUE\n`
pub(crate) fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    let mut record = format!("{length} ").into_bytes();
    record.extend_from_slice(key);
    record.push(b'=');
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// A tar file.
pub(crate) fn tar(items: &[Item]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items {
        item.write(&mut bytes);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    ruzstd::encoding::compress_to_vec(bytes, level)
}

/// Layers as `docker save` of Docker 20.10 writes them: `blobs` as they are stored, `layers` plain.
pub(crate) fn saved_as(
    tag: &str,
    process: &str,
    layers: &[Vec<u8>],
    blobs: &[Vec<u8>],
) -> Vec<Item> {
    let ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("\"sha256:{}\"", hex(layer)))
        .collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{process},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let name = format!("{}.json", hex(config.as_bytes()));
    let paths: Vec<String> = (0..layers.len())
        .map(|number| format!("\"l{number}/layer.tar\""))
        .collect();
    let manifest = format!(
        r#"[{{"Config":"{name}","RepoTags":["{tag}"],"Layers":[{}]}}]"#,
        paths.join(",")
    );
    let mut items = vec![file(&name, config), file("manifest.json", manifest)];
    for (number, blob) in blobs.iter().enumerate() {
        items.push(file(format!("l{number}/layer.tar"), blob));
    }
    items
}

/// The same with plain layers, whole.
pub(crate) fn saved(tag: &str, layers: &[Vec<u8>]) -> Vec<u8> {
    tar(&saved_as(tag, "{}", layers, layers))
}

/// An OCI image layout: its files by name.
pub(crate) fn layout(process: &str, layers: &[Vec<u8>], blobs: &[Vec<u8>]) -> Vec<Item> {
    let ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("\"sha256:{}\"", hex(layer)))
        .collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{process},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let described: Vec<String> = blobs
        .iter()
        .map(|blob| descriptor("application/vnd.oci.image.layer.v1.tar", blob))
        .collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
        descriptor(
            "application/vnd.oci.image.config.v1+json",
            config.as_bytes()
        ),
        described.join(",")
    );
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
        descriptor(kind, manifest.as_bytes())
    );
    let blob = |bytes: &[u8]| file(format!("blobs/sha256/{}", hex(bytes)), bytes);
    let mut items = vec![
        file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#),
        file("index.json", index),
        blob(manifest.as_bytes()),
        blob(config.as_bytes()),
    ];
    items.extend(blobs.iter().map(|bytes| blob(bytes)));
    items
}

pub(crate) fn descriptor(kind: &str, bytes: &[u8]) -> String {
    format!(
        r#"{{"mediaType":"{kind}","digest":"sha256:{}","size":{}}}"#,
        hex(bytes),
        bytes.len()
    )
}

impl Item {
    /// Its content, to be put on a disk.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }
}
