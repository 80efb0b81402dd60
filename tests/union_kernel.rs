//! The union against kernel overlayfs: the same operations on identical copies, the same outcome.
//!
//! Needs root, to mount. As another user the tests print why they did nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, and say why they skip"
)]

mod union;

use std::fmt::Write as _;

use layerspec::union::{Errno, Feature, Options};
use union::compare::{Plan, differences};
use union::kernel::{Kernel, Layers};
use union::script::Script;
use union::stage::{self, Style};
use union::{index, mixed, random, table};

/// Says why a test cannot run here.
fn obstacle() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("mounting an overlay needs root");
    }
    let file_systems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !file_systems.contains("overlay") {
        return Some("this kernel has no overlayfs");
    }
    None
}

/// A directory that an ordinary user can reach.
fn scratch() -> tempfile::TempDir {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let scratch = tempfile::tempdir().unwrap();
    rustix::fs::chmod(scratch.path(), rustix::fs::Mode::from_raw_mode(0o755)).unwrap();
    scratch
}

fn compare_table(rows: &[(&str, &str)], plan: Plan) {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let only = std::env::var("ROW").ok();
    let mut failures = String::new();
    for (name, text) in rows {
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let scratch = scratch();
        let found = differences(&Script::parse(text), scratch.path(), plan);
        if !found.is_empty() {
            let _ = writeln!(failures, "{name}\n{found}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

const AS_ROOT: Plan = Plan::new(Style::Real);
const AS_USER: Plan = Plan::new(Style::Override);
const WITH_USER_MARKS: Plan = Plan::new(Style::UserMarks);
const WITH_REDIRECTS: Plan = Plan {
    redirect_dir: true,
    ..AS_ROOT
};
const WITH_INDEX: Plan = Plan {
    index: true,
    ..AS_ROOT
};
const WITH_INDEX_AND_REDIRECTS: Plan = Plan {
    index: true,
    ..WITH_REDIRECTS
};
const WITH_INDEX_AND_METACOPY: Plan = Plan {
    index: true,
    ..WITH_METACOPY
};
const WITH_INDEX_IN_USER_MARKS: Plan = Plan {
    index: true,
    ..WITH_USER_MARKS
};
const WITH_INDEX_ON_A_POOR_DISK: Plan = Plan {
    index: true,
    ..ON_A_POOR_DISK
};

/// Owners in an attribute, as an ordinary user keeps them; the kernel knows nothing of it.
const IN_NAMESPACE: Plan = Plan::new(Style::OverrideForKernel);
const WITH_METACOPY: Plan = Plan {
    metacopy: true,
    ..AS_ROOT
};

/// On a disk that has nothing beyond what the union cannot do without.
const ON_A_POOR_DISK: Plan = Plan {
    without: &[
        Feature::Tmpfile,
        Feature::Clone,
        Feature::CopyRange,
        Feature::RenameWhiteout,
        Feature::WhiteoutLink,
    ],
    ..AS_ROOT
};
const WITHOUT_DEVICES: Plan = Plan {
    without: &[Feature::WhiteoutDevice],
    ..AS_ROOT
};

/// With the upper layers on the disk compared, too.
const fn raw(plan: Plan) -> Plan {
    Plan {
        is_raw: true,
        ..plan
    }
}

#[test]
fn table_as_root() {
    compare_table(&table::rows(), raw(AS_ROOT));
}

/// Marks that anyone may write are no redirects.
#[test]
fn table_with_user_marks() {
    let rows = [table::rows(), vec![table::FOLLOWED]].concat();
    compare_table(&rows, raw(WITH_USER_MARKS));
}

#[test]
fn table_as_user() {
    compare_table(&table::rows(), AS_USER);
}

#[test]
fn table_with_redirects() {
    compare_table(table::REDIRECTS, raw(WITH_REDIRECTS));
}

#[test]
fn table_with_metacopy() {
    compare_table(table::METACOPY, raw(WITH_METACOPY));
    compare_table(table::REDIRECTS, raw(WITH_METACOPY));
}

#[test]
fn table_on_a_poor_disk() {
    compare_table(&table::rows(), raw(ON_A_POOR_DISK));
}

#[test]
fn table_without_whiteout_devices() {
    compare_table(&table::rows(), WITHOUT_DEVICES);
}

#[test]
fn table_with_an_index() {
    compare_table(&table::rows(), raw(WITH_INDEX));
    for plan in [
        WITH_INDEX,
        WITH_INDEX_AND_REDIRECTS,
        WITH_INDEX_AND_METACOPY,
        WITH_INDEX_ON_A_POOR_DISK,
    ] {
        compare_table(table::INDEX, raw(plan));
    }
    compare_table(table::INDEX, raw(AS_ROOT));
    let is_regular = |row: &&table::Row| !row.0.contains("special");
    let rows: Vec<_> = table::INDEX.iter().filter(is_regular).copied().collect();
    compare_table(&rows, raw(WITH_INDEX_IN_USER_MARKS));
}

fn compare_random(plan: Plan, seeds: std::ops::Range<u64>) {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let mut failures = String::new();
    for seed in seeds {
        let scratch = scratch();
        let script = random_script(seed, plan);
        let found = differences(&script, scratch.path(), plan);
        if !found.is_empty() {
            let _ = writeln!(failures, "seed {seed}\n{found}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn random_script(seed: u64, plan: Plan) -> Script {
    let mut script = if plan.index {
        random::script_with_links(seed)
    } else {
        random::script(seed)
    };
    if std::env::var_os(NAMESPACE).is_some() {
        // What the kernel would refuse before it asks the file system.
        script.steps.retain(|words| {
            words[0] != "chown" && !words.iter().any(|word| word.starts_with("trusted."))
        });
    }
    script
}

/// `SEED=7` runs one, `SEEDS=1000` so many.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse::<u64>().ok())
    };
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(usual),
    }
}

#[test]
fn random_as_root() {
    compare_random(raw(AS_ROOT), seeds(24));
}

#[test]
fn random_with_user_marks() {
    compare_random(WITH_USER_MARKS, seeds(24));
}

#[test]
fn random_as_user() {
    compare_random(AS_USER, seeds(24));
}

#[test]
fn random_with_redirects() {
    compare_random(raw(WITH_REDIRECTS), seeds(24));
}

#[test]
fn random_with_metacopy() {
    compare_random(raw(WITH_METACOPY), seeds(24));
}

#[test]
fn random_with_an_index() {
    compare_random(raw(WITH_INDEX), seeds(24));
    compare_random(raw(WITH_INDEX_AND_REDIRECTS), seeds(8));
    compare_random(raw(WITH_INDEX_AND_METACOPY), seeds(8));
    compare_random(WITH_INDEX_ON_A_POOR_DISK, seeds(4));
}

#[test]
fn random_on_a_poor_disk() {
    compare_random(ON_A_POOR_DISK, seeds(12));
}

#[test]
fn random_without_whiteout_devices() {
    compare_random(WITHOUT_DEVICES, seeds(24));
}

fn write_in_turn(plan: Plan, beyond: &str, seeds: std::ops::Range<u64>) {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let mut failures = String::new();
    for seed in seeds {
        let scratch = scratch();
        let found = mixed::differences(&random_script(seed, plan), scratch.path(), plan, beyond);
        if !found.is_empty() {
            let _ = writeln!(failures, "seed {seed}\n{found}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn in_turn_as_root() {
    write_in_turn(AS_ROOT, "", seeds(8));
}

#[test]
fn in_turn_with_user_marks() {
    write_in_turn(WITH_USER_MARKS, "", seeds(8));
}

#[test]
fn in_turn_with_redirects() {
    write_in_turn(WITH_REDIRECTS, "", seeds(8));
}

#[test]
fn in_turn_with_metacopy() {
    write_in_turn(WITH_METACOPY, "", seeds(8));
}

#[test]
fn in_turn_with_both_keeping_an_index() {
    write_in_turn(WITH_INDEX, "", seeds(8));
    write_in_turn(WITH_INDEX_AND_REDIRECTS, "", seeds(4));
}

#[test]
fn indexes_after_events() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let mut failures = String::new();
    for (name, event) in index::EVENTS {
        let scratch = scratch();
        let [kernel, we] = index::after(*event, scratch.path());
        if kernel != we {
            let _ = writeln!(failures, "{name}\n  kernel: {kernel:#?}\n  we: {we:#?}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Of what is in use nobody else makes an upper layer or a work directory, nor reads what is being written.
#[test]
fn layers_with_an_index_are_in_use() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let scratch = scratch();
    let script = Script::parse("0 file a x; 0 link a b");
    let one = stage::build(&script, &scratch.path().join("one"), Style::Real);
    let other = stage::build(&script, &scratch.path().join("other"), Style::Real);
    let with_index = || Options {
        index: true,
        ..Options::default()
    };
    let mix = |upper: &Layers, work: &Layers, lower: &std::path::Path| Layers {
        upper: upper.upper.clone(),
        work: work.work.clone(),
        lowers: vec![lower.to_owned()],
    };
    let lower = &one.lowers[0];
    let open = stage::try_open(&one, with_index()).unwrap();
    assert!(open.has_index());
    for layers in [
        mix(&one, &other, lower),
        mix(&other, &one, lower),
        mix(&other, &other, &one.upper),
    ] {
        let refused = stage::try_open(&layers, with_index());
        assert_eq!(refused.err(), Some(Errno::BUSY), "{layers:?}");
        // Whoever needs no index is warned by the kernel, and let through.
        stage::try_open(&layers, Options::default()).unwrap();
    }
    drop(open);
    stage::try_open(&one, with_index()).unwrap();
}

/// Neither opens the upper layer of a volatile union again, whichever wrote it.
#[test]
fn volatile_layers_are_not_used_again() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let script = Script::parse("0 file f x");
    for is_kernel in [true, false] {
        let scratch = scratch();
        let mount = scratch.path().join("mount");
        let layers = stage::build(&script, scratch.path(), Style::Real);
        let volatile = || Options {
            volatile: true,
            ..Options::default()
        };
        if is_kernel {
            Kernel::mount(&layers, &mount, ",volatile").unwrap();
        } else {
            let union = stage::try_open(&layers, volatile()).unwrap();
            let file = union.lookup(&union.root(), "f".as_ref()).unwrap();
            union.sync(&file).unwrap();
        }
        assert!(layers.work.join("work/incompat/volatile/dirty").is_file());
        for (options, ours) in [("", Options::default()), (",volatile", volatile())] {
            let mounted = Kernel::mount(&layers, &mount, options);
            assert_eq!(mounted.err(), Some(Errno::INVAL), "kernel {options}");
            let opened = stage::try_open(&layers, ours);
            assert_eq!(opened.err(), Some(Errno::INVAL), "we {options}");
        }
        std::fs::remove_dir_all(layers.work.join("work/incompat/volatile")).unwrap();
        stage::try_open(&layers, Options::default()).unwrap();
        std::fs::create_dir(layers.work.join("work/incompat/other")).unwrap();
        let opened = stage::try_open(&layers, Options::default());
        assert_eq!(opened.err(), Some(Errno::INVAL));
        std::fs::remove_dir(layers.work.join("work/incompat/other")).unwrap();
        Kernel::mount(&layers, &mount, "").unwrap();
    }
}

/// What the kernel has written with `index=on` is read as the kernel reads it without.
#[test]
fn in_turn_with_an_index() {
    write_in_turn(AS_ROOT, ",index=on", seeds(8));
}

/// Set in the process that has a user namespace of its own.
const NAMESPACE: &str = "LAYERSPEC_TEST_NAMESPACE";

/// Starts this test again as root of a namespace in which it is nobody else and has no privilege outside.
fn repeat_in_a_namespace(test: &str) {
    let enter = || {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount"]);
        command
    };
    let is_possible = enter().arg("true").output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        println!("skipped: no user namespaces here");
        return;
    }
    let again = enter()
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(NAMESPACE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    let failed = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success(), "{said}{failed}");
    // It has run, and not been skipped.
    assert!(said.contains("compared in the namespace"), "{said}");
}

/// What an ordinary user's union writes, the kernel mounts for that user, and the other way round.
#[test]
fn in_a_user_namespace() {
    if std::env::var_os(NAMESPACE).is_none() {
        return repeat_in_a_namespace("in_a_user_namespace");
    }
    let marks = "trusted.overlay.x";
    let probe = tempfile::tempdir().unwrap();
    let set = rustix::fs::setxattr(probe.path(), marks, b"", rustix::fs::XattrFlags::empty());
    assert_eq!(set, Err(Errno::PERM), "this is not an ordinary user");
    // Other users are not in the namespace, nor are devices. The kernel cannot keep inode numbers there.
    let needs_more = |row: &&table::Row| {
        let words = [
            " as ",
            "chown",
            "char",
            "trusted.",
            "security.",
            "posix_acl",
            "same ",
            "remember",
        ];
        !words.iter().any(|word| row.1.contains(word))
    };
    let rows: Vec<_> = table::rows()
        .into_iter()
        .filter(|row| needs_more(&row))
        .collect();
    assert!(rows.len() > 100, "{} rows", rows.len());
    compare_table(&rows, raw(WITH_USER_MARKS));
    compare_random(raw(WITH_USER_MARKS), seeds(8));
    write_in_turn(WITH_USER_MARKS, "", seeds(4));
    // Without the right to find files by their handles, neither keeps an index.
    let links: Vec<_> = table::INDEX.iter().filter(needs_more).copied().collect();
    assert!(links.len() > 10, "{} rows", links.len());
    compare_table(&links, raw(WITH_INDEX_IN_USER_MARKS));
    compare_table(&rows, IN_NAMESPACE);
    compare_random(IN_NAMESPACE, seeds(8));
    println!("compared in the namespace");
}
