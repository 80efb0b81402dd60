//! Every form of a mount.

use std::collections::BTreeMap;

use super::operation;
use crate::engine::{
    BindRequest, MountRequest, MountSource, Operation, Propagation, TmpfsRequest, VolumeRequest,
};

fn mount(text: &str) -> MountRequest {
    let line = format!("run: {{name: d, image: app, volumes: [{text}]}}");
    let Operation::Run(mut spec) = operation(&line) else {
        panic!("{line}")
    };
    spec.mounts.remove(0)
}

fn bind(source: &str) -> BindRequest {
    BindRequest {
        source: source.to_owned(),
        create_host_path: false,
        propagation: None,
        recursive: None,
        selinux: None,
    }
}

#[test]
fn the_short_form_stays_as_written() {
    for text in [
        "/data",
        "store:/data",
        "./conf:/etc/conf:ro,z",
        "store:/data:nocopy",
        "a:b:c:d",
        ".",
        "",
    ] {
        assert_eq!(
            mount(&format!("'{text}'")),
            MountRequest::Short(text.to_owned())
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn the_long_form() {
    let named = |name: &str| VolumeRequest {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    let some = |text: &str| Some(text.to_owned());
    let table = [
        (
            "type: volume",
            MountSource::Volume(VolumeRequest::default()),
        ),
        (
            "type: volume, source: store",
            MountSource::Volume(named("store")),
        ),
        (
            "type: volume, source: store, volume: {nocopy: true, subpath: a/b, labels: {x: y}}",
            MountSource::Volume(VolumeRequest {
                nocopy: true,
                subpath: some("a/b"),
                labels: BTreeMap::from([("x".to_owned(), "y".to_owned())]),
                ..named("store")
            }),
        ),
        (
            "type: bind, source: ./conf",
            MountSource::Bind(bind("/conf")),
        ),
        (
            "type: bind, source: /conf",
            MountSource::Bind(bind("/conf")),
        ),
        ("type: bind, source: .", MountSource::Bind(bind("/"))),
        ("type: bind", MountSource::Bind(bind(""))),
        (
            "type: bind, source: ./c, bind: {create_host_path: true, propagation: rslave, recursive: readonly, selinux: Z}",
            MountSource::Bind(BindRequest {
                create_host_path: true,
                propagation: Some(Propagation::Rslave),
                recursive: some("readonly"),
                selinux: some("Z"),
                ..bind("/c")
            }),
        ),
        ("type: tmpfs", MountSource::Tmpfs(TmpfsRequest::default())),
        (
            "type: tmpfs, tmpfs: {size: 64MiB, mode: 0700}",
            MountSource::Tmpfs(TmpfsRequest {
                size: Some(64 << 20),
                mode: Some(0o700),
            }),
        ),
        (
            "type: image, source: app, image: {subpath: /x}",
            MountSource::Image {
                source: "app".to_owned(),
                subpath: some("/x"),
            },
        ),
        (
            "type: bind, source: ./conf, consistency: cached",
            MountSource::Bind(bind("/conf")),
        ),
        (
            "type: image, source: app",
            MountSource::Image {
                source: "app".to_owned(),
                subpath: None,
            },
        ),
    ];
    for (text, source) in table {
        let expected = MountRequest::Long {
            target: "/t".to_owned(),
            read_only: true,
            source,
        };
        assert_eq!(
            mount(&format!("{{target: /t, read_only: true, {text}}}")),
            expected,
            "{text}"
        );
    }
}
