//! Which image an archive holds, however it is written.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;

use layerspec::store::Config;
use layerspec::union::Errno;

use super::build::{Item, descriptor, file, folder, gzip, hex, layout, saved_as, tar, zstd};
use super::stage::{Stage, find, text};

fn layers() -> Vec<Vec<u8>> {
    vec![
        tar(&[folder("d/"), file("d/a", "one"), file("d/b", "two")]),
        tar(&[file("d/.wh.a", ""), file("c", [b'c'; 100_000])]),
    ]
}

const PROCESS: &str =
    r#"{"User":"1000:50","WorkingDir":"/srv","Volumes":{"/b":{},"/a":{}},"Cmd":["x"]}"#;

fn write(stage: &Stage, name: &str, items: &[Item]) -> std::path::PathBuf {
    let home = stage.home().join(name);
    for item in items {
        let path = home.join(std::str::from_utf8(&item.name).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, item.data()).unwrap();
    }
    home
}

#[test]
fn every_layout_and_compression_is_the_same_image() {
    let stage = Stage::new();
    let layers = layers();
    let packed = |pack: fn(&[u8]) -> Vec<u8>| -> Vec<Vec<u8>> {
        layers.iter().map(|layer| pack(layer)).collect()
    };
    // A frame to skip, then two frames: RFC 8878, section 3.
    let frames = |bytes: &[u8]| {
        let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let (one, two) = bytes.split_at(bytes.len() / 2);
        [&skipped[..], &zstd(one), &zstd(two)].concat()
    };
    // Members one after the other: RFC 1952, section 2.2.
    let members = |bytes: &[u8]| {
        let (one, two) = bytes.split_at(bytes.len() / 2);
        [gzip(one), gzip(two)].concat()
    };
    let mut expected = None;
    for blobs in [
        packed(<[u8]>::to_vec),
        packed(gzip),
        packed(zstd),
        packed(frames),
        packed(members),
    ] {
        let oci = layout(PROCESS, &layers, &blobs);
        let folder = stage.file(&write(&stage, &hex(&blobs[0]), &oci), None);
        let docker = tar(&saved_as("a:1", PROCESS, &layers, &blobs));
        for unpacked in [
            folder,
            stage.bytes(&tar(&oci)),
            stage.bytes(&docker),
            stage.bytes(&gzip(&docker)),
            stage.bytes(&zstd(&docker)),
        ] {
            let unpacked = unpacked.unwrap();
            let config = Config {
                volumes: vec!["/a".to_owned(), "/b".to_owned()],
                user: Some("1000:50".to_owned()),
                working_dir: Some("/srv".to_owned()),
            };
            assert_eq!(unpacked.config, config);
            let found = text(&unpacked.listing());
            assert_eq!(*expected.get_or_insert(found.clone()), found);
        }
    }
    let expected = expected.unwrap();
    assert!(
        expected.contains("/d/b") && !expected.contains("/d/a"),
        "{expected}"
    );
}

#[test]
fn an_image_is_chosen_by_its_tag() {
    let stage = Stage::new();
    let layer = |name: &str| vec![tar(&[file(name, "x")])];
    let mut items = Vec::new();
    let mut manifests = Vec::new();
    for (tag, name) in [("one:1", "one"), ("two:latest", "two")] {
        let mut saved = saved_as(tag, "{}", &layer(name), &layer(name));
        let manifest = String::from_utf8(saved.remove(1).data().to_vec()).unwrap();
        let manifest = manifest.replace("l0/", &format!("{name}/"));
        manifests.push(manifest[1..manifest.len() - 1].to_owned());
        let blob = saved.remove(1);
        items.push(saved.remove(0));
        items.push(file(format!("{name}/layer.tar"), blob.data()));
    }
    items.push(file("manifest.json", format!("[{}]", manifests.join(","))));
    let path = stage.write("two.tar", &tar(&items));
    for (tag, expected) in [("one:1", "/one"), ("two", "/two"), ("two:latest", "/two")] {
        let found = stage.file(&path, Some(tag)).unwrap();
        assert!(text(&found.listing()).contains(expected), "{tag}");
    }
    let error = stage.file(&path, Some("one")).err().unwrap().to_string();
    assert_eq!(
        error,
        "there is no image `one`: it holds `one:1`, `two:latest`"
    );
    let error = stage.file(&path, None).err().unwrap().to_string();
    assert_eq!(
        error,
        "several images could be meant: it holds `one:1`, `two:latest`"
    );
}

#[test]
fn of_several_platforms_this_one_is_taken() {
    let stage = Stage::new();
    let ours = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let mut items = Vec::new();
    let mut manifests = Vec::new();
    for (architecture, name) in [(ours, "ours"), ("vax", "theirs")] {
        let layers = vec![tar(&[file(name, "x")])];
        let files = layout("{}", &layers, &layers);
        let manifest = files[2].data();
        let one = descriptor("application/vnd.oci.image.manifest.v1+json", manifest);
        manifests.push(one.replace(
            "\"size\"",
            &format!(r#""platform":{{"os":"linux","architecture":"{architecture}"}},"size""#),
        ));
        items.extend(files.into_iter().skip(2));
    }
    // What BuildKit attests.
    manifests.push(manifests[0].replace(
        "\"size\"",
        r#""annotations":{"vnd.docker.reference.type":"attestation-manifest"},"size""#,
    ));
    let nested = format!(r#"{{"manifests":[{}]}}"#, manifests.join(","));
    items.push(file(
        format!("blobs/sha256/{}", hex(nested.as_bytes())),
        &nested,
    ));
    let one = descriptor("application/vnd.oci.image.index.v1+json", nested.as_bytes());
    items.push(file("index.json", format!(r#"{{"manifests":[{one}]}}"#)));
    let found = text(&stage.bytes(&tar(&items)).unwrap().listing());
    assert!(found.contains("/ours"), "{found}");
}

#[test]
fn times_are_kept_and_directories_have_theirs_last() {
    let stage = Stage::new();
    let layer = tar(&[
        folder("d/").mtime(1_000_000_000),
        file("d/a", "x").pax("mtime", "1234567890.5"),
        file("d/early", "x").pax("mtime", "-5"),
        file("d/late", "x").pax("mtime", "99999999999999"),
        super::build::symlink("d/l", "a").mtime(7),
    ]);
    let unpacked = stage.layers(&[layer]).unwrap();
    for (name, seconds, nanos) in [
        ("d", 1_000_000_000, 0),
        ("d/a", 1_234_567_890, 500_000_000),
        ("d/early", 0, 0),
        ("d/late", 0, 0),
        ("d/l", 7, 0),
    ] {
        let metadata = std::fs::symlink_metadata(unpacked.layers[0].join(name)).unwrap();
        assert_eq!(
            (metadata.mtime(), metadata.mtime_nsec()),
            (seconds, nanos),
            "{name}"
        );
    }
}

/// What an archive says of each file is all there is: nothing is inherited while unpacking.
#[test]
fn a_directory_has_its_default_access_list_last() {
    // Version 2, then tag, permissions and id: the owner, user 1000, the group, the mask, others.
    let mut list = vec![2, 0, 0, 0];
    for (tag, bits, id) in [
        (1_u16, 7_u16, u32::MAX),
        (2, 4, 1000),
        (4, 5, u32::MAX),
        (16, 5, u32::MAX),
        (32, 5, u32::MAX),
    ] {
        list.extend_from_slice(&tag.to_le_bytes());
        list.extend_from_slice(&bits.to_le_bytes());
        list.extend_from_slice(&id.to_le_bytes());
    }
    let stage = Stage::new();
    let key = "SCHILY.xattr.system.posix_acl_default";
    let layer = tar(&[folder("d/").pax(key, &list), file("d/a", "x").mode(0o666)]);
    let union = stage.layers(&[layer]).unwrap().merged();
    let of = |path: &[u8], name: &str| union.get_xattr(&find(&union, path), OsStr::new(name));
    assert_eq!(of(b"/d", "system.posix_acl_default"), Ok(list));
    assert_eq!(of(b"/d/a", "system.posix_acl_access"), Err(Errno::NODATA));
    let attributes = union.attributes(&find(&union, b"/d/a")).unwrap();
    assert_eq!(attributes.mode, 0o666);
}

#[test]
fn only_a_slash_gives_the_top_its_attributes() {
    let stage = Stage::new();
    for (name, mode) in [("./", 0o755), (".", 0o755), ("/", 0o711)] {
        let layer = tar(&[folder(name).mode(0o711), file("x", "x")]);
        let unpacked = stage.layers(&[layer]).unwrap();
        let union = unpacked.merged();
        let attributes = union.attributes(&union.root()).unwrap();
        assert_eq!(attributes.mode, mode, "{name}");
    }
}
