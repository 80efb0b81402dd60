//! Options of a union in the words of the kernel: `redirect_dir=on,metacopy=on`.
//!
//! Source: overlayfs.rst; `ovl_parameter_spec` in `fs/overlayfs/params.c`.

use std::fmt;
use std::str::FromStr;

use super::{Options, RedirectDir, Result};

/// Options that were asked for; what was not is left to whoever mounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MountOptions {
    /// `redirect_dir=on`, `follow`, `nofollow` or `off`.
    pub redirect_dir: Option<RedirectDir>,
    /// `metacopy=on` or `off`.
    pub metacopy: Option<bool>,
    /// `index=on` or `off`.
    pub index: Option<bool>,
    /// `volatile`
    pub volatile: bool,
}

/// A text that holds something else than these options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an option; there are redirect_dir=on, follow, nofollow or off, metacopy=on or off, \
     index=on or off, volatile"
)]
pub struct NotAnOption(pub String);

impl MountOptions {
    /// Each option that was asked for: its name, and its value unless it is a flag.
    pub fn pairs(&self) -> Vec<(&'static str, Option<&'static str>)> {
        let switch = |on: bool| if on { "on" } else { "off" };
        let redirect = self.redirect_dir.map(|redirect| match redirect {
            RedirectDir::On => "on",
            RedirectDir::Follow => "follow",
            RedirectDir::NoFollow => "nofollow",
            RedirectDir::Off => "off",
        });
        let mut pairs = Vec::new();
        for (name, value) in [
            ("redirect_dir", redirect),
            ("metacopy", self.metacopy.map(switch)),
            ("index", self.index.map(switch)),
        ] {
            pairs.extend(value.map(|value| (name, Some(value))));
        }
        pairs.extend(self.volatile.then_some(("volatile", None)));
        pairs
    }

    /// Our own union with these options.
    #[must_use]
    pub fn apply(&self, options: Options) -> Options {
        Options {
            redirect_dir: self.redirect_dir.or(options.redirect_dir),
            metacopy: self.metacopy.unwrap_or(options.metacopy),
            index: self.index.unwrap_or(options.index),
            volatile: self.volatile || options.volatile,
            ..options
        }
    }
}

impl Options {
    /// Whether a union can be opened with these options.
    ///
    /// # Errors
    /// `EINVAL` for options that do not go together.
    pub fn check(&self) -> Result<()> {
        super::options::Rules::new(self).map(drop)
    }
}

impl FromStr for MountOptions {
    type Err = NotAnOption;

    fn from_str(text: &str) -> Result<Self, NotAnOption> {
        let mut options = Self::default();
        for part in text.split(',') {
            let unknown = || NotAnOption(part.to_owned());
            let switch = |value: &str| match value {
                "on" => Ok(Some(true)),
                "off" => Ok(Some(false)),
                _ => Err(unknown()),
            };
            match part.split_once('=') {
                None if part == "volatile" => options.volatile = true,
                Some(("redirect_dir", value)) => {
                    options.redirect_dir = Some(match value {
                        "on" => RedirectDir::On,
                        "follow" => RedirectDir::Follow,
                        "nofollow" => RedirectDir::NoFollow,
                        "off" => RedirectDir::Off,
                        _ => return Err(unknown()),
                    });
                }
                Some(("metacopy", value)) => options.metacopy = switch(value)?,
                Some(("index", value)) => options.index = switch(value)?,
                _ => return Err(unknown()),
            }
        }
        Ok(options)
    }
}

impl fmt::Display for MountOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, value)) in self.pairs().into_iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "," })?;
            match value {
                Some(value) => write!(f, "{name}={value}")?,
                None => f.write_str(name)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        for text in [
            "redirect_dir=on",
            "redirect_dir=follow,metacopy=off",
            "redirect_dir=nofollow,index=on,volatile",
            "redirect_dir=off,metacopy=on,index=off",
            "volatile",
        ] {
            assert_eq!(text.parse::<MountOptions>().unwrap().to_string(), text);
        }
        for (text, wrong) in [
            ("", ""),
            ("redirect_dir", "redirect_dir"),
            ("metacopy=on,index=yes", "index=yes"),
            ("volatile=on", "volatile=on"),
            ("lowerdir=/", "lowerdir=/"),
            ("redirect_dir=on,", ""),
        ] {
            let error = text.parse::<MountOptions>().unwrap_err();
            assert_eq!(error, NotAnOption(wrong.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_asked_for_stays() {
        let options = Options {
            redirect_dir: Some(RedirectDir::Off),
            index: true,
            ..Options::default()
        };
        let asked: MountOptions = "metacopy=on,index=off".parse().unwrap();
        let options = asked.apply(options);
        assert_eq!(options.redirect_dir, Some(RedirectDir::Off));
        assert!(options.metacopy && !options.index && !options.volatile);
        assert!(options.check().is_err(), "these do not go together");
    }
}
