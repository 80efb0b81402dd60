//! Which options go together, and what they come to.
//!
//! Source: overlayfs.rst "renaming directories", "Metadata only copy up", "User xattr";
//! `ovl_fs_params_verify` in `fs/overlayfs/params.c`.

use super::filesystem::Union;
use super::{Errno, Feature, Options, RedirectDir, Result, XattrNamespace};

/// What the options come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// Redirects are written.
    pub(super) writes_redirects: bool,
    /// Redirects are followed.
    pub(super) follows_redirects: bool,
}

impl Rules {
    /// Checks options against each other.
    ///
    /// # Errors
    /// `EINVAL` for options that the kernel, too, refuses together; `EOPNOTSUPP` for what the union cannot do.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let is_user = options.namespace == XattrNamespace::User;
        let redirect = options.redirect_dir;
        // Attributes that anyone can write must not lead anywhere.
        if is_user && redirect.is_some_and(|redirect| redirect != RedirectDir::NoFollow) {
            return Err(Errno::INVAL);
        }
        if options.metacopy || options.index {
            return Err(Errno::OPNOTSUPP);
        }
        Ok(Self {
            writes_redirects: redirect == Some(RedirectDir::On),
            follows_redirects: !is_user && redirect != Some(RedirectDir::NoFollow),
        })
    }
}

impl Union {
    /// Whether a feature of the disk may be used.
    pub(super) fn may_use(&self, feature: Feature) -> bool {
        !self.options.without.contains(&feature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RedirectDir::{Follow, NoFollow, Off, On};
    use XattrNamespace::{Trusted, User};

    /// As Linux 6.18 mounts, and refuses to.
    #[test]
    fn options_that_go_together() {
        for (namespace, redirect_dir, expected) in [
            (Trusted, None, Some((false, true))),
            (Trusted, Some(Off), Some((false, true))),
            (Trusted, Some(Follow), Some((false, true))),
            (Trusted, Some(NoFollow), Some((false, false))),
            (Trusted, Some(On), Some((true, true))),
            (User, None, Some((false, false))),
            (User, Some(NoFollow), Some((false, false))),
            (User, Some(Off), None),
            (User, Some(Follow), None),
            (User, Some(On), None),
        ] {
            let rules = Rules::new(&Options {
                namespace,
                redirect_dir,
                ..Options::default()
            });
            let got = rules.map(|rules| (rules.writes_redirects, rules.follows_redirects));
            let expected = expected.ok_or(Errno::INVAL);
            assert_eq!(got, expected, "{namespace:?} {redirect_dir:?}");
        }
    }
}
