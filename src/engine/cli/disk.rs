//! What a process in a container sees of its disk. Where the writable layer lies on the daemon's disk `inspect` tells, or,
//! where the images are containerd's (nerdctl, Docker with its image store), the mount table. Where a mount lies whose
//! target leads through a symlink `inspect` never tells.

use super::engine::Cli;
use crate::agent::wire::{Ask, Given};
use crate::engine::link::Link;
use crate::engine::{FileAction, FileRequest, Place, Target, Value};

/// Where the layers of a container's root lie on the daemon's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// The writable layer.
    pub(super) upper: String,
    /// The image's layers, topmost first, with what the engine has put between.
    pub(super) lowers: Vec<String>,
}

impl Disk {
    /// `lowers` as the kernel has it, with colons.
    pub(super) fn new(upper: &str, lowers: &str) -> Option<Self> {
        let lowers = lowers.split(':').filter(|lower| !lower.is_empty());
        (!upper.is_empty()).then(|| Self {
            upper: upper.to_owned(),
            lowers: lowers.map(str::to_owned).collect(),
        })
    }
}

/// `proc_pid_mountinfo(5)`, with the options of the file system as they were given.
const TABLE: &str = "/proc/self/mountinfo";

impl Cli {
    /// Where the layers of a container that runs are, if that was told or can be seen.
    pub(super) fn disk_of(&self, container: &str) -> Option<Disk> {
        let place = Place::Container(container.to_owned());
        if self.known(container).disk.is_none() && self.link_to(&place).is_none() {
            self.connect(&place).ok()?;
        }
        self.known(container).disk
    }

    /// Asks a container's agent, which has just been started.
    pub(super) fn learn_disk(&self, container: &str, link: &Link) {
        let mut known = self.known(container);
        if known.disk.is_none() {
            known.disk = disk_seen(link);
        }
        for mount in &mut known.mounts {
            mount.at = real(link, &mount.target).unwrap_or_else(|| mount.target.clone());
        }
        if let Some(now) = self.state().containers.get_mut(container) {
            (now.disk, now.mounts) = (known.disk, known.mounts);
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

/// Where the open file of a handle lies.
pub(super) fn opened(link: &Link, handle: &str) -> Option<String> {
    let handle = handle.to_owned();
    match link.ask(Ask::Opened { handle }) {
        Ok(Given::Path(path)) => path,
        _ => None,
    }
}

fn disk_seen(link: &Link) -> Option<Disk> {
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
        Ok(Value::Bytes(table)) => disk_in(&String::from_utf8_lossy(table.as_slice())),
        _ => None,
    }
}

/// The layers of the overlay that is the root.
fn disk_in(table: &str) -> Option<Disk> {
    let root = table.lines().find(|line| {
        let point = line.split(' ').nth(4);
        point == Some("/") && line.contains(" - overlay ")
    })?;
    let options = root.rsplit(' ').next()?;
    let option = |name: &str| {
        let mut options = options.split(',');
        options.find_map(|option| option.strip_prefix(name))
    };
    // A path that the table writes in another way is not guessed at.
    let plain = |path: &&str| !path.contains('\\');
    let upper = option("upperdir=").filter(plain)?;
    Disk::new(upper, option("lowerdir=").filter(plain).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_the_layers_of_the_root() {
        let table = "75 50 0:41 / / rw,relatime - overlay overlay rw,lowerdir=/s/2/fs:/s/1/fs,upperdir=/s/3/fs,workdir=/s/3/work,uuid=on\n\
                     76 75 0:45 / /proc rw,nosuid - proc proc rw\n\
                     77 75 0:46 / /m rw - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c\n";
        assert_eq!(disk_in(table), Disk::new("/s/3/fs", "/s/2/fs:/s/1/fs"));
        assert_eq!(disk_in(table).unwrap().lowers, ["/s/2/fs", "/s/1/fs"]);
        for none in [
            "",
            "75 50 8:1 / / rw - ext4 /dev/sda rw,upperdir=/x\n",
            "75 50 0:41 / / ro - overlay overlay ro,lowerdir=/s/1/fs:/s/2/fs\n",
            "75 50 0:41 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/with\\040space,workdir=/w\n",
        ] {
            assert_eq!(disk_in(none), None, "{none}");
        }
    }
}
