//! Steps on containers, images and volumes, and on the world.

use super::state::{CONTAINERS, IMAGES, Made, State, VOLUMES};
use super::{files, mounts, pool, world};
use crate::engine::{
    Capability, CommitSpec, ContainerSpec, CopyEnd, FileAction, ImageConfig, Operation, Place,
    VolumeFilter, VolumeRef, VolumeSpec,
};
use crate::fuzz::dice::Dice;

/// A maker of steps.
type Make = fn(&mut State, &mut Dice) -> Operation;

/// How often each is tried, when a step on objects is.
const KINDS: &[(usize, Make)] = &[
    (16, run),
    (4, create),
    (10, start),
    (3, stop),
    (2, kill),
    (3, restart),
    (1, pause),
    (3, unpause),
    (4, remove),
    (1, container_prune),
    (3, inspect),
    (5, commit),
    (7, diff),
    (10, copy),
    (2, export),
    (2, import),
    (3, image_remove),
    (2, image_tag),
    (4, volume_create),
    (4, volume_remove),
    (2, volume_inspect),
    (2, volume_list),
    (2, volume_prune),
    (1, crash),
    (2, fill_disk),
];

/// One step.
pub(super) fn object(state: &mut State, dice: &mut Dice) -> Operation {
    if state.is_down && dice.chance(80) {
        state.is_down = false;
        return Operation::RestartEngine;
    }
    if state.paused.is_some() && dice.chance(40) {
        return unpause(state, dice);
    }
    if state.is_full && dice.chance(30) {
        state.is_full = false;
        return Operation::FreeDisk;
    }
    let total = KINDS.iter().map(|(weight, _)| weight).sum();
    let mut rest = dice.below(total);
    for (weight, make) in KINDS {
        if rest < *weight {
            return make(state, dice);
        }
        rest -= weight;
    }
    Operation::ContainerPrune
}

/// The name for a new container: one that is free, mostly.
fn new_name(state: &State, dice: &mut Dice) -> String {
    let free = CONTAINERS.iter().find(|name| state.made(name).is_none());
    match free {
        Some(name) if dice.chance(95) => (*name).to_owned(),
        _ => dice.text(CONTAINERS),
    }
}

/// A container that can be started, as far as that can be known.
fn plain_spec(state: &State, dice: &mut Dice) -> ContainerSpec {
    let mut mounts = Vec::new();
    for target in ["/m", "/data"] {
        if dice.chance(45) {
            mounts.push(mounts::plain(state, target, dice));
        }
    }
    ContainerSpec {
        name: new_name(state, dice),
        image: dice
            .pick(&["base", "app"])
            .filter(|name| state.images.iter().any(|image| image == *name))
            .unwrap_or(&"base")
            .to_string(),
        mounts,
        ..ContainerSpec::default()
    }
}

/// The first container of a world.
pub(super) fn first(state: &mut State, dice: &mut Dice) -> Operation {
    let spec = plain_spec(state, dice);
    note_made(state, &spec, true);
    Operation::Run(spec)
}

fn spec(state: &mut State, dice: &mut Dice) -> ContainerSpec {
    if dice.chance(45) {
        return plain_spec(state, dice);
    }
    let name = new_name(state, dice);
    let image = state.image(dice);
    let count = dice.weighted(&[(5, 0), (4, 1), (3, 2), (1, 3)]);
    let mut mounts: Vec<_> = Vec::new();
    for _ in 0..count {
        let mount = mounts::mount(state, dice);
        // Two mounts in one place are refused: worth a try, not more.
        let target = mounts::target_of(&mount);
        let is_double = mounts
            .iter()
            .any(|other| mounts::target_of(other) == target);
        if !is_double || dice.chance(10) {
            mounts.push(mount);
        }
    }
    let others = !state.containers.is_empty();
    ContainerSpec {
        name,
        image,
        mounts,
        volumes_from: dice
            .maybe(if others { 8 } else { 1 }, |dice| {
                mounts::volumes_from(state, dice)
            })
            .into_iter()
            .collect(),
        tmpfs: dice.maybe(8, mounts::tmpfs).into_iter().collect(),
        read_only: dice.chance(5),
        user: dice.maybe(6, |dice| {
            dice.text(&["1000", "1000", "1000:2000", "0", "nobody-there"])
        }),
        working_dir: dice.maybe(6, |dice| {
            dice.text(&["/a", "/a/b", "/new/dir", "/new/dir", "relative"])
        }),
        remove_on_exit: dice.chance(4),
    }
}

fn note_made(state: &mut State, spec: &ContainerSpec, runs: bool) {
    let long = spec.mounts.iter().filter(|mount| mounts::is_tmpfs(mount));
    state.tmpfs += spec.tmpfs.len() + long.count();
    for mount in &spec.mounts {
        if let Some(volume) = mounts::volume_of(mount)
            && !state.volumes.contains(&volume)
        {
            state.volumes.push(volume);
        }
        if mounts::is_anonymous(mount)
            && let Some(target) = mounts::target_of(mount).filter(|target| target.starts_with('/'))
        {
            state.anonymous.push(VolumeRef::Anonymous {
                container: spec.name.clone(),
                target,
            });
        }
    }
    if state.made(&spec.name).is_none() {
        state.containers.push(Made {
            name: spec.name.clone(),
            runs,
            targets: mounts::targets(spec),
        });
    }
}

fn run(state: &mut State, dice: &mut Dice) -> Operation {
    let spec = spec(state, dice);
    note_made(state, &spec, true);
    Operation::Run(spec)
}

fn create(state: &mut State, dice: &mut Dice) -> Operation {
    let spec = spec(state, dice);
    note_made(state, &spec, false);
    Operation::Create(spec)
}

fn start(state: &mut State, dice: &mut Dice) -> Operation {
    let still: Vec<String> = state
        .containers
        .iter()
        .filter(|made| !made.runs)
        .map(|made| made.name.clone())
        .collect();
    let name = match dice.pick(&still) {
        Some(name) if dice.chance(85) => name.clone(),
        _ => state.container(dice),
    };
    if let Some(made) = state.made_mut(&name) {
        made.runs = true;
    }
    Operation::Start(name)
}

fn stop(state: &mut State, dice: &mut Dice) -> Operation {
    let name = state.container(dice);
    state.ended(&name, false);
    Operation::Stop(name)
}

fn kill(state: &mut State, dice: &mut Dice) -> Operation {
    let name = state.container(dice);
    state.ended(&name, false);
    Operation::Kill(name)
}

fn restart(state: &mut State, dice: &mut Dice) -> Operation {
    let name = state.container(dice);
    state.ended(&name, false);
    if let Some(made) = state.made_mut(&name) {
        made.runs = true;
    }
    Operation::Restart(name)
}

fn pause(state: &mut State, dice: &mut Dice) -> Operation {
    if !state.has(Capability::Pause) {
        return inspect(state, dice);
    }
    let name = state.container(dice);
    state.paused = state
        .made(&name)
        .filter(|made| made.runs)
        .map(|_| name.clone());
    Operation::Pause(name)
}

fn unpause(state: &mut State, dice: &mut Dice) -> Operation {
    if !state.has(Capability::Pause) {
        return inspect(state, dice);
    }
    let paused = state.paused.take().filter(|_| dice.chance(90));
    Operation::Unpause(paused.unwrap_or_else(|| state.container(dice)))
}

fn remove(state: &mut State, dice: &mut Dice) -> Operation {
    let (container, force) = (state.container(dice), dice.chance(50));
    let runs = state.made(&container).is_some_and(|made| made.runs);
    if force || !runs {
        state.ended(&container, true);
    }
    Operation::Remove {
        container,
        force,
        volumes: dice.chance(40),
    }
}

fn container_prune(state: &mut State, _: &mut Dice) -> Operation {
    let gone: Vec<String> = state
        .containers
        .iter()
        .filter(|made| !made.runs)
        .map(|made| made.name.clone())
        .collect();
    for name in gone {
        state.ended(&name, true);
    }
    Operation::ContainerPrune
}

fn inspect(state: &mut State, dice: &mut Dice) -> Operation {
    Operation::Inspect(state.container(dice))
}

fn diff(state: &mut State, dice: &mut Dice) -> Operation {
    Operation::Diff(state.container(dice))
}

/// The name for a new image.
fn new_image(state: &mut State, dice: &mut Dice, usual: &str) -> String {
    let name = if dice.chance(80) {
        usual.to_owned()
    } else {
        dice.text(IMAGES)
    };
    if !state.images.contains(&name) {
        state.images.push(name.clone());
    }
    name
}

fn commit(state: &mut State, dice: &mut Dice) -> Operation {
    // Whatever was made in the container.
    state.has_layered_specials |= state.has(Capability::Fifos);
    Operation::Commit(CommitSpec {
        container: state.container(dice),
        image: new_image(state, dice, "made"),
        change: if dice.chance(20) {
            world::config(dice)
        } else {
            ImageConfig::default()
        },
    })
}

/// An end of `cp`.
fn end(state: &State, dice: &mut Dice, in_container: bool) -> CopyEnd {
    let dotted = |path: String, dice: &mut Dice| match dice.below(12) {
        0 => format!("{path}/"),
        1 => format!("{path}/."),
        _ => path,
    };
    if in_container {
        let container = state.container(dice);
        let place = Place::Container(container.clone());
        let path = if dice.chance(8) {
            dice.text(&["/", "/.", "a", "a/b"])
        } else {
            state.path(&place, dice)
        };
        CopyEnd::Container {
            container,
            path: dotted(path, dice),
        }
    } else {
        let path = match dice.below(10) {
            0 => "/".to_owned(),
            1..4 => dice.text(pool::SOURCES),
            _ => state.path(&Place::Host, dice),
        };
        CopyEnd::Host(dotted(path, dice))
    }
}

fn copy(state: &mut State, dice: &mut Dice) -> Operation {
    let (from, to) = match dice.below(20) {
        0 => (true, true),
        1..11 => (true, false),
        _ => (false, true),
    };
    let (from, to) = (end(state, dice, from), end(state, dice, to));
    if let CopyEnd::Container { container, .. } = &to {
        let place = Place::Container(container.clone());
        state.note_removal(&place);
        state.note_made(&place);
    }
    Operation::Copy {
        from,
        to,
        archive: dice.chance(25),
        follow: dice.chance(25),
    }
}

fn export(state: &mut State, dice: &mut Dice) -> Operation {
    Operation::Export {
        container: state.container(dice),
        to: dice.text(&["/out.tar", "/out.tar", "/out.tar", "/none/out.tar", "/s"]),
    }
}

/// The archive becomes an image, and goes, wherever it was written: `/s` may be no directory any more.
pub(super) fn after_export(state: &mut State, dice: &mut Dice, to: String) -> Vec<Operation> {
    let mut steps = Vec::new();
    if dice.chance(80) {
        steps.push(Operation::Import {
            from: to.clone(),
            image: new_image(state, dice, "imported"),
        });
    }
    let delete = FileAction::Delete {
        path: to,
        recursive: false,
    };
    steps.push(files::operation(Place::Host, None, vec![delete]));
    steps
}

fn import(state: &mut State, dice: &mut Dice) -> Operation {
    let from = dice.text(&["/file", "/none", "/s"]);
    Operation::Import {
        from,
        image: new_image(state, dice, "imported"),
    }
}

fn image_remove(state: &mut State, dice: &mut Dice) -> Operation {
    let (image, force) = (state.image(dice), dice.chance(30));
    state
        .images
        .retain(|other| *other != image || other == "app" || other == "base");
    Operation::ImageRemove { image, force }
}

fn image_tag(state: &mut State, dice: &mut Dice) -> Operation {
    let image = state.image(dice);
    Operation::ImageTag {
        image,
        tag: new_image(state, dice, "tagged:1"),
    }
}

fn volume_create(state: &mut State, dice: &mut Dice) -> Operation {
    let mut spec = VolumeSpec {
        name: Some(if dice.chance(3) {
            "-x".to_owned()
        } else {
            dice.text(VOLUMES)
        }),
        ..VolumeSpec::default()
    };
    match dice.below(20) {
        0 => world::bound_to(&mut spec, &format!(".{}", dice.text(pool::SOURCES))),
        1 => spec.driver = Some(dice.text(&["local", "nobodys"])),
        2 => {
            spec.driver_opts.insert("bogus".to_owned(), "1".to_owned());
        }
        3..6 => {
            spec.labels
                .insert("tier".to_owned(), dice.text(&["gold", "iron"]));
        }
        _ => {}
    }
    if let Some(name) = &spec.name
        && !state.volumes.contains(name)
    {
        state.volumes.push(name.clone());
    }
    Operation::VolumeCreate(spec)
}

fn volume_remove(state: &mut State, dice: &mut Dice) -> Operation {
    Operation::VolumeRemove {
        volume: state.volume(dice),
        force: dice.chance(30),
    }
}

fn volume_inspect(state: &mut State, dice: &mut Dice) -> Operation {
    Operation::VolumeInspect(state.volume(dice))
}

fn filters(dice: &mut Dice) -> Vec<VolumeFilter> {
    let filter = |key: &str, value: &str| VolumeFilter {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    dice.maybe(40, |dice| match dice.below(6) {
        0 => filter("dangling", "true"),
        1 => filter("label", "tier=gold"),
        2 => filter("label!", "tier=gold"),
        3 => filter("name", "ore"),
        4 => filter("driver", "local"),
        _ => filter("bogus", "x"),
    })
    .into_iter()
    .collect()
}

fn volume_list(_: &mut State, dice: &mut Dice) -> Operation {
    Operation::VolumeList {
        filters: filters(dice),
    }
}

fn volume_prune(state: &mut State, dice: &mut Dice) -> Operation {
    if !state.has(Capability::AnonymousPrune) {
        return volume_list(state, dice);
    }
    Operation::VolumePrune {
        all: dice.chance(30),
        filters: filters(dice),
    }
}

fn crash(state: &mut State, dice: &mut Dice) -> Operation {
    if !state.has(Capability::Crash) {
        return inspect(state, dice);
    }
    let names: Vec<String> = state
        .containers
        .iter()
        .map(|made| made.name.clone())
        .collect();
    for name in names {
        state.ended(&name, false);
    }
    state.handles.clear();
    if dice.chance(30) {
        return Operation::RestartEngine;
    }
    state.is_down = true;
    Operation::Crash
}

fn fill_disk(state: &mut State, dice: &mut Dice) -> Operation {
    if !state.has(Capability::FillDisk) {
        return diff(state, dice);
    }
    state.is_full = true;
    Operation::FillDisk
}
