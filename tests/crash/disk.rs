//! Checks a store's folder by its documented format alone (`layerspec::store::format`): everything that lies
//! there belongs to an object, and everything that an object names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// What is wrong with a store that was just opened and is idle.
pub(crate) fn faults(store: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut directories: BTreeMap<String, bool> = BTreeMap::new();
    let mut records: BTreeMap<String, Value> = BTreeMap::new();
    let mut indexes: Vec<String> = Vec::new();
    for entry in fs::read_dir(store).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_directory = entry.file_type().unwrap().is_dir();
        match (name.as_str(), is_directory) {
            ("host", true) => {}
            ("records", false) => read(&entry.path(), &mut records, &mut faults),
            (name, true) if name.starts_with('x') => indexes.push(name.to_owned()),
            (_, true) if "lcv".contains(&name[..1]) => drop(directories.insert(name, false)),
            _ => faults.push(format!("{name}: belongs to nothing")),
        }
    }
    let volumes: BTreeSet<&str> = records
        .iter()
        .filter(|(key, _)| key.starts_with('v'))
        .filter_map(|(_, record)| record["name"].as_str())
        .collect();
    let mut tags = BTreeSet::new();
    for (key, record) in &records {
        let mut needed = layers(&record["layers"]);
        if !key.starts_with('i') {
            needed.push(key.clone());
        }
        for mount in record["mounts"].as_array().into_iter().flatten() {
            needed.extend(layers(&mount["source"]["image"]["layers"]));
            let volume = mount["source"]["volume"]["name"].as_str();
            if let Some(name) = volume.filter(|name| !volumes.contains(name)) {
                faults.push(format!("{key}: no volume {name}"));
            }
        }
        for tag in record["tags"].as_array().into_iter().flatten() {
            if !tags.insert(tag.to_string()) {
                faults.push(format!("{key}: another image is called {tag}"));
            }
        }
        for name in needed {
            match directories.get_mut(&name) {
                Some(is_needed) => *is_needed = true,
                None => faults.push(format!("{key}: no {name}")),
            }
        }
    }
    for name in indexes {
        let owner = name.replacen('x', "c", 1);
        if !records.contains_key(&owner) {
            faults.push(format!("{name}: no {owner}"));
        }
        let (work, index) = (store.join(&name), store.join(&name).join("index"));
        let inner = names(&work).chain(names(&index));
        let in_the_making = inner.filter(|name| name.starts_with('#'));
        faults.extend(in_the_making.map(|inner| format!("{name}: {inner} is in the making")));
    }
    let orphans = directories.iter().filter(|(_, is_needed)| !**is_needed);
    faults.extend(orphans.map(|(name, _)| format!("{name}: no record names it")));
    faults
}

fn names(directory: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap())
}

/// The last word of the log on each record.
fn read(log: &Path, records: &mut BTreeMap<String, Value>, faults: &mut Vec<String>) {
    for line in fs::read_to_string(log).unwrap().split_inclusive('\n') {
        match serde_json::from_str::<BTreeMap<String, Value>>(line) {
            Ok(changes) if line.ends_with('\n') => {
                for (key, record) in changes {
                    if record.is_null() {
                        records.remove(&key);
                    } else if key != "next" {
                        records.insert(key, record);
                    }
                }
            }
            Ok(_) => faults.push(format!("{line:?}: no end of a line")),
            Err(error) => faults.push(format!("{line:?}: {error}")),
        }
    }
    let fillings = records.keys().filter(|key| key.starts_with('f'));
    faults.extend(fillings.map(|key| format!("{key}: still being filled")));
}

fn layers(list: &Value) -> Vec<String> {
    let numbers = list.as_array().into_iter().flatten();
    numbers
        .map(|layer| format!("l{}", layer["number"]))
        .collect()
}
