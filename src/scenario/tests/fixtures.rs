//! Content from files beside the scenario.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::Scenario;
use super::load_with;
use crate::engine::{Content, NodeKind};

fn load(folder: &std::path::Path, from: &str) -> Result<Vec<Scenario>, String> {
    let text = format!("title: t\nhost: {{/x: {{from: {from}}}}}\nsteps: [crash]\n");
    load_with(&text, &folder.join("a.yaml"), None)
}

#[test]
fn only_what_is_below_the_scenarios_folder() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("inner");
    fs::create_dir_all(folder.join("sub")).unwrap();
    fs::write(outer.path().join("secret"), "s").unwrap();
    fs::write(folder.join("sub/data"), b"\xff\0").unwrap();
    symlink("sub/data", folder.join("inside")).unwrap();
    symlink("../secret", folder.join("outside")).unwrap();
    symlink(outer.path().join("secret"), folder.join("absolute")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    let big = fs::File::create(folder.join("big")).unwrap();
    big.set_len((16 << 20) + 1).unwrap();
    for good in ["sub/data", "./sub/data", "inside", "sub/../sub/data"] {
        let scenario = load(&folder, good)
            .unwrap_or_else(|faults| panic!("{faults}"))
            .remove(0);
        let content = NodeKind::File(Content::Bytes(b"\xff\0".to_vec().into()));
        assert_eq!(scenario.host.0[0].node.kind, content, "{good}");
    }
    let out = "it leads out of the scenario's folder";
    let table = [
        ("../secret", out),
        ("sub/../../secret", out),
        ("outside", out),
        ("absolute", out),
        ("/etc/passwd", out),
        ("missing", "there is no such file beside the scenario"),
        ("sub", "it is no regular file"),
        ("pipe", "it is no regular file"),
        ("big", "it is longer than 16 MiB"),
    ];
    for (from, reason) in table {
        let faults = load(&folder, from).unwrap_err();
        let wanted = format!("cannot take content from `{from}`: {reason}\n");
        assert!(faults.contains(&wanted), "{from}: {faults}");
    }
}

#[test]
fn an_archive_lies_below_the_scenarios_folder_too() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("inner");
    fs::create_dir_all(folder.join("layout")).unwrap();
    fs::write(outer.path().join("secret.tar"), "s").unwrap();
    fs::write(folder.join("app.tar"), "a").unwrap();
    symlink("../secret.tar", folder.join("outside")).unwrap();
    let load = |archive: &str, more: &str| {
        let image = format!("{{archive: {archive}{more}}}");
        let text = format!("title: t\nimages: {{base: {{}}, app: {image}}}\nsteps: [crash]\n");
        load_with(&text, &folder.join("a.yaml"), None)
    };
    for (written, path, tag) in [
        ("app.tar", "app.tar", None),
        ("./layout", "./layout", None),
        ("{file: app.tar, tag: 'a:1'}", "app.tar", Some("a:1")),
    ] {
        let scenario = load(written, ", layers: [{/x: x}], user: 5")
            .unwrap()
            .remove(0);
        let spec = scenario
            .images
            .iter()
            .find(|image| image.name == "app")
            .unwrap();
        let archive = spec.archive.as_deref().unwrap();
        assert_eq!((archive.path.as_str(), archive.tag.as_deref()), (path, tag));
        assert_eq!(archive.folder, folder);
        assert_eq!(
            (spec.layers.len(), spec.config.user.as_deref()),
            (1, Some("5"))
        );
    }
    let out = "it leads out of the scenario's folder";
    for (written, reason) in [
        ("../secret.tar", out),
        ("outside", out),
        ("/etc/passwd", out),
        ("layout/../../secret.tar", out),
        ("nope.tar", "there is no such file beside the scenario"),
    ] {
        let faults = load(written, "").unwrap_err();
        let wanted = format!("cannot take an image from `{written}`: {reason}\n");
        assert!(faults.contains(&wanted), "{written}: {faults}");
    }
    for (written, more, words) in [
        (
            "app.tar",
            ", from: base",
            "`from` another image or out of an `archive`, not both",
        ),
        ("{tag: a}", "", "an archive needs `file`"),
        (
            "{file: app.tar, tags: a}",
            "",
            "unknown key `tags` of an archive",
        ),
        ("[app.tar]", "", "expected text"),
    ] {
        let faults = load(written, more).unwrap_err();
        assert!(faults.contains(words), "{written}{more}: {faults}");
    }
}
