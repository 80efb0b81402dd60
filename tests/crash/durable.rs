//! What `durable` claims: a log that is made keeps its name, a change of a record is on the medium when it is told to be
//! made, and a log that is written anew is there before it takes the old one's place. The medium cannot be asked, but the calls can be seen. That
//! nothing else is synced is seen as well: in all other traces [`trace`] stops at such a call.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use layerspec::store::{Options, Store, Volume, driver};
use libtest_mimic::Failed;

use crate::child::BEGIN;
use crate::kill::tell;
use crate::strace::{Call, fresh_scratch, trace};

/// So many changes for no record that the log is written anew when it is opened.
const VOLUMES: usize = 4;

/// The child: makes two stores, makes and removes volumes in one, opens the store again, and says after each step that it is done.
pub(crate) fn perform(folder: &Path) {
    let open = || {
        let folder = Arc::new(File::open(folder).unwrap().into());
        Store::open(folder, Options { durable: true }).unwrap()
    };
    let new = folder.join("new");
    fs::create_dir(&new).unwrap();
    println!("{BEGIN}");
    let new = Arc::new(File::open(new).unwrap().into());
    drop(Store::create(new, Options { durable: true }, 1).unwrap());
    println!("done");
    let mut store = open();
    println!("done");
    for number in 0..VOLUMES {
        let (number, _) = store.add_volume(volume(number)).unwrap();
        println!("done");
        store.remove_volume(number).unwrap();
        println!("done");
    }
    drop(store);
    drop(open());
    println!("done");
}

fn volume(number: usize) -> Volume {
    Volume {
        name: format!("v{number}"),
        anonymous: false,
        owner: None,
        with: None,
        driver: driver::LOCAL.to_owned(),
        labels: BTreeMap::default(),
        options: BTreeMap::default(),
    }
}

pub(crate) fn test() -> Result<(), Failed> {
    let (folder, logs) = (fresh_scratch(), fresh_scratch());
    let path = folder.path().to_str().unwrap();
    let (calls, ended) = trace(&["durable", path], &logs.path().join("log"));
    let steps = 2 + 2 * VOLUMES + 1;
    assert_eq!(ended.lines.len(), 1 + steps, "{ended:?}");
    let seen = |act: usize| -> Vec<&Call> { calls.iter().filter(|call| call.act == act).collect() };
    let mut faults = Vec::new();
    for act in 0..2 {
        if !are_in_order(&seen(act), &["fsync"]) {
            faults.push(format!("the name of log {act} is not synced"));
        }
    }
    for act in 2..steps - 1 {
        if !are_in_order(&seen(act), &["pwrite64", "fdatasync"]) {
            faults.push(format!("change {act} is not synced"));
        }
    }
    let replaced = ["pwrite64", "fdatasync", "renameat", "fsync"];
    if !are_in_order(&seen(steps - 1), &replaced) {
        faults.push("a log that replaces another is not synced".to_owned());
    }
    assert!(
        fs::read_to_string(folder.path().join("records"))
            .unwrap()
            .contains("next")
    );
    tell(&faults)
}

/// Whether the last call of each name comes after the last of the name before.
fn are_in_order(calls: &[&Call], names: &[&str]) -> bool {
    let last = |name: &&str| calls.iter().rposition(|call| call.name == **name);
    let places: Vec<_> = names.iter().map(last).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}
