//! Which containers can be started side by side: those for which nothing depends on the order.

use std::collections::BTreeSet;

use crate::engine::{ContainerSpec, MountRequest, MountSource, Operation};
use crate::scenario::{Action, Step, When};

/// The most that are started at once.
const MOST: usize = 8;

/// How many steps from the first on make containers that have nothing to do with each other. At least 1.
pub(super) fn independent(steps: &[Step], holds: impl Fn(&When) -> bool) -> usize {
    let mut used = BTreeSet::new();
    let mut length = 0;
    for step in steps.iter().take(MOST) {
        let performed = step.when.as_ref().is_none_or(&holds);
        let Some(things) = container(step)
            .filter(|_| performed && succeeds(step))
            .and_then(things)
        else {
            break;
        };
        if things.iter().any(|thing| used.contains(thing)) {
            break;
        }
        used.extend(things);
        length += 1;
    }
    length.max(1)
}

/// One that is to be refused may be refused for what stands before it.
fn succeeds(step: &Step) -> bool {
    let expect = step.expect.as_ref();
    expect.is_none_or(|expect| expect.error.is_empty())
}

fn container(step: &Step) -> Option<&ContainerSpec> {
    match &step.action {
        Action::Operation(Operation::Run(spec) | Operation::Create(spec)) => Some(spec),
        _ => None,
    }
}

/// Something that another container may use too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Name(String),
    Volume(String),
    /// All of it: who binds one path may make another one.
    Host,
}

/// What a container's creation uses or makes; `None` when that is another one's to say.
fn things(spec: &ContainerSpec) -> Option<BTreeSet<Thing>> {
    if !spec.volumes_from.is_empty() {
        return None;
    }
    let mut things = BTreeSet::from([Thing::Name(spec.name.clone())]);
    things.extend(spec.mounts.iter().filter_map(mounted));
    Some(things)
}

fn mounted(mount: &MountRequest) -> Option<Thing> {
    match mount {
        MountRequest::Short(text) => match text.split_once(':') {
            Some((source, _)) if source.starts_with(['/', '.']) => Some(Thing::Host),
            Some((name, _)) => Some(Thing::Volume(name.to_owned())),
            // An anonymous volume.
            None => None,
        },
        MountRequest::Long { source, .. } => match source {
            MountSource::Volume(volume) => volume.name.clone().map(Thing::Volume),
            MountSource::Bind(_) => Some(Thing::Host),
            MountSource::Tmpfs(_) | MountSource::Image { .. } => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Code, Kind};
    use crate::testing::{refused, remove, spec, step};

    fn with(name: &str, mounts: &[&str], from: &[&str]) -> Step {
        let text = |text: &&str| (*text).to_owned();
        let mounts = mounts.iter().map(|mount| MountRequest::Short(text(mount)));
        step(
            "1",
            Operation::Run(ContainerSpec {
                mounts: mounts.collect(),
                volumes_from: from.iter().map(text).collect(),
                ..spec(name)
            }),
        )
    }

    #[test]
    fn containers_that_share_something_wait_for_each_other() {
        let one = || with("one", &["store:/data", "/scratch"], &[]);
        for (other, expected) in [
            (with("two", &[], &[]), 2),
            (with("two", &["other:/data", "/scratch"], &[]), 2),
            (with("two", &["./x:/data"], &[]), 2),
            (with("two", &["store:/elsewhere"], &[]), 1),
            (with("one", &[], &[]), 1),
            (with("two", &[], &["one"]), 1),
            (
                refused(with("two", &[], &[]), Code::Kind(Kind::NameInUse)),
                1,
            ),
            (step("2", remove("three")), 1),
        ] {
            let steps = [one(), other];
            assert_eq!(independent(&steps, |_| true), expected, "{:?}", steps[1]);
        }
        let two_of_the_host = [with("a", &["./x:/x"], &[]), with("b", &["/y:/y"], &[])];
        assert_eq!(independent(&two_of_the_host, |_| true), 1);
        let left_out = Step {
            when: Some(When {
                engines: vec!["other".to_owned()],
                ..When::default()
            }),
            ..with("two", &[], &[])
        };
        assert_eq!(independent(&[one(), left_out], |_| false), 1);
        let many: Vec<Step> = (0..20).map(|n| with(&format!("c{n}"), &[], &[])).collect();
        assert_eq!(independent(&many, |_| true), MOST);
    }
}
