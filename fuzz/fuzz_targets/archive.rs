//! The bytes of an image archive, or of one of its layers: reading them ends soon, with a tree or with an error,
//! and nothing lands outside of the layer.
//!
//! The first byte says what the others are ([`Form`]). A layer gets an archive around it whose digests are right, and
//! the sums of its headers are mended, so that what is behind them is reached.
#![no_main]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use layerspec::store::archive::{Archive, Limits};
use layerspec::union::{Directory, Options, Ownership, Stack, Union, XattrNamespace};
use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../tests/archive/build.rs"]
#[expect(dead_code, reason = "made for more than this")]
mod build;

static HOME: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap().keep();
    std::fs::create_dir(home.join("work")).unwrap();
    home
});

/// What the bytes are.
enum Form {
    Archive,
    Layer,
    Gzip,
    Zstd,
}

impl Form {
    fn of(first: u8) -> Option<Self> {
        Some(match first {
            b'a' => Self::Archive,
            b'l' => Self::Layer,
            b'g' => Self::Gzip,
            b'z' => Self::Zstd,
            _ => return None,
        })
    }
}

fn open(path: &Path) -> Directory {
    Arc::new(File::open(path).unwrap().into())
}

fn namespace() -> XattrNamespace {
    if rustix::process::geteuid().is_root() {
        XattrNamespace::Trusted
    } else {
        XattrNamespace::User
    }
}

fn layer(path: &Path) -> Arc<Union> {
    let namespace = namespace();
    let ownership = match namespace {
        XattrNamespace::Trusted => Ownership::Real,
        XattrNamespace::User => Ownership::Override,
    };
    let options = Options {
        plain: true,
        alone: true,
        namespace,
        ownership,
        ..Options::default()
    };
    let (upper, work) = (Some(open(path)), Some(open(&HOME.join("work"))));
    let lowers = Vec::new();
    Union::open(Stack {
        upper,
        work,
        lowers,
        options,
    })
    .unwrap()
}

/// Makes the sums of all headers right.
fn mend(bytes: &mut [u8]) {
    for block in bytes.as_chunks_mut::<512>().0 {
        if block[257..262] == *b"ustar" {
            let mut header = tar::Header::new_old();
            header.as_mut_bytes().copy_from_slice(block);
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
    }
}

fn archive(form: &Form, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if matches!(form, Form::Archive | Form::Layer) {
        mend(&mut bytes);
    }
    match form {
        Form::Archive => bytes,
        Form::Layer => build::saved("a:1", &[bytes]),
        // As it is, a compressed layer would have to be undone to know its digest. What is told is wrong, and found
        // to be so at the end.
        Form::Gzip | Form::Zstd => {
            build::tar(&build::saved_as("a:1", "{}", &[Vec::new()], &[bytes]))
        }
    }
}

/// Unpacks everything; whether it went well does not matter.
fn unpack(archive: &Path, limits: Limits) -> Result<(), layerspec::store::archive::ArchiveError> {
    let file = File::open(archive).unwrap();
    let mut archive = Archive::open(file.into(), &open(&HOME.join("work")), limits)?;
    let image = archive.image(None)?;
    for one in image.layers.iter().take(8) {
        let into = tempfile::tempdir_in(&*HOME).unwrap();
        archive.unpack(one, &layer(into.path()), namespace())?;
    }
    Ok(())
}

/// Copies everything, as for a program that reads archives itself.
fn copy(archive: &Path, limits: Limits) -> Result<(), layerspec::store::archive::ArchiveError> {
    let file = File::open(archive).unwrap();
    let mut archive = Archive::open(file.into(), &open(&HOME.join("work")), limits)?;
    let image = archive.image(None)?;
    let mut into = tempfile::tempfile().unwrap();
    for one in image.layers.iter().take(8) {
        archive.copy(one, &mut into)?;
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((first, bytes)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let Some(form) = Form::of(*first) else {
        return Corpus::Reject;
    };
    let path = HOME.join("archive");
    std::fs::write(&path, archive(&form, bytes)).unwrap();
    let limits = Limits {
        bytes: 8 << 20,
        entries: 200,
        ..Limits::default()
    };
    let (copied, unpacked) = (copy(&path, limits), unpack(&path, limits));
    for error in [copied.err(), unpacked.err()].into_iter().flatten() {
        let said = error.to_string();
        assert!(!said.is_empty() && said.len() < 1000, "{said}");
        assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
    }
    let names = std::fs::read_dir(&*HOME).unwrap().count();
    assert_eq!(names, 2, "something lies outside of the layers");
    let left = std::fs::read_dir(HOME.join("work")).unwrap().count();
    assert_eq!(left, 0, "something is left in the work directory");
    Corpus::Keep
});
