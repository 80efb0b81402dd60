//! The documents of an archive: OCI image-spec (image-index.md, manifest.md, config.md) and `manifest.json` of
//! `docker save` (moby `image/tarexport`). Fields that do not matter to a disk are not read; writers add others.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ArchiveFault, Result};

/// One image of `manifest.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    pub(super) config: String,
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

/// `index.json`, and indices below it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    #[serde(default)]
    pub(super) manifests: Vec<Descriptor>,
}

/// A blob by its content.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(default)]
    pub(super) platform: Option<Platform>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

/// For which machine.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub(super) architecture: String,
    #[serde(default)]
    pub(super) os: String,
}

/// A manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) config: Descriptor,
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
}

/// A configuration.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    pub(super) os: String,
    #[serde(default)]
    pub(super) config: Option<Process>,
    pub(super) rootfs: Layers,
}

/// What a container's process starts with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Process {
    #[serde(default)]
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) working_dir: Option<String>,
    /// VOLUME: its keys.
    #[serde(default)]
    #[expect(clippy::zero_sized_map_values, reason = "the document has a map")]
    pub(super) volumes: Option<BTreeMap<String, IgnoredAny>>,
}

/// The layers, unpacked.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Layers {
    #[serde(default)]
    pub(super) diff_ids: Option<Vec<String>>,
}

/// Reads a document.
pub(super) fn parse<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| ArchiveFault::damaged(error.to_string()).within(name))
}
