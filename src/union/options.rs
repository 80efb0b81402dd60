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
    /// `EINVAL` for options that the kernel, too, refuses together.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let is_user = options.namespace == XattrNamespace::User;
        let redirect = options.redirect_dir;
        // Attributes that anyone can write must not lead anywhere.
        if is_user && redirect.is_some_and(|redirect| redirect != RedirectDir::NoFollow) {
            return Err(Errno::INVAL);
        }
        let is_redirecting = redirect == Some(RedirectDir::On);
        // A file whose data are elsewhere needs a redirect when it moves.
        if options.metacopy && (is_user || (redirect.is_some() && !is_redirecting)) {
            return Err(Errno::INVAL);
        }
        Ok(Self {
            writes_redirects: is_redirecting || options.metacopy,
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
        for (namespace, redirect_dir, metacopy, expected) in [
            (Trusted, None, false, Some((false, true))),
            (Trusted, Some(Off), false, Some((false, true))),
            (Trusted, Some(Follow), false, Some((false, true))),
            (Trusted, Some(NoFollow), false, Some((false, false))),
            (Trusted, Some(On), false, Some((true, true))),
            (Trusted, None, true, Some((true, true))),
            (Trusted, Some(On), true, Some((true, true))),
            (Trusted, Some(Off), true, None),
            (Trusted, Some(Follow), true, None),
            (Trusted, Some(NoFollow), true, None),
            (User, None, false, Some((false, false))),
            (User, Some(NoFollow), false, Some((false, false))),
            (User, Some(Off), false, None),
            (User, Some(Follow), false, None),
            (User, Some(On), false, None),
            (User, None, true, None),
        ] {
            let rules = Rules::new(&Options {
                namespace,
                redirect_dir,
                metacopy,
                ..Options::default()
            });
            let got = rules.map(|rules| (rules.writes_redirects, rules.follows_redirects));
            let expected = expected.ok_or(Errno::INVAL);
            assert_eq!(got, expected, "{namespace:?} {redirect_dir:?} {metacopy}");
        }
    }
}
