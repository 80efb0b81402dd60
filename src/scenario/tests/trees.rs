//! Every form of a tree's entry.

use std::collections::BTreeMap;

use super::good;
use crate::engine::{Bytes, Content, DeviceKind, Entry, Node, NodeKind, Time, Tree};

fn layer(entries: &str) -> Tree {
    let text = format!("title: t\nimages: {{app: {{layers: [{{{entries}}}]}}}}\nsteps: [crash]\n");
    good(&text).images.remove(0).layers.remove(0)
}

fn node(entry: &str) -> Node {
    layer(entry).0.remove(0).node
}

fn file(text: &str) -> NodeKind {
    NodeKind::File(Content::Bytes(text.into()))
}

#[test]
fn kinds() {
    let fill = |size, fill: Option<&str>| {
        NodeKind::File(Content::Fill {
            size,
            fill: fill.map(Bytes::from),
        })
    };
    let device = |kind, major, minor| NodeKind::Device { kind, major, minor };
    let table = [
        ("/x: a", file("a")),
        ("/x: ''", file("")),
        ("/x: 0644", file("0644")),
        ("/x: 0x1f", file("0x1f")),
        ("/x: True", file("True")),
        ("/x: 1.10", file("1.10")),
        ("/x: \"a\\0\\n\"", file("a\0\n")),
        ("/x: {text: no}", file("no")),
        (
            "/x: {base64: AAEC/w==}",
            NodeKind::File(Content::Bytes(Bytes(vec![0, 1, 2, 255]))),
        ),
        ("/x: {size: 64MiB, fill: abc}", fill(64 << 20, Some("abc"))),
        ("/x: {size: 3, fill: {base64: AA==}}", fill(3, Some("\0"))),
        ("/x: {size: 1GB}", fill(1_000_000_000, None)),
        ("/x/: {}", NodeKind::Directory { opaque: false }),
        ("/x/: {opaque: true}", NodeKind::Directory { opaque: true }),
        ("/: {mode: 0700}", NodeKind::Directory { opaque: false }),
        (
            "/x: {symlink: /y}",
            NodeKind::Symlink {
                target: "/y".to_owned(),
            },
        ),
        ("/x: {fifo: {}}", NodeKind::Fifo),
        ("/x: {device: c 1:3}", device(DeviceKind::Char, 1, 3)),
        (
            "/x: {device: b 4095:1048575}",
            device(DeviceKind::Block, 4095, 1_048_575),
        ),
        ("/x: {whiteout: true}", NodeKind::Whiteout),
    ];
    for (entry, expected) in table {
        assert_eq!(node(entry).kind, expected, "{entry}");
    }
}

#[test]
fn attributes() {
    let made = node(
        "/x: {text: '', mode: 6755, owner: 7, mtime: -1, xattrs: {user.a: b, user.c: {base64: /w==}}}",
    );
    let xattrs = BTreeMap::from([
        ("user.a".to_owned(), Bytes::from("b")),
        ("user.c".to_owned(), Bytes(vec![255])),
    ]);
    let expected = Node {
        kind: file(""),
        mode: Some(0o6755),
        uid: Some(7),
        gid: Some(7),
        mtime: Some(Time {
            seconds: -1,
            nanos: 0,
        }),
        xattrs,
    };
    assert_eq!(made, expected);
    assert_eq!(node("/x: {symlink: a, owner: '1:2'}").gid, Some(2));
}

#[test]
fn paths_keep_their_order_and_lose_their_slash() {
    let paths: Vec<String> = layer("/b/: {}, /b/a: '', /a: {hardlink: /b/a}, /é ü: ''")
        .0
        .into_iter()
        .map(|Entry { path, .. }| path)
        .collect();
    assert_eq!(paths, ["/b", "/b/a", "/a", "/é ü"]);
}

#[test]
fn the_host_directory_and_volumes() {
    let scenario = good(
        "title: t\nhost: {./a/: {}, ./a/b: '1', /c: {hardlink: ./a/b}, /s: {socket: {}}}\n\
         volumes: {seeded: {content: {/a: '1'}, labels: {tier: gold}, driver: local, driver_opts: {o: x}}}\n\
         steps: [crash]\n",
    );
    let paths: Vec<&str> = scenario
        .host
        .0
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(paths, ["/a", "/a/b", "/c", "/s"]);
    assert_eq!(scenario.host.0[3].node.kind, NodeKind::Socket);
    assert_eq!(
        scenario.host.0[2].node.kind,
        NodeKind::Hardlink {
            to: "/a/b".to_owned()
        }
    );
    let (spec, tree) = &scenario.volumes[0];
    assert_eq!(spec.name.as_deref(), Some("seeded"));
    assert_eq!(spec.driver.as_deref(), Some("local"));
    assert_eq!(spec.labels["tier"], "gold");
    assert_eq!(spec.driver_opts["o"], "x");
    assert_eq!(tree.0[0].node.kind, file("1"));
}

#[test]
fn images_come_after_what_they_build_on() {
    let scenario = good(
        "title: t\nimages: {c: {from: b, user: 1}, a: {volumes: [/v], working_dir: /w, platform: windows}, b: {from: a}}\n\
         steps: [crash]\n",
    );
    let names: Vec<&str> = scenario
        .images
        .iter()
        .map(|image| image.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(scenario.images[0].config.volumes, ["/v"]);
    assert_eq!(scenario.images[0].config.working_dir.as_deref(), Some("/w"));
    assert_eq!(scenario.images[0].platform.as_deref(), Some("windows"));
    assert_eq!(scenario.images[2].config.user.as_deref(), Some("1"));
    assert_eq!(scenario.images[2].from.as_deref(), Some("b"));
}
