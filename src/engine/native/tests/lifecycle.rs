//! Containers, images, crashes.

use super::script::{Stage, play};

#[test]
fn the_writable_layer_lives_as_long_as_the_container() {
    // Rows 20, 23, 24.
    play(
        "run one app => ok
         in one write /etc/app.conf changed => ok
         in one delete /data/seed => ok
         stop one => ok
         inspect one => Exited 0
         start one => ok
         restart one => ok
         in one read /etc/app.conf => \"changed\"
         in one read /data/seed => ENOENT
         in one read /gone => ENOENT
         rm one => container-running
         rm -f one => ok
         run one app => ok
         in one read /etc/app.conf => \"default\"
         in one read /data/seed => \"s\"",
    );
}

#[test]
fn containers_of_one_image_do_not_see_each_other() {
    // Rows 6, 7, 48.
    play(
        "run one app => ok
         run two app => ok
         in one write /etc/app.conf one => ok
         in two read /etc/app.conf => \"default\"
         in two write /etc/app.conf two => ok
         in one read /etc/app.conf => \"one\"",
    );
}

#[test]
fn states_and_their_refusals() {
    // Rows 26 to 33.
    play(
        "create one app => ok
         create one app => name-in-use
         inspect one => Created
         in one list / => container-not-running
         kill one => container-not-running
         pause one => container-not-running
         unpause one => container-not-paused
         stop one => ok
         inspect one => Created
         start one => ok
         start one => ok
         pause one => ok
         pause one => container-paused
         in one list / => container-paused
         start one => container-paused
         rm one => container-paused
         unpause one => ok
         unpause one => container-not-paused
         kill one => ok
         inspect one => Exited 137
         start one => ok
         pause one => ok
         kill one => ok
         inspect one => Exited 137
         rm one => ok
         rm one => no-such-container
         rm -f one => ok
         start one => no-such-container
         kill one => no-such-container
         inspect one => no-such-container
         diff one => no-such-container
         in one list / => no-such-container
         run x app => invalid-name
         run two nothing => no-such-image",
    );
}

#[test]
fn removed_on_exit_with_what_nobody_named() {
    // Rows 25, 78.
    play(
        "run --rm -v named:/n one vol => ok
         volume ls => named <one:/data>
         stop one => ok
         inspect one => no-such-container
         volume ls => named
         run --rm two vol => ok
         restart two => ok
         inspect two => Running /data
         kill two => ok
         inspect two => no-such-container",
    );
}

#[test]
fn a_crash_keeps_what_was_written() {
    // Rows 22, 71.
    play(
        "volume create label.a=b store => store
         run -v store:/s one app => ok
         run --rm two vol => ok
         create three app => ok
         in one write /etc/app.conf changed => ok
         in one write /s/file kept => ok
         in host write /h x => ok
         crash => ok
         in one read /s/file => engine-down
         in host read /h => engine-down
         run four app => engine-down
         volume ls => engine-down
         crash => ok
         restart engine => ok
         inspect one => Exited 137 /s
         in one read /s/file => container-not-running
         in host read /h => \"x\"
         inspect two => no-such-container
         inspect three => Created
         volume inspect store => store {\"a\": \"b\"} [\"one\"]
         start one => ok
         in one read /etc/app.conf => \"changed\"
         in one read /s/file => \"kept\"
         restart engine => ok
         inspect one => Exited 0 /s
         volume rm store => volume-in-use
         rm one => ok
         volume rm store => ok",
    );
}

#[test]
fn a_look_after_a_crash_shows_what_a_restart_will_find() {
    let stage = Stage::new();
    stage.play("run one app => ok\n in one write /new x => ok\n crash => ok");
    let world = stage.engine.observe().unwrap();
    let (one, tree) = &world.containers[0];
    assert_eq!(
        (one.exit_code, tree.iter().any(|seen| seen.path == "/new")),
        (Some(137), true)
    );
    stage.play("inspect one => engine-down\n restart engine => ok\n start one => ok");
}

#[test]
fn images_and_their_users() {
    // Rows 9 to 11.
    play(
        "tag app extra:2 => ok
         run one app => ok
         rmi app => ok
         rmi extra:2 => image-in-use
         rmi -f extra:2 => ok
         rmi extra:2 => no-such-image
         restart one => ok
         in one read /etc/app.conf => \"default\"
         run two vol => ok",
    );
}

#[test]
fn commit_keeps_changes_and_forgets_mounts() {
    // Rows 13, 175.
    play(
        "run -v store:/s one app => ok
         in one write /etc/app.conf changed => ok
         in one delete /data/seed => ok
         in one write /s/in-volume x => ok
         in one mkdir /made => ok
         in one link /etc/app.conf /made/twin => ok
         in one mksock /made/socket => ok
         in one mkfifo /made/fifo => ok
         commit one next => ok
         run two next => ok
         in two read /etc/app.conf => \"changed\"
         in two read /made/twin => \"changed\"
         in two read /data/seed => ENOENT
         in two stat /data => 2750 1000:1000
         in two list /s => 
         in two list /made => fifo twin
         diff two => 
         in two delete /data => ok
         in two mkdir /data => ok
         in two write /data/new x => ok
         in two delete /made => ok
         commit two last => ok
         run three last => ok
         in three list /data => new
         in three read /made/twin => ENOENT
         diff three => ",
    );
}

#[test]
fn diff_is_dockers() {
    // Rows 39, 171 to 173.
    play(
        "run one app => ok
         in one read /etc/app.conf => \"default\"
         diff one => 
         in one write /etc/app.conf x => ok
         in one write /new x => ok
         in one delete /data => ok
         diff one => D /data, C /etc, C /etc/app.conf, A /new",
    );
}

#[test]
fn a_full_disk() {
    play(
        "volume create store => store
         run -v store:/s one app => ok
         in one write /s/before x => ok
         fill disk => ok
         in one write /s/after xxxxx => ENOSPC
         in one write /etc/app.conf xxxxx => ENOSPC
         in one read /s/before => \"x\"
         run two app => no-space
         volume create other => no-space
         free disk => ok
         in one write /s/after xxxxx => ok",
    );
}

#[test]
fn export_and_import_flatten() {
    // Row 16.
    play(
        "run -v store:/s one vol => ok
         in one write /s/in-volume x => ok
         in one symlink /ln /etc/app.conf => ok
         in one symlink /etc/to-etc ..//etc/. => ok
         in one delete /etc/passwd => ok
         export one ./image.tar => ok
         export one ./missing/image.tar => no-such-path
         export gone ./missing/image.tar => no-such-path
         export gone ./image.tar/x => not-a-directory
         export gone ./image.tar => no-such-container
         in host list / => image.tar
         export one . => other
         in host symlink /link.tar image.tar => ok
         export one ./link.tar => other
         import ./image.tar/x flat => not-a-directory
         import ./image.tar flat => ok
         import ./nothing.tar flat => no-such-path
         run two flat => ok
         inspect two => Running
         in two read /ln => \"default\"
         in two readlink /etc/to-etc => ..//etc/.
         in two list / => data etc ln s
         in two list /etc => app.conf to-etc
         in two list /s => 
         in two stat /data => 2750 1000:1000
         in host write /broken.tar not-a-tar-but-long-enough => ok
         import ./broken.tar broken => other
         run three broken => no-such-image",
    );
}
