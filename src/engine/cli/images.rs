//! Images: loaded, committed, imported, tagged, removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::archive;
use super::engine::{Cli, Fault, Image, Known, Result};
use super::flavor::Flavor;
use super::layers::{Layer, Paths, of_tree, of_upper};
use super::names::{CASE_LABEL, RUN_LABEL, below};
use super::observe::OWN;
use crate::engine::{CommitSpec, ImageConfig, ImageSpec, Storage, Value};

impl Cli {
    pub(super) fn load_image(&self, spec: &ImageSpec) -> Result<Value> {
        if spec
            .platform
            .as_deref()
            .is_some_and(|platform| platform != "linux")
        {
            return Err(Fault::Unsupported("only images for Linux".to_owned()));
        }
        if spec.archive.is_some() {
            let why = "an archive would be loaded under names of its own, which may be somebody's";
            return Err(Fault::Unsupported(why.to_owned()));
        }
        let base = match &spec.from {
            Some(from) => self.image(from),
            None => Image::default(),
        };
        let mut archives: Vec<Vec<u8>> = Vec::new();
        let mut image = base;
        let broken = |error: std::io::Error| Fault::Broken(error.to_string());
        // An archive has to hold every layer, those of the base too.
        let trees = self.declared(spec);
        let mut below = Vec::new();
        for (storage, tree) in trees {
            archives.push(archive::layer(&tree, &below).map_err(broken)?);
            let paths = of_tree(&tree, &below);
            below.push(Arc::new(Layer { storage, paths }));
        }
        image.layers = below;
        merge(&mut image.config, &spec.config);
        let reference = self.names.image(&spec.name);
        let reference = with_tag(&reference);
        let written = archive::Image {
            reference: &reference,
            config: self.config(&image.config),
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
        self.judge(said)?;
        let mut state = self.state();
        state.trees.insert(spec.name.clone(), spec.clone());
        state.images.insert(spec.name.clone(), image);
        Ok(Value::Nothing)
    }

    /// Every layer of a declared image, its base's first.
    fn declared(&self, spec: &ImageSpec) -> Vec<(Storage, crate::engine::Tree)> {
        let base = spec
            .from
            .as_ref()
            .and_then(|from| self.state().trees.get(from).cloned());
        let mut all = base.map_or_else(Vec::new, |base| self.declared(&base));
        for tree in &spec.layers {
            let storage = Storage::Layer {
                image: spec.name.clone(),
                number: all.len() + 1,
            };
            all.push((storage, tree.clone()));
        }
        all
    }

    pub(super) fn image(&self, name: &str) -> Image {
        let state = self.state();
        let known = state.images.get(name).or_else(|| {
            let bare = name.strip_suffix(":latest")?;
            state.images.get(bare)
        });
        known.cloned().unwrap_or_default()
    }

    fn config(&self, config: &ImageConfig) -> Json {
        let labels: Map<String, Json> = self
            .names
            .labels()
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
        self.command(&arguments)?;
        let known = self.known(&spec.container);
        let paths = match &known.upper {
            Some(upper) => self.without_own(of_upper(&self.upper(upper)?)),
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
        self.state()
            .containers
            .get(container)
            .cloned()
            .unwrap_or_default()
    }

    /// A writable layer without what the engine put there itself.
    fn without_own(&self, mut paths: Paths) -> Paths {
        // Every writable layer has a root of its own.
        paths.remove("/");
        paths.retain(|path, _| OWN.iter().all(|own| below(path, own).is_none()));
        for directory in ["/etc", "/run"] {
            let inside = |path: &String| below(path, directory).is_some_and(|inner| inner != "/");
            if self.ground.about.flavor == Flavor::Podman && !paths.keys().any(inside) {
                paths.remove(directory);
            }
        }
        paths
    }

    /// What is in a writable layer on the daemon's disk.
    pub(super) fn upper(&self, upper: &str) -> Result<Vec<crate::agent::wire::Found>> {
        let Some(path) = self.ground.in_world(upper) else {
            return Ok(Vec::new());
        };
        self.ground.walk(&path, false).map_err(Fault::Broken)
    }

    pub(super) fn import(&self, from: &str, image: &str) -> Result<Value> {
        let mirror = self.mirror()?;
        let path = mirror.path(from)?;
        let mut arguments = vec!["import".to_owned()];
        for (key, value) in [
            (RUN_LABEL, &self.ground.run),
            (CASE_LABEL, &self.names.case().to_owned()),
        ] {
            arguments.extend(["--change".to_owned(), format!("LABEL {key}={value}")]);
        }
        arguments.extend([path.clone(), self.names.image(image)]);
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
            paths: self.without_own(paths),
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
        let mut names: Vec<String> = said
            .lines()
            .filter_map(|line| self.names.image_of(line))
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// A reference with the tag that would go without saying.
fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or_default();
    if last.contains(':') {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
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
