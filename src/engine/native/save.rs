//! An image as an archive: `docker save`, without a daemon.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::daemon::{Daemon, Ending};
use super::provider::NativeProvider;
use super::refusals::Fault;
use super::seats::Seats;
use crate::engine::{EngineFault, ImageSpec, NodeKind, OpenOptions, Time};
use crate::store::archive::{ArchiveError, Export, Format, Layer};
use crate::union::{Timestamp, Union};

/// Why an image was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// It could not be made.
    #[error("{0}")]
    Image(String),
    /// It could not be written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl From<Fault> for SaveError {
    fn from(fault: Fault) -> Self {
        Self::Image(match fault {
            Fault::Refused(refusal) => refusal.message,
            Fault::Broken(why) => why,
        })
    }
}

impl From<EngineFault> for SaveError {
    fn from(fault: EngineFault) -> Self {
        Self::Image(fault.to_string())
    }
}

/// Makes images in `scratch` and writes the one of this name. Files without a declared time have that of 1970, so
/// that the same declaration gives the same bytes.
///
/// # Errors
/// An image that cannot be made, or that no archive can hold; what the disk gives.
pub fn save(
    images: &[ImageSpec],
    name: &str,
    format: Format,
    scratch: &Path,
    out: &mut impl Write,
) -> Result<(), SaveError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let since = Timestamp {
        seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        nanos: 0,
    };
    let options = OpenOptions {
        scratch: scratch.to_owned(),
        keep: false,
    };
    let ground = Arc::new(NativeProvider::new().ground(&options)?);
    let mut daemon = Daemon::start(&ground, &Arc::new(Seats::default()), Ending::None)?;
    for image in images {
        daemon.load_image(&timed(image))?;
    }
    let (_, image) = daemon.image(name)?;
    let image = image.clone();
    let namespace = ground.keeping.namespace;
    let mut unions: Vec<Arc<Union>> = Vec::new();
    for layer in &image.layers {
        let directory = daemon.store.layer(layer.number).map_err(Fault::from)?;
        let union = ground.plain(directory, daemon.store.work(), None);
        unions.push(union.map_err(Fault::from)?);
    }
    let layers = unions.iter().map(|union| Layer {
        union,
        namespace,
        since,
    });
    let export = Export {
        name,
        layers: layers.collect(),
        config: &image.config,
    };
    Ok(export.write(format, out, || tempfile::tempfile_in(scratch))?)
}

/// Gives what has no time the first one.
fn timed(image: &ImageSpec) -> ImageSpec {
    let mut image = image.clone();
    let entries = image.layers.iter_mut().flat_map(|tree| &mut tree.0);
    for entry in entries {
        if !matches!(
            entry.node.kind,
            NodeKind::Hardlink { .. } | NodeKind::Whiteout
        ) {
            entry.node.mtime.get_or_insert(Time {
                seconds: 0,
                nanos: 0,
            });
        }
    }
    image
}
