//! There and back: what is exported is read again, by us and by others, and what they write of it by us.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::{hex, tar};
use super::docker::{self, Loaded, run};
use super::stage::{Stage, Unpacked, find, namespace, plain, read, text};
use layerspec::store::Config;
use layerspec::store::archive::{Export, Format, Layer};
use layerspec::union::{Timestamp, XattrNamespace};

const SCENARIO: &str = r#"
title: An image with a little of everything
images:
  base:
    layers:
      - /conf/app.conf: "mode = default\n"
        /data/: {mode: "2750", owner: "1000:1000", mtime: 2001-02-03T04:05:06Z}
        /data/x: {text: "x", mode: 4755, owner: "3000000000:7", mtime: 2024-01-02T03:04:05.5Z}
        /data/late: {text: "x", mtime: 2200-01-01T00:00:00Z}
        /one: "one file, three names"
        /sub/two: {hardlink: /one}
        /three: {hardlink: /one}
        /link: {symlink: data/x}
        /pipe: {fifo: {}}
        /null: {device: "c 1:3", mode: 0666}
        /sparse: {size: 3MiB}
        /gone: "x"
        /emptied/a: "a"
        /emptied/deep/b: "b"
        /sticky/: {mode: 1777}
  app:
    from: base
    layers:
      - /gone: {whiteout: true}
        /emptied/: {opaque: true}
        /emptied/c: "c"
        /conf/noted: {text: "y", xattrs: {user.note: {base64: "YQpiAGM="}}}
      - /long/LONG/LONG/LONG/name: "deep"
        /to-long: {symlink: /long/LONG/LONG/LONG/name}
        /emptied/deep/d: "d"
    volumes: [/data, /other]
    user: "1000:7"
    working_dir: /data
steps: [crash]
"#;

/// A scenario with the image, and what was exported of it.
struct Exported {
    stage: Stage,
    docker: PathBuf,
    oci: PathBuf,
}

fn export(scenario: &Path, arguments: &[&str], to: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_layerspec"))
        .args(["image", "export"])
        .args(arguments)
        .args([scenario, Path::new("app"), to])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

impl Exported {
    fn new() -> Self {
        let stage = Stage::new();
        let text = SCENARIO.replace("LONG", &"n".repeat(60));
        let scenario = stage.write("scenario.yaml", text.as_bytes());
        let (docker, oci) = (
            stage.home().join("docker.tar"),
            stage.home().join("oci.tar"),
        );
        export(&scenario, &[], &docker);
        export(&scenario, &["--format", "oci"], &oci);
        Self { stage, docker, oci }
    }

    fn read(&self, path: &Path) -> Unpacked {
        self.stage.file(path, None).unwrap()
    }

    /// The tree, the configuration, the layers and what no listing shows of them.
    fn check(&self, path: &Path) {
        let (expected, found) = (self.read(&self.docker), self.read(path));
        assert_eq!(
            text(&found.listing()),
            text(&expected.listing()),
            "{}",
            path.display()
        );
        assert_eq!(found.config, expected.config, "{}", path.display());
        let (one, other) = (expected.merged(), found.merged());
        for name in ["data", "data/x", "data/late", "conf/noted", "link"] {
            let time = |union: &layerspec::union::Union| {
                let node = find(union, name.as_bytes());
                union.attributes(&node).unwrap().mtime
            };
            assert_eq!(time(&other), time(&one), "{name}");
        }
        let note = other.get_xattr(&find(&other, b"conf/noted"), "user.note".as_ref());
        assert_eq!(note.unwrap(), b"a\nb\0c");
        assert_eq!(found.layers.len(), 3);
    }
}

/// Where devices are refused a whiteout is an empty file with a mark.
#[test]
fn whiteouts_without_devices_are_exported() {
    let stage = Stage::new();
    let work = stage.home().join("work");
    let folders = ["below", "above"].map(|name| stage.home().join(name));
    for folder in &folders {
        std::fs::create_dir_all(folder.join("d")).unwrap();
        std::fs::write(folder.join("d/kept"), "x").unwrap();
        std::fs::write(folder.join("d/gone"), "").unwrap();
    }
    let prefix = match namespace() {
        XattrNamespace::Trusted => "trusted",
        XattrNamespace::User => "user",
    };
    for (path, mark, value) in [("d", "opaque", "x"), ("d/gone", "whiteout", "y")] {
        let (path, name) = (folders[1].join(path), format!("{prefix}.overlay.{mark}"));
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(path, name, value.as_bytes(), flags).unwrap();
    }
    let unions = folders.map(|folder| plain(&folder, &work));
    let layer = |union| Layer {
        union,
        namespace: namespace(),
        since: Timestamp {
            seconds: 0,
            nanos: 0,
        },
    };
    let export = Export {
        name: "app",
        layers: unions.iter().map(|union| layer(&**union)).collect(),
        config: &Config::default(),
    };
    let mut bytes = Vec::new();
    export
        .write(Format::Docker, &mut bytes, tempfile::tempfile)
        .unwrap();
    let names: Vec<_> = stage.bytes(&bytes).unwrap().listing().into_keys().collect();
    assert_eq!(names, [&b"/d"[..], b"/d/kept"]);
}

#[test]
fn what_is_exported_is_read_again() {
    let exported = Exported::new();
    let unpacked = exported.read(&exported.docker);
    let found = text(&unpacked.listing());
    let expected = SEEN.replace("LONG", &"n".repeat(60));
    assert_eq!(found, expected.trim_start_matches('\n'));
    exported.check(&exported.oci);
    assert_eq!(unpacked.config.user.as_deref(), Some("1000:7"));
    assert_eq!(unpacked.config.volumes, ["/data", "/other"]);
    assert_eq!(unpacked.config.working_dir.as_deref(), Some("/data"));
    let union = unpacked.merged();
    assert_eq!(read(&union, &find(&union, b"sparse")), vec![0; 3 << 20]);
    let late = union.attributes(&find(&union, b"data/late")).unwrap();
    assert_eq!(late.mtime.seconds, 7_258_118_400);
    let half = union.attributes(&find(&union, b"data/x")).unwrap();
    assert_eq!(
        (half.mtime.seconds, half.mtime.nanos),
        (1_704_164_645, 500_000_000)
    );
}

const SEEN: &str = r#"
  /conf dir 0755 0:0
  /conf/app.conf file "mode = default\n" 0644 0:0
  /conf/noted file "y" 0644 0:0
  /data dir 2750 1000:1000
  /data/late file "x" 0644 0:0
  /data/x file "x" 4755 3000000000:7
  /emptied dir 0755 0:0
  /emptied/c file "c" 0644 0:0
  /emptied/deep dir 0755 0:0
  /emptied/deep/d file "d" 0644 0:0
  /link link data/x 0777 0:0
  /long dir 0755 0:0
  /long/LONG dir 0755 0:0
  /long/LONG/LONG dir 0755 0:0
  /long/LONG/LONG/LONG dir 0755 0:0
  /long/LONG/LONG/LONG/name file "deep" 0644 0:0
  /null c 1:3 0666 0:0
  /one file "one file, three names" 0644 0:0
  /pipe fifo 0644 0:0
  /sparse file 3145728 bytes bbd05cf6097ac9b1 0644 0:0
  /sticky dir 1777 0:0
  /sub dir 0755 0:0
  /sub/two hard link to /one
  /three hard link to /one
  /to-long link /long/LONG/LONG/LONG/name 0777 0:0
"#;

#[test]
fn the_same_image_gives_the_same_bytes() {
    let (one, other) = (Exported::new(), Exported::new());
    for (one, other) in [(&one.docker, &other.docker), (&one.oci, &other.oci)] {
        let (one, other) = (std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
        assert_eq!(hex(&one), hex(&other));
    }
}

#[test]
fn an_imported_archive_is_exported_as_it_was() {
    let exported = Exported::new();
    let text = "title: t\nimages: {app: {archive: docker.tar}}\nsteps: [crash]\n";
    let scenario = exported.stage.write("again.yaml", text.as_bytes());
    let again = exported.stage.home().join("again.tar");
    export(&scenario, &[], &again);
    let (one, other) = (std::fs::read(&exported.docker), std::fs::read(&again));
    assert_eq!(hex(&one.unwrap()), hex(&other.unwrap()));
}

#[test]
fn what_cannot_be_exported_says_why_and_leaves_nothing() {
    let stage = Stage::new();
    let text = "title: t\nimages: {app: {layers: [{/d/.wh.x: x}]}}\nsteps: [crash]\n";
    let scenario = stage.write("a.yaml", text.as_bytes());
    let try_to = |image: &str, to: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_layerspec"))
            .args(["image", "export"])
            .args([&scenario, Path::new(image), to])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let before = std::fs::read_dir(stage.home()).unwrap().count();
    let to = stage.home().join("out.tar");
    let said = try_to("app", &to);
    let words = "layer 1: file `d/.wh.x`: in an archive its name is a whiteout's";
    assert!(said.contains(words), "{said}");
    let said = try_to("nope", &to);
    assert!(said.contains("the scenario has no image nope"), "{said}");
    let said = try_to("app", &stage.home().join("nowhere/out.tar"));
    assert!(
        said.contains("nowhere/out.tar: cannot be written"),
        "{said}"
    );
    assert_eq!(std::fs::read_dir(stage.home()).unwrap().count(), before);
}

#[test]
fn through_docker_and_back() {
    if !docker::has_docker() {
        return;
    }
    let exported = Exported::new();
    // By a name of its own: other tests use the daemon too.
    let name = docker::name();
    let archive = std::fs::read(&exported.docker).unwrap();
    let archive = rename(&archive, &name);
    let loaded = Loaded::load(&name, &archive).unwrap();
    let ours = exported.read(&exported.docker);
    assert_eq!(text(&loaded.listing()), text(&ours.listing()));
    let saved = exported.stage.write("saved.tar", &loaded.save());
    exported.check(&saved);
}

#[test]
fn the_archive_of_the_scenario_is_what_docker_says() {
    if !docker::has_docker() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/layers/saved/app.tar");
    let stage = Stage::new();
    let ours = stage.file(&path, None).unwrap();
    let name = docker::name();
    let archive = rename(&std::fs::read(&path).unwrap(), &name);
    let loaded = Loaded::load(&name, &archive).unwrap();
    // Docker has an /etc of its own in every container.
    let mut listing = ours.listing();
    listing.remove(&b"/etc"[..]);
    assert_eq!(text(&loaded.listing()), text(&listing));
    let form = "{{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Volumes}}";
    let said = run("docker", &["inspect", "--format", form, &name], b"").unwrap();
    assert_eq!(
        String::from_utf8(said).unwrap(),
        "1000 /srv {\"/data\":{}}\n"
    );
    assert_eq!(ours.config.user.as_deref(), Some("1000"));
    assert_eq!(ours.config.working_dir.as_deref(), Some("/srv"));
    assert_eq!(ours.config.volumes, ["/data"]);
}

/// The same archive with another tag.
fn rename(archive: &[u8], name: &str) -> Vec<u8> {
    let mut items = Vec::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path_bytes().into_owned();
        let mut data = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut data).unwrap();
        if path == b"repositories" || entry.header().entry_type().is_dir() {
            continue;
        }
        if path == b"manifest.json" {
            let mut manifest: serde_json::Value = serde_json::from_slice(&data).unwrap();
            manifest[0]["RepoTags"] = serde_json::json!([name]);
            data = manifest.to_string().into_bytes();
        }
        items.push(super::build::file(path, data));
    }
    tar(&items)
}

#[test]
fn through_skopeo_and_back() {
    if !docker::has("skopeo", &["--version"]) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: skopeo gives what it unpacks its owner, root");
        return;
    }
    let exported = Exported::new();
    let home = exported.stage.home().to_str().unwrap().to_owned();
    let copy = |from: &str, to: &str| {
        let arguments = ["copy", "--insecure-policy", "--quiet", from, to];
        run("skopeo", &arguments, b"").unwrap();
    };
    let place = |kind: &str, name: &str| format!("{kind}:{home}/{name}");
    let tagged = |kind: &str, name: &str| format!("{kind}:{home}/{name}:app:latest");
    for (from, to, written) in [
        (
            place("docker-archive", "docker.tar"),
            place("oci-archive", "1"),
            "1",
        ),
        (
            place("oci-archive", "oci.tar"),
            tagged("docker-archive", "2"),
            "2",
        ),
        (
            place("oci-archive", "oci.tar"),
            place("oci", "3:latest"),
            "3",
        ),
        (place("oci", "3:latest"), place("oci-archive", "4"), "4"),
        (place("docker-archive", "2"), place("oci", "5:latest"), "5"),
    ] {
        copy(&from, &to);
        let written = exported.stage.home().join(written);
        exported.check(&written);
    }
}

#[test]
fn through_umoci_and_back() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: umoci needs root to make devices");
        return;
    }
    if !docker::has("umoci", &["--version"]) {
        return;
    }
    let exported = Exported::new();
    let layout = exported.stage.home().join("layout");
    std::fs::create_dir(&layout).unwrap();
    let (archive, folder) = (exported.oci.to_str().unwrap(), layout.to_str().unwrap());
    run("tar", &["-xf", archive, "-C", folder], b"").unwrap();
    exported.check(&layout);
    // What umoci unpacks it packs again, as one more layer.
    let bundle = exported.stage.home().join("bundle");
    let (image, bundle) = (format!("{folder}:latest"), bundle.to_str().unwrap());
    run("umoci", &["unpack", "--image", &image, bundle], b"").unwrap();
    std::fs::write(format!("{bundle}/rootfs/conf/app.conf"), "changed").unwrap();
    std::fs::remove_file(format!("{bundle}/rootfs/emptied/c")).unwrap();
    run("umoci", &["repack", "--image", &image, bundle], b"").unwrap();
    let found = text(&exported.read(&layout).listing());
    let expected = text(&exported.read(&exported.oci).listing());
    let changed = expected
        .replace("\"mode = default\\n\"", "\"changed\"")
        .replace("  /emptied/c file \"c\" 0644 0:0\n", "");
    assert_eq!(found, changed);
}
