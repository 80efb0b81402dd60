//! What a process in a container sees of its disk. Where the writable layer lies on the daemon's disk `inspect` tells, or,
//! where the images are containerd's (nerdctl, Docker with its image store), the mount table. Where a mount lies whose
//! target leads through a symlink `inspect` never tells.

use super::engine::Cli;
use crate::agent::wire::{Ask, Given};
use crate::engine::link::Link;
use crate::engine::{FileAction, FileRequest, Place, Target, Value};

/// `proc_pid_mountinfo(5)`, with the options of the file system as they were given.
const TABLE: &str = "/proc/self/mountinfo";

impl Cli {
    /// Where the writable layer of a container that runs is, if that was told or can be seen.
    pub(super) fn upper_of(&self, container: &str) -> Option<String> {
        let place = Place::Container(container.to_owned());
        if self.known(container).upper.is_none() && self.link_to(&place).is_none() {
            self.connect(&place).ok()?;
        }
        self.known(container).upper
    }

    /// Asks a container's agent, which has just been started.
    pub(super) fn learn_disk(&self, container: &str, link: &Link) {
        let mut known = self.known(container);
        if known.upper.is_none() {
            known.upper = upper_seen(link);
        }
        for mount in &mut known.mounts {
            mount.at = real(link, &mount.target).unwrap_or_else(|| mount.target.clone());
        }
        if let Some(now) = self.state().containers.get_mut(container) {
            (now.upper, now.mounts) = (known.upper, known.mounts);
        }
    }
}

/// Where a path of the container leads to.
pub(super) fn real(link: &Link, path: &str) -> Option<String> {
    let path = path.to_owned();
    match link.ask(Ask::Real { path }) {
        Ok(Given::Path(real)) => real,
        _ => None,
    }
}

fn upper_seen(link: &Link) -> Option<String> {
    let request = FileRequest {
        action: FileAction::Read {
            target: Target::Path(TABLE.to_owned()),
            offset: None,
            length: None,
        },
        stop_on_refusal: false,
    };
    let ask = Ask::Files {
        user: Some("0".to_owned()),
        directory: None,
        requests: vec![request],
    };
    let Ok(Given::Files(done)) = link.ask(ask) else {
        return None;
    };
    match done.into_iter().next()?.result {
        Ok(Value::Bytes(table)) => upper_in(&String::from_utf8_lossy(table.as_slice())),
        _ => None,
    }
}

/// The upper directory of the overlay that is the root.
fn upper_in(table: &str) -> Option<String> {
    let root = table.lines().find(|line| {
        let point = line.split(' ').nth(4);
        point == Some("/") && line.contains(" - overlay ")
    })?;
    let options = root.rsplit(' ').next()?;
    let upper = options
        .split(',')
        .find_map(|option| option.strip_prefix("upperdir="))?;
    // A path that the table writes in another way is not guessed at.
    (!upper.contains('\\')).then(|| upper.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_the_upper_of_the_root() {
        let table = "75 50 0:41 / / rw,relatime - overlay overlay rw,lowerdir=/s/1/fs,upperdir=/s/3/fs,workdir=/s/3/work,uuid=on\n\
                     76 75 0:45 / /proc rw,nosuid - proc proc rw\n\
                     77 75 0:46 / /m rw - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c\n";
        assert_eq!(upper_in(table).as_deref(), Some("/s/3/fs"));
        for none in [
            "",
            "75 50 8:1 / / rw - ext4 /dev/sda rw,upperdir=/x\n",
            "75 50 0:41 / / ro - overlay overlay ro,lowerdir=/s/1/fs:/s/2/fs\n",
            "75 50 0:41 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/with\\040space,workdir=/w\n",
        ] {
            assert_eq!(upper_in(none), None, "{none}");
        }
    }
}
