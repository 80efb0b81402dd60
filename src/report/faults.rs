//! What is wrong with scenario files, as text.

use std::collections::BTreeSet;

use super::excerpt;
use super::style::{BAD, FRAME, paint, printable};
use crate::scenario::{Fault, Faults};
use crate::verdict::Excerpt;

/// Every fault as a block with its place in the file, then how many there are.
pub fn faults(faults: &Faults) -> String {
    let mut lines: Vec<String> = faults.0.iter().map(block).collect();
    let files: BTreeSet<_> = faults.0.iter().map(|fault| &fault.file).collect();
    lines.push(format!(
        "{} {} in {}\n",
        paint(BAD, "error:"),
        count(faults.0.len(), "fault"),
        count(files.len(), "file")
    ));
    lines.join("\n")
}

/// One fault.
fn block(fault: &Fault) -> String {
    let heading = format!("{} {}\n", paint(BAD, "error:"), printable(&fault.message));
    let (place, indent) = if let Some(at) = fault.at {
        let lines = fault
            .line
            .iter()
            .map(|line| (at.line, line.clone()))
            .collect();
        let place = Excerpt {
            path: fault.file.clone(),
            line: at.line,
            column: at.column,
            lines,
        };
        (excerpt(&place), at.line.to_string().len())
    } else {
        let path = printable(&fault.file.display().to_string());
        (format!(" {} {path}\n", paint(FRAME, "-->")), 1)
    };
    let help = fault.help.as_ref().map_or_else(String::new, |help| {
        format!(
            "{:indent$} {} help: {}\n",
            "",
            paint(FRAME, "="),
            printable(help)
        )
    });
    heading + &place + &help
}

/// `1 fault`, `2 faults`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::report::style::plain;
    use crate::scenario::Span;

    #[test]
    fn every_fault_has_its_place_and_its_help() {
        let located = Fault {
            file: PathBuf::from("scenarios/a.yaml"),
            at: Some(Span {
                line: 12,
                column: 3,
            }),
            line: Some("  imges: {}".to_owned()),
            message: "unknown key `imges`".to_owned(),
            help: Some("did you mean `images`?".to_owned()),
        };
        let whole = Fault {
            file: PathBuf::from("scenarios/b.yaml"),
            at: None,
            line: None,
            message: "not UTF-8".to_owned(),
            help: None,
        };
        let expected = "\
error: unknown key `imges`
  --> scenarios/a.yaml:12:3
   |
12 |   imges: {}
   |   ^
   = help: did you mean `images`?

error: not UTF-8
 --> scenarios/b.yaml

error: 2 faults in 2 files
";
        assert_eq!(plain(&faults(&Faults(vec![located, whole]))), expected);
    }
}
