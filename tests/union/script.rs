//! The notation of the comparison tests: one line, one step.
//!
//! Fixture lines start with a layer (`0` the topmost lower, `1` below it, … `u` the upper): `0 file d/f
//! text`. All other lines are operations that both sides perform.

use rustix::io::Errno;

/// A line of a fixture.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    /// Index of the lower; `None` is the upper.
    pub(crate) layer: Option<usize>,
    pub(crate) words: Vec<String>,
}

/// A test: what is there, and what is done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) fixture: Vec<Fixture>,
    pub(crate) steps: Vec<Vec<String>>,
    pub(crate) layers: usize,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Self {
        let mut script = Self {
            layers: 1,
            ..Self::default()
        };
        for line in text
            .split([';', '\n'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let layer = match words[0].as_str() {
                "u" => Some(None),
                digit => digit.parse().ok().map(Some),
            };
            match layer {
                Some(layer) => {
                    script.layers = script.layers.max(layer.map_or(0, |at| at + 1));
                    script.fixture.push(Fixture {
                        layer,
                        words: words[1..].to_vec(),
                    });
                }
                None => script.steps.push(words),
            }
        }
        script
    }
}

/// What a step came to: a text to compare, or an errno.
pub(crate) type Outcome = Result<String, Errno>;

/// One implementation of a merged view.
pub(crate) trait Side {
    /// Performs a step.
    fn run(&mut self, words: &[&str]) -> Outcome;
    /// Everything that is visible, by path.
    fn tree(&mut self) -> std::collections::BTreeMap<String, String>;
}

/// A file as both sides describe it.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) kind: char,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) device: (u32, u32),
    pub(crate) mtime: (i64, u32),
    pub(crate) content: String,
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

/// Times after this are "now".
pub(crate) const OLD: i64 = 1_600_000_000;

impl Described {
    pub(crate) fn text(&self) -> String {
        let Self {
            kind,
            mode,
            uid,
            gid,
            links,
            size,
            device,
            content,
            ..
        } = self;
        let mtime = if self.mtime.0 > OLD && self.mtime.0 < 4_000_000_000 {
            "now".to_owned()
        } else {
            format!("{}.{:09}", self.mtime.0, self.mtime.1)
        };
        let size = if *kind == 'f' || *kind == 'l' {
            *size
        } else {
            0
        };
        let xattrs: Vec<String> = self
            .xattrs
            .iter()
            .map(|(name, value)| format!("{name}={}", value.escape_ascii()))
            .collect();
        format!(
            "{kind} {mode:04o} {uid}:{gid} n{links} s{size} {}:{} {mtime} [{}] {content:?}",
            device.0,
            device.1,
            xattrs.join(",")
        )
    }
}

pub(crate) fn octal(text: &str) -> u32 {
    u32::from_str_radix(text, 8).unwrap()
}

/// Content in a text: short as it is, long as length and checksum.
pub(crate) fn brief(bytes: &[u8]) -> String {
    if bytes.len() <= 64 {
        return bytes.escape_ascii().to_string();
    }
    let sum = bytes.iter().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(1_099_511_628_211)
            .wrapping_add(u64::from(*byte) + 1)
    });
    format!("{} bytes, {sum:x}", bytes.len())
}

/// Runs something in a thread with other credentials; system calls change those of one thread only.
pub(crate) fn as_user<T: Send>(uid: u32, gid: u32, act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let (uid, gid) = (
                    rustix::fs::Uid::from_raw(uid),
                    rustix::fs::Gid::from_raw(gid),
                );
                rustix::thread::set_thread_groups(&[]).unwrap();
                rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
                rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
                act()
            })
            .join()
            .unwrap()
    })
}
