//! An adapter's process, and one request at a time.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::protocol::{Ask, Given, Hello, Reply, Request, VERSION};
use crate::engine::link::{Lines, Link, Lost, Manners, Started, kill_group};
use crate::engine::{Absent, Capability, Description, EngineFault};
use crate::farewell::Farewell;

/// How long an adapter may take to say who it is.
const HELLO: Duration = Duration::from_secs(10);

/// How long any other request may take, unless the adapter asks for more.
const REQUEST: Duration = Duration::from_secs(30);

/// How long an adapter may take to end by itself when its input ends. What it has shared among scenarios goes then.
const PATIENCE: Duration = Duration::from_secs(20);

/// The same for one that has failed: long enough to tell how it ended.
const GRACE: Duration = Duration::from_secs(1);

/// The longest line that an adapter may write, in bytes.
const LONGEST: usize = 64 << 20;

/// How much of what an adapter complained of is shown, in bytes: the last of it.
const SHOWN: usize = 4 << 10;

/// An adapter that runs. Dropping it ends it, and everything that it started in its process group.
#[derive(Debug)]
pub(super) struct Adapter {
    link: Link<Given>,
    hello: Hello,
    /// Held during a request to an adapter that does one thing at a time.
    turn: Option<Mutex<()>>,
    /// How much of its complaints was told already.
    told: Mutex<u64>,
    /// It could not do something that it was asked for.
    failed: AtomicBool,
    /// Kills it when this process is killed by a signal.
    _farewell: Farewell,
}

/// How an adapter's command is started. What it starts belongs to a process group of its own, so that all of it
/// can be ended.
pub(super) fn command(words: &[String]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    Some(command)
}

/// The connection to an adapter that is about to be asked who it is. `first` is the number of the first request.
pub(super) fn connect(words: &[String], first: u64) -> Result<(Link<Given>, Farewell), Absent> {
    let absent = |reason: String| Absent {
        reason,
        remedy: "name a program that speaks layerspec's protocol, with its arguments".to_owned(),
    };
    let mut command =
        command(words).ok_or_else(|| absent("the command of the adapter is empty".to_owned()))?;
    let child = command.spawn().map_err(|error| {
        let program = words.first().map_or("", String::as_str);
        absent(match error.kind() {
            std::io::ErrorKind::NotFound => format!("no such program: {program}"),
            _ => format!("cannot start {program}: {error}"),
        })
    })?;
    let started = Started::try_from(child).map_err(absent)?;
    let leader = started.pid;
    let farewell = Farewell::new(move || {
        kill_group(leader);
    });
    let manners = Manners {
        patience: PATIENCE,
        grace: GRACE,
        longest: LONGEST,
        leads_group: true,
        first,
        read,
    };
    let link = Link::open_with(started, &manners).map_err(absent)?;
    Ok((link, farewell))
}

fn read(line: &[u8]) -> Result<(u64, Result<Given, String>), String> {
    Reply::read(line).map(|reply| (reply.id, Ok(reply.given)))
}

/// Reads what an adapter might write, as it is read from one that runs: in pieces as they come out of a pipe, and
/// `longest` bytes a line at most. Gives the replies up to the first line that is none, and what is said of that.
///
/// For whoever looks for what an adapter could do to us; [`ProcessProvider`](super::ProcessProvider) talks to one.
pub fn read_replies<'pieces>(
    pieces: impl IntoIterator<Item = &'pieces [u8]>,
    longest: usize,
) -> (Vec<Reply>, Result<(), String>) {
    let replies = std::cell::RefCell::new(Vec::new());
    let mut lines = Lines::new(longest, read);
    let end = pieces.into_iter().try_for_each(|piece| {
        lines.feed(piece, |id, given| {
            let reply = given.map(|given| Reply { id, given });
            replies.borrow_mut().extend(reply);
            true
        })
    });
    (replies.into_inner(), end)
}

/// Sends one request and waits for its reply.
pub(super) fn request(
    link: &Link<Given>,
    ask: Ask,
    limit: Option<Duration>,
) -> Result<Given, EngineFault> {
    let mark = link.mark();
    link.exchange(limit, |id| serde_json::to_vec(&Request { id, ask }))
        .map_err(|lost| fault(link, lost, mark))
}

fn fault(link: &Link<Given>, lost: Lost, mark: u64) -> EngineFault {
    match lost {
        Lost::Failed(why) => EngineFault(why),
        Lost::Gone(_) => {
            let cause = link.cause().unwrap_or_default();
            let complaint = link.said_since(mark);
            with_complaint(&format!("the adapter: {cause}"), &complaint)
        }
    }
}

/// A fault, and what the adapter wrote on standard error meanwhile.
fn with_complaint(what: &str, complaint: &str) -> EngineFault {
    match shortened(complaint) {
        None => EngineFault(what.to_owned()),
        Some(complaint) => EngineFault(format!(
            "{what}; on its standard error it wrote:\n{complaint}"
        )),
    }
}

/// The end of a complaint, unless there is none.
fn shortened(complaint: &str) -> Option<String> {
    let complaint = complaint.trim();
    if complaint.len() <= SHOWN {
        return (!complaint.is_empty()).then(|| complaint.to_owned());
    }
    let from =
        (complaint.len() - SHOWN..complaint.len()).find(|at| complaint.is_char_boundary(*at));
    let end = complaint.get(from.unwrap_or_default()..)?;
    Some(format!("… {end}"))
}

impl Adapter {
    /// Starts an adapter and asks who it is.
    pub(super) fn start(words: &[String]) -> Result<Self, Absent> {
        let (link, farewell) = connect(words, 1)?;
        let ask = Ask::Hello {
            protocol: VERSION,
            layerspec: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mend = |reason: String| Absent {
            reason,
            remedy: "`layerspec adapter check COMMAND` tells what an adapter lacks".to_owned(),
        };
        let given = request(&link, ask, Some(HELLO)).map_err(|fault| mend(fault.0))?;
        let hello = match given {
            Given::Hello(hello) => hello,
            Given::Absent { reason, remedy } => return Err(Absent { reason, remedy }),
            Given::Unsupported(why) | Given::Broken(why) => return Err(mend(why)),
            other => return Err(mend(strange("hello", &other).0)),
        };
        if hello.protocol != VERSION {
            return Err(mend(format!(
                "it speaks version {} of the protocol, and this layerspec version {VERSION}",
                hello.protocol
            )));
        }
        let turn = (!hello.capabilities.contains(&Capability::Concurrent)).then(Mutex::default);
        let told = Mutex::new(link.mark());
        Ok(Self {
            link,
            hello,
            turn,
            told,
            failed: AtomicBool::new(false),
            _farewell: farewell,
        })
    }

    /// What it said of itself, for an engine of this name.
    pub(super) fn description(&self, name: &str) -> Description {
        let hello = &self.hello;
        Description {
            name: name.to_owned(),
            version: format!("{} {}", hello.name, hello.version),
            kernel: hello.kernel.clone(),
            driver: hello.driver.clone(),
            file_system: hello.file_system.clone(),
            capabilities: hello.capabilities.clone(),
            form_of: None,
        }
    }

    /// One request. Those that come meanwhile wait, unless the adapter does several things at once.
    pub(super) fn ask(&self, ask: Ask) -> Result<Given, EngineFault> {
        let turn = self.turn.as_ref();
        let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let mark = self.link.mark();
        let limit = self.hello.seconds_per_request;
        let limit = limit.map_or(REQUEST, |seconds| Duration::from_secs(seconds.into()));
        let given = match request(&self.link, ask, Some(limit)) {
            Ok(Given::Broken(why)) => Err(with_complaint(&why, &self.link.said_since(mark))),
            given => given,
        };
        if given.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        given
    }

    /// What it has written on standard error since this was asked last.
    pub(super) fn complaint(&self) -> Option<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = std::mem::replace(&mut *told, self.link.mark());
        shortened(&self.link.said_since(mark))
    }

    /// Whether it failed once, so that nobody knows what state it is in.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Whether nothing more can be asked of it.
    pub(super) fn is_gone(&self) -> bool {
        self.link.is_gone()
    }

    /// Ends it, whoever else still waits for its words.
    pub(super) fn kill(&self) {
        self.link.kill();
    }
}

/// A reply that does not belong to the request. Nothing that such an adapter says can be relied on.
pub(super) fn strange(asked: &str, given: &Given) -> EngineFault {
    EngineFault(format!(
        "the adapter answered `{asked}` with `{}`",
        given.name()
    ))
}
