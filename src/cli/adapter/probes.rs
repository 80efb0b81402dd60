//! A small scenario for each capability that can be shown by one. What it expects is all that is judged.

use std::path::PathBuf;

use crate::engine::{Capability, Description, Provider};
use crate::engine::{OpenOptions, process::Point};
use crate::run::execute;
use crate::scenario::{FoundFile, Scenario, load_text};
use crate::verdict::{Verdict, judge, unmet};

/// What every probe starts from.
const IMAGE: &str = "images: {app: {layers: [{/a: one}]}}\n";

/// Capabilities with the steps that show them.
const PROBES: &[(Capability, &str)] = &[
    (
        Capability::HardLinks,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, write: {/x: two}}
  - {in: first, link: {/x: /y}}
  - {in: first, stat: /y, expect: {links: 2, same_file_as: /x}}",
    ),
    (
        Capability::SteadyInodes,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, link: {/a: /b}}
  - {in: first, stat: /b, expect: {same_file_as: /a}}",
    ),
    (
        Capability::Devices,
        r#"steps:
  - run: {name: first, image: app}
  - {in: first, mknod: {/null: "c 1:3"}}
  - {in: first, stat: /null, expect: {device: "c 1:3"}}"#,
    ),
    (
        Capability::Owners,
        r#"steps:
  - run: {name: first, image: app}
  - {in: first, chown: {/a: "1000:1001"}}
  - {in: first, stat: /a, expect: {owner: "1000:1001"}}
  - {in: first, as: "1002:1002", append: {/a: x}, expect: {error: EACCES}}"#,
    ),
    (
        Capability::Fifos,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, mkfifo: /pipe}
  - {in: first, stat: /pipe, expect: {type: fifo}}",
    ),
    (
        Capability::Xattrs,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, setxattr: {path: /a, name: user.note, value: x}}
  - {in: first, getxattr: {path: /a, name: user.note}, expect: {text: x}}",
    ),
    (
        Capability::SecurityXattrs,
        r"steps:
  - run: {name: first, image: app}
  - in: first
    setxattr: {path: /a, name: security.capability, value: {base64: AQAAAgAEAAAAAAAAAAAAAAAAAAA=}}
  - {in: first, listxattr: /a, expect: {includes: [security.capability]}}",
    ),
    (
        Capability::RenameFlags,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, write: {/x: two, /y: three}}
  - {in: first, rename: {from: /x, to: /y, mode: noreplace}, expect: {error: EEXIST}}
  - {in: first, rename: {from: /x, to: /y, mode: exchange}}
  - {in: first, read: /x, expect: {text: three}}",
    ),
    (
        Capability::Sparse,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, write: {/x: {size: 1MiB}}}
  - {in: first, stat: /x, expect: {size: 1MiB, blocks_max: 64}}",
    ),
    (
        Capability::TmpfileLink,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, open: {path: /, for: [write, tmpfile], as: h}}
  - {in: first, write: {handle: h, text: two}}
  - {in: first, link: {handle: h, to: /named}}
  - {in: first, read: /named, expect: {text: two}}",
    ),
    (
        Capability::Handles,
        r"steps:
  - run: {name: first, image: app}
  - {in: first, write: {/x: two}}
  - {in: first, open: {path: /x, for: [read], as: h}}
  - {in: first, delete: /x}
  - {in: first, read: {handle: h}, expect: {text: two}}
  - {in: first, close: h}",
    ),
    (
        Capability::Locks,
        r#"steps:
  - run: {name: first, image: app, volumes: ["store:/data"]}
  - run: {name: second, image: app, volumes: ["store:/data"]}
  - {in: first, open: {path: /data/x, for: [read, write, create], as: h}}
  - {in: first, lock: {handle: h, kind: exclusive}}
  - {in: second, open: {path: /data/x, for: [read, write], as: h}}
  - {in: second, lock: {handle: h, kind: exclusive}, expect: {error: EAGAIN}}"#,
    ),
    (
        Capability::Crash,
        r#"steps:
  - run: {name: first, image: app, volumes: ["store:/data"]}
  - {in: first, write: {/data/x: two}}
  - crash
  - {start: first, expect: {error: engine-down}}
  - restart engine
  - start: first
  - {in: first, read: /data/x, expect: {text: two}}"#,
    ),
    (
        Capability::FillDisk,
        r"steps:
  - run: {name: first, image: app}
  - fill disk
  - {in: first, write: {/x: {size: 1MiB, fill: x}}, expect: {error: ENOSPC}}
  - free disk
  - {in: first, write: {/x: two}}",
    ),
    (
        Capability::TmpfsSize,
        r#"steps:
  - run: {name: first, image: app, tmpfs: ["/tmp:size=64k"]}
  - {in: first, write: {/tmp/x: {size: 1MiB, fill: x}}, expect: {error: ENOSPC}}"#,
    ),
    (
        Capability::Pause,
        r"steps:
  - run: {name: first, image: app}
  - pause: first
  - {inspect: first, expect: {state: paused}}
  - unpause: first
  - {inspect: first, expect: {state: running}}",
    ),
    (
        Capability::HostView,
        r#"host: {./x: one}
steps:
  - run: {name: first, image: app, volumes: ["./x:/x", "store:/data"]}
  - {in: first, write: {/x: two, /data/y: three}}
  - {in: host, read: /x, expect: {text: two}}
  - {in: volume store, read: /y, expect: {text: three}}"#,
    ),
    (
        Capability::VolumeSubpath,
        r"volumes: {store: {content: {/in/x: one}}}
steps:
  - run: {name: first, image: app, volumes: [{type: volume, source: store, target: /data, volume: {subpath: in}}]}
  - {in: first, read: /data/x, expect: {text: one}}",
    ),
    (
        Capability::ImageMount,
        r"steps:
  - run: {name: first, image: app, volumes: [{type: image, source: app, target: /data}]}
  - {in: first, read: /data/a, expect: {text: one}}",
    ),
    (
        Capability::AnonymousPrune,
        r#"steps:
  - run: {name: first, image: app, volumes: ["store:/data", /other]}
  - rm: {container: first, force: true}
  - volume prune
  - volume ls:
    expect: {volumes: [store]}"#,
    ),
];

/// Shows each capability that the engine claims, as far as there is a probe for it.
pub(super) fn points(
    provider: &dyn Provider,
    description: &Description,
    options: &OpenOptions,
) -> Vec<Point> {
    let claimed = PROBES
        .iter()
        .filter(|(capability, _)| description.capabilities.contains(capability));
    claimed
        .map(|(capability, steps)| Point {
            check: capability.name().to_owned(),
            about: capability.about().to_owned(),
            finding: show(*capability, steps, provider, description, options).err(),
        })
        .collect()
}

fn show(
    capability: Capability,
    steps: &str,
    provider: &dyn Provider,
    description: &Description,
    options: &OpenOptions,
) -> Result<(), String> {
    let scenario = scenario(capability, steps)?;
    let engine = provider.open(options).map_err(|fault| fault.to_string())?;
    let execution = execute(&scenario, engine.as_ref(), description);
    match judge(&scenario, &execution, unmet(&scenario, &execution), None) {
        Verdict::Passed => Ok(()),
        Verdict::Skipped(why) | Verdict::Errored(why) => Err(why),
        Verdict::Failed(failures) => Err(failures
            .into_iter()
            .map(|failure| {
                let or_nothing = Option::unwrap_or_default;
                let (expected, actual) = (or_nothing(failure.expected), or_nothing(failure.actual));
                format!(
                    "{}: expected {expected}, and it was {actual}",
                    failure.headline
                )
            })
            .collect::<Vec<_>>()
            .join("; ")),
    }
}

fn scenario(capability: Capability, steps: &str) -> Result<Scenario, String> {
    let name = capability.name();
    let found = FoundFile {
        path: PathBuf::from(format!("{name}.yaml")),
        stem: name.to_owned(),
    };
    let text = format!("title: {name}\n{IMAGE}{steps}\n");
    let cases = load_text(&found, text).map_err(|faults| faults.to_string())?;
    cases.into_iter().next().ok_or_else(|| "no case".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::native::NativeProvider;

    #[test]
    fn each_probe_shows_its_capability() {
        let scratch = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            scratch: scratch.path().to_owned(),
            keep: false,
        };
        let native = NativeProvider::new();
        let description = native.probe(&options).unwrap();
        let shown = points(&native, &description, &options);
        assert!(shown.len() > 10, "{shown:?}");
        for point in shown {
            assert_eq!(point.finding, None, "{}", point.check);
        }
        let one = |fault: &str| PROBES.iter().find(|(c, _)| c.name() == fault).unwrap();
        let (capability, steps) = one("hard-links");
        let wrong = steps.replace("links: 2", "links: 3");
        let finding = show(*capability, &wrong, &native, &description, &options);
        assert_eq!(
            finding,
            Err("step 4, in first: stat /y: expected 3 links, and it was 2 links".to_owned())
        );
    }
}
