//! Images: loaded, committed, imported, tagged, removed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::archive;
use super::engine::{Cli, Fault, Image, Known, Result};
use super::flavor::Flavor;
use super::layers::{Layer, Layers, Paths, of_tree, of_upper};
use super::names::{RUN_LABEL, below};
use super::own::{OWN, OWN_PARENTS};
use super::packed::Packed;
use super::shared::{content, with_tag};
use crate::engine::{CommitSpec, ImageConfig, ImageSpec, Storage, Tree, Value};

impl Cli {
    pub(super) fn load_image(&self, spec: &ImageSpec) -> Result<Value> {
        if spec
            .platform
            .as_deref()
            .is_some_and(|platform| platform != "linux")
        {
            return Err(Fault::Unsupported("only images for Linux".to_owned()));
        }
        let (mut image, mut origins) = match (&spec.archive, &spec.from) {
            (Some(archive), _) => self.saved(&spec.name, archive)?,
            (None, Some(base)) => (self.image(base), self.origins(base)),
            (None, None) => (Image::default(), Vec::new()),
        };
        merge(&mut image.config, &spec.config);
        for tree in &spec.layers {
            let storage = Storage::Layer {
                image: spec.name.clone(),
                number: image.layers.len() + 1,
            };
            let paths = of_tree(tree, &image.layers);
            image.layers.push(Arc::new(Layer { storage, paths }));
            origins.push(Arc::new(Origin::Declared(tree.clone())));
        }
        let shared = if self.shares(&spec.name) {
            let content = content(&origins, &image.config);
            let run = &self.ground.run;
            let labels = [format!("{RUN_LABEL}={run}")];
            let load = |reference: &str| self.load(reference, &labels, &origins, &image);
            Some(self.ground.images.get(run, &content, load)?)
        } else {
            let reference = with_tag(&self.names.image(&spec.name));
            self.load(&reference, &self.names.labels(), &origins, &image)?;
            None
        };
        let mut state = self.state();
        match shared {
            Some(reference) => drop(state.shared.insert(with_tag(&spec.name), reference)),
            None => state.has_own_images = true,
        }
        state.origins.insert(spec.name.clone(), origins);
        state.images.insert(spec.name.clone(), image);
        Ok(Value::Nothing)
    }

    /// Loads an image under a reference.
    fn load(
        &self,
        reference: &str,
        labels: &[String],
        origins: &[Arc<Origin>],
        image: &Image,
    ) -> Result<()> {
        let mut archives = Vec::new();
        for (number, origin) in origins.iter().enumerate() {
            let below = image.layers.get(..number).unwrap_or_default().to_vec();
            archives.push(origin.packed(&below)?);
        }
        let written = archive::Image {
            reference,
            config: config(&image.config, labels),
            layers: &archives,
        };
        let load = || self.ground.program.feed(["load"], |to| written.write(to));
        let mut said = load()?;
        for _ in 0..5 {
            // Podman fails when another case removes a layer of the same content meanwhile.
            if said.success || self.ground.about.flavor != Flavor::Podman {
                break;
            }
            said = load()?;
        }
        self.judge(said).map(drop)
    }

    /// Whether an image of the scenario may be one that other cases use too.
    fn shares(&self, name: &str) -> bool {
        let state = self.state();
        let own = state.own_images.as_ref();
        own.is_some_and(|own| !own.contains(&with_tag(name)))
    }

    /// What an image is called in the daemon.
    pub(super) fn image_reference(&self, name: &str) -> String {
        let shared = self.state().shared.get(&with_tag(name)).cloned();
        shared.unwrap_or_else(|| self.names.image(name))
    }

    /// What the scenario calls an image of the daemon's.
    pub(super) fn image_of(&self, reference: &str) -> Option<String> {
        let reference = with_tag(reference);
        let state = self.state();
        let mut shared = state.shared.iter();
        let shared = shared.find(|(_, other)| **other == reference);
        let bare = |name: &String| name.strip_suffix(":latest").unwrap_or(name).to_owned();
        shared
            .map(|(name, _)| bare(name))
            .or_else(|| self.names.image_of(&reference))
    }

    /// Every layer of a declared image, its base's first: an archive has to hold them all.
    fn origins(&self, image: &str) -> Vec<Arc<Origin>> {
        let state = self.state();
        state.origins.get(image).cloned().unwrap_or_default()
    }

    pub(super) fn image(&self, name: &str) -> Image {
        let state = self.state();
        let known = state.images.get(name).or_else(|| {
            let bare = name.strip_suffix(":latest")?;
            state.images.get(bare)
        });
        known.cloned().unwrap_or_default()
    }

    pub(super) fn commit(&self, spec: &CommitSpec) -> Result<Value> {
        let container = self.names.container(&spec.container);
        let image = self.names.image(&spec.image);
        let mut arguments = vec!["commit".to_owned()];
        let mut change = |text: String| arguments.extend(["--change".to_owned(), text]);
        for volume in &spec.change.volumes {
            change(format!("VOLUME {}", json!([volume])));
        }
        if let Some(user) = &spec.change.user {
            change(format!("USER {user}"));
        }
        if let Some(directory) = &spec.change.working_dir {
            change(format!("WORKDIR {directory}"));
        }
        arguments.extend([container, image]);
        self.state().has_own_images = true;
        self.command(&arguments)?;
        let known = self.known(&spec.container);
        let paths = match &self.disk_of(&spec.container) {
            Some(disk) => without_own(of_upper(&self.upper(&disk.upper)?)),
            None => BTreeMap::new(),
        };
        let mut image = Image {
            layers: known.layers,
            config: ImageConfig::default(),
        };
        image.layers.push(Arc::new(Layer {
            storage: Storage::Layer {
                image: spec.image.clone(),
                number: image.layers.len() + 1,
            },
            paths,
        }));
        self.state().images.insert(spec.image.clone(), image);
        Ok(Value::Nothing)
    }

    pub(super) fn known(&self, container: &str) -> Known {
        self.take_in(container);
        self.state()
            .containers
            .get(container)
            .cloned()
            .unwrap_or_default()
    }

    /// What is in a writable layer on the daemon's disk.
    pub(super) fn upper(&self, upper: &str) -> Result<Vec<crate::agent::wire::Found>> {
        let Some(path) = self.ground.in_world(upper) else {
            return Ok(Vec::new());
        };
        self.ground.walk(&path, false).map_err(Fault::Broken)
    }

    /// Arguments of `import` by which the image has our labels. nerdctl gives it none; there its name has to do.
    pub(super) fn import_labels(&self) -> Vec<String> {
        let takes = self.ground.about.flavor != Flavor::Nerdctl;
        let labels = self.names.labels().into_iter().filter(|_| takes);
        labels
            .flat_map(|label| ["--change".to_owned(), format!("LABEL {label}")])
            .collect()
    }

    pub(super) fn import(&self, from: &str, image: &str) -> Result<Value> {
        let mirror = self.mirror()?;
        let path = mirror.path(from)?;
        let mut arguments = vec!["import".to_owned()];
        arguments.extend(self.import_labels());
        arguments.extend([path.clone(), self.names.image(image)]);
        self.state().has_own_images = true;
        self.command(&arguments)?;
        let mut paths = BTreeMap::new();
        if let Ok(file) = std::fs::File::open(&path) {
            let mut archive = tar::Archive::new(file);
            for entry in archive.entries().into_iter().flatten().flatten() {
                let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                let path = super::names::seen(&super::names::clean(&name));
                paths.insert(path, None);
            }
        }
        let layer = Layer {
            storage: Storage::Layer {
                image: image.to_owned(),
                number: 1,
            },
            // What was exported has what engines make for their own files.
            paths: without_own(paths),
        };
        let imported = Image {
            layers: vec![Arc::new(layer)],
            config: ImageConfig::default(),
        };
        self.state().images.insert(image.to_owned(), imported);
        Ok(Value::Nothing)
    }

    pub(super) fn remove_image(&self, image: &str, force: bool) -> Result<Value> {
        let name = self.names.image(image);
        let mut arguments = vec!["image", "rm"];
        arguments.extend(force.then_some("--force"));
        arguments.push(&name);
        self.command(&arguments)?;
        Ok(Value::Nothing)
    }

    pub(super) fn tag_image(&self, image: &str, tag: &str) -> Result<Value> {
        self.command(&["tag", &self.names.image(image), &self.names.image(tag)])?;
        let same = self.image(image);
        self.state().images.insert(tag.to_owned(), same);
        Ok(Value::Nothing)
    }

    pub(super) fn image_names(&self) -> Result<Vec<String>> {
        let arguments = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"];
        let mut said = self.command(&arguments);
        for _ in 0..20 {
            // Podman fails when somebody else's image goes away meanwhile.
            if said.is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
            said = self.command(&arguments);
        }
        let said = said?;
        let there: BTreeSet<&str> = said.lines().collect();
        let own = there.iter().filter_map(|line| self.names.image_of(line));
        let mut names: Vec<String> = own.collect();
        // Several names may share one.
        let state = self.state();
        let shared = state.shared.iter();
        let shared = shared.filter(|(_, reference)| there.contains(reference.as_str()));
        names.extend(shared.map(|(name, _)| {
            let bare = name.strip_suffix(":latest");
            bare.unwrap_or(name).to_owned()
        }));
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// What a layer is made of.
#[derive(Debug)]
pub(super) enum Origin {
    /// What a scenario says.
    Declared(Tree),
    /// What an archive holds.
    Saved(Packed),
}

impl Origin {
    /// As an archive has it.
    fn packed(&self, below: &Layers) -> Result<Packed> {
        match self {
            Self::Saved(packed) => Ok(packed.clone()),
            Self::Declared(tree) => {
                let layer = archive::layer(tree, below).map_err(|error| match error.kind() {
                    io::ErrorKind::Unsupported => Fault::Unsupported(error.to_string()),
                    _ => Fault::Broken(error.to_string()),
                })?;
                Ok(Packed::made(layer))
            }
        }
    }
}

/// An image's configuration in the words of an archive.
fn config(config: &ImageConfig, labels: &[String]) -> Json {
    let labels: Map<String, Json> = labels
        .iter()
        .filter_map(|label| label.split_once('='))
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect();
    let volumes: Map<String, Json> = config
        .volumes
        .iter()
        .map(|path| (path.clone(), json!({})))
        .collect();
    json!({
        "Labels": labels,
        "Volumes": volumes,
        "User": config.user.clone().unwrap_or_default(),
        "WorkingDir": config.working_dir.clone().unwrap_or_default(),
    })
}

fn merge(config: &mut ImageConfig, over: &ImageConfig) {
    for volume in &over.volumes {
        if !config.volumes.contains(volume) {
            config.volumes.push(volume.clone());
        }
    }
    if over.user.is_some() {
        config.user.clone_from(&over.user);
    }
    if over.working_dir.is_some() {
        config.working_dir.clone_from(&over.working_dir);
    }
}

/// A writable layer or an archive without what the engine put there itself, and without the directories that it makes for
/// that and that have nothing else.
fn without_own(mut paths: Paths) -> Paths {
    // Every writable layer has a root of its own.
    paths.remove("/");
    paths.retain(|path, _| OWN.iter().all(|own| below(path, own).is_none()));
    for &directory in OWN_PARENTS {
        let inside = |path: &String| below(path, directory).is_some_and(|inner| inner != "/");
        if !paths.keys().any(inside) {
            paths.remove(directory);
        }
    }
    paths
}
