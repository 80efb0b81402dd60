//! An answer against what the step expects.

use crate::engine::{Answer, Bytes, Code, StatAnswer, Value};
use crate::outcome::{
    answer_words, change_letter, content, list, sha256, state_name, time_words, type_name,
    value_words, volume_name, word,
};
use crate::scenario::{At, CheckKind, Step};

use super::ask::refusal;
use super::execute::Other;

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where the expectation was written.
    pub at: At,
    /// What should be: `mode 0644`.
    pub expected: String,
    /// What is: `mode 0600`.
    pub actual: String,
    /// Where exactly they differ, when that helps.
    pub detail: Option<String>,
}

/// What a check says when it fails.
struct Difference {
    expected: String,
    actual: String,
    detail: Option<String>,
}

/// Every expectation of a step that its answer does not meet. A refusal that the step does not
/// expect is none of them: it ends the scenario.
pub fn mismatches(step: &Step, answer: &Answer, others: &[Other]) -> Vec<Mismatch> {
    let Some(expect) = &step.expect else {
        return Vec::new();
    };
    let refused = refusal(answer);
    if !expect.error.is_empty() {
        if refused.is_some_and(|refusal| expect.error.contains(&refusal.code)) {
            return Vec::new();
        }
        let actual = match refused {
            Some(refusal) if refusal.message != refusal.code.to_string() => {
                format!("error {}: {}", refusal.code, refusal.message)
            }
            Some(refusal) => format!("error {}", refusal.code),
            None => format!("no error: {}", answer_words(answer)),
        };
        let expected = format!("error {}", alternatives(&expect.error));
        return vec![Mismatch {
            at: expect.at.clone(),
            expected,
            actual,
            detail: None,
        }];
    }
    let value = match answer {
        Answer::Done(value) if refused.is_none() => single(value),
        _ => return Vec::new(),
    };
    let mut mismatches = Vec::new();
    for check in &expect.checks {
        let other = |path: &str| {
            others
                .iter()
                .find(|o| o.step == step.number && o.path == path)
        };
        if let Some(Difference {
            expected,
            actual,
            detail,
        }) = difference(&check.kind, value, other)
        {
            mismatches.push(Mismatch {
                at: check.at.clone(),
                expected,
                actual,
                detail,
            });
        }
    }
    mismatches
}

fn alternatives(codes: &[Code]) -> String {
    codes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}

/// The value that a step's expectations are about: of file requests, that of the last.
fn single(value: &Value) -> &Value {
    match value {
        Value::Files(answers) => answers
            .last()
            .and_then(|answer| answer.result.as_ref().ok())
            .unwrap_or(value),
        other => other,
    }
}

fn difference<'a>(
    kind: &CheckKind,
    value: &Value,
    other: impl Fn(&str) -> Option<&'a Other>,
) -> Option<Difference> {
    match (kind, value) {
        (CheckKind::SameFileAs(path), Value::Stat(stat)) => same_file(path, stat, other(path)),
        (_, Value::Stat(stat)) => stat_difference(kind, stat),
        (_, Value::Bytes(bytes)) => bytes_difference(kind, bytes, value),
        (CheckKind::Bytes(wanted), Value::Text(text)) => differ(
            text.as_bytes() == wanted,
            content(wanted),
            content(text.as_bytes()),
        ),
        (CheckKind::Number(wanted), Value::Number(number)) => {
            differ(number == wanted, wanted.to_string(), number.to_string())
        }
        (CheckKind::Names(wanted), Value::Names(names)) => lists("names", wanted, names),
        (CheckKind::Includes(wanted), Value::Names(names)) => {
            let missing: Vec<&String> = wanted.iter().filter(|n| !names.contains(n)).collect();
            let expected = format!("names including {}", words(&missing));
            differ(
                missing.is_empty(),
                expected,
                format!("names {}", words(names)),
            )
        }
        (CheckKind::Excludes(unwanted), Value::Names(names)) => {
            let found: Vec<&String> = unwanted.iter().filter(|n| names.contains(n)).collect();
            let expected = format!("names without {}", words(&found));
            differ(
                found.is_empty(),
                expected,
                format!("names {}", words(names)),
            )
        }
        _ => object_difference(kind, value),
    }
}

fn object_difference(kind: &CheckKind, value: &Value) -> Option<Difference> {
    match (kind, value) {
        (CheckKind::Changes(wanted), Value::Changes(changes)) => {
            let line = |(letter, path): &(char, String)| format!("{letter} {path}");
            let found: Vec<String> = changes
                .iter()
                .map(|c| line(&(change_letter(c.kind), c.path.clone())))
                .collect();
            lists(
                "changes",
                &wanted.iter().map(line).collect::<Vec<_>>(),
                &found,
            )
        }
        (CheckKind::State(wanted), Value::Container(container)) => {
            let state = state_name(container.state);
            differ(
                wanted == state,
                format!("state {wanted}"),
                format!("state {state}"),
            )
        }
        (CheckKind::ExitCode(wanted), Value::Container(container)) => {
            let code = container
                .exit_code
                .map_or_else(|| "none".to_owned(), |c| c.to_string());
            let same = container.exit_code == Some(*wanted);
            differ(
                same,
                format!("exit code {wanted}"),
                format!("exit code {code}"),
            )
        }
        (CheckKind::Mounts(wanted), Value::Container(container)) => {
            let targets: Vec<String> = container.mounts.iter().map(|m| m.target.clone()).collect();
            lists("mounts", wanted, &targets)
        }
        (CheckKind::Volumes(wanted), Value::Volumes(volumes)) => {
            let names: Vec<String> = volumes
                .iter()
                .map(|seen| volume_name(&seen.volume))
                .collect();
            lists("volumes", wanted, &names)
        }
        (CheckKind::Labels(wanted), Value::Volume(volume)) => {
            let pairs = |labels: &std::collections::BTreeMap<String, String>| {
                labels
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect::<Vec<_>>()
            };
            lists("labels", &pairs(wanted), &pairs(&volume.labels))
        }
        (CheckKind::UsedBy(wanted), Value::Volume(volume)) => {
            lists("used by", wanted, &volume.used_by)
        }
        _ => Some(no_such_value(kind, value)),
    }
}

fn bytes_difference(kind: &CheckKind, bytes: &Bytes, value: &Value) -> Option<Difference> {
    match kind {
        CheckKind::Bytes(wanted) => {
            let found = bytes.as_slice();
            let mut difference = differ(found == wanted, content(wanted), content(found))?;
            difference.detail = Some(first_difference(wanted, found));
            Some(difference)
        }
        CheckKind::Sha256(wanted) => {
            let found = sha256(bytes.as_slice());
            let same = found.eq_ignore_ascii_case(wanted);
            differ(same, format!("sha256 {wanted}"), format!("sha256 {found}"))
        }
        CheckKind::Size(wanted) => {
            let same = bytes.len() as u64 == *wanted;
            differ(
                same,
                format!("{wanted} bytes"),
                format!("{} bytes", bytes.len()),
            )
        }
        _ => Some(no_such_value(kind, value)),
    }
}

fn stat_difference(kind: &CheckKind, stat: &StatAnswer) -> Option<Difference> {
    let (expected, actual) = match kind {
        CheckKind::Size(wanted) => (format!("{wanted} bytes"), format!("{} bytes", stat.size)),
        CheckKind::Type(wanted) => (
            format!("a {wanted}"),
            format!("a {}", type_name(&stat.kind)),
        ),
        CheckKind::Mode(wanted) => (
            format!("mode {wanted:04o}"),
            format!("mode {:04o}", stat.mode),
        ),
        CheckKind::Owner(uid, gid) => (
            format!("owner {uid}:{gid}"),
            format!("owner {}:{}", stat.uid, stat.gid),
        ),
        CheckKind::Links(wanted) => (format!("{wanted} links"), format!("{} links", stat.links)),
        CheckKind::Device(major, minor) => {
            let actual = match stat.kind {
                crate::engine::SeenKind::Device { major, minor, .. } => {
                    format!("device {major}:{minor}")
                }
                ref other => format!("no device but a {}", type_name(other)),
            };
            (format!("device {major}:{minor}"), actual)
        }
        CheckKind::Mtime(wanted) => times("mtime", *wanted, stat.mtime),
        CheckKind::Atime(wanted) => times("atime", *wanted, stat.atime),
        CheckKind::BlocksMax(most) => {
            let within = stat.blocks <= *most;
            let actual = format!("{} blocks of 512 bytes", stat.blocks);
            return differ(
                within,
                format!("at most {most} blocks of 512 bytes"),
                actual,
            );
        }
        CheckKind::Bytes(_)
        | CheckKind::Sha256(_)
        | CheckKind::Names(_)
        | CheckKind::Includes(_)
        | CheckKind::Excludes(_)
        | CheckKind::Number(_)
        | CheckKind::SameFileAs(_)
        | CheckKind::Changes(_)
        | CheckKind::State(_)
        | CheckKind::ExitCode(_)
        | CheckKind::Mounts(_)
        | CheckKind::Volumes(_)
        | CheckKind::Labels(_)
        | CheckKind::UsedBy(_) => {
            return Some(no_such_value(kind, &Value::Stat(stat.clone())));
        }
    };
    differ(expected == actual, expected, actual)
}

fn times(name: &str, wanted: crate::engine::Time, found: crate::engine::Time) -> (String, String) {
    (
        format!("{name} {}", time_words(wanted)),
        format!("{name} {}", time_words(found)),
    )
}

fn same_file(path: &str, stat: &StatAnswer, other: Option<&Other>) -> Option<Difference> {
    let expected = format!("the same file as {}", word(path));
    let actual = match other.map(|other| &other.answer) {
        Some(answer) => match answer {
            Answer::Done(value) => match single(value) {
                Value::Stat(found) if (found.dev, found.ino) == (stat.dev, stat.ino) => {
                    return None;
                }
                Value::Stat(_) => "another file".to_owned(),
                _ => format!("{} gives {}", word(path), answer_words(answer)),
            },
            _ => format!("{} gives {}", word(path), answer_words(answer)),
        },
        None => format!("{} was not looked at", word(path)),
    };
    Some(Difference {
        expected,
        actual,
        detail: None,
    })
}

/// The same names in any order.
fn lists(what: &str, wanted: &[String], found: &[String]) -> Option<Difference> {
    let sorted = |list: &[String]| {
        let mut sorted = list.to_vec();
        sorted.sort();
        sorted
    };
    let (wanted, found) = (sorted(wanted), sorted(found));
    let missing: Vec<&String> = wanted.iter().filter(|name| !found.contains(name)).collect();
    let surplus: Vec<&String> = found.iter().filter(|name| !wanted.contains(name)).collect();
    let same = wanted == found;
    let expected = format!("{what} {}", words(&wanted));
    let mut difference = differ(same, expected, format!("{what} {}", words(&found)))?;
    let parts = [("missing", &missing), ("not expected", &surplus)];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let detail: Vec<String> = parts
        .map(|(title, names)| format!("{title}: {}", words(names)))
        .collect();
    difference.detail = (!detail.is_empty()).then(|| detail.join("; "));
    Some(difference)
}

fn differ(same: bool, expected: String, actual: String) -> Option<Difference> {
    (!same).then_some(Difference {
        expected,
        actual,
        detail: None,
    })
}

fn words<T: AsRef<str>>(names: &[T]) -> String {
    list(names.iter().map(|name| word(name.as_ref())))
}

fn first_difference(wanted: &[u8], found: &[u8]) -> String {
    let at = wanted
        .iter()
        .zip(found)
        .take_while(|(one, other)| one == other)
        .count();
    let (wanted, found) = (wanted.len(), found.len());
    format!("first difference at byte {at}; {wanted} bytes expected, {found} found")
}

/// The answer has nothing that such an expectation could be about.
fn no_such_value(kind: &CheckKind, value: &Value) -> Difference {
    let named = format!("{kind:?}");
    let name = named
        .split(['(', ' '])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    Difference {
        expected: format!("an answer with {name}"),
        actual: value_words(value),
        detail: Some("this operation gives nothing that the expectation is about".to_owned()),
    }
}
