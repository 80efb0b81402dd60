//! What is wrong with a mount in itself.

use super::{Source, Spec, check_absolute, check_target, path};
use crate::store::{Reason, Refusal};

/// Checks a mount as `validateMountConfigImpl` does, all but whether a bind source is there.
///
/// # Errors
/// `invalid mount config for type "T": …`, about a [`Reason::Mount`].
pub fn check(spec: &Spec) -> Result<(), Refusal> {
    check_parts(spec).map_err(|text| {
        let kind = spec.source.type_name();
        Refusal::new(
            Reason::Mount,
            format!("invalid mount config for type \"{kind}\": {text}"),
        )
    })
}

fn check_parts(spec: &Spec) -> Result<(), String> {
    if spec.target.is_empty() {
        return Err("field Target must not be empty".to_owned());
    }
    check_target(&spec.target)?;
    match &spec.source {
        Source::Volume {
            name: None,
            subpath: Some(_),
            ..
        } => Err("must not set Subpath when using anonymous volumes".to_owned()),
        Source::Volume {
            subpath: Some(subpath),
            ..
        } if !path::is_local(subpath) => {
            Err("subpath must be a relative path within the volume".to_owned())
        }
        Source::Volume { name: None, .. } if spec.read_only => {
            Err("must not set ReadOnly mode when using anonymous volumes".to_owned())
        }
        Source::Bind {
            path, recursive, ..
        } => check_bind(path, recursive.as_deref()),
        Source::Image { image, .. } if image.is_empty() => {
            Err("field Source must not be empty".to_owned())
        }
        Source::Image {
            subpath: Some(subpath),
            ..
        } if !path::is_local(subpath) => {
            Err("subpath must be a relative path within the image".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_bind(source: &str, recursive: Option<&str>) -> Result<(), String> {
    if source.is_empty() {
        return Err("field Source must not be empty".to_owned());
    }
    if let Some(value) = recursive
        && !["enabled", "disabled", "writable", "readonly"].contains(&value)
    {
        return Err(format!("invalid value for bind-recursive: {value}"));
    }
    if source.starts_with('.') {
        Ok(())
    } else {
        check_absolute(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: Option<&str>, subpath: Option<&str>) -> Source {
        let (name, subpath) = (name.map(str::to_owned), subpath.map(str::to_owned));
        Source::Volume {
            name,
            copy: true,
            subpath,
            labels: std::collections::BTreeMap::new(),
        }
    }

    fn bind(path: &str) -> Source {
        Source::Bind {
            path: path.to_owned(),
            create: false,
            propagation: None,
            recursive: None,
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn texts() {
        let tmpfs = Source::Tmpfs {
            size: None,
            mode: None,
        };
        for (target, read_only, source, expected) in [
            ("/x", false, volume(Some("ab"), None), ""),
            (
                "",
                false,
                volume(Some("ab"), None),
                "field Target must not be empty",
            ),
            (
                "/./",
                false,
                bind("/a"),
                "invalid specification: destination can't be '/'",
            ),
            (
                "m",
                false,
                bind("/a"),
                "invalid mount path: 'm' mount path must be absolute",
            ),
            (
                r"C:\init\123.txt",
                false,
                bind("/a"),
                "invalid mount path: 'C:/init/123.txt' mount path must be absolute",
            ),
            (
                "/x",
                false,
                bind("rel"),
                "invalid mount path: 'rel' mount path must be absolute",
            ),
            ("/x", false, bind(""), "field Source must not be empty"),
            ("/x", false, bind("./conf"), ""),
            (
                "/x",
                true,
                volume(None, None),
                "must not set ReadOnly mode when using anonymous volumes",
            ),
            (
                "/x",
                false,
                volume(None, Some("a")),
                "must not set Subpath when using anonymous volumes",
            ),
            (
                "/x",
                false,
                volume(Some("ab"), Some("../a")),
                "subpath must be a relative path within the volume",
            ),
            ("/x", false, volume(Some("ab"), Some("a/../b")), ""),
            (
                "/",
                false,
                tmpfs,
                "invalid specification: destination can't be '/'",
            ),
        ] {
            let spec = Spec {
                target: target.to_owned(),
                read_only,
                source,
            };
            let said = check(&spec)
                .err()
                .map_or(String::new(), |refusal| refusal.message);
            let kind = spec.source.type_name();
            let expected = match expected {
                "" => String::new(),
                text => format!("invalid mount config for type \"{kind}\": {text}"),
            };
            assert_eq!(said, expected);
        }
    }
}
