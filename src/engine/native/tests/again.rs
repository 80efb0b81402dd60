//! Engines of one provider, one after the other: what the next one finds of the one before.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::script::Stage;
use crate::engine::native::NativeProvider;

/// Everything below a folder: inode, mode, owner, time of the last change and of the last modification, content.
type Below = BTreeMap<String, (u64, u32, u32, i64, i64, Vec<u8>)>;

fn below(folder: &Path, found: &mut Below) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let (mut content, mut modified) = (Vec::new(), 0);
        if meta.is_file() {
            content = std::fs::read(&path).unwrap();
            modified = meta.mtime_nsec();
        }
        let seen = (
            meta.ino(),
            meta.mode(),
            meta.uid(),
            meta.ctime_nsec(),
            modified,
            content,
        );
        found.insert(path.to_str().unwrap().to_owned(), seen);
        if meta.is_dir() {
            below(&path, found);
        }
    }
}

struct Again {
    provider: NativeProvider,
    scratch: Arc<TempDir>,
}

impl Again {
    fn new() -> Self {
        Self {
            provider: NativeProvider::new(),
            scratch: Arc::new(tempfile::tempdir().unwrap()),
        }
    }

    fn play(&self, script: &str) {
        Stage::on(&self.provider, &self.scratch).play(script);
    }

    /// What an engine left, but for the private directory itself.
    fn left(&self) -> Below {
        let mut found = Below::new();
        for private in std::fs::read_dir(self.scratch.path()).unwrap().flatten() {
            below(&private.path(), &mut found);
        }
        found
    }

    fn names(&self) -> Vec<String> {
        let name = |path: &String| path.rsplit_once('/').unwrap().1.to_owned();
        let top = |path: &&String| path.matches('/').count() == self.depth();
        self.left().keys().filter(top).map(name).collect()
    }

    fn depth(&self) -> usize {
        self.scratch.path().to_str().unwrap().matches('/').count() + 2
    }
}

#[test]
fn layers_stay_and_nothing_that_a_container_does_changes_them() {
    let again = Again::new();
    again.play("run one app => ok");
    let before = again.left();
    assert_eq!(again.names(), ["l1", "l2"]);
    for _ in 0..2 {
        again.play(
            "run one app => ok
             in one read /etc/app.conf => \"default\"
             in one write /etc/app.conf changed => ok
             in one chmod /etc/passwd 600 => ok
             in one chown /data 5 => ok
             in one link /data/seed /data/other => ok
             in one truncate /data/other 0 => ok
             in one delete /etc/app.conf => ok
             in one mkdir /gone => ok
             commit one more => ok
             run -v store:/data two app => ok
             in two read /data/seed => \"s\"
             in two delete /data/seed => ok",
        );
        assert_eq!(again.left(), before);
    }
    drop(again.provider);
    assert_eq!(std::fs::read_dir(again.scratch.path()).unwrap().count(), 0);
}

#[test]
fn layers_that_were_removed_or_may_be_broken_do_not_stay() {
    let again = Again::new();
    for (script, names) in [
        ("run one app => ok", &["l1", "l2"][..]),
        ("rmi -f vol => ok\nrmi -f app => ok", &[]),
        (
            "rmi -f vol => ok\nrun one app => ok\nrmi -f app => ok",
            &["l1", "l2"],
        ),
        ("crash => ok", &[]),
        ("run one app => ok", &["l1", "l2"]),
        (
            "crash => ok\nrestart engine => ok\nstart one => no-such-container",
            &[],
        ),
    ] {
        again.play(script);
        assert_eq!(again.names(), names, "{script}");
    }
}

#[test]
fn engines_at_a_time_have_directories_of_their_own() {
    let again = Again::new();
    again.play("run one app => ok");
    let stages = [0, 1].map(|_| Stage::on(&again.provider, &again.scratch));
    for (stage, text) in stages.iter().zip(["a", "b"]) {
        stage.play(&format!(
            "run one app => ok\nin one write /etc/app.conf {text} => ok"
        ));
    }
    for (stage, text) in stages.iter().zip(["a", "b"]) {
        stage.play(&format!("in one read /etc/app.conf => \"{text}\""));
    }
    drop(stages);
    assert_eq!(again.names(), ["l1", "l2", "l1", "l2"]);
}
