//! Where the union parts from the kernel on purpose: both sides are held to what they do.

use layerspec::union::{Errno, Options};

use super::kernel::Kernel;
use super::script::{Script, Side};
use super::stage::{self, Style};
use crate::{obstacle, scratch};

/// What whiteouts in the xattr form have left empty is shown as empty by both, but the kernel does not let go of
/// it. We do, because such whiteouts may be our own; so that random trees have no such directory.
#[test]
fn directories_of_marked_whiteouts() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let scratch = scratch();
    let script = Script::parse(
        "1 file d/f x; 0 dir d; 0 mark d opaque x; 0 file d/f -; 0 mark d/f whiteout y",
    );
    let layers = stage::build(&script, scratch.path(), Style::Real);
    let mut kernel = Kernel::mount(&layers, &scratch.path().join("mount"), "").unwrap();
    assert_eq!(kernel.run(&["list", "d"]), Ok(String::new()));
    assert_eq!(kernel.run(&["rmdir", "d"]), Err(Errno::NOTEMPTY));
    drop(kernel);
    let mut ours = stage::open(&layers, Options::default());
    assert_eq!(ours.run(&["list", "d"]), Ok(String::new()));
    assert_eq!(ours.run(&["rmdir", "d"]), Ok(String::new()));
}

/// A change of a special file that was removed makes the kernel give it its name again, over the whiteout. What was
/// removed stays so with us.
#[test]
fn a_removed_special_file_stays_removed() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let scratch = scratch();
    let script = Script::parse("0 fifo p 644");
    let layers = stage::build(&script, scratch.path(), Style::Real);
    let changed = |side: &mut dyn Side| {
        for step in [
            &["pin", "p", "p"][..],
            &["unlink", "p"],
            &["pchown", "p", "5"],
        ] {
            assert_eq!(side.run(step), Ok(String::new()), "{step:?}");
        }
        side.run(&["list", "/"])
    };
    let mut kernel = Kernel::mount(&layers, &scratch.path().join("mount"), "").unwrap();
    assert_eq!(changed(&mut kernel), Ok("p".to_owned()));
    drop(kernel);
    let layers = stage::build(&script, &scratch.path().join("ours"), Style::Real);
    let mut ours = stage::open(&layers, Options::default());
    assert_eq!(changed(&mut ours), Ok(String::new()));
}

/// A change of a directory that was removed makes the kernel put it in the place of an empty one that has its name by now,
/// in which nothing can be made any more. What was removed stays so with us.
#[test]
fn a_removed_directory_takes_no_place() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let scratch = scratch();
    let script = Script::parse("0 dir d");
    let layers = stage::build(&script, scratch.path(), Style::Real);
    let changed = |side: &mut dyn Side| {
        for step in [&["pin", "p", "d"][..], &["rmdir", "d"], &["mkdir", "d"]] {
            assert_eq!(side.run(step), Ok(String::new()), "{step:?}");
        }
        let changed = side.run(&["pchown", "p", "5"]);
        (changed, side.run(&["create", "d/new"]))
    };
    let mut kernel = Kernel::mount(&layers, &scratch.path().join("mount"), "").unwrap();
    let replaced = (Ok(String::new()), Err(Errno::NOENT));
    assert_eq!(changed(&mut kernel), replaced);
    drop(kernel);
    let layers = stage::build(&script, &scratch.path().join("ours"), Style::Real);
    let mut ours = stage::open(&layers, Options::default());
    let refused = (Err(Errno::NOTDIR), Ok(String::new()));
    assert_eq!(changed(&mut ours), refused);
}
