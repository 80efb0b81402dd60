//! The kernel and the union write the same layers in turn.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::compare::{Plan, compare_leftovers, compare_trees};
use super::kernel::Kernel;
use super::script::{Outcome, Script, Side};
use super::stage;

/// Steps of one turn.
const TURN: usize = 20;

type Tree = BTreeMap<String, String>;

/// Performs a script in turns, and a copy of it by the kernel alone; returns what differs, as text.
///
/// `beyond` are options with which the kernel mounts its turns, besides those of the plan. What comes of them
/// is only compared with what the kernel shows without them.
pub(crate) fn differences(script: &Script, base: &Path, plan: Plan, beyond: &str) -> String {
    let mut report = String::new();
    let mount = base.join("mount");
    let theirs = stage::build(script, &base.join("kernel"), plan.style);
    let ours = stage::build(script, &base.join("ours"), plan.style);
    let (usual, union) = (&*plan.mount_options(), plan.options());
    let own = format!("{usual}{beyond}");
    for (number, turn) in script.steps.chunks(TURN).enumerate() {
        let (expected, reference) = {
            let mut side = Kernel::mount(&theirs, &mount, &own).unwrap();
            (perform(&mut side, turn), side.tree())
        };
        let is_kernel = number.is_multiple_of(2);
        let (got, shown) = if is_kernel {
            let mut side = Kernel::mount(&ours, &mount, &own).unwrap();
            let got = perform(&mut side, turn);
            drop(side);
            (got, Kernel::mount(&ours, &mount, usual).unwrap().tree())
        } else {
            let mut side = stage::open(&ours, union.clone());
            (perform(&mut side, turn), side.tree())
        };
        let (writer, reader) = if is_kernel {
            ("kernel", "we")
        } else {
            ("we", "kernel")
        };
        let seen: Tree = if is_kernel {
            stage::open(&ours, union.clone()).tree()
        } else {
            Kernel::mount(&ours, &mount, usual).unwrap().tree()
        };
        compare_trees(&shown, &seen, writer, reader, &mut report);
        if beyond.is_empty() {
            compare_trees(&reference, &shown, "kernel alone", writer, &mut report);
            for ((step, expected), got) in turn.iter().zip(&expected).zip(&got) {
                if expected != got {
                    let step = step.join(" ");
                    let _ = writeln!(report, "  {step}\n    {expected:?}\n    {writer} {got:?}");
                }
            }
        }
        if !report.is_empty() {
            return format!("turn {number}\n{report}");
        }
    }
    if beyond.is_empty() {
        compare_leftovers(&ours, plan, &mut report);
    }
    report
}

/// The steps of a turn; it begins with no open handle.
fn perform(side: &mut dyn Side, turn: &[Vec<String>]) -> Vec<Outcome> {
    turn.iter()
        .filter(|step| *step != &["remount"])
        .map(|step| {
            let words: Vec<&str> = step.iter().map(String::as_str).collect();
            side.run(&words)
        })
        .collect()
}
