//! `strace` as the eye that sees every call and the hand that kills, and that fails the calls of other threads than the
//! first; for those of the first, see [`tracer`](crate::tracer).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use layerspec::engine::native::NativeProvider;
use layerspec::engine::{OpenOptions, Provider as _};
use tempfile::TempDir;

use crate::child::{BEGIN, FLAG};

/// System calls that change what is on a disk, with their numbers on this architecture. Some need their arguments looked
/// at.
const WRITES: &[(&str, i64)] = &[
    ("open", libc::SYS_open),
    ("openat", libc::SYS_openat),
    ("openat2", libc::SYS_openat2),
    ("mkdirat", libc::SYS_mkdirat),
    ("mknodat", libc::SYS_mknodat),
    ("unlinkat", libc::SYS_unlinkat),
    ("renameat", libc::SYS_renameat),
    ("renameat2", libc::SYS_renameat2),
    ("linkat", libc::SYS_linkat),
    ("symlinkat", libc::SYS_symlinkat),
    ("write", libc::SYS_write),
    ("pwrite64", libc::SYS_pwrite64),
    ("pwritev2", libc::SYS_pwritev2),
    ("ftruncate", libc::SYS_ftruncate),
    ("fallocate", libc::SYS_fallocate),
    ("copy_file_range", libc::SYS_copy_file_range),
    ("ioctl", libc::SYS_ioctl),
    ("fchmod", libc::SYS_fchmod),
    ("fchmodat", libc::SYS_fchmodat),
    ("fchmodat2", libc::SYS_fchmodat2),
    ("fchown", libc::SYS_fchown),
    ("fchownat", libc::SYS_fchownat),
    ("utimensat", libc::SYS_utimensat),
    ("setxattr", libc::SYS_setxattr),
    ("lsetxattr", libc::SYS_lsetxattr),
    ("fsetxattr", libc::SYS_fsetxattr),
    ("removexattr", libc::SYS_removexattr),
    ("lremovexattr", libc::SYS_lremovexattr),
    ("fremovexattr", libc::SYS_fremovexattr),
];

/// System calls that only look.
const READS: &[(&str, i64)] = &[
    ("read", libc::SYS_read),
    ("pread64", libc::SYS_pread64),
    ("getdents64", libc::SYS_getdents64),
    ("newfstatat", libc::SYS_newfstatat),
    ("fstat", libc::SYS_fstat),
    ("statx", libc::SYS_statx),
    ("readlinkat", libc::SYS_readlinkat),
    ("getxattr", libc::SYS_getxattr),
    ("lgetxattr", libc::SYS_lgetxattr),
    ("fgetxattr", libc::SYS_fgetxattr),
    ("listxattr", libc::SYS_listxattr),
    ("llistxattr", libc::SYS_llistxattr),
    ("flistxattr", libc::SYS_flistxattr),
    ("lseek", libc::SYS_lseek),
    ("fcntl", libc::SYS_fcntl),
    ("fstatfs", libc::SYS_fstatfs),
    ("name_to_handle_at", libc::SYS_name_to_handle_at),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
];

/// System calls after which it is on the medium, where that is claimed.
const SYNCS: &[(&str, i64)] = &[
    ("fdatasync", libc::SYS_fdatasync),
    ("fsync", libc::SYS_fsync),
];

/// System calls that have to do with no disk.
const OTHERS: &[&str] = &[
    "brk",
    "clock_gettime",
    "clone3",
    "close",
    "exit",
    "flock",
    "futex",
    "geteuid",
    "getpid",
    "getrandom",
    "gettid",
    "kill",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "prctl",
    "prlimit64",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
    "umask",
    "uname",
];

/// One call of the child after it said [`BEGIN`].
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) number: i64,
    /// Which of the calls of this name it is that the first thread makes in its act, from 1; of another thread's, none.
    pub(crate) nth: Option<usize>,
    /// Which of its thread's calls of this name it is, from 1 at its start.
    pub(crate) ordinal: usize,
    /// How many acts were done before it.
    pub(crate) act: usize,
    pub(crate) text: String,
    /// Whether strace can tell it from the calls with which the process starts: it counts those of each thread on
    /// its own, so that the first `pread64` of a later thread is the dynamic loader's first one, too.
    pub(crate) is_distinct: bool,
}

/// What became of a child.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) lines: Vec<String>,
    pub(crate) signal: Option<i32>,
    pub(crate) errors: String,
}

impl Call {
    /// Whether it may change what is on the disk.
    pub(crate) fn is_write(&self) -> bool {
        match self.name.as_str() {
            "open" | "openat" | "openat2" => ["O_CREAT", "O_TRUNC", "O_TMPFILE"]
                .iter()
                .any(|flag| self.text.contains(flag)),
            "ioctl" => self.text.contains("FICLONE"),
            name => number_in(WRITES, name).is_some(),
        }
    }

    /// Whether it may need a new block.
    pub(crate) fn is_growing(&self) -> bool {
        let shrinks = [
            "unlinkat",
            "fchmod",
            "fchown",
            "utimensat",
            "remove",
            "lremove",
            "fremove",
        ];
        self.is_write() && !shrinks.iter().any(|start| self.name.starts_with(start))
    }

    /// How many bytes it wrote, if it is of those that may write fewer than they are asked to; none if that is not known.
    pub(crate) fn moved(&self) -> Option<u64> {
        if !["write", "pwrite64", "copy_file_range"].contains(&self.name.as_str()) {
            return None;
        }
        let result = self.text.rsplit_once(" = ").map(|(_, result)| result);
        let word = result.and_then(|result| result.split(' ').next());
        Some(word.and_then(|word| word.parse().ok()).unwrap_or(0))
    }

    /// Whether it needs a new descriptor.
    pub(crate) fn is_open(&self) -> bool {
        match self.name.as_str() {
            "fcntl" => self.text.contains("F_DUPFD"),
            name => ["open", "openat", "openat2"].contains(&name),
        }
    }

    /// The same for calls of one kind on one kind of thing, by the letter of its name in the store.
    pub(crate) fn kind(&self) -> String {
        let name = self.text.split('"').nth(1).unwrap_or_default();
        let is_object = |name: &str| {
            name.starts_with(|c| "licvftc".contains(c))
                && name.contains(|c: char| c.is_ascii_digit())
        };
        let what = match name {
            "work" | "new" => name,
            name if is_object(name) => &name[..1],
            _ => "",
        };
        format!("{} {what}", self.name)
    }
}

fn number_in(list: &[(&str, i64)], name: &str) -> Option<i64> {
    let known = list.iter().find(|(its, _)| *its == name);
    known.map(|(_, number)| *number)
}

/// Why nothing can be traced, if so.
pub(crate) fn absent() -> Option<&'static str> {
    static ABSENT: OnceLock<Option<String>> = OnceLock::new();
    let tried = || {
        let output = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "true"])
            .output();
        match output {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Some(format!("strace cannot be run: {error}")),
        }
    };
    ABSENT.get_or_init(tried).as_deref()
}

/// Whether `LAYERSPEC_REQUIRE`, a list with commas, names it.
pub(crate) fn is_required() -> bool {
    std::env::var("LAYERSPEC_REQUIRE")
        .is_ok_and(|list| list.split(',').any(|name| name == "strace"))
}

/// Runs the child undisturbed and gives its calls between [`BEGIN`] and its end.
pub(crate) fn trace(arguments: &[&str], log: &Path) -> (Vec<Call>, Ended) {
    let ended = run(&["-o", log.to_str().unwrap(), "-s", "64"], arguments);
    let mut calls = Vec::new();
    // strace counts the calls of each thread on its own.
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut at_start = BTreeMap::new();
    // What the first thread has called in the act.
    let mut in_act: BTreeMap<String, usize> = BTreeMap::new();
    let mut first = None;
    let (mut began, mut act) = (false, 0);
    // A store that is not durable has no reason to wait for the medium.
    let may_sync = arguments.first() == Some(&"durable");
    for line in fs::read_to_string(log).unwrap().lines() {
        let (thread, text) = line.split_once(' ').unwrap();
        let is_first = *first.get_or_insert_with(|| thread.to_owned()) == thread;
        let text = text.trim_start();
        let Some((name, rest)) = text.split_once('(').filter(|_| !text.starts_with("<...")) else {
            continue;
        };
        let count = counts.entry((thread.to_owned(), name.to_owned()));
        let count = count.or_default();
        *count += 1;
        let ordinal = *count;
        if name == "write" && rest.starts_with("1,") {
            if began {
                act += 1;
                in_act.clear();
            }
            if !began && rest.contains(BEGIN) {
                began = true;
                at_start.clone_from(&counts);
            }
        } else if began && !OTHERS.contains(&name) {
            let lists = [WRITES, READS, if may_sync { SYNCS } else { &[] }];
            let number = lists.iter().find_map(|list| number_in(list, name));
            let number = number.unwrap_or_else(|| panic!("is this a write? {text}"));
            let nth = is_first.then(|| {
                let nth = in_act.entry(name.to_owned()).or_default();
                *nth += 1;
                *nth
            });
            let is_early = |((other, its), most): (&(String, String), &usize)| {
                other != thread && its == name && *most >= ordinal
            };
            calls.push(Call {
                is_distinct: !at_start.iter().any(is_early),
                name: name.to_owned(),
                number,
                nth,
                ordinal,
                act,
                text: text.to_owned(),
            });
        }
    }
    (calls, ended)
}

/// Kills the child before this call.
pub(crate) fn kill(call: &Call, arguments: &[&str]) -> Ended {
    // Signals get lost with `--seccomp-bpf` (strace 6.1).
    run(
        &[
            "-o",
            "/dev/null",
            &trace_of(call),
            &inject(call, "signal=SIGKILL"),
        ],
        arguments,
    )
}

/// Lets this call fail.
pub(crate) fn fail(call: &Call, error: &str, log: &Path, arguments: &[&str]) -> Ended {
    let injection = inject(call, &format!("error={error}"));
    let options = [
        "--seccomp-bpf",
        "-o",
        log.to_str().unwrap(),
        &trace_of(call),
        &injection,
    ];
    let ended = run(&options, arguments);
    let told = fs::read_to_string(log).unwrap();
    assert!(told.contains("(INJECTED)"), "{error} never came: {call:?}");
    ended
}

fn trace_of(call: &Call) -> String {
    format!("--trace={}", call.name)
}

fn inject(call: &Call, what: &str) -> String {
    format!("--inject={}:{what}:when={}", call.name, call.ordinal)
}

/// Runs the child, under strace if there are options for it.
pub(crate) fn run(options: &[&str], arguments: &[&str]) -> Ended {
    let this = std::env::current_exe().unwrap();
    let mut command = if options.is_empty() {
        Command::new(&this)
    } else {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq"]).args(options).arg(&this);
        command
    };
    let output = command.arg(FLAG).args(arguments).output().unwrap();
    Ended {
        lines: String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect(),
        signal: output.status.signal(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The one private directory in a scratch directory.
pub(crate) fn private(scratch: &Path) -> PathBuf {
    let mut found = fs::read_dir(scratch)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let only = found.next().expect("the engine was opened");
    assert!(found.next().is_none(), "more than one private directory");
    only
}

/// A scratch directory, in memory if the engine can work there: thousands are made.
pub(crate) fn fresh_scratch() -> TempDir {
    static IN_MEMORY: OnceLock<bool> = OnceLock::new();
    let memory = Path::new("/dev/shm");
    let tried = || {
        let options = OpenOptions {
            scratch: memory.to_owned(),
            keep: false,
        };
        NativeProvider::new().probe(&options).is_ok()
    };
    if *IN_MEMORY.get_or_init(tried) {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}
