//! `docker cp`: command line `cli/command/container/cp.go`, moby `pkg/archive/copy.go` and `daemon/archive_unix.go`.
//! Every rule here was tried on Docker 20.10.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assemble::Purpose;
use super::daemon::Daemon;
use super::output::check_copy;
use super::refusals::{Fault, Result, fault, refuse, text, too_many_links};
use super::transfer::{CAPABILITY, Owners, Source, Stuck, Target, transfer};
use super::view::View;
use crate::engine::{Code, CopyEnd, FileAnswer, Kind, Refusal, Storage, Value};
use crate::rootfs::{Process, Subject, host_root, resolve};
use crate::store::Container;
use crate::store::spec::path;
use crate::union::{Errno, FileKind};

/// Most symlinks that a path may lead through.
const LINKS_MAX: usize = 255;

/// What `docker cp` was told beside its ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// `-a`
    pub(super) archive: bool,
    /// `-L`
    pub(super) follow: bool,
}

/// One end: a process that sees it, and an absolute path that keeps its trailing `/` or `/.`.
struct End<'a> {
    process: &'a Process,
    path: String,
}

/// A source that was found.
struct Found {
    /// Where it lies.
    top: PathBuf,
    /// What its copy is called when it goes into a directory; `.` for a directory's content.
    base: String,
    is_directory: bool,
}

impl Daemon {
    /// Copies, and tells where the copied thing lies now.
    pub(super) fn copy(&mut self, from: &CopyEnd, to: &CopyEnd, flags: Flags) -> Result<Value> {
        match (from, to) {
            (CopyEnd::Container { container, path }, CopyEnd::Host(host)) => {
                self.copy_out(container, path, host, flags)
            }
            (CopyEnd::Host(host), CopyEnd::Container { container, path }) => {
                self.copy_in(host, container, path, flags)
            }
            (CopyEnd::Container { .. }, CopyEnd::Container { .. }) => refuse(
                Kind::NotSupported,
                "copying between containers is not supported",
            ),
            (CopyEnd::Host(_), CopyEnd::Host(_)) => refuse(
                Kind::NotSupported,
                "must specify at least one container source",
            ),
        }
    }

    /// A container as the daemon mounts it to copy: with its volumes and binds, without what is in
    /// memory (Docker row 179), whether it runs or not (row 32).
    fn copy_process(&mut self, name: &str) -> Result<(Process, View, Container)> {
        let (number, container) = self.container(name)?;
        let container = container.clone();
        let (view, _) = self
            .assemble(number, &container, Purpose::Copy)
            .map_err(by_daemon)?;
        let rootfs = Arc::clone(&view.rootfs);
        let process = Process::new(rootfs, host_root(), Path::new("/"))?;
        Ok((process, view, container))
    }

    pub(super) fn host_process(&self) -> Result<Process> {
        Ok(Process::new(
            self.host_rootfs()?,
            host_root(),
            Path::new("/"),
        )?)
    }

    /// The answer to a copy or an export: where its file on the host lies.
    pub(super) fn placed_on_host(&self, host: &Process, path: &Path) -> Result<Value> {
        let view = View::single(self.host_rootfs()?, Storage::Host);
        Ok(placed(host, &view, path))
    }

    fn copy_out(&mut self, name: &str, from: &str, to: &str, flags: Flags) -> Result<Value> {
        let host = self.host_process()?;
        check_copy(&host, to)?;
        let (process, _, _) = self.copy_process(name)?;
        let source = End {
            process: &process,
            path: absolute(from),
        };
        let missing = |errno| match errno {
            Errno::NOTDIR => fault(
                Kind::NotADirectory,
                format!("lstat {from}: not a directory"),
            ),
            Errno::LOOP => too_many_links(from),
            _ => not_found(from, name),
        };
        let found = find_source(&source, flags.follow, missing)?;
        if process.read_link(found.top.as_os_str()).is_ok() {
            // The daemon tells where it leads to, whether that is asked for or not.
            evaluate(&process, &found.top.to_string_lossy())?;
        }
        let target = End {
            process: &host,
            path: follow_all(&host, &absolute(to)),
        };
        let there = kind(&target);
        if there.is_none() && target.path.ends_with("/.") {
            // Its parent is itself (`CopyInfoDestinationPath`).
            let parent = split(&target.path).0;
            return refuse(
                Kind::NoSuchPath,
                format!("stat {parent}: no such file or directory"),
            );
        }
        let (directory, base) = place(&target, there, &found, to)?;
        // Files on the host are those of whoever runs the command.
        let top = pour(&process, &found, &host, directory, &base, Owners::OfMaker)?;
        self.placed_on_host(&host, &top)
    }

    fn copy_in(&mut self, from: &str, name: &str, to: &str, flags: Flags) -> Result<Value> {
        let host = self.host_process()?;
        let source = End {
            process: &host,
            path: absolute(from),
        };
        let missing = |errno| match errno {
            Errno::NOTDIR => fault(Kind::NotADirectory, "not a directory"),
            errno => fault(Kind::NoSuchPath, format!("lstat {from}: {}", text(errno))),
        };
        let (process, view, container) = match self.copy_process(name) {
            // The source is missed first, then a directory that nobody knows of.
            Err(refused @ Fault::Refused(_)) => {
                let found = find_source(&source, flags.follow, missing)?;
                if !found.is_directory && asserts_directory(to) {
                    return refuse(Kind::NoSuchPath, "no such directory");
                }
                return Err(refused);
            }
            found => found?,
        };
        let mut target = End {
            process: &process,
            path: absolute(to),
        };
        // The daemon tells where a symlink leads to, and the command line goes there. One that leads nowhere that can be is
        // taken for a name that is free.
        let mut there = kind(&target);
        if there == Some(FileKind::Symlink) {
            there = match evaluate(&process, &target.path) {
                Ok(leads_to) => {
                    target.path = leads_to;
                    kind(&target)
                }
                Err(_) => None,
            };
        }
        if let Some(FileKind::Character | FileKind::Block) = there {
            let message = format!(
                "destination \"{name}:{to}\" must be a directory or a regular file: got a device"
            );
            return refuse(Kind::Other, message);
        }
        let found = find_source(&source, flags.follow, missing)?;
        let (directory, base) = place(&target, there, &found, to)?;
        check_extraction(&process, &directory, name, &container)?;
        // `-a` means the container's user, if it has one (Docker row 183).
        let owners = match container.config.user.as_deref().filter(|_| flags.archive) {
            None => Owners::Keep,
            Some(user) => {
                let read = |path: &str| {
                    let file = process.open_to_read(path.as_ref()).ok()?;
                    process.read(&file, Some(0), Some(1 << 20)).ok()
                };
                let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
                let caller = resolve(Some(user), passwd.as_deref(), group.as_deref())?;
                Owners::Set(caller.uid, caller.gid)
            }
        };
        let top = pour(&host, &found, &process, directory, &base, owners)?;
        Ok(placed(&process, &view, &top))
    }
}

/// To copy it is the daemon that mounts, who has fewer words than runc.
fn by_daemon(fault: Fault) -> Fault {
    match fault {
        Fault::Refused(Refusal {
            code: Code::Kind(Kind::MountTypeMismatch),
            ..
        }) => self::fault(Kind::NotADirectory, "mount: not a directory"),
        other => other,
    }
}

/// Where a copied thing lies.
fn placed(process: &Process, view: &View, path: &Path) -> Value {
    let place = process.place(path.as_os_str()).ok().flatten();
    let place = place.and_then(|place| view.place(&place));
    let changed = place.into_iter().collect();
    let result = Ok(Value::Nothing);
    Value::Files(vec![FileAnswer { result, changed }])
}

/// Copies, and returns where the top lies then.
fn pour(
    from: &Process,
    found: &Found,
    to: &Process,
    directory: PathBuf,
    base: &str,
    owners: Owners,
) -> Result<PathBuf> {
    let (top, xattrs, is_layer) = (found.top.clone(), &[CAPABILITY][..], false);
    let source = Source {
        process: from,
        top,
        xattrs,
        is_layer,
    };
    let base = if base == "." { "" } else { base };
    let copy = directory.join(base);
    transfer(&source, Target::new(to, directory, owners), Path::new(base)).map_err(stuck)?;
    Ok(copy)
}

/// What the daemon's unpacker says.
pub(super) fn stuck(stuck: Stuck) -> Fault {
    let prefix = "Error processing tar file(exit status 1)";
    match stuck {
        Stuck::Overwrite(words) => fault(Kind::Other, format!("{prefix}: {words}")),
        Stuck::Errno(errno @ Errno::NOSPC) => errno.into(),
        Stuck::Errno(Errno::ROFS) => {
            fault(Kind::ReadOnly, format!("{prefix}: {}", text(Errno::ROFS)))
        }
        Stuck::Errno(errno) => fault(Kind::Other, format!("{prefix}: {}", text(errno))),
    }
}

fn not_found(path: &str, container: &str) -> Fault {
    fault(
        Kind::NoSuchPath,
        format!("Could not find the file {path} in container {container}"),
    )
}

/// Finds a source: the directory part is followed, the last name only when asked, or when it ends in a
/// slash (Docker row 184).
fn find_source(end: &End<'_>, follow: bool, missing: impl Fn(Errno) -> Fault) -> Result<Found> {
    let (_, base) = split(&end.path);
    let path = if follow && !asserts_directory(&end.path) {
        follow_all(end.process, &end.path)
    } else {
        end.path.clone()
    };
    let subject = Subject::Path {
        path: path.as_ref(),
        follow: false,
    };
    let is_directory = match end.process.stat(&subject) {
        Ok(stat) => stat.attributes.kind == FileKind::Directory,
        Err(errno) => return Err(missing(errno)),
    };
    let base = if base.is_empty() {
        ".".to_owned()
    } else {
        base
    };
    Ok(Found {
        top: PathBuf::from(path),
        base,
        is_directory,
    })
}

/// `PrepareArchiveCopy`: into which directory, under which name. `there` is what the target is taken for.
fn place(
    target: &End<'_>,
    there: Option<FileKind>,
    found: &Found,
    asked: &str,
) -> Result<(PathBuf, String)> {
    let (parent, base) = split(&target.path);
    let beside = || (PathBuf::from(&parent), base.clone());
    match (there, found.is_directory) {
        (Some(FileKind::Directory), _) => {
            Ok((PathBuf::from(path::clean(&target.path)), found.base.clone()))
        }
        (Some(_), true) => refuse(Kind::NotADirectory, "cannot copy directory"),
        (None, false) if asserts_directory(asked) => refuse(Kind::NoSuchPath, "no such directory"),
        (Some(_), false) | (None, _) => Ok(beside()),
    }
}

/// `containerExtractToDir`: Docker row 178.
fn check_extraction(
    process: &Process,
    directory: &Path,
    name: &str,
    container: &Container,
) -> Result<()> {
    let path = directory.as_os_str();
    let stat = process
        .stat(&Subject::Path { path, follow: true })
        .map_err(|errno| match errno {
            Errno::NOTDIR => fault(Kind::NotADirectory, "extraction point is not a directory"),
            Errno::LOOP => too_many_links(&directory.display().to_string()),
            _ => not_found(&directory.display().to_string(), name),
        })?;
    if stat.attributes.kind != FileKind::Directory {
        return refuse(Kind::NotADirectory, "extraction point is not a directory");
    }
    match process.access(path, false, true, false) {
        Err(Errno::ROFS) if container.read_only && stat.dev == root_device(process)? => {
            refuse(Kind::ReadOnly, "container rootfs is marked read-only")
        }
        Err(Errno::ROFS) => refuse(Kind::ReadOnly, "mounted volume is marked read-only"),
        _ => Ok(()),
    }
}

/// What tells the container's own tree from what is mounted in it.
fn root_device(process: &Process) -> Result<u64> {
    Ok(process
        .stat(&Subject::Path {
            path: "/".as_ref(),
            follow: true,
        })?
        .dev)
}

fn kind(end: &End<'_>) -> Option<FileKind> {
    let subject = Subject::Path {
        path: end.path.as_ref(),
        follow: false,
    };
    end.process
        .stat(&subject)
        .ok()
        .map(|stat| stat.attributes.kind)
}

/// Where a path of a container leads to when every symlink is followed, as moby's `FollowSymlinkInScope` has it (`pkg/symlink`): names
/// that are missing are taken as they are.
fn evaluate(process: &Process, path: &str) -> Result<String> {
    let mut links = 0;
    let mut left: Vec<String> = Vec::new();
    let names = |text: &str| text.split('/').map(str::to_owned).rev().collect::<Vec<_>>();
    left.extend(names(path));
    let mut done = String::new();
    while let Some(name) = left.pop() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                done.truncate(done.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let next = format!("{done}/{name}");
        match process.read_link(next.as_ref()) {
            Ok(text) => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(too_many_links(path));
                }
                let text = text.to_string_lossy().into_owned();
                if text.starts_with('/') {
                    done.clear();
                }
                left.extend(names(&text));
            }
            Err(Errno::NOTDIR) => {
                return refuse(
                    Kind::NotADirectory,
                    format!("lstat {next}: not a directory"),
                );
            }
            // No symlink, or not there.
            Err(_) => done = next,
        }
    }
    Ok(if done.is_empty() {
        "/".to_owned()
    } else {
        done
    })
}

/// Follows the last name for as long as it is a symlink.
fn follow_all(process: &Process, path: &str) -> String {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(text) = process.read_link(path.as_ref()) else {
            break;
        };
        let text = text.to_string_lossy().into_owned();
        path = if text.starts_with('/') {
            text
        } else {
            join(&split(&path).0, &text)
        };
    }
    path
}

/// `PreserveTrailingDotOrSeparator(Join("/", path), path)`.
fn absolute(asked: &str) -> String {
    let cleaned = path::absolute(asked);
    match asked {
        _ if cleaned == "/" => cleaned,
        asked if asked.ends_with("/.") || asked == "." => format!("{cleaned}/."),
        asked if asked.ends_with('/') => format!("{cleaned}/"),
        _ => cleaned,
    }
}

/// Whether a path can only be a directory's.
fn asserts_directory(path: &str) -> bool {
    path.ends_with('/') || path == "." || path.ends_with("/.")
}

/// `SplitPathDirEntry`: the cleaned directory and the last name, which is `.` for a path that ends so.
fn split(path: &str) -> (String, String) {
    let cleaned = path::clean(path);
    if path == "." || path.ends_with("/.") {
        return (cleaned, ".".to_owned());
    }
    match cleaned.rsplit_once('/') {
        Some(("", base)) => ("/".to_owned(), base.to_owned()),
        Some((parent, base)) => (parent.to_owned(), base.to_owned()),
        None => (".".to_owned(), cleaned),
    }
}

fn join(parent: &str, name: &str) -> String {
    path::clean(&format!("{parent}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_what_they_end_in() {
        for (asked, whole, parent, base) in [
            ("/a/b", "/a/b", "/a", "b"),
            ("a", "/a", "/", "a"),
            ("./a/", "/a/", "/", "a"),
            ("/a/.", "/a/.", "/a", "."),
            (".", "/", "/", ""),
            ("/", "/", "/", ""),
            ("../../x", "/x", "/", "x"),
        ] {
            assert_eq!(absolute(asked), whole, "{asked}");
            assert_eq!(
                split(whole),
                (parent.to_owned(), base.to_owned()),
                "{asked}"
            );
        }
    }
}
