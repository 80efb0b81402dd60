//! What engines say when they refuse, and the kind that it means.
//!
//! One table for each engine: the first row all of whose parts are in the text decides. A text that no row
//! knows is reported as it is, with the kind `other`: nothing is guessed.

mod docker;
mod nerdctl;
mod podman;

pub(super) use self::podman::lost_its_disk;
use super::flavor::Flavor;
use crate::engine::{Kind, Refusal};

/// One row: parts of a text, and what it means.
type Row = (&'static [&'static str], Kind);

/// A refusal in an engine's words.
pub(super) fn refusal(flavor: Flavor, text: &str) -> Refusal {
    let message = essence(text);
    let table = match flavor {
        Flavor::Docker => docker::TABLE,
        Flavor::Nerdctl => nerdctl::TABLE,
        Flavor::Podman => podman::TABLE,
    };
    let row = table
        .iter()
        .find(|(parts, _)| parts.iter().all(|part| message.contains(part)));
    Refusal::kind(row.map_or(Kind::Other, |(_, kind)| *kind), message)
}

/// What a program has not learned, in its own words.
pub(super) fn lack(text: &str) -> Option<String> {
    const WORDS: &[&str] = &[
        "unknown flag: ",
        "unknown command ",
        "is not implemented yet",
        // nerdctl removes no container that it does not wait for.
        "flags -d and --rm cannot be specified together",
    ];
    let message = essence(text);
    let lacks = WORDS.iter().any(|words| message.contains(words));
    lacks.then_some(message)
}

/// What is said, without who says it to whom and where to read more.
pub(super) fn essence(text: &str) -> String {
    let told = text.lines().map(|line| logged(line.trim(), &["fatal"]));
    let kept = told.filter(|line| {
        let advice = line.starts_with("See '")
            || line.starts_with("Run '")
            || line.starts_with("WARNING")
            || line.starts_with("WARN[")
            || line.starts_with("time=");
        !line.is_empty() && !advice
    });
    let joined: Vec<String> = kept.collect();
    let mut message = joined.join("; ");
    if message.contains("some volumes could not be") {
        // Why is told before, as a warning each.
        let told = text.lines().map(|line| logged(line.trim(), &["warning"]));
        let told: Vec<String> = told.filter(|line| !line.starts_with("time=")).collect();
        message = told.join("; ");
    }
    for prefix in [
        "docker: ",
        "Error response from daemon: ",
        "Error: ",
        "Error response from daemon: ",
    ] {
        if let Some(rest) = message.strip_prefix(prefix) {
            message = rest.to_owned();
        }
    }
    message
}

/// What a line of a log says that ends the program, as nerdctl tells its refusals; any other line as it is.
pub(super) fn logged(line: &str, levels: &[&str]) -> String {
    if let Some((_, message)) = line
        .strip_prefix("FATA[")
        .and_then(|line| line.split_once("] "))
    {
        return message.to_owned();
    }
    let level = |level: &&str| line.contains(&format!(" level={level} "));
    let is_told = line.starts_with("time=") && levels.iter().any(level);
    let message = line.split_once(" msg=").filter(|_| is_told);
    let Some((_, message)) = message else {
        return line.to_owned();
    };
    // Quoted as Go does it, which for what is said is as JSON has it.
    serde_json::from_str(message).unwrap_or_else(|_| message.to_owned())
}

/// Holds a table to its rows: each text, said by the engine, and its kind.
#[cfg(test)]
fn check(flavor: Flavor, cases: &[(&str, Kind)]) {
    use crate::engine::Code;
    for (text, kind) in cases {
        assert_eq!(refusal(flavor, text).code, Code::Kind(*kind), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_has_not_learned_is_no_refusal() {
        let said = "time=\"t\" level=fatal msg=\"unknown flag: --opt\"";
        assert_eq!(lack(said).as_deref(), Some("unknown flag: --opt"));
        assert!(
            lack("support for reading a tar archive from stdin is not implemented yet").is_some()
        );
        assert!(lack("Error: no such volume").is_none());
    }

    #[test]
    fn only_what_is_said_is_kept() {
        assert_eq!(
            essence(
                "docker: Error response from daemon: invalid mode: bad.\nSee 'docker run --help'.\n"
            ),
            "invalid mode: bad."
        );
        assert_eq!(essence("Error: no container\n"), "no container");
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let refusal = refusal(
            Flavor::Docker,
            "Error response from daemon: the moon is full",
        );
        assert_eq!(refusal, Refusal::kind(Kind::Other, "the moon is full"));
    }
}
