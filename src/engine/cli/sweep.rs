//! Removing what a run made: its own at its end, and that of runs whose process is gone.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use super::names::{PREFIX, RUN_LABEL};
use super::owner::{is_gone, is_here, wait_for_commands};
use super::program::Program;
use super::words;

/// Label of a run's volume: whose it is.
pub(super) const OWNER_LABEL: &str = "layerspec.owner";

/// Label of a volume that only says that another one, which cannot be labelled, is ours.
pub(super) const MARKER_LABEL: &str = "layerspec.marks";

/// How often something that fails is tried.
const CHANCES: usize = 5;

/// How long after a failure.
const PAUSE: Duration = Duration::from_millis(100);

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Runs whose process is gone.
    pub runs: usize,
    /// Objects that were removed: containers, volumes, images.
    pub objects: usize,
    /// Runs that are left alone, because their process runs or belongs to another machine.
    pub left: usize,
}

/// A name that no other run has.
pub(super) fn new_run() -> String {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:012x}", hasher.finish() & 0xffff_ffff_ffff)
}

/// Removes what runs left behind whose process is gone. `all`: also those of other machines.
///
/// # Errors
/// Why the engine cannot be asked.
pub fn sweep(program: &str, all: bool) -> Result<Swept, String> {
    let program = Program::new(program);
    // What they have been told to make is there then, and is found.
    wait_for_commands(|_, owner| is_gone(owner));
    let filter = format!("label={OWNER_LABEL}");
    let names = list(&program, &["volume", "ls", "--quiet", "--filter", &filter])?;
    let mut swept = Swept::default();
    for run in ownerless(&program, &names) {
        swept.runs += 1;
        swept.objects += remove_run(&program, &run);
    }
    for name in names {
        let Some(run) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let format = format!("{{{{index .Labels \"{OWNER_LABEL}\"}}}}");
        let owner = list(&program, &["volume", "inspect", "--format", &format, &name])?;
        let owner = owner.first().map(String::as_str).unwrap_or_default();
        if is_gone(owner) || (all && !is_here(owner)) {
            swept.runs += 1;
            swept.objects += remove_run(&program, run);
        } else {
            swept.left += 1;
        }
    }
    Ok(swept)
}

/// Runs of which something is there, but not the volume that says whose it is: it is there before anything else of a
/// run, and goes after it.
fn ownerless(program: &Program, owned: &[String]) -> BTreeSet<String> {
    let filter = format!("label={RUN_LABEL}");
    let format = "{{.Labels}}";
    let mut runs = BTreeSet::new();
    for listing in [
        &["ps", "--all", "--filter", &filter, "--format", format][..],
        &["volume", "ls", "--filter", &filter, "--format", format],
    ] {
        let lines = list_surely(program, listing).unwrap_or_default();
        runs.extend(lines.iter().filter_map(|line| run_in(line)));
    }
    let images = [
        "image",
        "ls",
        "--filter",
        &filter,
        "--format",
        "{{.Repository}}",
    ];
    let images = list_surely(program, &images).unwrap_or_default();
    runs.extend(images.iter().filter_map(|name| run_of_image(name)));
    // What is listed first may belong to a run that has begun since its volume was looked for.
    let filter = format!("label={OWNER_LABEL}");
    let now = list_surely(program, &["volume", "ls", "--quiet", "--filter", &filter]);
    let Some(now) = now else {
        return BTreeSet::new();
    };
    let has_owner = |run: &str| {
        let volume = format!("{PREFIX}{run}");
        owned.contains(&volume) || now.contains(&volume)
    };
    runs.retain(|run| !has_owner(run));
    runs
}

/// The run among labels as `ls` gives them: `a=b,layerspec.run=R` or `map[a:b layerspec.run:R]`.
fn run_in(labels: &str) -> Option<String> {
    let (_, rest) = labels.split_once(RUN_LABEL)?;
    let rest = rest.strip_prefix(['=', ':'])?;
    let run: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    is_run(&run).then_some(run)
}

/// The run in an image's name: `localhost/layerspec-R/agent`, `localhost/layerspec-R-1/app`.
fn run_of_image(name: &str) -> Option<String> {
    let rest = name.strip_prefix("localhost/")?.strip_prefix(PREFIX)?;
    let run = rest.split(['-', '/']).next()?;
    is_run(run).then(|| run.to_owned())
}

/// Twelve hexadecimal digits, as [`new_run`] gives.
fn is_run(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Removes everything of a run; what cannot be removed stays. Gives how much was there.
pub(super) fn remove_run(program: &Program, run: &str) -> usize {
    let label = format!("label={RUN_LABEL}={run}");
    remove(program, &label, &format!("{PREFIX}{run}"))
}

/// Removes everything with a label; and volumes whose name is `prefix` or starts with it and a dash.
/// The order is that of what refers to what. Gives how much was removed.
pub(super) fn remove(program: &Program, label: &str, prefix: &str) -> usize {
    let containers = ["ps", "--all", "--quiet", "--filter", label];
    let containers = remove_listed(
        program,
        &containers,
        &["rm", "--force", "--volumes"],
        |_| true,
    );
    for marked in marked_volumes(program, prefix) {
        program.run(["volume", "rm", "--force", &marked]).ok();
    }
    let images = remove_all_images(program, label, prefix);
    // The run's own volume tells whose all of it is: it stays while anything does.
    let all = containers.left + images.left == 0;
    let wanted = |name: &str| ours(name, prefix) && (all || name != prefix);
    let volumes = ["volume", "ls", "--quiet"];
    let volumes = remove_listed(program, &volumes, &["volume", "rm", "--force"], wanted);
    containers.removed + images.removed + volumes.removed
}

/// Removes the images with a label, and those with a name of ours: not every program labels what it imports. Gives
/// whether none is left.
pub(super) fn remove_images(program: &Program, label: &str, prefix: &str) -> bool {
    remove_all_images(program, label, prefix).left == 0
}

fn remove_all_images(program: &Program, label: &str, prefix: &str) -> Removed {
    let labelled = remove_labelled_images(program, label);
    let images = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"];
    let wanted = |name: &str| {
        let name = name.strip_prefix("localhost/");
        let rest = name.and_then(|name| name.strip_prefix(prefix));
        rest.is_some_and(|rest| rest.starts_with(['-', '/']))
    };
    let named = remove_listed(program, &images, &["image", "rm", "--force"], wanted);
    Removed {
        removed: labelled.removed + named.removed,
        left: labelled.left + named.left,
    }
}

fn remove_labelled_images(program: &Program, label: &str) -> Removed {
    let images = [
        "image",
        "ls",
        "--all",
        "--quiet",
        "--no-trunc",
        "--filter",
        label,
    ];
    remove_listed(program, &images, &["image", "rm", "--force"], |_| true)
}

/// How many objects there were.
struct Removed {
    removed: usize,
    left: usize,
}

/// Removes what a listing gives, again and again while that helps: an image that another one was
/// committed from goes only after it. Podman fails now and then while others work, so it gets further chances.
fn remove_listed(
    program: &Program,
    listing: &[&str],
    removal: &[&str],
    wanted: impl Fn(&str) -> bool,
) -> Removed {
    let list = || -> Option<BTreeSet<String>> {
        let names = list_surely(program, listing)?;
        Some(names.into_iter().filter(|name| wanted(name)).collect())
    };
    let Some(mut there) = list() else {
        // What cannot be listed may be there.
        return Removed {
            removed: 0,
            left: 1,
        };
    };
    let before = there.len();
    let mut fruitless = 0;
    while !there.is_empty() && fruitless < CHANCES {
        let names = there.iter().map(String::as_str);
        // Whatever cannot be removed is found by the next sweep.
        let said = program.run(removal.iter().copied().chain(names));
        if said.is_ok_and(|said| said.success) {
            return Removed {
                removed: before,
                left: 0,
            };
        }
        let Some(left) = list() else { break };
        if left.len() >= there.len() {
            fruitless += 1;
            std::thread::sleep(PAUSE);
        }
        there = left;
    }
    Removed {
        removed: before.saturating_sub(there.len()),
        left: there.len(),
    }
}

/// A listing that is tried again when it fails.
fn list_surely(program: &Program, listing: &[&str]) -> Option<Vec<String>> {
    for _ in 0..CHANCES {
        match list(program, listing) {
            Ok(names) => return Some(names),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
    None
}

/// Volumes without a label or a name of ours, which markers name.
fn marked_volumes(program: &Program, prefix: &str) -> Vec<String> {
    let filter = format!("label={MARKER_LABEL}");
    let markers = list(program, &["volume", "ls", "--quiet", "--filter", &filter]);
    let markers = markers.unwrap_or_default();
    let format = format!("{{{{index .Labels \"{MARKER_LABEL}\"}}}}");
    let ours = markers.iter().filter(|name| ours(name, prefix));
    ours.filter_map(|marker| {
        let said = list(program, &["volume", "inspect", "--format", &format, marker]).ok()?;
        said.into_iter().next()
    })
    .collect()
}

fn ours(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The lines that a command says.
fn list(program: &Program, arguments: &[&str]) -> Result<Vec<String>, String> {
    match program.run(arguments) {
        Ok(said) if said.success => Ok(said.out.lines().map(str::to_owned).collect()),
        Ok(said) => Err(words::essence(&said.err)),
        Err(mute) => Err(mute.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_name_that_nobody_chooses() {
        assert!(is_run(&new_run()));
        for name in ["none", "", "0123456789abc", "0123456789ax"] {
            assert!(!is_run(name), "{name}");
        }
        let run = Some("0123456789ab".to_owned());
        for (name, expected) in [
            ("localhost/layerspec-0123456789ab/agent", run.clone()),
            ("localhost/layerspec-0123456789ab-12/app", run.clone()),
            ("localhost/layerspec-mine/app", None),
            ("localhost/other-0123456789ab/app", None),
            ("<none>", None),
        ] {
            assert_eq!(run_of_image(name), expected, "{name}");
        }
        for (labels, expected) in [
            (
                "layerspec.case=0123456789ab-1,layerspec.run=0123456789ab",
                run.clone(),
            ),
            (
                "map[layerspec.case:0123456789ab-1 layerspec.run:0123456789ab]",
                run,
            ),
            ("layerspec.run=none", None),
            ("", None),
        ] {
            assert_eq!(run_in(labels), expected, "{labels}");
        }
    }

    #[test]
    fn what_starts_alike_is_not_ours() {
        assert!(ours("layerspec-ab", "layerspec-ab"));
        assert!(ours("layerspec-ab-1-store", "layerspec-ab"));
        assert!(!ours("layerspec-abc", "layerspec-ab"));
        assert!(!ours("store", "layerspec-ab"));
    }
}
