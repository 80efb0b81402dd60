//! The cases of this repository.

use std::path::Path;

use layerspec::scenario::{Scenario, find, load};

/// Every case of this repository.
pub fn cases() -> Vec<Scenario> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    load(&find(&[home]).unwrap(), None).unwrap()
}
