//! A tiny conversation that tells the author of an adapter what is missing. `judge` knows what is right.

mod judge;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};

use self::judge::{
    done, file, in_container, instead, judge_hello, judge_world, refused, unsupported, written,
};
use super::adapter::connect;
use super::protocol::{Ask, Given, Hello, VERSION};
use super::provider::BadCommand;
use crate::engine::link::{Link, Lost};
use crate::engine::{
    Absent, Answer, Code, ContainerSpec, Errno, FileAction, ImageSpec, Kind, Operation, Storage,
    Target, Tree, Value, VolumeRef, World,
};

/// How long the adapter may take for each answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Number of the first request: one that an adapter must have read to answer it, and that every language can hold.
const FIRST: u64 = 9_007_199_254_740_001;

/// One thing that an adapter has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// A name for it.
    pub check: String,
    /// What has to be, as a sentence.
    pub about: String,
    /// What is wrong; `None` when nothing is.
    pub finding: Option<String>,
}

/// What came of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What the adapter says of itself, if it does.
    pub hello: Option<Hello>,
    /// Everything that was tried, in order. When the adapter makes no sense any more, the rest is not tried.
    pub points: Vec<Point>,
}

/// Starts an adapter, speaks with it, and notes what it does wrong.
///
/// # Errors
/// An adapter that cannot be started, or says that it cannot be used here.
pub fn try_adapter(command: &str, scratch: &Path) -> Result<Trial, Absent> {
    let bad = |why: BadCommand| Absent {
        reason: why.to_string(),
        remedy: "quote the command for a POSIX shell".to_owned(),
    };
    let words = super::provider::words(command).map_err(bad)?;
    let (link, _farewell) = connect(&words, FIRST)?;
    let mut talk = Talk {
        link,
        directory: scratch.to_owned(),
        points: Vec::new(),
    };
    let hello = talk.hello()?;
    if hello.is_some() {
        // What goes wrong is noted where it does.
        talk.scenarios().ok();
    }
    talk.ending();
    Ok(Trial {
        hello,
        points: talk.points,
    })
}

/// The conversation goes on, or makes no sense any more.
type Going<T> = Result<T, Over>;

struct Over;

struct Talk {
    link: Link<Given>,
    directory: PathBuf,
    points: Vec<Point>,
}

impl Talk {
    fn note(&mut self, check: &str, about: &str, result: Result<(), String>) {
        self.points.push(Point {
            check: check.to_owned(),
            about: about.to_owned(),
            finding: result.err(),
        });
    }

    /// Sends any request, and notes that its answer has to be right.
    fn raw(
        &mut self,
        check: &str,
        about: &str,
        request: Json,
        judge: impl FnOnce(Given) -> Result<(), String>,
    ) -> Going<()> {
        let mark = self.link.mark();
        let mut request = request;
        let given = self.link.exchange(Some(LIMIT), |id| {
            if let Some(fields) = request.as_object_mut() {
                fields.insert("id".to_owned(), id.into());
            }
            serde_json::to_vec(&request)
        });
        match given {
            Ok(given) => {
                let mut result = judge(given);
                let said = self.link.said_since(mark);
                if let (Err(why), false) = (&mut result, said.trim().is_empty()) {
                    *why = format!("{why}; on its standard error it wrote: {}", said.trim());
                }
                self.note(check, about, result);
                Ok(())
            }
            Err(Lost::Failed(why)) => {
                self.note(check, about, Err(why));
                Ok(())
            }
            Err(Lost::Gone(said)) => {
                let mut why = self.link.cause().unwrap_or_default();
                if !said.trim().is_empty() {
                    why = format!("{why}; on its standard error it wrote: {}", said.trim());
                }
                self.note(check, about, Err(why));
                Err(Over)
            }
        }
    }

    fn ask(
        &mut self,
        check: &str,
        about: &str,
        ask: &Ask,
        judge: impl FnOnce(Given) -> Result<(), String>,
    ) -> Going<()> {
        // An `Ask` is an object.
        let request = serde_json::to_value(ask).unwrap_or_default();
        self.raw(check, about, request, judge)
    }

    fn operation(
        &mut self,
        check: &str,
        about: &str,
        operation: Operation,
        judge: impl FnOnce(Answer) -> Result<(), String>,
    ) -> Going<()> {
        self.ask(
            check,
            about,
            &Ask::Operation(Box::new(operation)),
            |given| {
                judge(match given {
                    Given::Done(value) => Answer::Done(value),
                    Given::Refused(refusal) => Answer::Refused(refusal),
                    Given::Unsupported(why) => Answer::Unsupported(why),
                    Given::Broken(why) => Answer::Broken(why),
                    other => {
                        return Err(format!("it answered an operation with `{}`", other.name()));
                    }
                })
            },
        )
    }

    fn hello(&mut self) -> Result<Option<Hello>, Absent> {
        let about = "It answers `hello` with its version of the protocol, its name and version, and what it can show.";
        let ask = Ask::Hello {
            protocol: VERSION,
            layerspec: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut found = Err(None);
        let talked = self.ask("hello", about, &ask, |given| match given {
            Given::Hello(hello) => {
                let result = judge_hello(&hello);
                found = Ok(hello);
                result
            }
            Given::Absent { reason, remedy } => {
                found = Err(Some(Absent { reason, remedy }));
                Ok(())
            }
            other => Err(format!("it answered `hello` with `{}`", other.name())),
        });
        match (talked, found) {
            (_, Err(Some(absent))) => Err(absent),
            (Ok(()), Ok(hello)) => Ok(Some(hello)),
            _ => Ok(None),
        }
    }

    fn scenarios(&mut self) -> Going<()> {
        self.raw(
            "unknown-request",
            "A request that it does not know is answered `unsupported`.",
            json!({"layerspec-asks-for-nothing": {}}),
            unsupported,
        )?;
        self.first()?;
        self.begin(
            "begin-again",
            "It begins another scenario when one has ended.",
            "second",
        )?;
        self.empty(
            "fresh",
            "Of the first scenario nothing is left in the second.",
        )?;
        self.end("end-again", "It ends that one too.", "second")
    }

    fn first(&mut self) -> Going<()> {
        self.begin("begin", "It begins a scenario.", "first")?;
        self.empty(
            "empty",
            "A scenario begins with no container, no volume, no image and an empty host directory.",
        )?;
        self.raw(
            "unknown-operation",
            "An operation that it does not know is answered `unsupported`.",
            json!({"operation": {"layerspec-asks-for-nothing": {}}}),
            unsupported,
        )?;
        let request =
            json!({"action": {"layerspec-asks-for-nothing": {}}, "stop_on_refusal": true});
        self.raw(
            "unknown-file-operation",
            "So is a file operation that it does not know.",
            json!({"operation": {"files": {"place": "host", "user": null, "requests": [request]}}}),
            unsupported,
        )?;
        self.volumes()?;
        self.container()?;
        self.end(
            "end",
            "It ends the scenario, and leaves nothing in its directory.",
            "first",
        )
    }

    fn begin(&mut self, check: &str, about: &str, name: &str) -> Going<()> {
        let directory = self.directory.join(name);
        if let Err(error) = std::fs::create_dir(&directory) {
            self.note(check, about, Err(error.to_string()));
            return Err(Over);
        }
        let ask = Ask::Begin {
            directory,
            keep: false,
        };
        self.ask(check, about, &ask, |given| match given {
            Given::Begun {} => Ok(()),
            other => Err(instead("begun", &other)),
        })
    }

    fn end(&mut self, check: &str, about: &str, name: &str) -> Going<()> {
        let directory = self.directory.join(name);
        self.ask(check, about, &Ask::End {}, |given| match given {
            Given::Ended {} => match std::fs::read_dir(&directory).map(Iterator::count) {
                Ok(0) | Err(_) => Ok(()),
                Ok(left) => Err(format!(
                    "after the end, {left} things are left in {}",
                    directory.display()
                )),
            },
            other => Err(instead("ended", &other)),
        })
    }

    fn empty(&mut self, check: &str, about: &str) -> Going<()> {
        self.look(check, about, |world| {
            let host = world.host.iter().find(|seen| seen.path != "/");
            match (
                world.containers.first(),
                world.volumes.first(),
                host,
                world.images.first(),
            ) {
                (Some((container, _)), ..) => {
                    Err(format!("there is a container {}", container.name))
                }
                (_, Some((volume, _)), ..) => {
                    Err(format!("there is a volume: {:?}", volume.volume))
                }
                (_, _, Some(seen), _) => {
                    Err(format!("in the host directory there is {}", seen.path))
                }
                (_, _, _, Some(image)) => Err(format!("there is an image {image}")),
                _ => Ok(()),
            }
        })
    }

    fn look(
        &mut self,
        check: &str,
        about: &str,
        judge: impl FnOnce(&World) -> Result<(), String>,
    ) -> Going<()> {
        self.ask(check, about, &Ask::Observe {}, |given| match given {
            Given::World(world) => judge(&world),
            other => Err(instead("world", &other)),
        })
    }

    fn volumes(&mut self) -> Going<()> {
        let remove = Operation::VolumeRemove {
            volume: VolumeRef::Named("nothing".to_owned()),
            force: false,
        };
        self.operation(
            "refusal",
            "What it refuses has a kind: to remove a volume that is not there is refused with `no-such-volume`.",
            remove,
            |answer| refused(&answer, Code::Kind(Kind::NoSuchVolume)),
        )
    }

    fn container(&mut self) -> Going<()> {
        let image = ImageSpec {
            name: "app".to_owned(),
            layers: vec![
                Tree(vec![file("/etc/base", "one\n"), file("/etc/old", "one\n")]),
                Tree(vec![file("/etc/app", "two\n")]),
            ],
            ..ImageSpec::default()
        };
        self.operation(
            "image",
            "It makes an image of layers.",
            Operation::LoadImage(image),
            done,
        )?;
        let spec = ContainerSpec {
            name: "first".to_owned(),
            image: "app".to_owned(),
            ..ContainerSpec::default()
        };
        self.operation(
            "run",
            "It runs a container of an image.",
            Operation::Run(spec),
            done,
        )?;
        let own = Storage::Writable {
            container: "first".to_owned(),
        };
        self.write(
            "write",
            "A process in it writes a file, and the answer tells where that lies: in the container's writable layer.",
            "/etc/mine",
            &own,
        )?;
        self.write(
            "copy-up",
            "So does a file of the image lie there when it was changed.",
            "/etc/old",
            &own,
        )?;
        let read = |path: &str| FileAction::Read {
            target: Target::Path(path.to_owned()),
            offset: None,
            length: None,
        };
        self.files(
            "read",
            "What was written is read.",
            read("/etc/mine"),
            |value, _| match value {
                Value::Bytes(bytes) if bytes.as_slice() == b"three\n" => Ok(()),
                other => Err(format!("it gave {}", written(&other))),
            },
        )?;
        self.missing(read("/nothing"))?;
        self.look(
            "observe",
            "A look shows the container with its tree: who wrote what, and in which layer of the image the rest lies.",
            |world| judge_world(world, &own),
        )
    }

    fn files(
        &mut self,
        check: &str,
        about: &str,
        action: FileAction,
        judge: impl FnOnce(Value, Vec<(Storage, String)>) -> Result<(), String>,
    ) -> Going<()> {
        self.operation(check, about, in_container(action), |answer| {
            let Answer::Done(Value::Files(mut answers)) = answer else {
                return Err(format!("it gave {}", written(&answer)));
            };
            match (answers.pop(), answers.pop()) {
                (Some(answer), None) => match answer.result {
                    Ok(value) => judge(value, answer.changed),
                    Err(refusal) => Err(format!("it refused: {}", written(&refusal))),
                },
                _ => Err("it gave not one answer to one file operation".to_owned()),
            }
        })
    }

    fn write(&mut self, check: &str, about: &str, path: &str, own: &Storage) -> Going<()> {
        let write = FileAction::Write {
            path: path.to_owned(),
            node: file("", "three\n").node,
        };
        let place = (own.clone(), path.to_owned());
        self.files(check, about, write, |value, changed| match value {
            Value::Nothing if changed == [place] => Ok(()),
            Value::Nothing => Err(format!("`changed` is {}", written(&changed))),
            other => Err(format!("it gave {}", written(&other))),
        })
    }

    fn missing(&mut self, read: FileAction) -> Going<()> {
        let about = "A file operation that is refused has an errno: to read what is not there is refused with `ENOENT`.";
        self.operation("errno", about, in_container(read), |answer| {
            let code = match &answer {
                Answer::Done(Value::Files(answers)) => answers
                    .first()
                    .and_then(|answer| answer.result.as_ref().err())
                    .map(|refusal| refusal.code),
                _ => None,
            };
            if code == Some(Code::Errno(Errno(rustix::io::Errno::NOENT.raw_os_error()))) {
                Ok(())
            } else {
                Err(format!("it gave {}", written(&answer)))
            }
        })
    }

    /// At the end of its input an adapter ends, and leaves no process behind.
    fn ending(&mut self) {
        if self.link.is_gone() {
            return;
        }
        let by_itself = self.link.end();
        let late = "it was still there twenty seconds after its standard input had ended";
        let result = if by_itself {
            Ok(())
        } else {
            Err(late.to_owned())
        };
        self.note(
            "input-ends",
            "It ends when its standard input ends.",
            result,
        );
        if by_itself {
            let left = "a process that it started was still there".to_owned();
            let result = if self.link.left_others() {
                Err(left)
            } else {
                Ok(())
            };
            self.note("processes", "Nothing that it started outlives it.", result);
        }
    }
}
