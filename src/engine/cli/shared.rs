//! Images that are loaded once for all cases of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::images::Origin;
use super::names::PREFIX;
use crate::engine::{ImageConfig, Operation};

/// An image that is loaded, is being loaded, or could not be.
type Slot = Arc<Mutex<Option<String>>>;

/// What has been loaded, by content.
#[derive(Debug, Default)]
pub(super) struct SharedImages(Mutex<BTreeMap<String, Slot>>);

impl SharedImages {
    /// The reference of the image with this content, which `load` loads if no case has done so yet. Who comes
    /// while it is being loaded waits.
    ///
    /// # Errors
    /// Those of `load`; the next case tries again.
    pub(super) fn get<E>(
        &self,
        run: &str,
        content: &str,
        load: impl FnOnce(&str) -> Result<(), E>,
    ) -> Result<String, E> {
        let (slot, number) = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let number = slots.len() + 1;
            let slot = slots.entry(content.to_owned()).or_default();
            (Arc::clone(slot), number)
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reference) = &*slot {
            return Ok(reference.clone());
        }
        // Taken by nobody else: the number of contents only grows, and each is loaded under its own.
        let reference = format!(
            "localhost/{PREFIX}{run}/image-{number}-{}:latest",
            short(content)
        );
        load(&reference)?;
        *slot = Some(reference.clone());
        Ok(reference)
    }
}

fn short(content: &str) -> &str {
    content.get(..12).unwrap_or(content)
}

/// What makes two images the same: layers and configuration.
pub(super) fn content(layers: &[Arc<Origin>], config: &ImageConfig) -> String {
    let mut hasher = Sha256::new();
    for layer in layers {
        match &**layer {
            // Plain data with texts for keys can always be written. It starts with a bracket, which no digest does.
            Origin::Declared(tree) => hasher.update(serde_json::to_vec(tree).unwrap_or_default()),
            Origin::Saved(packed) => hasher.update(&packed.digest),
        }
        hasher.update([0]);
    }
    hasher.update(serde_json::to_vec(config).unwrap_or_default());
    hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            write!(text, "{byte:02x}").ok();
            text
        })
}

/// Names of images that a scenario removes, makes or gives further names to. They have to be its own: an image
/// with a name that another case gave it would not go away, and would not be in use where it should be.
pub(super) fn own_images(coming: &[&Operation]) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for operation in coming {
        match operation {
            Operation::ImageRemove { image, .. } | Operation::Import { image, .. } => {
                own.insert(with_tag(image));
            }
            Operation::ImageTag { image, tag } => {
                own.insert(with_tag(image));
                own.insert(with_tag(tag));
            }
            Operation::Commit(spec) => {
                own.insert(with_tag(&spec.image));
            }
            _ => {}
        }
    }
    own
}

/// A reference with the tag that would go without saying.
pub(super) fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or_default();
    if last.contains(':') {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_is_not_loaded_again() {
        let images = SharedImages::default();
        let loads = Mutex::new(Vec::new());
        let get = |content: &str, works: bool| {
            images.get("r", content, |reference| {
                loads.lock().unwrap().push(reference.to_owned());
                if works { Ok(()) } else { Err("no") }
            })
        };
        assert_eq!(get("a", false), Err("no"));
        let a = get("a", true).unwrap();
        let b = get("b", true).unwrap();
        assert_eq!(get("a", true).as_ref(), Ok(&a));
        assert_ne!(a, b);
        assert_eq!(loads.lock().unwrap().len(), 3, "a twice, b once");
    }

    #[test]
    fn what_a_scenario_changes_is_its_own() {
        let tag = Operation::ImageTag {
            image: "app".to_owned(),
            tag: "app:2".to_owned(),
        };
        let run = Operation::Start("web".to_owned());
        let own = own_images(&[&tag, &run]);
        assert_eq!(own, ["app:2", "app:latest"].map(str::to_owned).into());
    }
}
