//! A project in which all is well.

use super::support::Project;

/// A scenario that passes.
pub(crate) const GOOD: &str = r#"
title: A file that is written is there
images:
  app: {layers: [{/etc/app.conf: "mode = default\n"}]}
steps:
  - run: {name: first, image: app}
  - in: first
    do:
      - write: {/x: "1"}
      - read: /etc/app.conf
        expect: {text: "mode = default\n"}
"#;

/// A project with one scenario, its outcome approved.
pub(crate) fn good() -> Project {
    let project = Project::new();
    project.write("scenarios/volumes/good.yaml", GOOD);
    let blessed = project.run(&["bless", "--new"]);
    assert_eq!(blessed.code, Some(0), "{blessed:?}");
    project
}
