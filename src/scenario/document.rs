//! The whole document, as it is written once parameters are filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::cases::Case;
use super::decoder::Decoder;
use super::fields::Fields;
use super::mentions::Subject;
use super::source::{Node, Pair, Spot, Value};
use super::steps::{image_config, steps, volume_spec};
use super::tree::{TreeUse, tree};
use super::words::quote;
use super::{Difference, RuleBook, Step, names, scalars};
use crate::engine::{ArchiveFile, Capability, ImageSpec, Tree, VolumeSpec};

const KEYS: &[&str] = &[
    "title", "about", "covers", "requires", "differs", "cases", "images", "host", "volumes",
    "steps",
];

const IMAGE_KEYS: &[&str] = &[
    "from",
    "archive",
    "layers",
    "volumes",
    "user",
    "working_dir",
    "platform",
];

/// One case of a document.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) title: String,
    pub(crate) about: Option<String>,
    pub(crate) covers: Vec<String>,
    pub(crate) requires: Vec<Capability>,
    pub(crate) differs: BTreeMap<String, Difference>,
    pub(crate) images: Vec<ImageSpec>,
    pub(crate) host: Tree,
    pub(crate) volumes: Vec<(VolumeSpec, Tree)>,
    pub(crate) steps: Vec<Step>,
}

/// Decodes one case of a document.
pub(crate) fn body(
    root: &Node,
    case: &Case,
    rules: Option<&RuleBook>,
    decoder: &mut Decoder<'_>,
) -> Option<Body> {
    let fields = Fields::open(root, "a scenario", KEYS, decoder)?;
    let body = Body {
        title: title(&fields, decoder),
        about: fields.text_if("about", decoder),
        covers: fields
            .get("covers")
            .map(|n| covers(n, rules, decoder))
            .unwrap_or_default(),
        requires: fields
            .get("requires")
            .map(|n| names::capabilities(n, decoder))
            .unwrap_or_default(),
        differs: fields
            .get("differs")
            .map(|n| differs(n, decoder))
            .unwrap_or_default(),
        images: fields
            .get("images")
            .map(|n| images(n, decoder))
            .unwrap_or_default(),
        host: fields
            .get("host")
            .map(|n| tree(n, TreeUse::Host, decoder))
            .unwrap_or_default(),
        volumes: fields
            .get("volumes")
            .map(|n| volumes(n, decoder))
            .unwrap_or_default(),
        steps: match fields.require("steps", decoder) {
            Some(node) => steps(node, case, decoder),
            None => Vec::new(),
        },
    };
    decoder.resolve();
    Some(body)
}

fn title(fields: &Fields<'_>, decoder: &mut Decoder<'_>) -> String {
    let title = fields.text("title", decoder);
    if let Some(node) = fields.get("title") {
        let line = title.trim();
        if matches!(node.value, Value::Scalar(_)) && (line.is_empty() || line.contains('\n')) {
            decoder.fault_help(
                node.spot(),
                "a title is one line of text",
                "prose belongs in `about`".to_owned(),
            );
        }
    }
    title.trim().to_owned()
}

fn covers(node: &Node, rules: Option<&RuleBook>, decoder: &mut Decoder<'_>) -> Vec<String> {
    let written = names::each(node, decoder);
    if let Some(book) = rules {
        for (item, id) in written
            .iter()
            .filter(|(_, id)| !book.rules.contains_key(id))
        {
            let help = decoder.meant(id, book.rules.keys().map(String::as_str));
            decoder.fault_help(
                item.spot(),
                format!("the rule book has no rule {}", quote(id)),
                help,
            );
        }
    }
    written.into_iter().map(|(_, id)| id).collect()
}

fn differs(node: &Node, decoder: &mut Decoder<'_>) -> BTreeMap<String, Difference> {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping of engine to reason");
        return BTreeMap::new();
    };
    let mut differs = BTreeMap::new();
    for pair in pairs {
        if !names::is_engine(&pair.key) {
            let message = format!("unknown engine {}", quote(&pair.key));
            decoder.fault_help(
                pair.spot(),
                message,
                decoder.meant(&pair.key, names::ENGINES.iter().copied()),
            );
        }
        differs.extend(difference(&pair.value, decoder).map(|why| (pair.key.clone(), why)));
    }
    differs
}

/// Decodes a reason: a text, or a map that also tells where the bug is reported.
fn difference(node: &Node, decoder: &mut Decoder<'_>) -> Option<Difference> {
    let blank = |node: &Node| matches!(&node.value, Value::Scalar(text) if text.trim().is_empty());
    if !matches!(node.value, Value::Map(_)) {
        let why = scalars::text(node, decoder)?;
        if blank(node) {
            decoder.fault(node.spot(), "a difference needs its reason");
        }
        return Some(Difference::accepted(why));
    }
    let fields = Fields::open(node, "a difference", &["why", "bug"], decoder)?;
    let mut said = |key: &str, missing: &str| {
        if let Some(node) = fields.get(key).filter(|node| blank(node)) {
            decoder.fault(node.spot(), missing);
        }
        fields.text(key, decoder)
    };
    Some(Difference {
        why: said("why", "a difference needs its reason"),
        bug: Some(said("bug", "`bug` tells where it is reported")),
    })
}

/// Decodes the images, each after the one that it builds on.
fn images(node: &Node, decoder: &mut Decoder<'_>) -> Vec<ImageSpec> {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping of name to image");
        return Vec::new();
    };
    let mut waiting: BTreeMap<&str, (&Pair, ImageSpec)> = BTreeMap::new();
    for pair in pairs {
        decoder.makes(Subject::Image(pair.key.clone()));
        waiting.insert(&pair.key, (pair, image(pair, decoder)));
    }
    let mut ready = Ready::default();
    for pair in pairs {
        ready.take_with_bases(&pair.key, &mut waiting, pairs, decoder);
    }
    ready.images
}

/// Images in an order in which they can be made.
#[derive(Default)]
struct Ready {
    images: Vec<ImageSpec>,
    names: BTreeSet<String>,
}

impl Ready {
    /// Takes an image over, after the one that it builds on, and so on down.
    fn take_with_bases<'n>(
        &mut self,
        name: &str,
        waiting: &mut BTreeMap<&'n str, (&'n Pair, ImageSpec)>,
        pairs: &[Pair],
        decoder: &mut Decoder<'_>,
    ) {
        let mut chain: Vec<(&Pair, ImageSpec)> = Vec::new();
        let mut base = Some(name.to_owned());
        while let Some((pair, spec)) = base.as_deref().and_then(|name| waiting.remove(name)) {
            base.clone_from(&spec.from);
            chain.push((pair, spec));
        }
        if let (Some(base), Some((pair, _))) = (base, chain.last())
            && !self.names.contains(&base)
        {
            if chain.iter().any(|(_, image)| image.name == base) {
                let message = format!("image {} builds on itself", quote(&base));
                decoder.fault(from_spot(pair), message);
            } else {
                let others = pairs.iter().map(|pair| pair.key.as_str());
                let help = decoder.meant(&base, others);
                decoder.fault_help(from_spot(pair), unknown_image(&base), help);
            }
        }
        for (_, image) in chain.into_iter().rev() {
            self.names.insert(image.name.clone());
            self.images.push(image);
        }
    }
}

fn unknown_image(name: &str) -> String {
    format!("unknown image {}", quote(name))
}

fn from_spot(pair: &Pair) -> Spot {
    match &pair.value.value {
        Value::Map(pairs) => pairs
            .iter()
            .find(|pair| pair.key == "from")
            .map_or_else(|| pair.spot(), |from| from.value.spot()),
        Value::Null | Value::Scalar(_) | Value::List(_) => pair.spot(),
    }
}

fn image(pair: &Pair, decoder: &mut Decoder<'_>) -> ImageSpec {
    let mut spec = ImageSpec {
        name: pair.key.clone(),
        ..ImageSpec::default()
    };
    // distribution/reference: lower case, digits and separators.
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    let starts_well = pair
        .key
        .starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !starts_well || !pair.key.chars().all(sound) {
        let message = format!("{} cannot be the name of an image", quote(&pair.key));
        let help = "lower-case letters, digits and `.`, `_`, `-`, `/`, `:`".to_owned();
        decoder.fault_help(pair.spot(), message, help);
    }
    let Some(fields) = Fields::open(&pair.value, "an image", IMAGE_KEYS, decoder) else {
        return spec;
    };
    spec.from = fields.text_if("from", decoder);
    spec.archive = fields
        .pair("archive")
        .and_then(|pair| archive(pair, &spec, decoder))
        .map(Box::new);
    spec.config = image_config(&fields, decoder);
    spec.platform = fields
        .get("platform")
        .and_then(|node| scalars::choice(node, "platform", PLATFORMS, decoder))
        .map(str::to_owned);
    match fields.get("layers") {
        Some(Node {
            value: Value::List(layers),
            ..
        }) => {
            spec.layers = layers
                .iter()
                .map(|layer| tree(layer, TreeUse::Layer, decoder))
                .collect();
        }
        Some(other) => decoder.unexpected(other, "a list of layers, bottom first"),
        None => {}
    }
    spec
}

/// `archive: FILE` or `archive: {file, tag}`: the file lies below the scenario's folder.
fn archive(pair: &Pair, spec: &ImageSpec, decoder: &mut Decoder<'_>) -> Option<ArchiveFile> {
    if spec.from.is_some() {
        let message = "an image comes `from` another image or out of an `archive`, not both";
        decoder.fault(pair.spot(), message);
    }
    let (file, tag) = match &pair.value.value {
        Value::Map(_) => {
            let fields = Fields::open(&pair.value, "an archive", &["file", "tag"], decoder)?;
            let file = fields.require("file", decoder)?;
            (file, fields.text_if("tag", decoder))
        }
        _ => (&pair.value, None),
    };
    let path = scalars::text(file, decoder)?;
    match decoder.fixtures.archive(&path) {
        Ok(folder) => Some(ArchiveFile { folder, path, tag }),
        Err(reason) => {
            let message = format!("cannot take an image from {}: {reason}", quote(&path));
            decoder.fault(file.spot(), message);
            None
        }
    }
}

const PLATFORMS: &[(&str, &str)] = &[("linux", "linux"), ("windows", "windows")];

fn volumes(node: &Node, decoder: &mut Decoder<'_>) -> Vec<(VolumeSpec, Tree)> {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping of name to volume");
        return Vec::new();
    };
    pairs.iter().map(|pair| volume(pair, decoder)).collect()
}

fn volume(pair: &Pair, decoder: &mut Decoder<'_>) -> (VolumeSpec, Tree) {
    // Docker rows 57 to 59: at least two characters, of which the first is no separator.
    let sound = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let starts_well = pair.key.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !starts_well || pair.key.len() < 2 || !pair.key.chars().all(sound) {
        let message = format!("{} cannot be the name of a volume", quote(&pair.key));
        let help = "at least two letters, digits, `_`, `.` or `-`".to_owned();
        decoder.fault_help(pair.spot(), message, help);
    }
    decoder.makes(Subject::Volume(pair.key.clone()));
    let keys = &["content", "labels", "driver", "driver_opts"];
    let Some(fields) = Fields::open(&pair.value, "a volume", keys, decoder) else {
        return (VolumeSpec::default(), Tree::default());
    };
    let content = fields
        .get("content")
        .map(|node| tree(node, TreeUse::Volume, decoder));
    (
        volume_spec(Some(pair.key.clone()), &fields, decoder),
        content.unwrap_or_default(),
    )
}
