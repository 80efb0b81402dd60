//! What was found, as a scenario that says what the reference does.

use super::difference::{Difference, Run, refused};
use crate::engine::{Answer, DeviceKind, SeenKind, StatAnswer, Value};
use crate::outcome::{change_letter, state_name, type_name, volume_name};
use crate::run::all_steps;
use crate::scenario::{Action, At, Check, CheckKind, Expect, Scenario, Step};

/// The scenario with what the reference answered as its expectations: refusals everywhere, since they let a scenario go
/// on, and the value where the engines part.
pub(super) fn told(
    scenario: &Scenario,
    found: &Difference,
    seed: u64,
    reference: (&str, &Run),
) -> Scenario {
    let mut told = scenario.clone();
    let (name, run) = reference;
    told.title = format!("Found at random: {}", one_line(&found.class));
    let shown: Vec<String> = found
        .shown
        .iter()
        .map(|(engine, shown)| format!("{engine}: {shown}"))
        .collect();
    told.about = Some(format!(
        "`layerspec fuzz` made this with seed {seed} and left what matters. What differs: {}. {}. The expectations are what {name} answered.",
        found.what,
        shown.join("; ")
    ));
    let answers: Vec<Option<Answer>> = match run {
        Ok(execution) => execution
            .outcome
            .steps
            .iter()
            .map(|step| step.answer.clone())
            .collect(),
        Err(_) => Vec::new(),
    };
    let numbers: Vec<String> = all_steps(&scenario.steps)
        .into_iter()
        .map(|step| step.number.clone())
        .collect();
    let position = found.position;
    for (number, answer) in numbers.iter().zip(answers) {
        let is_it = position.is_some_and(|position| *number == position.to_string());
        if let (Some(step), Some(answer)) = (step_mut(&mut told.steps, number), answer) {
            step.expect = expectation(&answer, is_it);
        }
    }
    told
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn step_mut<'s>(steps: &'s mut [Step], number: &str) -> Option<&'s mut Step> {
    steps.iter_mut().find_map(|step| {
        if step.number == number {
            return Some(step);
        }
        match &mut step.action {
            Action::Concurrently(branches) => branches
                .iter_mut()
                .find_map(|branch| step_mut(branch, number)),
            Action::Operation(_) => None,
        }
    })
}

/// What a step is expected to answer, so that it may be refused as the reference refused it.
fn expectation(answer: &Answer, with_value: bool) -> Option<Expect> {
    let expect = |error, checks: Vec<CheckKind>| {
        let check = |kind| Check {
            at: At::default(),
            kind,
        };
        Some(Expect {
            at: At::default(),
            error,
            checks: checks.into_iter().map(check).collect(),
        })
    };
    if let Some(code) = refused(answer) {
        return expect(vec![code], Vec::new());
    }
    let Answer::Done(value) = answer else {
        return None;
    };
    let checks = if with_value {
        checks(value)
    } else {
        Vec::new()
    };
    if checks.is_empty() {
        None
    } else {
        expect(Vec::new(), checks)
    }
}

fn checks(value: &Value) -> Vec<CheckKind> {
    match value {
        Value::Nothing => Vec::new(),
        Value::Bytes(bytes) => vec![CheckKind::Bytes(bytes.0.clone())],
        Value::Text(text) => vec![CheckKind::Bytes(text.clone().into_bytes())],
        Value::Number(number) => vec![CheckKind::Number(*number)],
        Value::Names(names) => vec![CheckKind::Names(names.clone())],
        Value::Stat(stat) => stat_checks(stat),
        Value::Changes(changes) => vec![CheckKind::Changes(
            changes
                .iter()
                .map(|change| (change_letter(change.kind), change.path.clone()))
                .collect(),
        )],
        Value::Volumes(volumes) => vec![CheckKind::Volumes(
            volumes
                .iter()
                .map(|seen| volume_name(&seen.volume))
                .collect(),
        )],
        Value::Volume(seen) => vec![
            CheckKind::Labels(seen.labels.clone()),
            CheckKind::UsedBy(seen.used_by.clone()),
        ],
        Value::Container(seen) => vec![
            CheckKind::State(state_name(seen.state).to_owned()),
            CheckKind::Mounts(
                seen.mounts
                    .iter()
                    .map(|mount| mount.target.clone())
                    .collect(),
            ),
        ],
        Value::Files(answers) => match answers.as_slice() {
            [answer] => answer.result.as_ref().map(checks).unwrap_or_default(),
            _ => Vec::new(),
        },
    }
}

fn stat_checks(stat: &StatAnswer) -> Vec<CheckKind> {
    let mut checks = Vec::new();
    match &stat.kind {
        SeenKind::Device { kind, major, minor } => {
            let name = match kind {
                DeviceKind::Char => "char",
                DeviceKind::Block => "block",
            };
            checks.push(CheckKind::Type(name.to_owned()));
            checks.push(CheckKind::Device(*major, *minor));
        }
        other => checks.push(CheckKind::Type(expected_type(other).to_owned())),
    }
    checks.push(CheckKind::Mode(stat.mode));
    checks.push(CheckKind::Owner(stat.uid, stat.gid));
    if stat.kind != SeenKind::Directory {
        checks.push(CheckKind::Size(stat.size));
        checks.push(CheckKind::Links(stat.links));
    }
    checks
}

/// The language's word for a type.
fn expected_type(kind: &SeenKind) -> &str {
    match kind {
        SeenKind::Directory => "directory",
        other => type_name(other),
    }
}
