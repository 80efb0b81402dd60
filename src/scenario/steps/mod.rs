//! What happens: steps, their operations and expectations.

mod expect;
mod files;
mod objects;
mod place;
mod step;
mod table;
mod when;

pub(crate) use objects::{image_config, volume_spec};
pub(crate) use step::steps;
pub(crate) use table::OPERATIONS;
