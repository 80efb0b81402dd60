//! Runs a script on both sides and compares everything that can be seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use layerspec::union::{Feature, Options, RedirectDir};

use super::kernel::{Kernel, Layers};
use super::script::{Outcome, Script, Side, as_user};
use super::stage::{self, Style};

/// The ordinary user of the tests: nobody.
pub(crate) const USER: u32 = 65_534;

/// What a side showed.
struct Shown {
    outcomes: Vec<Outcome>,
    tree: BTreeMap<String, String>,
}

/// Which of the two a script is compared under.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "mount options are independent switches"
)]
pub(crate) struct Plan {
    pub(crate) style: Style,
    /// Compare the upper layers on the disk, too.
    pub(crate) is_raw: bool,
    pub(crate) redirect_dir: bool,
    pub(crate) metacopy: bool,
    pub(crate) index: bool,
    /// What our side does without.
    pub(crate) without: &'static [Feature],
}

impl Plan {
    pub(crate) const fn new(style: Style) -> Self {
        Self {
            style,
            is_raw: false,
            redirect_dir: false,
            metacopy: false,
            index: false,
            without: &[],
        }
    }

    /// What the kernel mounts with.
    pub(crate) fn mount_options(self) -> String {
        let is_user = matches!(self.style, Style::UserMarks | Style::OverrideForKernel);
        let options = [
            (is_user, ",userxattr"),
            (self.metacopy, ",metacopy=on"),
            (self.redirect_dir, ",redirect_dir=on"),
            (self.index, ",index=on"),
        ];
        let asked = options.iter().filter(|(is_asked, _)| *is_asked);
        asked.map(|(_, option)| *option).collect()
    }

    /// The same without an index.
    fn without_index(self) -> Self {
        Self {
            index: false,
            ..self
        }
    }

    /// The same for the union.
    pub(crate) fn options(self) -> Options {
        Options {
            redirect_dir: self.redirect_dir.then_some(RedirectDir::On),
            metacopy: self.metacopy,
            index: self.index,
            without: self.without.to_vec(),
            ..stage::options(self.style)
        }
    }
}

/// Compares; returns what differs, as text.
pub(crate) fn differences(script: &Script, base: &Path, plan: Plan) -> String {
    let mount = base.join("mount");
    let mut report = String::new();
    let options = &*plan.mount_options();
    // Where owners are not real, only what is shown can be the same.
    let style = match plan.style {
        Style::Override => Style::Real,
        Style::OverrideForKernel => Style::UserMarks,
        style => style,
    };
    let theirs = stage::build(script, &base.join("kernel"), style);
    let expected = run_kernel(script, &theirs, &mount, options);
    let union = plan.options();
    match plan.style {
        Style::Real | Style::UserMarks => {
            let ours = stage::build(script, &base.join("ours"), style);
            let got = run_ours(script, &ours, &union);
            compare_shown(script, &expected, &got, "", &mut report);
            // The kernel must see in our layers what we showed, and the other way round.
            let seen = if plan.without.contains(&Feature::WhiteoutDevice) {
                // The kernel knows the other form of whiteouts in lower layers only.
                Kernel::mount_read_only(&ours, &mount).unwrap().tree()
            } else {
                Kernel::mount(&ours, &mount, options).unwrap().tree()
            };
            compare_trees(&seen, &got.tree, "kernel on our layers", "we", &mut report);
            let seen = stage::open(&theirs, union).tree();
            compare_trees(
                &expected.tree,
                &seen,
                "kernel",
                "we on its layers",
                &mut report,
            );
            if plan.is_raw {
                let (theirs, ours) = (stage::raw_upper(&theirs), stage::raw_upper(&ours));
                compare_trees(&theirs, &ours, "kernel's upper", "our upper", &mut report);
            }
            compare_leftovers(&ours, plan, &mut report);
            if plan.index {
                compare_indexes((&theirs, &ours), &mount, plan, &mut report);
            }
        }
        Style::OverrideForKernel => {
            let ours = stage::build(script, &base.join("ours"), plan.style);
            // What each showed is compared elsewhere: here the kernel lacks privileges that callers have.
            let got = run_ours(script, &ours, &union);
            let seen = Kernel::mount(&ours, &mount, options).unwrap().tree();
            let (seen, shown) = (
                without_owners(&seen, &got.tree),
                without_owners(&got.tree, &got.tree),
            );
            compare_trees(&seen, &shown, "kernel on our layers", "we", &mut report);
        }
        Style::Override => {
            let path = base.join("user");
            std::fs::create_dir(&path).unwrap();
            let user = Some(rustix::fs::Uid::from_raw(USER));
            let group = Some(rustix::fs::Gid::from_raw(USER));
            rustix::fs::chown(&path, user, group).unwrap();
            let (got, again, layers) = as_user(USER, USER, || {
                let layers = stage::build(script, &path, Style::Override);
                let got = run_ours(script, &layers, &union);
                let again = stage::open(&layers, union).tree();
                (got, again, layers)
            });
            compare_shown(script, &expected, &got, "as user ", &mut report);
            compare_trees(&got.tree, &again, "we", "we, opened again", &mut report);
            compare_leftovers(&layers, plan, &mut report);
        }
    }
    report
}

fn run_kernel(script: &Script, layers: &Layers, mount: &Path, options: &str) -> Shown {
    let mut side = Kernel::mount(layers, mount, options).unwrap();
    let mut outcomes = Vec::new();
    for step in &script.steps {
        let words: Vec<&str> = step.iter().map(String::as_str).collect();
        if words == ["remount"] {
            let inodes = std::mem::take(&mut side.inodes);
            drop(side);
            side = Kernel::mount(layers, mount, options).unwrap();
            side.inodes = inodes;
            outcomes.push(Ok(String::new()));
        } else {
            outcomes.push(side.run(&words));
        }
    }
    Shown {
        outcomes,
        tree: side.tree(),
    }
}

fn run_ours(script: &Script, layers: &Layers, options: &Options) -> Shown {
    let mut side = stage::open(layers, options.clone());
    let mut outcomes = Vec::new();
    for step in &script.steps {
        let words: Vec<&str> = step.iter().map(String::as_str).collect();
        if words == ["remount"] {
            let inodes = std::mem::take(&mut side.inodes);
            drop(side);
            side = stage::open(layers, options.clone());
            side.inodes = inodes;
            outcomes.push(Ok(String::new()));
        } else {
            outcomes.push(side.run(&words));
        }
    }
    Shown {
        outcomes,
        tree: side.tree(),
    }
}

fn compare_shown(script: &Script, theirs: &Shown, ours: &Shown, who: &str, report: &mut String) {
    let pairs = theirs.outcomes.iter().zip(&ours.outcomes);
    for (at, (step, (theirs, ours))) in script.steps.iter().zip(pairs).enumerate() {
        if theirs != ours {
            let step = step.join(" ");
            let _ = writeln!(
                report,
                "  {at} {step}\n    kernel  {theirs:?}\n    we {who} {ours:?}"
            );
        }
    }
    compare_trees(
        &theirs.tree,
        &ours.tree,
        "kernel",
        &format!("we {who}"),
        report,
    );
}

pub(crate) fn compare_trees(
    left: &BTreeMap<String, String>,
    right: &BTreeMap<String, String>,
    left_name: &str,
    right_name: &str,
    report: &mut String,
) {
    let paths: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for path in paths {
        let (l, r) = (left.get(path), right.get(path));
        if l != r {
            let _ = writeln!(
                report,
                "  {path}\n    {left_name}: {l:?}\n    {right_name}: {r:?}"
            );
        }
    }
}

/// The indexes hold the same, and whoever reads the layers without them sees the same.
fn compare_indexes(
    (theirs, ours): (&Layers, &Layers),
    mount: &Path,
    plan: Plan,
    report: &mut String,
) {
    let (expected, got) = (stage::raw_index(theirs), stage::raw_index(ours));
    if expected != got {
        let _ = writeln!(report, "  index\n    kernel: {expected:?}\n    we: {got:?}");
    }
    let plan = plan.without_index();
    for (layers, of) in [(theirs, "kernel's"), (ours, "our")] {
        let seen = Kernel::mount(layers, mount, &plan.mount_options())
            .unwrap()
            .tree();
        let shown = stage::open(layers, plan.options()).tree();
        let name = |who| format!("{who} on {of} layers, without their index");
        compare_trees(&seen, &shown, &name("kernel"), &name("we"), report);
    }
}

/// Names, and the content of what is a file or directory to us; else it may be kept as something else.
fn without_owners(
    tree: &BTreeMap<String, String>,
    ours: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let plain = |(path, text): (&String, &String)| {
        let shown = match ours.get(path).and_then(|ours| ours.chars().next()) {
            Some('f') => text.split_once("] ").map(|(_, content)| content.to_owned()),
            Some('d') => Some(text[..1].to_owned()),
            _ => None,
        };
        (path.clone(), shown.unwrap_or_default())
    };
    tree.iter().map(plain).collect()
}

/// Nothing stays behind in the work directory.
pub(crate) fn compare_leftovers(layers: &Layers, plan: Plan, report: &mut String) {
    for entry in std::fs::read_dir(&layers.work).unwrap() {
        let name = entry.unwrap().file_name();
        if name != "work" && !(plan.index && name == "index") {
            let _ = writeln!(report, "  left in the work directory: {}", name.display());
        }
    }
}
