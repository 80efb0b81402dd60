//! Loading an image from an archive ÷ unpacking its layers with `tar -x`. What was made is removed outside of
//! the time that counts.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use criterion::{Criterion, SamplingMode};
use layerspec::engine::{Answer, ArchiveFile, ImageSpec, OpenOptions, Operation, Provider};
use layerspec::registry;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::measure::{Ratio, compare};
use crate::world::{disks, full};

const LAYERS: u32 = 4;

/// Files of the whole image: with [`SIZE`] 1 GiB.
const FILES: u32 = 100_000;

/// Bytes of one file.
const SIZE: u64 = (1 << 30) / FILES as u64;

/// An archive, and its layers beside it.
struct Image {
    home: TempDir,
    layers: Vec<PathBuf>,
    provider: Arc<dyn Provider>,
}

impl Image {
    fn new(disk: &Path, files: u32, is_packed: bool) -> Self {
        let home = tempfile::tempdir_in(disk).unwrap();
        let mut layers = Vec::new();
        let mut ids = Vec::new();
        for number in 0..LAYERS {
            let plain = layer(number, files / LAYERS);
            let digest = Sha256::digest(&plain);
            ids.push(format!("\"sha256:{}\"", hex(&digest)));
            let path = home.path().join(format!("{number}.tar"));
            let mut file = File::create(&path).unwrap();
            if is_packed {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::GzEncoder::new(file, level);
                encoder.write_all(&plain).unwrap();
                encoder.finish().unwrap();
            } else {
                file.write_all(&plain).unwrap();
            }
            layers.push(path);
        }
        let ids = ids.join(",");
        let config = format!(r#"{{"os":"linux","rootfs":{{"diff_ids":[{ids}]}}}}"#);
        let names: Vec<String> = (0..LAYERS).map(|n| format!("\"{n}.tar\"")).collect();
        let names = names.join(",");
        let manifest = format!(r#"[{{"Config":"config.json","Layers":[{names}]}}]"#);
        let mut archive = tar::Builder::new(File::create(home.path().join("image.tar")).unwrap());
        for (name, text) in [("config.json", &config), ("manifest.json", &manifest)] {
            append(&mut archive, name, text.as_bytes());
        }
        for (number, path) in layers.iter().enumerate() {
            let name = format!("{number}.tar");
            archive.append_path_with_name(path, name).unwrap();
        }
        archive.finish().unwrap();
        Self {
            home,
            layers,
            provider: registry::provider("native").unwrap(),
        }
    }

    /// What `tar -x` makes of the layers, each in a directory of its own.
    fn unpack(&self) -> TempDir {
        let into = tempfile::tempdir_in(self.home.path()).unwrap();
        for (number, layer) in self.layers.iter().enumerate() {
            let folder = into.path().join(number.to_string());
            std::fs::create_dir(&folder).unwrap();
            let status = Command::new("tar")
                .args([Path::new("-xf"), layer, Path::new("-C"), &folder])
                .status();
            assert!(status.unwrap().success());
        }
        into
    }

    /// An engine that has loaded the archive.
    fn load(&self) -> Box<dyn layerspec::engine::Engine> {
        let options = OpenOptions {
            scratch: self.home.path().to_owned(),
            keep: false,
        };
        let engine = self.provider.open(&options).unwrap();
        let archive = ArchiveFile {
            folder: self.home.path().to_owned(),
            path: "image.tar".to_owned(),
            tag: None,
        };
        let spec = ImageSpec {
            name: "app".to_owned(),
            archive: Some(Box::new(archive)),
            ..ImageSpec::default()
        };
        match engine.perform(&Operation::LoadImage(spec)) {
            Answer::Done(_) => engine,
            other => panic!("{other:?}"),
        }
    }
}

/// A layer: files of [`SIZE`] bytes that do not compress to nothing, 100 to a directory.
fn layer(number: u32, files: u32) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut state = number + 1;
    let mut data = vec![0; usize::try_from(SIZE).unwrap()];
    for file in 0..files {
        for byte in data.iter_mut().step_by(8) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
        append(
            &mut builder,
            &format!("layer-{number}/{}/{file}", file / 100),
            &data,
        );
    }
    builder.into_inner().unwrap()
}

fn append<W: std::io::Write>(builder: &mut tar::Builder<W>, name: &str, data: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_mtime(1);
    header.set_size(data.len() as u64);
    builder.append_data(&mut header, name, data).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in bytes {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

pub(crate) fn image(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let mut group = criterion.benchmark_group(format!("image ÷ tar -x, {name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        for (kind, is_packed) in [("plain", false), ("gzip", true)] {
            group.bench_function(format!("{kind}: 100,000 files, 1 GiB"), |bencher| {
                let image = Image::new(&disk, full(FILES), is_packed);
                compare(bencher, || image.unpack(), || image.load());
            });
        }
        group.finish();
    }
}
