//! Simpler steps.

use super::trees::{remove_at, simpler_nodes};
use crate::engine::{
    ContainerSpec, FileAction, FileRequest, ImageConfig, Operation, RenameMode, VolumeSpec,
    XattrMode,
};
use crate::scenario::{Action, Scenario, Step};

/// The `at`th simplification of any step.
pub(super) fn step_at(scenario: &Scenario, at: usize) -> Option<Scenario> {
    let mut rest = at;
    for (index, step) in scenario.steps.iter().enumerate() {
        let mut ways = simpler_steps(step);
        if rest < ways.len() {
            let mut smaller = scenario.clone();
            smaller.steps.splice(index..=index, ways.swap_remove(rest));
            return Some(smaller);
        }
        rest -= ways.len();
    }
    None
}

/// Each is what takes the step's place.
fn simpler_steps(step: &Step) -> Vec<Vec<Step>> {
    let with = |action: Action| {
        vec![Step {
            action,
            ..step.clone()
        }]
    };
    match &step.action {
        Action::Operation(operation) => simpler_operations(operation)
            .into_iter()
            .map(|operation| with(Action::Operation(operation)))
            .collect(),
        Action::Concurrently(branches) => {
            // One after the other, if that shows it too.
            let mut ways = vec![branches.iter().flatten().cloned().collect()];
            if branches.len() > 2 {
                for at in 0..branches.len() {
                    let mut fewer = branches.clone();
                    fewer.remove(at);
                    ways.push(with(Action::Concurrently(fewer)));
                }
            }
            for (at, branch) in branches
                .iter()
                .enumerate()
                .filter(|(_, branch)| branch.len() > 1)
            {
                for inner in 0..branch.len() {
                    let mut fewer = branches.clone();
                    if let Some(branch) = fewer.get_mut(at) {
                        remove_at(branch, inner);
                    }
                    ways.push(with(Action::Concurrently(fewer)));
                }
            }
            ways
        }
    }
}

fn simpler_operations(operation: &Operation) -> Vec<Operation> {
    use Operation as O;
    match operation {
        O::Files {
            place,
            user,
            requests,
        } => {
            let files = |user: &Option<String>, requests: Vec<FileRequest>| O::Files {
                place: place.clone(),
                user: user.clone(),
                requests,
            };
            let mut ways = Vec::new();
            if user.is_some() {
                ways.push(files(&None, requests.clone()));
            }
            if requests.len() > 1 {
                for at in 0..requests.len() {
                    let mut fewer = requests.clone();
                    fewer.remove(at);
                    ways.push(files(user, fewer));
                }
            }
            for (at, request) in requests.iter().enumerate() {
                for action in simpler_actions(&request.action) {
                    let mut simpler = requests.clone();
                    if let Some(slot) = simpler.get_mut(at) {
                        slot.action = action;
                    }
                    ways.push(files(user, simpler));
                }
            }
            ways
        }
        O::Run(spec) => {
            let mut ways: Vec<Operation> = simpler_specs(spec).into_iter().map(O::Run).collect();
            ways.push(O::Create(spec.clone()));
            ways
        }
        O::Create(spec) => simpler_specs(spec).into_iter().map(O::Create).collect(),
        other => without_flags(other)
            .filter(|simpler| simpler != other)
            .into_iter()
            .collect(),
    }
}

/// An operation on an object without anything that need not be said.
fn without_flags(operation: &Operation) -> Option<Operation> {
    use Operation as O;
    let mut simpler = operation.clone();
    match &mut simpler {
        O::Remove { volumes, .. } => *volumes = false,
        O::ImageRemove { force, .. } | O::VolumeRemove { force, .. } => *force = false,
        O::Copy {
            archive, follow, ..
        } => (*archive, *follow) = (false, false),
        O::Commit(spec) => spec.change = ImageConfig::default(),
        O::VolumeCreate(spec) => {
            *spec = VolumeSpec {
                name: spec.name.clone(),
                ..VolumeSpec::default()
            };
        }
        O::VolumeList { filters } | O::VolumePrune { filters, .. } => filters.clear(),
        O::Restart(name) => simpler = O::Stop(name.clone()),
        _ => return None,
    }
    Some(simpler)
}

fn simpler_specs(spec: &ContainerSpec) -> Vec<ContainerSpec> {
    let mut ways = Vec::new();
    for at in 0..spec.mounts.len() {
        let mut simpler = spec.clone();
        simpler.mounts.remove(at);
        ways.push(simpler);
    }
    let mut plain = |applies: bool, change: &dyn Fn(&mut ContainerSpec)| {
        if applies {
            let mut simpler = spec.clone();
            change(&mut simpler);
            ways.push(simpler);
        }
    };
    plain(!spec.volumes_from.is_empty(), &|spec| {
        spec.volumes_from.clear();
    });
    plain(!spec.tmpfs.is_empty(), &|spec| spec.tmpfs.clear());
    plain(spec.read_only, &|spec| spec.read_only = false);
    plain(spec.user.is_some(), &|spec| spec.user = None);
    plain(spec.working_dir.is_some(), &|spec| spec.working_dir = None);
    plain(spec.remove_on_exit, &|spec| spec.remove_on_exit = false);
    ways
}

fn simpler_actions(action: &FileAction) -> Vec<FileAction> {
    use FileAction as A;
    if let A::Write { path, node } = action {
        return simpler_nodes(node)
            .into_iter()
            .map(|node| A::Write {
                path: path.clone(),
                node,
            })
            .collect();
    }
    if let A::Open {
        path,
        flags,
        mode,
        handle,
    } = action
    {
        let open = |flags: Vec<_>, mode: Option<u32>| A::Open {
            path: path.clone(),
            flags,
            mode,
            handle: handle.clone(),
        };
        let mut ways = Vec::new();
        if mode.is_some() {
            ways.push(open(flags.clone(), None));
        }
        if flags.len() > 1 {
            for at in 0..flags.len() {
                let mut fewer = flags.clone();
                fewer.remove(at);
                ways.push(open(fewer, *mode));
            }
        }
        return ways;
    }
    let mut simpler = action.clone();
    match &mut simpler {
        A::Mkdir { mode, parents, .. } => (*mode, *parents) = (None, false),
        A::Delete { recursive, .. } => *recursive = false,
        A::Rename { mode, .. } => *mode = RenameMode::Replace,
        A::Chown { follow, .. } | A::Stat { follow, .. } => *follow = true,
        A::Touch {
            atime,
            mtime,
            follow,
            ..
        } => (*atime, *mtime, *follow) = (None, None, true),
        A::SetXattr { mode, .. } => *mode = XattrMode::Any,
        A::Mknod { node, .. } => node.mode = None,
        A::Read { offset, length, .. } => (*offset, *length) = (None, None),
        A::WriteAt { offset, .. } => *offset = None,
        _ => {}
    }
    if simpler == *action {
        Vec::new()
    } else {
        vec![simpler]
    }
}
