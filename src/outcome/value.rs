//! What a step gave, in a few words.

use crate::engine::{
    Answer, Change, ChangeKind, ContainerState, DeviceKind, FileAnswer, Refusal, SeenKind,
    StatAnswer, Time, Value, VolumeSeen,
};

use super::place::volume_name;
use super::quote::{add, content, quote, word};

/// What came back, in a few words and without anything that differs from run to run: `ok`, the
/// value, or the code of the refusal.
pub fn answer_words(answer: &Answer) -> String {
    match answer {
        Answer::Done(value) => value_words(value),
        Answer::Refused(refusal) => refusal.code.to_string(),
        Answer::Unsupported(_) => "unsupported".to_owned(),
        Answer::Broken(_) => "engine broken".to_owned(),
    }
}

/// A value in a few words.
pub fn value_words(value: &Value) -> String {
    match value {
        Value::Nothing => "ok".to_owned(),
        Value::Bytes(bytes) => content(bytes.as_slice()),
        Value::Text(text) => quote(text.as_bytes()),
        Value::Number(number) => number.to_string(),
        Value::Names(names) => list(names.iter().map(|name| word(name))),
        Value::Stat(stat) => stat_words(stat),
        Value::Changes(changes) => list(changes.iter().map(change_words)),
        Value::Volumes(volumes) => list(volumes.iter().map(|seen| volume_name(&seen.volume))),
        Value::Volume(volume) => described_volume(volume),
        Value::Container(container) => {
            let mounts = list(container.mounts.iter().map(|mount| word(&mount.target)));
            format!("{}, mounts {mounts}", state_name(container.state))
        }
        Value::Files(answers) => files(answers),
    }
}

/// `C /etc`
pub fn change_words(change: &Change) -> String {
    format!("{} {}", change_letter(change.kind), word(&change.path))
}

/// Docker's letter.
pub fn change_letter(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Changed => 'C',
        ChangeKind::Deleted => 'D',
    }
}

/// Docker's name of a container's state.
pub fn state_name(state: ContainerState) -> &'static str {
    match state {
        ContainerState::Created => "created",
        ContainerState::Running => "running",
        ContainerState::Paused => "paused",
        ContainerState::Exited => "exited",
    }
}

/// The type of a file as scenarios name it.
pub fn type_name(kind: &SeenKind) -> &'static str {
    match kind {
        SeenKind::File { .. } => "file",
        SeenKind::Directory => "directory",
        SeenKind::Symlink(_) => "symlink",
        SeenKind::Fifo => "fifo",
        SeenKind::Socket => "socket",
        SeenKind::Device {
            kind: DeviceKind::Char,
            ..
        } => "char",
        SeenKind::Device {
            kind: DeviceKind::Block,
            ..
        } => "block",
    }
}

/// RFC 3339, or seconds where it does not reach.
pub fn time_words(time: Time) -> String {
    use std::time::{Duration, SystemTime};
    let since = Duration::from_secs(time.seconds.unsigned_abs());
    let moment = if time.seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(since)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since)
    };
    // humantime writes years up to 9999 and none before 1970.
    let in_range = (0..253_402_300_800).contains(&time.seconds);
    match moment.and_then(|m| m.checked_add(Duration::from_nanos(time.nanos.into()))) {
        Some(moment) if in_range => humantime::format_rfc3339(moment).to_string(),
        _ => format!("{} s + {} ns", time.seconds, time.nanos),
    }
}

/// Names in brackets.
pub fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// Size and links of a directory depend on the file system under it, so they are left out.
fn stat_words(stat: &StatAnswer) -> String {
    let mut words = format!(
        "{} {:04o} {}:{}",
        type_name(&stat.kind),
        stat.mode,
        stat.uid,
        stat.gid
    );
    match &stat.kind {
        SeenKind::Directory => return words,
        SeenKind::File { .. } => add(&mut words, format_args!(", {} bytes", stat.size)),
        SeenKind::Symlink(target) => add(&mut words, format_args!(" -> {}", word(target))),
        SeenKind::Device { major, minor, .. } => add(&mut words, format_args!(" {major}:{minor}")),
        SeenKind::Fifo | SeenKind::Socket => {}
    }
    if stat.links != 1 {
        add(&mut words, format_args!(", {} links", stat.links));
    }
    words
}

fn described_volume(seen: &VolumeSeen) -> String {
    let mut words = volume_name(&seen.volume);
    if !seen.labels.is_empty() {
        let labels = list(
            seen.labels
                .iter()
                .map(|(key, value)| word(&format!("{key}={value}"))),
        );
        add(&mut words, format_args!(", labels {labels}"));
    }
    if !seen.used_by.is_empty() {
        add(
            &mut words,
            format_args!(", used by {}", list(seen.used_by.iter().map(|n| word(n)))),
        );
    }
    words
}

/// The values that tell something, or the refusal that stopped the requests, with how far they
/// came.
fn files(answers: &[FileAnswer]) -> String {
    if let Some((before, refusal)) = first_refusal(answers) {
        return match before {
            0 => refusal.code.to_string(),
            _ => format!("{} at request {}", refusal.code, before + 1),
        };
    }
    let told: Vec<String> = answers
        .iter()
        .filter_map(|answer| answer.result.as_ref().ok())
        .filter(|value| **value != Value::Nothing)
        .map(value_words)
        .collect();
    if told.is_empty() {
        "ok".to_owned()
    } else {
        told.join(", ")
    }
}

fn first_refusal(answers: &[FileAnswer]) -> Option<(usize, &Refusal)> {
    answers
        .iter()
        .enumerate()
        .find_map(|(index, answer)| answer.result.as_ref().err().map(|refusal| (index, refusal)))
}
