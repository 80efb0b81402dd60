//! Writing an image: `docker save`'s layout, or OCI's, as a tar file. The same image gives the same bytes.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::digest::Digest;
use super::error::{ArchiveFault, Result};
use super::layer::Layer;
use crate::store::{Config, names};

/// Which layout is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `manifest.json`, as `docker save` and `docker load` have it.
    #[default]
    Docker,
    /// An OCI image layout.
    Oci,
}

/// What is written.
#[derive(Debug)]
pub struct Export<'a> {
    /// Its name; `app` is `app:latest`.
    pub name: &'a str,
    /// Bottom first.
    pub layers: Vec<Layer<'a>>,
    /// Configuration.
    pub config: &'a Config,
}

/// A layer that is ready to be put into the archive.
struct Spooled {
    digest: Digest,
    length: u64,
    file: File,
}

impl Export<'_> {
    /// Writes the archive. Layers are plain tar; `spool` gives an empty file for each to wait in.
    ///
    /// # Errors
    /// A file that an archive cannot hold (its name starts with `.wh.`); what the disk gives.
    pub fn write(
        &self,
        format: Format,
        out: &mut impl Write,
        mut spool: impl FnMut() -> io::Result<File>,
    ) -> Result<()> {
        let mut layers = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut writer = Digesting {
                inner: io::BufWriter::with_capacity(256 << 10, spool().map_err(failed)?),
                hasher: Sha256::new(),
                length: 0,
            };
            layer
                .write(&mut writer)
                .map_err(|error| error.within(format!("layer {}", index + 1)))?;
            let file = writer.inner.into_inner();
            layers.push(Spooled {
                digest: writer.hasher.into(),
                length: writer.length,
                file: file.map_err(|error| failed(error.into_error()))?,
            });
        }
        let config = self.configuration(&layers).to_string().into_bytes();
        match format {
            Format::Docker => self.docker(out, &config, layers),
            Format::Oci => self.oci(out, &config, layers),
        }
    }

    /// OCI image-spec, config.md.
    fn configuration(&self, layers: &[Spooled]) -> serde_json::Value {
        let ids: Vec<String> = layers
            .iter()
            .map(|layer| layer.digest.to_string())
            .collect();
        let mut process = serde_json::Map::new();
        if let Some(user) = &self.config.user {
            process.insert("User".to_owned(), json!(user));
        }
        if !self.config.volumes.is_empty() {
            let volumes = self.config.volumes.iter();
            let volumes: serde_json::Map<_, _> =
                volumes.map(|path| (path.clone(), json!({}))).collect();
            process.insert("Volumes".to_owned(), volumes.into());
        }
        if let Some(folder) = &self.config.working_dir {
            process.insert("WorkingDir".to_owned(), json!(folder));
        }
        let history: Vec<_> = ids.iter().map(|_| json!({"created": EPOCH})).collect();
        json!({
            "architecture": super::layout::architecture(),
            "config": process,
            "created": EPOCH,
            "history": history,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ids},
        })
    }

    fn docker(&self, out: &mut impl Write, config: &[u8], layers: Vec<Spooled>) -> Result<()> {
        let configuration = format!("{}.json", Digest::of(config).hex());
        let paths: Vec<String> = layers
            .iter()
            .map(|layer| format!("{}.tar", layer.digest.hex()))
            .collect();
        let manifest = json!([{
            "Config": configuration,
            "Layers": paths,
            "RepoTags": [names::image_with_tag(self.name)],
        }]);
        bytes(out, &configuration, config)?;
        blobs(out, layers, |digest| format!("{}.tar", digest.hex()))?;
        bytes(out, "manifest.json", manifest.to_string().as_bytes())?;
        end(out)
    }

    fn oci(&self, out: &mut impl Write, config: &[u8], layers: Vec<Spooled>) -> Result<()> {
        let described: Vec<_> = layers
            .iter()
            .map(|layer| descriptor("layer.v1.tar", layer.digest, layer.length))
            .collect();
        let config_digest = Digest::of(config);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type("manifest.v1+json"),
            "config": descriptor("config.v1+json", config_digest, config.len() as u64),
            "layers": described,
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = Digest::of(&manifest);
        let mut entry = descriptor("manifest.v1+json", digest, manifest.len() as u64);
        let name = names::image_with_tag(self.name);
        if let Some(entry) = entry.as_object_mut() {
            let tag = name.rsplit(':').next();
            let annotations = json!({"org.opencontainers.image.ref.name": tag});
            entry.insert("annotations".to_owned(), annotations);
        }
        let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
        bytes(out, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        bytes(out, "index.json", index.as_bytes())?;
        let place = |digest: Digest| format!("blobs/sha256/{}", digest.hex());
        bytes(out, &place(digest), &manifest)?;
        bytes(out, &place(config_digest), config)?;
        blobs(out, layers, place)?;
        end(out)
    }
}

const EPOCH: &str = "1970-01-01T00:00:00Z";

fn media_type(kind: &str) -> String {
    format!("application/vnd.oci.image.{kind}")
}

fn descriptor(kind: &str, digest: Digest, size: u64) -> serde_json::Value {
    json!({"mediaType": media_type(kind), "digest": digest.to_string(), "size": size})
}

/// One file of the archive.
fn head(out: &mut impl Write, name: &str, size: u64) -> Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(failed)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(failed)
}

fn bytes(out: &mut impl Write, name: &str, content: &[u8]) -> Result<()> {
    head(out, name, content.len() as u64)?;
    out.write_all(content).map_err(failed)?;
    fill(out, content.len() as u64)
}

/// The layers, one that is there twice only once.
fn blobs(
    out: &mut impl Write,
    layers: Vec<Spooled>,
    place: impl Fn(Digest) -> String,
) -> Result<()> {
    let mut written = std::collections::BTreeSet::new();
    for mut layer in layers {
        if !written.insert(layer.digest) {
            continue;
        }
        head(out, &place(layer.digest), layer.length)?;
        layer.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let copied = io::copy(&mut layer.file, out).map_err(failed)?;
        if copied != layer.length {
            return Err(ArchiveFault::damaged(
                "a layer was changed while it was written",
            ));
        }
        fill(out, copied)?;
    }
    Ok(())
}

/// Fills up to a whole block.
pub(super) fn fill(out: &mut impl Write, size: u64) -> Result<()> {
    let rest = (512 - size % 512) % 512;
    let zeros = [0; 512];
    let rest = zeros.get(..usize::try_from(rest).unwrap_or_default());
    out.write_all(rest.unwrap_or_default()).map_err(failed)
}

/// Two empty blocks.
pub(super) fn end(out: &mut impl Write) -> Result<()> {
    out.write_all(&[0; 1024]).map_err(failed)?;
    out.flush().map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn failed(error: io::Error) -> super::ArchiveError {
    match error.raw_os_error() {
        Some(errno) => rustix::io::Errno::from_raw_os_error(errno).into(),
        None => ArchiveFault::damaged(error.to_string()),
    }
}

/// Digests what is written.
struct Digesting<W> {
    inner: W,
    hasher: Sha256,
    length: u64,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
