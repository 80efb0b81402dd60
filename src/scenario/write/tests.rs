use std::path::{Path, PathBuf};

use super::super::load::parse;
use super::super::{Action, At, FoundFile, Scenario, Step, find, load};
use super::to_yaml;

/// Everything that a scenario means, without the places in its text and the numbers of its steps.
fn meaning(scenario: &Scenario) -> String {
    let mut steps = scenario.steps.clone();
    forget(&mut steps);
    format!(
        "{:#?}",
        (
            &scenario.title,
            &scenario.about,
            &scenario.covers,
            &scenario.requires,
            &scenario.differs,
            &scenario.images,
            &scenario.host,
            &scenario.volumes,
            steps
        )
    )
}

fn forget(steps: &mut [Step]) {
    for step in steps {
        step.at = At::default();
        // What a case left out has numbers that are not written.
        step.number.clear();
        if let Some(expect) = &mut step.expect {
            expect.at = At::default();
            for check in &mut expect.checks {
                check.at = At::default();
            }
        }
        if let Action::Concurrently(branches) = &mut step.action {
            for branch in branches {
                forget(branch);
            }
        }
    }
}

fn round_trip(scenario: &Scenario, path: &Path) {
    let text = to_yaml(scenario);
    let found = FoundFile {
        path: path.to_owned(),
        stem: "again".to_owned(),
    };
    let mut again = match parse(&found, text.clone(), None) {
        Ok(again) => again,
        Err(faults) => panic!("{}\n{text}\n{faults:#?}", scenario.id()),
    };
    assert_eq!(again.len(), 1, "{text}");
    let again = meaning(&again.remove(0));
    let before = meaning(scenario);
    if again != before {
        let diff = similar::TextDiff::from_lines(&before, &again);
        panic!("{}\n{text}\n{}", scenario.id(), diff.unified_diff());
    }
}

#[test]
fn every_scenario_of_the_repository_survives() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios = load(&find(&[folder]).unwrap(), None).unwrap();
    assert!(scenarios.len() > 60, "{}", scenarios.len());
    for scenario in scenarios {
        round_trip(&scenario, &scenario.file.path);
    }
}

#[test]
fn every_random_world_survives() {
    for seed in 0..200 {
        let scenario = crate::fuzz::sample(seed, 60);
        round_trip(&scenario, Path::new("fuzz.yaml"));
    }
}
