//! Which blobs make an image.

use super::blobs::{Blob, Blobs, read_document};
use super::digest::Digest;
use super::error::{ArchiveFault, Result, shown};
use super::limits::IMAGES_MAX;
use super::manifest::{Configuration, Descriptor, Index, Manifest, Saved, parse};
use crate::store::Config;
use crate::store::names::image as plain_name;

/// Indices in indices that are followed.
const NESTED_MAX: usize = 4;

/// The most layers that a configuration may list: what an engine stacks is for the engine to say.
const LAYERS_MAX: usize = 10_000;

/// Annotations that name an image: OCI's, and containerd's, which has the registry too.
const NAMES: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// An image of an archive, its layers still packed.
#[derive(Debug)]
pub struct ArchivedImage {
    /// Bottom first.
    pub layers: Vec<ArchivedLayer>,
    /// VOLUME, USER and WORKDIR.
    pub config: Config,
}

/// A layer that was not unpacked yet.
#[derive(Debug)]
pub struct ArchivedLayer {
    pub(super) blob: Blob,
    /// Of the blob, where the archive states one.
    pub(super) digest: Option<Digest>,
    /// Of the layer as plain tar.
    pub(super) diff_id: Digest,
}

impl ArchivedLayer {
    /// The SHA-256 of the layer as plain tar, in hexadecimal: what the archive states, which is true of a layer that
    /// was read.
    pub fn diff_id(&self) -> String {
        self.diff_id.hex()
    }
}

/// An image that an archive offers.
#[derive(Debug)]
enum Offer {
    Saved(Saved),
    Described(Descriptor),
}

/// Finds the image with this tag, or the only one.
pub(super) fn image(blobs: &Blobs, tag: Option<&str>) -> Result<ArchivedImage> {
    let offers = offers(blobs)?;
    let names: Vec<String> = offers.iter().flat_map(|(names, _)| names.clone()).collect();
    let is_wanted = |names: &[String]| {
        tag.is_none_or(|tag| names.iter().any(|name| plain_name(name) == plain_name(tag)))
    };
    let mut found = offers.into_iter().filter(|(names, _)| is_wanted(names));
    let listed = || match names.as_slice() {
        [] => "none of its images has a name".to_owned(),
        names => {
            let names = names.iter().take(20).map(|name| shown(name.as_bytes()));
            format!("it holds {}", names.collect::<Vec<_>>().join(", "))
        }
    };
    match (found.next(), found.next(), tag) {
        (Some((_, Offer::Saved(saved))), None, _) => of_saved(blobs, &saved),
        (Some((_, Offer::Described(descriptor))), None, _) => of_manifest(blobs, &descriptor),
        (Some(_), Some(_), _) => Err(ArchiveFault::refused(format!(
            "several images could be meant: {}",
            listed()
        ))),
        (None, _, Some(tag)) => Err(ArchiveFault::refused(format!(
            "there is no image {}: {}",
            shown(tag.as_bytes()),
            listed()
        ))),
        (None, _, None) => Err(ArchiveFault::refused("there is no image in it")),
    }
}

/// Every image, with its names. `manifest.json` comes first: an archive that has both, as `docker save` writes
/// since 25, has the tags there.
fn offers(blobs: &Blobs) -> Result<Vec<(Vec<String>, Offer)>> {
    if let Some(bytes) = blobs.document("manifest.json")? {
        let saved: Vec<Saved> = parse("manifest.json", &bytes)?;
        let offer = |saved: Saved| {
            (
                saved.repo_tags.clone().unwrap_or_default(),
                Offer::Saved(saved),
            )
        };
        return Ok(saved.into_iter().map(offer).collect());
    }
    let Some(bytes) = blobs.document("index.json")? else {
        let message = "neither an OCI image layout (index.json) nor of docker save (manifest.json)";
        return Err(ArchiveFault::damaged(message));
    };
    let index: Index = parse("index.json", &bytes)?;
    let mut described = Vec::new();
    collect(blobs, index, 0, &[], &mut described)?;
    // Of an image for several machines, this one's.
    let is_ours = |descriptor: &Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_none_or(|platform| {
            platform.os == "linux" && platform.architecture == architecture()
        })
    };
    let has_ours = described.iter().any(|(_, descriptor)| is_ours(descriptor));
    described.retain(|(_, descriptor)| !has_ours || is_ours(descriptor));
    let offer = |(names, descriptor)| (names, Offer::Described(descriptor));
    Ok(described.into_iter().map(offer).collect())
}

/// Go's name of this machine's architecture.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn collect(
    blobs: &Blobs,
    index: Index,
    depth: usize,
    above: &[String],
    found: &mut Vec<(Vec<String>, Descriptor)>,
) -> Result<()> {
    for descriptor in index.manifests {
        if found.len() >= IMAGES_MAX {
            return Err(ArchiveFault::limit("images", IMAGES_MAX as u64));
        }
        let mut names = above.to_vec();
        names.extend(
            NAMES
                .iter()
                .filter_map(|key| descriptor.annotations.get(*key))
                .cloned(),
        );
        let is_index = descriptor.media_type.ends_with("image.index.v1+json")
            || descriptor.media_type.ends_with("manifest.list.v2+json");
        // What BuildKit attests about an image is no image.
        let is_attestation = descriptor
            .annotations
            .contains_key("vnd.docker.reference.type");
        if is_index && depth >= NESTED_MAX {
            return Err(ArchiveFault::limit(
                "indices in one another",
                NESTED_MAX as u64,
            ));
        } else if is_index {
            let bytes = described(blobs, &descriptor)?;
            let index = parse(&descriptor.digest, &bytes)?;
            collect(blobs, index, depth + 1, &names, found)?;
        } else if !is_attestation {
            found.push((names, descriptor));
        }
    }
    Ok(())
}

/// The blob of a descriptor, of the stated size.
fn blob(blobs: &Blobs, descriptor: &Descriptor) -> Result<(Blob, Digest)> {
    let digest = Digest::parse(&descriptor.digest)?;
    let blob = blobs.find(&format!("blobs/sha256/{}", digest.hex()))?;
    let blob =
        blob.ok_or_else(|| ArchiveFault::damaged(format!("the archive does not hold {digest}")))?;
    if blob.length != descriptor.size {
        let (length, size) = (blob.length, descriptor.size);
        let message = format!("{digest} has {length} bytes, and should have {size}");
        return Err(ArchiveFault::damaged(message));
    }
    Ok((blob, digest))
}

/// The bytes of a descriptor's document.
fn described(blobs: &Blobs, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let (blob, digest) = blob(blobs, descriptor)?;
    let bytes = read_document(&blob)?;
    digest.check(&Digest::of(&bytes))?;
    Ok(bytes)
}

fn of_manifest(blobs: &Blobs, descriptor: &Descriptor) -> Result<ArchivedImage> {
    let bytes = described(blobs, descriptor).map_err(|error| error.within("manifest"))?;
    let manifest: Manifest = parse("manifest", &bytes)?;
    let bytes =
        described(blobs, &manifest.config).map_err(|error| error.within("configuration"))?;
    let blobs = manifest.layers.iter().enumerate().map(|(index, layer)| {
        let (blob, digest) =
            blob(blobs, layer).map_err(|error| error.within(format!("layer {}", index + 1)))?;
        Ok((blob, Some(digest)))
    });
    assemble(&bytes, blobs.collect::<Result<_>>()?)
}

fn of_saved(blobs: &Blobs, saved: &Saved) -> Result<ArchivedImage> {
    let missing = |path: &str| {
        ArchiveFault::damaged(format!(
            "the archive does not hold {}",
            shown(path.as_bytes())
        ))
    };
    let path = saved.config.as_str();
    let bytes = blobs.document(path)?.ok_or_else(|| missing(path))?;
    // Named by its digest: `HEX.json`, or `blobs/sha256/HEX`.
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(digest) = Digest::from_hex(name.strip_suffix(".json").unwrap_or(name)) {
        let checked = digest.check(&Digest::of(&bytes));
        checked.map_err(|error| error.within("configuration"))?;
    }
    let layers = saved.layers.iter().flatten().map(|path| {
        let blob = blobs.find(path)?.ok_or_else(|| missing(path))?;
        let digest = path
            .strip_prefix("blobs/sha256/")
            .and_then(Digest::from_hex);
        Ok((blob, digest))
    });
    assemble(&bytes, layers.collect::<Result<_>>()?)
}

fn assemble(bytes: &[u8], blobs: Vec<(Blob, Option<Digest>)>) -> Result<ArchivedImage> {
    let Configuration { os, config, rootfs } = parse("configuration", bytes)?;
    if !os.is_empty() && os != "linux" {
        let message = format!("an image for {}, not for linux", shown(os.as_bytes()));
        return Err(ArchiveFault::refused(message));
    }
    let diff_ids = rootfs.diff_ids.unwrap_or_default();
    if diff_ids.len() != blobs.len() {
        let (stated, there) = (diff_ids.len(), blobs.len());
        return Err(ArchiveFault::damaged(format!(
            "the configuration lists {stated} layers, the manifest {there}"
        )));
    }
    if blobs.len() > LAYERS_MAX {
        return Err(ArchiveFault::limit("layers", LAYERS_MAX as u64));
    }
    let layers = blobs
        .into_iter()
        .zip(diff_ids)
        .map(|((blob, digest), diff_id)| {
            Ok(ArchivedLayer {
                blob,
                digest,
                diff_id: Digest::parse(&diff_id)?,
            })
        });
    let process = config.unwrap_or_default();
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(ArchivedImage {
        layers: layers.collect::<Result<_>>()?,
        config: Config {
            volumes: process.volumes.unwrap_or_default().into_keys().collect(),
            user: text(process.user),
            working_dir: text(process.working_dir),
        },
    })
}
