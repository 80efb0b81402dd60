//! The short form, `[SOURCE:]TARGET[:MODE]`.

use std::collections::BTreeMap;

use super::{Mode, Source, Spec, check};
use crate::store::{Reason, Refusal};

/// Reads a short mount. What the command line refuses before the daemon sees it is refused here with the
/// command line's text.
///
/// # Errors
/// A refusal about a [`Reason::Mount`]: Docker rows 60, 116, 130, 152, 154, 155.
pub fn parse_short(text: &str) -> Result<Spec, Refusal> {
    let refuse = |message: String| Refusal::new(Reason::Mount, message);
    let sections = match text.chars().count() {
        0 => return Err(refuse("invalid empty volume spec".to_owned())),
        1 | 2 => vec![text],
        _ => sections(text).map_err(|fault| refuse(format!("invalid spec: {text}: {fault}")))?,
    };
    if let [target] = sections.as_slice() {
        return Ok(Spec {
            target: (*target).to_owned(),
            read_only: false,
            source: Source::Anonymous,
        });
    }
    daemon(text)
}

/// Cuts at colons as the command line does: a single letter before a colon is taken for a Windows
/// drive, so `v:/x` is one section (Docker row 208).
fn sections(text: &str) -> Result<Vec<&str>, &'static str> {
    let mut sections = Vec::new();
    let mut start = 0;
    let ends = text
        .char_indices()
        .filter(|(_, c)| *c == ':')
        .map(|(at, _)| at);
    for end in ends.chain([text.len()]) {
        let section = text.get(start..end).unwrap_or_default();
        let mut chars = section.chars();
        let is_drive = end < text.len()
            && chars.next().is_some_and(char::is_alphabetic)
            && chars.next().is_none();
        if is_drive {
            continue;
        }
        if section.is_empty() {
            return Err("empty section between colons");
        }
        if sections.len() == 2 && end < text.len() {
            return Err("too many colons");
        }
        sections.push(section);
        start = end + 1;
    }
    Ok(sections)
}

/// `linuxParser.ParseMountRaw`, on what the command line lets through.
fn daemon(text: &str) -> Result<Spec, Refusal> {
    let refuse = |message: String| Err(Refusal::new(Reason::Mount, message));
    let invalid = format!("invalid volume specification: '{text}'");
    // The daemon knows no drives: it cuts at every colon.
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts.as_slice() {
        ["", ..] => return refuse(invalid),
        [_, mode] if Mode::parse(mode).is_some() => return refuse(invalid),
        [source, target] => (*source, *target, ""),
        [source, target, mode] => (*source, *target, *mode),
        _ => return refuse(invalid),
    };
    let Some(Mode {
        read_only,
        nocopy,
        propagation,
    }) = Mode::parse(mode)
    else {
        return refuse(format!("invalid mode: {mode}"));
    };
    // The command line makes `./x` absolute; `~/x` reaches the daemon as a name.
    let is_path = source.starts_with(['/', '.']);
    let (source, extra) = if is_path {
        let path = source.to_owned();
        let bind = Source::Bind {
            path,
            create: true,
            propagation,
            recursive: None,
        };
        (bind, nocopy.then_some("VolumeOptions"))
    } else {
        let (name, labels) = (Some(source.to_owned()), BTreeMap::new());
        let volume = Source::Volume {
            name,
            copy: !nocopy,
            subpath: None,
            labels,
        };
        (volume, propagation.and(Some("BindOptions")))
    };
    let spec = Spec {
        target: target.to_owned(),
        read_only,
        source,
    };
    if let Err(refusal) = check(&spec) {
        return refuse(format!("{invalid}: {refusal}"));
    }
    match extra {
        None => Ok(spec),
        Some(field) => {
            let kind = spec.source.type_name();
            refuse(format!(
                "{invalid}: invalid mount config for type \"{kind}\": field {field} must not be specified"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Propagation;

    #[test]
    fn refusals() {
        let prefix =
            |text: &str, rest: &str| format!("invalid volume specification: '{text}'{rest}");
        for (text, expected) in [
            ("", "invalid empty volume spec".to_owned()),
            (
                ":/x",
                "invalid spec: :/x: empty section between colons".to_owned(),
            ),
            (
                "lsv:",
                "invalid spec: lsv:: empty section between colons".to_owned(),
            ),
            (
                "/tmp:/x:ro:z",
                "invalid spec: /tmp:/x:ro:z: too many colons".to_owned(),
            ),
            ("/x:ro", prefix("/x:ro", "")),
            ("/x:nocopy", prefix("/x:nocopy", "")),
            ("lsv:/x:ro,rw", "invalid mode: ro,rw".to_owned()),
            ("lsv:/x:bogus", "invalid mode: bogus".to_owned()),
            (
                "lsv:rel",
                prefix(
                    "lsv:rel",
                    ": invalid mount config for type \"volume\": invalid mount path: 'rel' mount path must be absolute",
                ),
            ),
            (
                "lsv:/",
                prefix(
                    "lsv:/",
                    ": invalid mount config for type \"volume\": invalid specification: destination can't be '/'",
                ),
            ),
            (
                "/a:/./",
                prefix(
                    "/a:/./",
                    ": invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
                ),
            ),
            (
                "lsv:/x:rslave",
                prefix(
                    "lsv:/x:rslave",
                    ": invalid mount config for type \"volume\": field BindOptions must not be specified",
                ),
            ),
            (
                "/tmp:/x:nocopy",
                prefix(
                    "/tmp:/x:nocopy",
                    ": invalid mount config for type \"bind\": field VolumeOptions must not be specified",
                ),
            ),
        ] {
            assert_eq!(
                parse_short(text).map_err(|refusal| refusal.message),
                Err(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn meanings() {
        let volume = |name: &str, copy| Source::Volume {
            name: Some(name.to_owned()),
            copy,
            subpath: None,
            labels: BTreeMap::new(),
        };
        let bind = |path: &str, propagation| Source::Bind {
            path: path.to_owned(),
            create: true,
            propagation,
            recursive: None,
        };
        for (text, target, read_only, source) in [
            ("/data", "/data", false, Source::Anonymous),
            ("/", "/", false, Source::Anonymous),
            ("rel", "rel", false, Source::Anonymous),
            // Docker row 208.
            ("v:/x", "v:/x", false, Source::Anonymous),
            ("v:", "v:", false, Source::Anonymous),
            ("store:/data", "/data", false, volume("store", true)),
            (
                "store:/data/:ro,nocopy",
                "/data/",
                true,
                volume("store", false),
            ),
            // Docker row 60: whether that is a name is asked when the volume is made.
            ("rel/x:/y", "/y", false, volume("rel/x", true)),
            ("../x:/y", "/y", false, bind("../x", None)),
            ("~/x:/y", "/y", false, volume("~/x", true)),
            ("./conf:/y", "/y", false, bind("./conf", None)),
            (".:/y:z", "/y", false, bind(".", None)),
            (
                "/h:/y:ro,rslave",
                "/y",
                true,
                bind("/h", Some(Propagation::Rslave)),
            ),
        ] {
            let expected = Spec {
                target: target.to_owned(),
                read_only,
                source,
            };
            assert_eq!(parse_short(text), Ok(expected), "{text}");
        }
    }
}
