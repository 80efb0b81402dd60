//! A store at work.

use std::path::{Path, PathBuf};

use layerspec::engine::native::NativeProvider;
use layerspec::engine::{
    Answer, ContainerSpec, Content, Entry, ImageConfig, ImageSpec, MountRequest, Node, NodeKind,
    OpenOptions, Operation, Provider as _, Tree,
};

/// Leaves the folder of an engine that died with an image, a container, its mounts and volumes.
pub fn leave_store(to: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        scratch: scratch.path().to_owned(),
        keep: true,
    };
    let engine = NativeProvider::new().open(&options).unwrap();
    let file = |path: &str| Entry {
        path: path.to_owned(),
        node: Node::new(NodeKind::File(Content::Bytes("x".into()))),
    };
    let image = |name: &str, from: Option<&str>| ImageSpec {
        name: name.to_owned(),
        from: from.map(str::to_owned),
        layers: vec![Tree(vec![file("/data/a"), file("/b")])],
        config: ImageConfig {
            volumes: vec!["/data".to_owned()],
            user: Some("5".to_owned()),
            working_dir: Some("/data".to_owned()),
        },
        ..ImageSpec::default()
    };
    let mounts = ["store:/store", "/host:/h:ro"];
    let container = ContainerSpec {
        name: "first".to_owned(),
        image: "app".to_owned(),
        mounts: mounts
            .iter()
            .map(|mount| MountRequest::Short((*mount).to_owned()))
            .collect(),
        tmpfs: vec!["/tmp:size=1m".to_owned()],
        ..ContainerSpec::default()
    };
    for operation in [
        Operation::LoadImage(image("base", None)),
        Operation::LoadImage(image("app", Some("base"))),
        Operation::Run(container),
    ] {
        let answer = engine.perform(&operation);
        assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    }
    let store: PathBuf = engine.kept().unwrap();
    drop(engine);
    std::fs::rename(store, to).unwrap();
}
