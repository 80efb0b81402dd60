//! Attributes of one file that many threads change.

use std::ffi::OsStr;
use std::fs;
use std::sync::Barrier;

use layerspec::union::{NodeRef, Ownership, SetAttributes, Union, XattrFlags};

use super::ground::{Ground, options};
use super::worker::{find, root};

/// Each thread changes another attribute of one file, by reading and writing back what there is.
#[test]
fn attributes_are_changed_one_after_the_other() {
    for ownership in [Ownership::Real, Ownership::Override] {
        change_attributes(ownership, &[0, 1, 2, 3]);
    }
}

/// Where owners are in an attribute, a list writes it as well.
#[test]
fn access_lists_leave_owners_alone() {
    change_attributes(Ownership::Override, &[1, 2, 4]);
}

fn change_attributes(ownership: Ownership, ids: &[u32]) {
    let ground = Ground::new(1);
    fs::write(ground.path("lower").join("f"), "x").unwrap();
    let union = ground.union(0, options(ownership));
    let barrier = Barrier::new(ids.len());
    std::thread::scope(|scope| {
        for id in ids {
            let (union, barrier) = (&union, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let file = find(union, "f").unwrap();
                for round in 0..300 {
                    change_attribute(union, &file, *id, round);
                }
            });
        }
    });
}

fn change_attribute(union: &Union, file: &NodeRef, id: u32, round: u32) {
    let mut change = SetAttributes::default();
    match id {
        0 => change.mode = Some(0o600 | (round % 8)),
        1 => change.uid = Some(round + 1),
        2 => change.gid = Some(round + 1),
        4 => {
            let list = access_list(round % 8);
            return union
                .set_xattr(file, OsStr::new(ACCESS), &list, XattrFlags::Any)
                .unwrap();
        }
        _ => {
            let (name, value) = (OsStr::new("user.round"), round.to_string());
            union
                .set_xattr(file, name, value.as_bytes(), XattrFlags::Any)
                .unwrap();
            assert_eq!(union.get_xattr(file, name), Ok(value.into_bytes()));
            return;
        }
    }
    union.set_attributes(file, &change, &root()).unwrap();
    let now = union.attributes(file).unwrap();
    let (wanted, got) = match id {
        0 => (change.mode, now.mode),
        1 => (change.uid, now.uid),
        _ => (change.gid, now.gid),
    };
    assert_eq!(wanted, Some(got), "round {round} of {id}");
}

const ACCESS: &str = "system.posix_acl_access";

/// One that names a user besides, with these permissions for others (`linux/posix_acl_xattr.h`).
fn access_list(others: u32) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries = [
        (1, 6, NOBODY),
        (2, 7, 5),
        (4, 4, NOBODY),
        (16, 7, NOBODY),
        (32, others, NOBODY),
    ];
    let entry = |(tag, permissions, id): (u32, u32, u32)| [(permissions << 16 | tag), id];
    let words = entries.into_iter().flat_map(entry);
    std::iter::once(2)
        .chain(words)
        .flat_map(u32::to_le_bytes)
        .collect()
}
