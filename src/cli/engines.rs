//! `layerspec engines`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::args::ListFormat;
use super::error::CommandError;
use super::execute::make_scratch;
use super::exit::Exit;
use super::output::Output;
use crate::engine::{Absent, Capability, Description, OpenOptions};
use crate::registry;
use crate::report::style::{FAINT, GOOD, LEFT_OUT, NAME, paint, printable};

/// Lists every engine: what it can show here, or why it cannot be used and what would enable it.
///
/// # Errors
/// A scratch directory that cannot be made, output that cannot be written.
pub(super) fn engines(
    scratch: Option<&Path>,
    format: ListFormat,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let (interrupt, scratch) = make_scratch(scratch)?;
    let options = OpenOptions {
        scratch: scratch.path().to_path_buf(),
        keep: false,
    };
    for provider in registry::providers() {
        if let Some(signal) = interrupt.signal() {
            return Ok(Exit::Signal(signal));
        }
        let probed = provider.probe(&options);
        match format {
            ListFormat::Pretty => write!(output.out, "{}", block(provider.name(), &probed))?,
            ListFormat::Json => {
                let line = serde_json::to_string(&item(provider.name(), &probed));
                writeln!(output.out, "{}", line.map_err(std::io::Error::from)?)?;
            }
        }
    }
    Ok(Exit::Passed)
}

#[derive(Serialize)]
struct Item<'a> {
    name: &'a str,
    available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

fn item<'a>(name: &'a str, probed: &'a Result<Description, Absent>) -> Item<'a> {
    let absent = probed.as_ref().err();
    Item {
        name,
        available: probed.is_ok(),
        description: probed.as_ref().ok(),
        reason: absent.map(|absent| absent.reason.as_str()),
        remedy: absent.map(|absent| absent.remedy.as_str()),
    }
}

/// One engine for people.
fn block(name: &str, probed: &Result<Description, Absent>) -> String {
    let name = paint(NAME, &format!("{:<10}", printable(name)));
    let mut text = String::new();
    match probed {
        Ok(found) => {
            let about = format!(
                "{}, kernel {}, {} on {}",
                found.version, found.kernel, found.driver, found.file_system
            );
            let _ = writeln!(
                text,
                "{name} {}  {}",
                paint(GOOD, "found "),
                printable(&about)
            );
            let (can, cannot): (Vec<Capability>, _) = Capability::ALL
                .iter()
                .partition(|capability| found.capabilities.contains(capability));
            for (label, capabilities) in [("shows", can), ("lacks", cannot)] {
                if !capabilities.is_empty() {
                    let names: Vec<_> = capabilities.iter().map(|c| c.name()).collect();
                    let label = paint(FAINT, label);
                    let _ = writeln!(text, "           {label}   {}", names.join(", "));
                }
            }
        }
        Err(absent) => {
            let reason = printable(&absent.reason);
            let _ = writeln!(text, "{name} {}  {reason}", paint(LEFT_OUT, "absent"));
            let label = paint(FAINT, "remedy");
            let _ = writeln!(text, "           {label}  {}", printable(&absent.remedy));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;

    #[test]
    fn an_engine_shows_and_lacks_or_is_absent() {
        let found = Description {
            name: "native".to_owned(),
            version: "0.1.0".to_owned(),
            kernel: "6.1.0".to_owned(),
            driver: "union".to_owned(),
            file_system: "ext4".to_owned(),
            capabilities: [Capability::HardLinks, Capability::Fifos].into(),
            form_of: None,
        };
        let text = plain(&block("native", &Ok(found)));
        assert!(
            text.starts_with(
                "native     found   0.1.0, kernel 6.1.0, union on ext4\n           \
                 shows   hard-links, fifos\n           lacks   steady-inodes, devices, owners, xattrs, "
            ),
            "{text}"
        );
        let absent = Absent {
            reason: "no such program: docker".to_owned(),
            remedy: "install Docker".to_owned(),
        };
        assert_eq!(
            plain(&block("docker", &Err(absent))),
            "docker     absent  no such program: docker\n           remedy  install Docker\n"
        );
    }
}
