//! Stub until the real one is here.
#![expect(dead_code, clippy::unnecessary_wraps, clippy::unused_self, reason = "stub")]
use super::view::View;
use crate::engine::{FileAnswer, FileRequest, Refusal};

#[derive(Debug)]
pub(super) struct Session(View);

impl Session {
    pub(super) fn container(view: View, user: Option<&str>, cwd: &str) -> Result<Self, Refusal> {
        let _ = (user, cwd);
        Ok(Self(view))
    }
    pub(super) fn host(view: View) -> Result<Self, Refusal> {
        Ok(Self(view))
    }
    pub(super) fn perform(
        &self,
        user: Option<&str>,
        requests: &[FileRequest],
    ) -> Result<Vec<FileAnswer>, Refusal> {
        let _ = (user, requests);
        Ok(Vec::new())
    }
}
