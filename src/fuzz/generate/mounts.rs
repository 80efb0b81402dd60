//! Mounts of containers, in every form.

use std::collections::BTreeMap;

use super::pool::{self, SOURCES, TARGETS};
use super::state::State;
use crate::engine::{
    BindRequest, Capability, ContainerSpec, MountRequest, MountSource, Propagation, TmpfsRequest,
    VolumeRequest,
};
use crate::fuzz::dice::Dice;

const SHORT_MODES: &[&str] = &["", "", "", "", ":ro", ":rw", ":ro,z"];

/// Modes that one kind of source or the other does not take.
const RARE_MODES: &[&str] = &[":nocopy", ":nocopy", ":rprivate", ":rshared", ":bogus"];

/// Where: mostly somewhere that is right.
fn target(dice: &mut Dice) -> String {
    if dice.chance(3) {
        return dice.text(&["/", "relative", "", "/a/../m", "/m/", "//m"]);
    }
    dice.text(TARGETS)
}

/// One mount of a container's `volumes`.
pub(super) fn mount(state: &mut State, dice: &mut Dice) -> MountRequest {
    if dice.chance(55) {
        short(state, dice)
    } else {
        long(state, dice)
    }
}

fn short(state: &mut State, dice: &mut Dice) -> MountRequest {
    let mode = if dice.chance(12) {
        dice.text(RARE_MODES)
    } else {
        dice.text(SHORT_MODES)
    };
    let target = target(dice);
    MountRequest::Short(match dice.below(10) {
        0..2 => target,
        2..6 => {
            let name = state.volume_name(dice);
            format!("{name}:{target}{mode}")
        }
        6..8 => format!(".{}:{target}{mode}", dice.text(SOURCES)),
        _ => format!("{}:{target}{mode}", dice.text(SOURCES)),
    })
}

fn long(state: &mut State, dice: &mut Dice) -> MountRequest {
    let source = match dice.below(10) {
        0..4 => MountSource::Volume(VolumeRequest {
            name: dice.maybe(80, |dice| state.volume_name(dice)),
            nocopy: dice.chance(20),
            subpath: dice
                .maybe(10, |dice| dice.text(&["a", "a", "b/c", "none", "../x"]))
                .filter(|_| state.has(Capability::VolumeSubpath)),
            labels: labels(dice),
        }),
        4..7 => MountSource::Bind(BindRequest {
            source: dice.text(SOURCES),
            create_host_path: dice.chance(70),
            propagation: dice.maybe(6, |dice| {
                dice.pick(&[
                    Propagation::Private,
                    Propagation::Rprivate,
                    Propagation::Rshared,
                    Propagation::Slave,
                ])
                .copied()
                .unwrap_or(Propagation::Rprivate)
            }),
            recursive: dice.maybe(4, |dice| dice.text(&["enabled", "disabled", "readonly"])),
            selinux: dice.maybe(5, |dice| dice.text(&["z", "Z"])),
        }),
        7..9 => MountSource::Tmpfs(TmpfsRequest {
            size: dice
                .maybe(30, |dice| dice.weighted(&[(2, 65_536), (1, 1 << 20)]))
                .filter(|_| state.has(Capability::TmpfsSize)),
            mode: dice.maybe(30, pool::mode),
        }),
        _ if state.has(Capability::ImageMount) => MountSource::Image {
            source: state.image(dice),
            subpath: dice.maybe(20, |dice| dice.text(&["a", "b"])),
        },
        _ => MountSource::Volume(VolumeRequest::default()),
    };
    MountRequest::Long {
        target: target(dice),
        read_only: dice.chance(20),
        source,
    }
}

fn labels(dice: &mut Dice) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    if dice.chance(8) {
        labels.insert("tier".to_owned(), dice.text(&["gold", "iron"]));
    }
    labels
}

/// A `tmpfs` of a container.
pub(super) fn tmpfs(dice: &mut Dice) -> String {
    let options = dice.text(&[
        "",
        "",
        "",
        ":size=65536",
        ":mode=0700",
        ":ro",
        ":uid=1000,gid=1000,mode=755",
        ":nonsense",
    ]);
    format!("{}{options}", target(dice))
}

/// A `volumes_from` of a container.
pub(super) fn volumes_from(state: &State, dice: &mut Dice) -> String {
    let mode = dice.text(&["", "", "", ":ro", ":rw", ":z", ":bogus"]);
    format!("{}{mode}", state.container(dice))
}

/// Where a mount goes, as far as the text tells.
pub(super) fn target_of(mount: &MountRequest) -> Option<String> {
    match mount {
        MountRequest::Long { target, .. } => Some(target.clone()),
        MountRequest::Short(text) => {
            let mut parts = text.split(':');
            let (first, second) = (parts.next(), parts.next());
            second.or(first).map(str::to_owned)
        }
    }
}

/// Where a container has mounts.
pub(super) fn targets(spec: &ContainerSpec) -> Vec<String> {
    let tmpfs = spec.tmpfs.iter().filter_map(|text| text.split(':').next());
    let mounts = spec.mounts.iter().filter_map(target_of);
    mounts.chain(tmpfs.map(str::to_owned)).collect()
}

/// Whether a mount is a tmpfs.
pub(super) fn is_tmpfs(mount: &MountRequest) -> bool {
    matches!(
        mount,
        MountRequest::Long {
            source: MountSource::Tmpfs(_),
            ..
        }
    )
}

/// Whether a mount makes an anonymous volume.
pub(super) fn is_anonymous(mount: &MountRequest) -> bool {
    match mount {
        MountRequest::Short(text) => !text.contains(':'),
        MountRequest::Long {
            source: MountSource::Volume(volume),
            ..
        } => volume.name.is_none(),
        MountRequest::Long { .. } => false,
    }
}

/// The volume that a mount names, which it makes when it is missing.
pub(super) fn volume_of(mount: &MountRequest) -> Option<String> {
    match mount {
        MountRequest::Short(text) => text
            .split_once(':')
            .map(|(source, _)| source.to_owned())
            .filter(|source| !source.starts_with(['.', '/'])),
        MountRequest::Long {
            source: MountSource::Volume(volume),
            ..
        } => volume.name.clone(),
        MountRequest::Long { .. } => None,
    }
}

/// A mount that nobody refuses.
pub(super) fn plain(state: &State, target: &str, dice: &mut Dice) -> MountRequest {
    let volume = |name: Option<String>| MountRequest::Long {
        target: target.to_owned(),
        read_only: false,
        source: MountSource::Volume(VolumeRequest {
            name,
            ..VolumeRequest::default()
        }),
    };
    match dice.below(6) {
        0 => MountRequest::Short(target.to_owned()),
        1 => volume(None),
        2 => volume(Some("store".to_owned())),
        3 => MountRequest::Short(format!("./t:{target}")),
        4 if state.volumes.iter().any(|name| name == "seeded") => {
            MountRequest::Short(format!("seeded:{target}"))
        }
        4 => MountRequest::Short(format!("other:{target}")),
        _ => MountRequest::Long {
            target: target.to_owned(),
            read_only: false,
            source: MountSource::Tmpfs(TmpfsRequest::default()),
        },
    }
}
