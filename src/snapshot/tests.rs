use std::fs;
use std::path::Path;

use super::{Approval, UpdateMode, approve, leftovers, pending_path, snapshot_path};
use crate::scenario::{Difference, Scenario};
use crate::testing::scenario;

const MODES: [UpdateMode; 4] = [
    UpdateMode::Check,
    UpdateMode::Pending,
    UpdateMode::Unseen,
    UpdateMode::Bless,
];

fn plain() -> Scenario {
    scenario(Vec::new())
}

fn differing() -> Scenario {
    let mut scenario = plain();
    scenario
        .differs
        .insert("podman".to_owned(), Difference::accepted("it does"));
    scenario
}

/// Every file below the folder, sorted.
fn files(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                names.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    names.sort();
    names
}

fn put(root: &Path, scenario: &Scenario, variant: Option<&str>, text: &str) {
    super::file::write(&snapshot_path(root, scenario, variant), scenario, text).unwrap();
}

/// `approve` with what is told of it: a word, and the files afterwards.
fn approved(
    root: &Path,
    scenario: &Scenario,
    engine: &str,
    mode: UpdateMode,
) -> (String, Vec<String>) {
    let word = match approve(root, scenario, engine, "steps\nnew\nend", mode) {
        Approval::Same => "same".to_owned(),
        Approval::Variant { common } => format!("variant of {common:?}"),
        Approval::Written(_) => "written".to_owned(),
        Approval::Missing { pending, .. } => format!("missing, pending {}", pending.is_some()),
        Approval::Differs {
            approved, pending, ..
        } => {
            assert_eq!(approved, "steps\nold\nend");
            format!("differs, pending {}", pending.is_some())
        }
        Approval::Tidy { message, .. } => message,
        Approval::Unusable(why) => panic!("{why}"),
    };
    (word, files(root))
}

const OLD: &str = "steps\nold\nend";
const NEW: &str = "steps\nnew\nend";
const BASE: &str = "a/b.snap";
const WAITING: &str = "a/b.snap.new";

#[test]
fn what_each_mode_writes() {
    let cases = [
        (
            None,
            [
                "missing, pending false",
                "missing, pending true",
                "written",
                "written",
            ],
        ),
        (
            Some(OLD),
            [
                "differs, pending false",
                "differs, pending true",
                "differs, pending true",
                "written",
            ],
        ),
        (Some(NEW), ["same", "same", "same", "same"]),
    ];
    for (before, words) in cases {
        for (mode, said) in MODES.into_iter().zip(words) {
            let root = tempfile::tempdir().unwrap();
            if let Some(text) = before {
                put(root.path(), &plain(), None, text);
            }
            let (word, files) = approved(root.path(), &plain(), "native", mode);
            let mut expected = Vec::new();
            expected.extend((before.is_some() || said == "written").then_some(BASE));
            expected.extend(said.ends_with("pending true").then_some(WAITING));
            assert_eq!(
                (word.as_str(), files),
                (said, expected.iter().map(|f| (*f).to_owned()).collect()),
                "{mode:?}"
            );
        }
    }
}

#[test]
fn an_equal_text_takes_its_pending_one_away_but_not_in_ci() {
    for mode in MODES {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), &plain(), None, NEW);
        fs::write(root.path().join(WAITING), "x").unwrap();
        assert_eq!(
            approve(root.path(), &plain(), "native", NEW, mode),
            Approval::Same
        );
        let left = root.path().join(WAITING).exists();
        assert_eq!(left, mode == UpdateMode::Check, "{mode:?}");
    }
}

#[test]
fn what_insta_forgives_is_a_difference() {
    for other in [
        "steps\nnew\nend\n",
        "steps\nnew\nend ",
        "\nsteps\nnew\nend",
        "steps\r\nnew\nend",
        "---\nsteps\nnew\nend",
    ] {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), &plain(), None, other);
        let approval = approve(root.path(), &plain(), "native", NEW, UpdateMode::Check);
        assert!(
            matches!(approval, Approval::Differs { .. }),
            "{other:?}: {approval:?}"
        );
    }
}

#[test]
fn an_excused_engine_has_a_variant_exactly_when_it_differs() {
    let variant = "a/b@podman.snap";
    let pending = "a/b@podman.snap.new";
    let tidy = "podman does not differ: remove it from `differs:`";
    let delete = "podman does not differ here any more: delete its variant";
    let pend = UpdateMode::Pending;
    for (base, had, mode, said, after) in [
        (
            Some(OLD),
            Some(NEW),
            pend,
            "variant of Some(\"steps\\nold\\nend\")",
            vec![BASE, variant],
        ),
        (
            Some(OLD),
            None,
            pend,
            "missing, pending true",
            vec![BASE, pending],
        ),
        (
            Some(OLD),
            Some(OLD),
            pend,
            "differs, pending true",
            vec![BASE, variant, pending],
        ),
        (
            Some(OLD),
            None,
            UpdateMode::Bless,
            "written",
            vec![BASE, variant],
        ),
        (Some(NEW), None, pend, tidy, vec![BASE]),
        (Some(NEW), Some(NEW), pend, delete, vec![BASE, variant]),
        (Some(NEW), Some(OLD), UpdateMode::Bless, tidy, vec![BASE]),
        (None, Some(NEW), pend, "variant of None", vec![variant]),
        (None, None, pend, "missing, pending true", vec![pending]),
    ] {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [(None, base), (Some("podman"), had)] {
            if let Some(text) = text {
                put(root.path(), &differing(), name, text);
            }
        }
        let (word, files) = approved(root.path(), &differing(), "podman", mode);
        assert_eq!(
            (word.as_str(), files),
            (said, after.iter().map(|f| (*f).to_owned()).collect()),
            "{base:?} {had:?} {mode:?}"
        );
    }
    // The excuse is another engine's.
    let root = tempfile::tempdir().unwrap();
    put(root.path(), &differing(), None, OLD);
    let (word, _) = approved(root.path(), &differing(), "native", UpdateMode::Check);
    assert_eq!(word, "differs, pending false");
    // Another case of the file may need it.
    let mut case = differing();
    case.case = vec![("access".to_owned(), "ro".to_owned())];
    put(root.path(), &case, None, NEW);
    assert_eq!(
        approved(root.path(), &case, "podman", UpdateMode::Check).0,
        "same"
    );
}

#[test]
fn insta_reads_what_is_written() {
    let root = tempfile::tempdir().unwrap();
    let scenario = plain();
    let text = "steps\n  1  \"---\"  ok\n---\nend";
    put(root.path(), &scenario, None, text);
    let path = snapshot_path(root.path(), &scenario, None);
    let snapshot = insta::Snapshot::from_file(&path).unwrap();
    assert_eq!(snapshot.as_text().unwrap().to_string(), text);
    assert_eq!(snapshot.metadata().input_file(), Some("scenarios/a/b.yaml"));
    assert_eq!(snapshot.metadata().source(), Some("scenarios/a/b.yaml"));
    assert_eq!(
        snapshot.metadata().description(),
        Some("It works: \"always\"")
    );
    // And what insta writes, as `cargo insta accept` does, is read back.
    snapshot.save(&path).unwrap();
    assert_eq!(
        approve(root.path(), &scenario, "native", text, UpdateMode::Check),
        Approval::Same
    );
}

#[test]
fn titles_are_yaml_whatever_they_are() {
    for title in [
        "plain words",
        "- a",
        "yes",
        "a: b",
        "#x",
        "\u{7f}\t\\",
        "é",
        "'",
        " x ",
        "null",
        "1",
    ] {
        let root = tempfile::tempdir().unwrap();
        let scenario = Scenario {
            title: title.to_owned(),
            ..plain()
        };
        put(root.path(), &scenario, None, NEW);
        let path = snapshot_path(root.path(), &scenario, None);
        let snapshot = insta::Snapshot::from_file(&path).unwrap();
        assert_eq!(snapshot.metadata().description(), Some(title));
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join(BASE)).unwrap();
    let approval = approve(root.path(), &plain(), "native", NEW, UpdateMode::Check);
    assert!(matches!(approval, Approval::Unusable(_)), "{approval:?}");
}

#[test]
fn leftovers_are_found_without_running() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(leftovers(&root.path().join("absent"), &[]).unwrap(), []);
    let mut ro = differing();
    ro.case = vec![("access".to_owned(), "ro".to_owned())];
    let mut rw = ro.clone();
    rw.case[0].1 = "rw".to_owned();
    let other = Scenario {
        stem: "c".to_owned(),
        ..plain()
    };
    let scenarios = [ro.clone(), rw, other];
    put(root.path(), &ro, None, NEW);
    fs::write(root.path().join("a/b[access=rw].snap.new"), "").unwrap();
    fs::write(root.path().join("a/README.md"), "").unwrap();
    let paths = |scenarios: &[Scenario]| -> Vec<(String, bool)> {
        let short = |path: &Path| {
            path.strip_prefix(root.path())
                .unwrap_or(path)
                .display()
                .to_string()
        };
        let found = leftovers(root.path(), scenarios).unwrap();
        found
            .iter()
            .map(|left| (short(&left.path), left.deletable))
            .collect()
    };
    let excuse = ("scenarios/a/b.yaml".to_owned(), false);
    assert_eq!(paths(&scenarios), [excuse]);
    put(root.path(), &ro, Some("podman"), OLD);
    assert_eq!(paths(&scenarios), []);
    for name in [
        "a/b.snap",
        "a/b[access=ro]@docker.snap",
        "c.snap.new",
        "gone/x.snap",
        "c@podman.snap",
    ] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let deletable = |name: &str| (name.to_owned(), true);
    assert_eq!(
        paths(&scenarios),
        [
            "a/b.snap",
            "a/b[access=ro]@docker.snap",
            "c@podman.snap",
            "gone/x.snap"
        ]
        .map(deletable)
    );
    let clash = Scenario {
        stem: "C".to_owned(),
        ..plain()
    };
    let with_clash: Vec<Scenario> = scenarios.iter().cloned().chain([clash]).collect();
    let clashes = |left: &super::Leftover| left.reason.contains("ignore case");
    assert!(
        leftovers(root.path(), &with_clash)
            .unwrap()
            .iter()
            .any(clashes)
    );
    assert_eq!(pending_path(Path::new("x.snap")), Path::new("x.snap.new"));
}
