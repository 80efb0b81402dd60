//! Archives whose documents lie, or are none: digests, manifests, indices, and an archive that is cut off.

use layerspec::store::archive::ArchiveFault;

use super::build::{
    Item, file, folder, gzip, layout, record, saved, saved_as, symlink as link, tar, zstd,
};
use super::stage::Stage;

#[test]
fn what_a_digest_names_must_be_that() {
    let stage = Stage::new();
    let layer = tar(&[file("a", "x")]);
    let twin = tar(&[file("a", "y")]);
    let layers = std::slice::from_ref(&layer);
    // The layer is another one than the configuration says.
    let archive = tar(&saved_as("a:1", "{}", layers, std::slice::from_ref(&twin)));
    let error = stage.bytes(&archive).err().unwrap();
    assert!(
        matches!(error.fault, ArchiveFault::Digest { .. }),
        "{error}"
    );
    // The configuration is another one than its name says.
    let mut items = saved_as("a:1", "{}", layers, layers);
    items[0] = file(&items[0].name, [items[0].data(), b" "].concat());
    let error = stage.bytes(&tar(&items)).err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with("configuration: its digest is"),
        "{error}"
    );
    // Each blob of a layout in turn.
    let items = layout("{}", layers, &[gzip(&layer)]);
    assert!(stage.bytes(&tar(&items)).is_ok());
    for (index, place) in [(2, "manifest"), (3, "configuration"), (4, "its digest")] {
        let mut changed = items.clone();
        let mut data = changed[index].data().to_vec();
        // JSON stays JSON, and what is compressed stays so: gzip's header has a time.
        let at = if index == 4 { 4 } else { data.len() - 3 };
        data[at] = data[at].wrapping_add(1);
        changed[index] = file(&changed[index].name, data);
        let error = stage.bytes(&tar(&changed)).err().unwrap();
        assert!(error.to_string().starts_with(place), "{error}");
        assert!(
            matches!(error.fault, ArchiveFault::Digest { .. }),
            "{error}"
        );
    }
    // A longer blob.
    let mut changed = items;
    changed[4] = file(&changed[4].name, [changed[4].data(), b"x"].concat());
    let error = stage.bytes(&tar(&changed)).err().unwrap().to_string();
    assert!(error.contains("and should have"), "{error}");
}

#[test]
fn documents_that_are_none() {
    let stage = Stage::new();
    let deep = format!("[{{\"Other\":{}", "[".repeat(100_000));
    let long = format!("[\"{}\"]", "x".repeat(5 << 20));
    for (manifest, words) in [
        ("", "manifest.json: EOF"),
        ("[]", "there is no image in it"),
        ("{}", "manifest.json: "),
        (deep.as_str(), "manifest.json: EOF while parsing"),
        (long.as_str(), "limit of 4194304 bytes of a document"),
        (
            r#"[{"Config":"nope.json","Layers":[]}]"#,
            "does not hold `nope.json`",
        ),
        (
            r#"[{"Config":"manifest.json","Layers":[]}]"#,
            "configuration: ",
        ),
    ] {
        let archive = tar(&[file("manifest.json", manifest)]);
        let error = stage.bytes(&archive).err().unwrap().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    let none = tar(&[file("a", "x")]);
    let error = stage.bytes(&none).err().unwrap().to_string();
    assert!(error.starts_with("neither an OCI image layout"), "{error}");
    let windows = saved_as("a:1", "{}", &[], &[]);
    let config = String::from_utf8(windows[0].data().to_vec()).unwrap();
    let items = [
        file("c.json", config.replace("linux", "windows")),
        file("manifest.json", r#"[{"Config":"c.json","Layers":[]}]"#),
    ];
    let error = stage.bytes(&tar(&items)).err().unwrap().to_string();
    assert_eq!(error, "an image for `windows`, not for linux");
}

#[test]
fn indices_in_one_another_end() {
    // Each index holds the next twice: without a limit of depth, twice as many at each level.
    let mut blobs = Vec::new();
    let kind = "application/vnd.oci.image.index.v1+json";
    let mut below = r#"{"manifests":[]}"#.to_owned();
    for _ in 0..30 {
        blobs.push(file(
            format!("blobs/sha256/{}", super::build::hex(below.as_bytes())),
            &below,
        ));
        let one = super::build::descriptor(kind, below.as_bytes());
        below = format!(r#"{{"manifests":[{one},{one}]}}"#);
    }
    blobs.push(file("index.json", below));
    let error = Stage::new().bytes(&tar(&blobs)).err().unwrap().to_string();
    assert_eq!(error, "more than the limit of 4 indices in one another");
}

#[test]
fn what_documents_list_is_counted() {
    let said = |items: &[Item]| Stage::new().bytes(&tar(items)).err().unwrap().to_string();
    let many: Vec<Item> = (0..=20_000).map(|n| file(n.to_string(), "")).collect();
    let limit = "more than the limit of 20000 files in the archive itself";
    assert_eq!(said(&many), limit);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let images = vec![super::build::descriptor(kind, b""); 1_001].join(",");
    let index = file("index.json", format!(r#"{{"manifests":[{images}]}}"#));
    assert_eq!(said(&[index]), "more than the limit of 1000 images");
    let layers = vec![Vec::new(); 10_001];
    let mut items = saved_as("a:1", "{}", &layers, &[]);
    let paths = vec![r#""c.json""#; layers.len()].join(",");
    items[0].name = b"c.json".to_vec();
    let manifest = format!(r#"[{{"Config":"c.json","Layers":[{paths}]}}]"#);
    items[1] = file("manifest.json", manifest);
    assert_eq!(said(&items), "more than the limit of 10000 layers");
}

#[test]
fn an_archive_cut_anywhere_is_refused_or_whole() {
    let stage = Stage::new();
    let layers = [tar(&[file("a", [b'x'; 700]), folder("d/"), link("l", "a")])];
    let whole = saved("a:1", &layers);
    for end in (0..whole.len()).step_by(97) {
        // The end of the archive itself is two empty blocks, which nobody needs.
        let is_whole = end >= whole.len() - 1024 && end % 512 == 0;
        let is_nearly = end > whole.len() - 1024;
        let is_fine = stage.bytes(&whole[..end]).is_ok();
        assert!(is_fine == is_whole || is_nearly, "{end}");
    }
    let packed = gzip(&whole);
    for end in (2..packed.len()).step_by(13) {
        assert!(stage.bytes(&packed[..end]).is_err(), "{end}");
    }
    let packed = zstd(&whole);
    for end in (4..packed.len()).step_by(13) {
        assert!(stage.bytes(&packed[..end]).is_err(), "{end}");
    }
    assert_eq!(record(b"a", b"b"), b"6 a=b\n");
}
