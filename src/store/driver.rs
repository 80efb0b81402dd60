//! Volume drivers and their options: Docker rows 68 and 188; moby `daemon/volume/local/local_unix.go`.

use std::collections::BTreeMap;

use super::{Reason, Refusal};

/// The only driver that there is.
pub const LOCAL: &str = "local";

/// Checks driver and options of a volume that is to be made.
///
/// # Errors
/// A refusal about a [`Reason::Driver`] or a [`Reason::DriverOption`].
pub fn check(name: &str, driver: &str, options: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if driver != LOCAL {
        let message = format!(
            "create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found"
        );
        return Err(Refusal::new(Reason::Driver, message));
    }
    let refuse = |text: String| {
        Err(Refusal::new(
            Reason::DriverOption,
            format!("create {name}: {text}"),
        ))
    };
    if let Some(unknown) = options
        .keys()
        .find(|key| !["device", "o", "size", "type"].contains(&key.as_str()))
    {
        return refuse(format!("invalid option: \"{unknown}\""));
    }
    if options.contains_key("size") {
        return refuse("quota size requested but no quota support".to_owned());
    }
    // Any of the three needs the ones after the arrow.
    for (key, needed) in [
        ("o", ["device", "type"]),
        ("type", ["device", "device"]),
        ("device", ["type", "type"]),
    ] {
        let missing = needed.iter().find(|needed| !options.contains_key(**needed));
        if options.contains_key(key)
            && let Some(missing) = missing
        {
            return refuse(format!("missing required option: \"{missing}\""));
        }
    }
    Ok(())
}

/// Where a volume's content lies when its options say so: `type=none,o=bind,device=PATH` is a path of the host
/// (Docker rows 189, 190).
pub fn bind_device(options: &BTreeMap<String, String>) -> Option<&str> {
    let is_bind = options
        .get("o")?
        .split(',')
        .any(|word| word == "bind" || word == "rbind");
    options
        .get("device")
        .map(String::as_str)
        .filter(|_| is_bind)
}

/// Whether a volume's content is in memory: `type=tmpfs` (Docker row 191).
pub fn is_tmpfs(options: &BTreeMap<String, String>) -> bool {
    options.get("type").is_some_and(|kind| kind == "tmpfs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (driver, options, expected) in [
            (LOCAL, vec![], ""),
            (
                LOCAL,
                vec![("type", "none"), ("o", "bind"), ("device", "/d")],
                "",
            ),
            (
                LOCAL,
                vec![("foo", "x")],
                "create ab: invalid option: \"foo\"",
            ),
            (
                LOCAL,
                vec![("type", "tmpfs")],
                "create ab: missing required option: \"device\"",
            ),
            (
                LOCAL,
                vec![("device", "/d")],
                "create ab: missing required option: \"type\"",
            ),
            (
                LOCAL,
                vec![("o", "bind")],
                "create ab: missing required option: \"device\"",
            ),
            (
                LOCAL,
                vec![("o", "bind"), ("device", "/d")],
                "create ab: missing required option: \"type\"",
            ),
            (
                LOCAL,
                vec![("size", "10m")],
                "create ab: quota size requested but no quota support",
            ),
            (
                "nope",
                vec![],
                "create ab: error looking up volume plugin nope: plugin \"nope\" not found",
            ),
        ] {
            let options = options
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect();
            let said = check("ab", driver, &options)
                .err()
                .map_or(String::new(), |r| r.message);
            assert_eq!(said, expected);
        }
    }
}
