//! Where a step happens, and how volumes are named.

use super::super::decoder::Decoder;
use super::super::mentions::Subject;
use super::super::names::NAME_MAX;
use super::super::scalars;
use super::super::source::Node;
use super::super::words::quote;
use crate::engine::{Place, VolumeRef};

const ANONYMOUS: &str = "anonymous volume of ";

/// Decodes `in:`.
pub(super) fn place(node: &Node, decoder: &mut Decoder<'_>) -> Option<Place> {
    let text = scalars::scalar(
        node,
        "a place: a container, `host` or `volume NAME`",
        decoder,
    )?;
    if text.len() > NAME_MAX {
        decoder.fault(node.spot(), "the name is too long");
        return None;
    }
    if text == "host" {
        return Some(Place::Host);
    }
    if let Some(volume) = text.strip_prefix("volume ") {
        return Some(Place::Volume(VolumeRef::Named(volume.trim().to_owned())));
    }
    if text.starts_with(ANONYMOUS) {
        return volume_ref(node, decoder).map(Place::Volume);
    }
    Some(Place::Container(text.to_owned()))
}

/// Decodes the name of a volume.
pub(super) fn volume_ref(node: &Node, decoder: &mut Decoder<'_>) -> Option<VolumeRef> {
    let text = scalars::scalar(node, "the name of a volume", decoder)?;
    let volume = volume_ref_of(text);
    if volume.is_none() {
        decoder.fault_help(
            node.spot(),
            format!("{} names no volume", quote(text)),
            format!("an anonymous one is `{ANONYMOUS}CONTAINER at /PATH`"),
        );
    }
    volume
}

/// Decodes the name of a volume that exists, or may exist.
pub(super) fn volume_used(node: &Node, decoder: &mut Decoder<'_>) -> Option<VolumeRef> {
    let volume = volume_ref(node, decoder)?;
    decoder.uses(node.spot(), subject_of(&volume));
    Some(volume)
}

/// What must exist for a volume to exist.
pub(super) fn subject_of(volume: &VolumeRef) -> Subject {
    match volume {
        VolumeRef::Named(name) => Subject::Volume(name.clone()),
        VolumeRef::Anonymous { container, .. } => Subject::Container(container.clone()),
    }
}

/// A volume by its name, or as `anonymous volume of CONTAINER at /PATH`.
fn volume_ref_of(text: &str) -> Option<VolumeRef> {
    let Some(rest) = text.strip_prefix(ANONYMOUS) else {
        return Some(VolumeRef::Named(text.to_owned()));
    };
    let (container, target) = rest.split_once(" at ")?;
    let sound = !container.is_empty() && target.starts_with('/');
    sound.then(|| VolumeRef::Anonymous {
        container: container.to_owned(),
        target: target.to_owned(),
    })
}
