//! What engines say when they refuse, and the kind that it means.
//!
//! One table for each engine: the first row all of whose parts are in the text decides. A text that no row
//! knows is reported as it is, with the kind `other`: nothing is guessed.

mod docker;
mod podman;

use super::flavor::Flavor;
use crate::engine::{Kind, Refusal};

/// One row: parts of a text, and what it means.
type Row = (&'static [&'static str], Kind);

/// A refusal in an engine's words.
pub(super) fn refusal(flavor: Flavor, text: &str) -> Refusal {
    let message = essence(text);
    let table = match flavor {
        Flavor::Docker | Flavor::Nerdctl => docker::TABLE,
        Flavor::Podman => podman::TABLE,
    };
    let row = table
        .iter()
        .find(|(parts, _)| parts.iter().all(|part| message.contains(part)));
    Refusal::kind(row.map_or(Kind::Other, |(_, kind)| *kind), message)
}

/// What is said, without who says it to whom and where to read more.
pub(super) fn essence(text: &str) -> String {
    let kept = text.lines().map(str::trim).filter(|line| {
        let advice = line.starts_with("See '")
            || line.starts_with("Run '")
            || line.starts_with("WARNING")
            || line.starts_with("time=");
        !line.is_empty() && !advice
    });
    let joined: Vec<&str> = kept.collect();
    let mut message = joined.join("; ");
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
