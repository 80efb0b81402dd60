//! `docker cp`, as it was tried on Docker 20.10.

use super::script::play;

/// The host of every script here.
const HOST: &str = "
    in host mkdir /dir/sub => ok
    in host write /a a => ok
    in host chown /a 777 => ok
    in host write /dir/f f => ok
    in host write /dir/sub/s s => ok
    in host symlink /la a => ok
    in host symlink /ldir dir => ok
    run one app => ok
    in one write /f old => ok
    in one mkdir /d => ok
    in one symlink /ld /d => ok
    in one symlink /lf /f => ok
    in one symlink /dang nowhere => ok\n";

#[test]
fn into_a_container() {
    play(&format!(
        "{HOST}
         cp a one:/new => ok
         in one stat /new => 644 777:777
         cp -a a one:/new2 => ok
         in one stat /new2 => 644 777:777
         cp a one:/nodir/new => no-such-path
         cp a one:/nodir/ => no-such-path
         cp a one:/d => ok
         cp a one:/ld => ok
         in one list /d => a
         cp a one:/lf => ok
         in one read /f => \"a\"
         cp a one:/dang => ok
         in one read /nowhere => \"a\"
         cp dir one:/f => not-a-directory
         cp dir one:/dir => ok
         in one list /dir => f sub
         cp dir one:/dir => ok
         in one list /dir => dir f sub
         cp dir/. one:/d => ok
         in one list /d => a f sub
         cp la one:/l1 => ok
         in one readlink /l1 => a
         cp -L la one:/l2 => ok
         in one read /l2 => \"a\"
         cp ldir one:/l3 => ok
         in one readlink /l3 => dir
         cp ldir/ one:/l4 => ok
         in one list /l4 => f sub
         cp a one:/f/x => not-a-directory
         cp nope one:/ => no-such-path
         cp a/ one:/zz => not-a-directory
         in one mkdir /c/a => ok
         cp a one:/c => other
         in one mkdir /e => ok
         in one write /e/dir x => ok
         cp dir one:/e => other
         stop one => ok
         cp a one:/stopped => ok
         cp a two:/x => no-such-container"
    ));
}

#[test]
fn out_of_a_container() {
    play(&format!(
        "{HOST}
         in one chown /f 7 => ok
         in one write /d/x x => ok
         in one mksock /sock => ok
         in host mkdir /ex => ok
         in host write /exf x => ok
         cp one:/f . => ok
         in host read /f => \"old\"
         in host stat /f => 644 0:0
         cp one:/f g => ok
         cp one:/f no/g => no-such-path
         cp one:/f no/ => no-such-path
         cp one:/d ex => ok
         in host list /ex => d
         cp one:/d ex2 => ok
         in host list /ex2 => x
         cp one:/d/. ex3 => ok
         in host list /ex3 => x
         cp one:/d/. ex => ok
         in host list /ex => d x
         cp one:/d exf => not-a-directory
         cp one:/f exf => ok
         cp one:/ld . => ok
         in host readlink /ld => /d
         cp one:/ld/ l1 => ok
         in host list /l1 => x
         cp -L one:/ld l2 => ok
         in host list /l2 => x
         cp one:/nope . => no-such-path
         cp one:/f/ zz => not-a-directory
         cp one:/sock so => ok
         in host stat /so => ENOENT
         cp one:/f one:/g => not-supported
         cp a b => not-supported"
    ));
}

#[test]
fn mounts_and_read_only() {
    // Rows 178, 179.
    play(
        "in host write /a a => ok
         in host mkdir /dir => ok
         create --read-only -v rw:/rw -v ro:/ro:ro -v ./dir:/bind:ro --tmpfs /t one app => ok
         cp a one:/x => read-only
         cp gone:/x ./missing/x => no-such-path
         cp gone:/x ./a/x => not-a-directory
         cp gone:/x ./x => no-such-container
         cp missing gone:/x => no-such-path
         cp a gone:/x => no-such-container
         cp a one:/rw/x => ok
         in volume=rw read /x => \"a\"
         cp a one:/ro/x => read-only
         cp a one:/bind/x => read-only
         in volume=rw write /y y => ok
         cp one:/rw/y ./y => ok
         in host read /y => \"y\"
         start one => ok
         in one write /t/x y => ok
         cp one:/t/x ./x => no-such-path",
    );
}
