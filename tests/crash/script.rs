//! What is performed: a world, what runs in it, and the operations under test.

use layerspec::engine::native::NativeProvider;
use layerspec::engine::{
    ContainerSpec, Content, FileAction, Node, NodeKind, Operation, Place, RenameMode, Time,
    VolumeSpec,
};

use super::build::{
    append, archived, chmod, chown, commit, container, delete, derived, file, folder, image, link,
    mkdir, named, remove, rename, rmdir, run, set_xattr, text, tree, truncate, volume, write,
};

/// A script.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// Performed before anything is killed or fails.
    pub(crate) before: Vec<Operation>,
    /// Performed under fire.
    pub(crate) acts: Vec<Operation>,
    /// Performed instead, each gives a state that may be found too.
    pub(crate) also: Vec<Vec<Operation>>,
    /// When it is refused because of the disk, each object may be as it was to be all the same: what a process
    /// asks for takes several calls, and pruning takes one object after the other.
    pub(crate) may_be_done: bool,
    /// Performed before it is tried again.
    pub(crate) tidy: Vec<Operation>,
    /// With what the unions are opened.
    pub(crate) options: &'static str,
    /// A container runs that is removed when it exits, with its volumes.
    pub(crate) goes_with_the_engine: bool,
    /// Mount points and working directories are made one after the other, by Docker too: a container's
    /// tree may lie between the old and the new one.
    pub(crate) may_be_between: bool,
}

impl Script {
    fn new(name: &'static str, before: Vec<Operation>, acts: Vec<Operation>) -> Self {
        let mut all = world();
        all.extend(before);
        Self {
            name,
            before: all,
            acts,
            also: Vec::new(),
            may_be_done: false,
            tidy: Vec::new(),
            options: "",
            goes_with_the_engine: false,
            may_be_between: false,
        }
    }

    fn or(mut self, operations: Vec<Operation>) -> Self {
        self.also.push(operations);
        self
    }

    fn tidy(mut self, operation: Operation) -> Self {
        self.tidy.push(operation);
        self
    }

    fn with(mut self, options: &'static str) -> Self {
        self.options = options;
        self
    }

    fn passing(mut self) -> Self {
        self.goes_with_the_engine = true;
        self
    }

    fn or_done(mut self) -> Self {
        self.may_be_done = true;
        self
    }

    fn between(mut self) -> Self {
        self.may_be_between = true;
        self
    }
}

/// When the files of [`AGED_FILES`] were changed last, unless an operation changes them.
pub(crate) const AGED: Time = Time {
    seconds: 1_000_000_000,
    nanos: 5,
};

pub(crate) const AGED_FILES: [&str; 3] = ["/dir/a", "/dir/b", "/dir/noted"];

fn fill(pattern: &str, size: u64) -> Node {
    let fill = Some(pattern.into());
    Node::new(NodeKind::File(Content::Fill { size, fill }))
}

/// Two images, a volume with rows, and a container that has written and exited: none of it may ever change.
fn world() -> Vec<Operation> {
    let mut noted = text("noted\n");
    noted.xattrs.insert("user.note".to_owned(), "n".into());
    noted.uid = Some(1000);
    noted.mode = Some(0o2640);
    noted.mtime = Some(AGED);
    let aged = |content| Node {
        mtime: Some(AGED),
        ..text(content)
    };
    let below = tree([
        ("/etc/app.conf", text("mode = first\n")),
        ("/data", folder(0o2750, 1000)),
        ("/data/seed", text("seed\n")),
        ("/data/sub/leaf", text("leaf\n")),
        ("/dir/a", aged("a\n")),
        ("/dir/b", aged("b\n")),
        ("/dir/noted", noted),
        ("/dir/deep/er/leaf", text("deep\n")),
        ("/big", fill("0123456789abcdef", 20_000)),
        ("/gone", text("x")),
        (
            "/hole",
            Node::new(NodeKind::File(Content::Fill {
                size: 9_000,
                fill: None,
            })),
        ),
    ]);
    let above = tree([
        ("/etc/app.conf", text("mode = default\n")),
        ("/gone", Node::new(NodeKind::Whiteout)),
    ]);
    vec![
        Operation::LoadImage(image("app", vec![below, above])),
        derived("vol", "app", vec![], &["/data"]),
        volume("kept"),
        run("db", "app", &["kept:/kept"]),
        file("db", write("/kept/rows", "1\n2\n")),
        file("db", write("/etc/app.conf", "mode = changed\n")),
        Operation::Stop("db".to_owned()),
    ]
}

/// An embedded engine whose unions are opened with these options.
pub(crate) fn provider(options: &str) -> NativeProvider {
    if options.is_empty() {
        NativeProvider::new()
    } else {
        NativeProvider::with_options(options.parse().unwrap())
    }
}

/// Files with several names in a layer, which an index keeps together.
fn links() -> Script {
    let other = |to: &str| Node::new(NodeKind::Hardlink { to: to.to_owned() });
    let layer = tree([
        ("/d/one", text("content\n")),
        ("/d/two", other("/d/one")),
        ("/e/three", other("/d/one")),
        ("/e/four", other("/d/one")),
        ("/pair", text("pair\n")),
        ("/other", other("/pair")),
        ("/single", text("single\n")),
    ]);
    let before = vec![
        Operation::LoadImage(image("linked", vec![layer])),
        run("one", "linked", &[]),
    ];
    let acts = vec![
        append("/d/one", "more\n"),
        chmod("/e/three", 0o600),
        link("/d/two", "/new"),
        rename("/d/two", "/e/two", RenameMode::Replace),
        rename("/single", "/e/four", RenameMode::Replace),
        delete("/pair"),
        delete("/other"),
        delete("/d/one"),
        delete("/e/three"),
    ];
    let acts = acts.into_iter().map(|act| file("one", act)).collect();
    Script::new("links", before, acts)
        .or_done()
        .with("index=on")
}

fn tag(image: &str, tag: &str) -> Operation {
    Operation::ImageTag {
        image: image.to_owned(),
        tag: tag.to_owned(),
    }
}

fn untag(image: &str) -> Operation {
    Operation::ImageRemove {
        image: image.to_owned(),
        force: false,
    }
}

/// So many changes for so few records that opening the store writes its log anew.
fn long_log() -> Script {
    let before = (0..20).flat_map(|_| [tag("vol", "more"), untag("more")]);
    Script::new("long_log", before.collect(), vec![volume("fresh")])
}

/// Every script.
pub(crate) fn all() -> Vec<Script> {
    let mut all = files();
    all.push(links());
    all.push(long_log());
    all.extend(containers());
    all.extend(removals());
    all.extend(images());
    all
}

fn files() -> Vec<Script> {
    let on = |actions: Vec<FileAction>| -> Vec<Operation> {
        actions
            .into_iter()
            .map(|action| file("one", action))
            .collect()
    };
    let script = |name, before: Vec<FileAction>, acts: Vec<FileAction>| {
        let mut all = vec![run("one", "app", &[])];
        all.extend(on(before));
        Script::new(name, all, on(acts)).or_done()
    };
    let (replace, exchange) = (RenameMode::Replace, RenameMode::Exchange);
    vec![
        script(
            "copy_up",
            vec![],
            vec![
                append("/big", "more\n"),
                append("/hole", "more\n"),
                chmod("/dir/a", 0o600),
                chown("/dir/noted", 7),
                set_xattr("/dir/b", "user.note", "b"),
                truncate("/dir/deep/er/leaf", 2),
                chmod("/data", 0o700),
            ],
        ),
        script(
            "rename",
            vec![
                write("/upper", "upper\n"),
                mkdir("/new"),
                delete("/data/seed"),
            ],
            vec![
                rename("/dir/a", "/dir/c", replace),
                rename("/dir/c", "/dir/a", replace),
                rename("/upper", "/dir/b", replace),
                rename("/dir/b", "/dir/noted", exchange),
                rename("/new", "/data/seed", replace),
                rename("/big", "/data/seed/big", replace),
            ],
        ),
        script(
            "link",
            vec![delete("/dir/b"), write("/upper", "upper\n")],
            vec![
                link("/big", "/data/sub/big"),
                link("/upper", "/dir/b"),
                link("/dir/noted", "/noted"),
            ],
        ),
        script(
            "unlink",
            vec![
                chmod("/dir/a", 0o600),
                delete("/data/sub/leaf"),
                mkdir("/new"),
            ],
            vec![
                delete("/dir/a"),
                delete("/dir/b"),
                rmdir("/data/sub"),
                rmdir("/new"),
                write("/dir/b", ""),
                mkdir("/data/sub"),
            ],
        ),
    ]
}

fn containers() -> Vec<Script> {
    let mut all = makings();
    all.extend(exits());
    all
}

fn makings() -> Vec<Script> {
    let full = ContainerSpec {
        working_dir: Some("/work/here".to_owned()),
        tmpfs: vec!["/run".to_owned()],
        ..container(
            "two",
            "vol",
            &["fresh:/data/sub", "empty:/dir", "/x", "/host:/h"],
        )
    };
    let small = container("two", "vol", &["fresh:/data/sub", "/host:/h"]);
    let host = || Operation::Plant(Place::Host, tree([("/host", folder(0o755, 0))]));
    let create = Operation::Create(full);
    let start = Operation::Start("two".to_owned());
    vec![
        // Docker row 72: named volumes stay, whatever becomes of the container.
        Script::new("create", vec![volume("empty")], vec![create.clone()])
            .or(vec![volume("fresh")])
            .or(vec![create.clone(), remove("two", true)]),
        Script::new("start", vec![volume("empty"), create], vec![start])
            .or(vec![host()])
            .between(),
        // A container that cannot be started stays.
        Script::new("run", vec![], vec![Operation::Run(small.clone())])
            .or(vec![volume("fresh")])
            .or(vec![Operation::Create(small.clone()), remove("two", true)])
            .or(vec![host()])
            .or(vec![Operation::Create(small)])
            .tidy(remove("two", true)),
    ]
}

fn exits() -> Vec<Script> {
    let passing = ContainerSpec {
        remove_on_exit: true,
        ..container("two", "vol", &["/x"])
    };
    let refused = ContainerSpec {
        user: Some("nobody-knows".to_owned()),
        ..passing.clone()
    };
    let run_passing = Operation::Run(passing);
    let written = file("two", write("/data/rows", "1\n"));
    let name = || "two".to_owned();
    let stop = || Operation::Stop(name());
    let all = vec![
        Operation::Pause(name()),
        Operation::Unpause(name()),
        Operation::Restart(name()),
        stop(),
        Operation::Start(name()),
        Operation::Kill(name()),
        remove("two", true),
    ];
    vec![
        Script::new("run_to_remove", vec![], vec![run_passing.clone()]).passing(),
        Script::new("run_refused", vec![], vec![Operation::Run(refused)]),
        // A restart is a stop and a start.
        Script::new("exit", vec![run("two", "vol", &[])], all).or(vec![stop()]),
        Script::new("exit_removed", vec![run_passing, written], vec![stop()]).passing(),
    ]
}

fn removals() -> Vec<Script> {
    let written = |name: &str| {
        vec![
            run(name, "vol", &["/x"]),
            file(name, write("/data/rows", "1\n")),
            file(name, write("/dir/new", "1\n")),
        ]
    };
    let mut alone = written("two");
    alone.extend([
        derived("last", "app", vec![tree([("/last", text("l"))])], &[]),
        run("three", "last", &[]),
        Operation::ImageRemove {
            image: "last".to_owned(),
            force: true,
        },
    ]);
    let mut several = written("two");
    several.extend(written("three"));
    several.extend([
        Operation::Stop("two".to_owned()),
        Operation::Stop("three".to_owned()),
    ]);
    let mut shared = written("two");
    shared.push(Operation::Run(ContainerSpec {
        volumes_from: vec!["two".to_owned()],
        ..container("three", "app", &[])
    }));
    let prune = |all| Operation::VolumePrune {
        all,
        filters: vec![],
    };
    vec![
        Script::new(
            "rm",
            alone,
            vec![remove("two", false), remove("three", false)],
        ),
        Script::new("rm_volumes", written("two"), vec![remove("two", true)]),
        Script::new(
            "rm_shared",
            shared,
            vec![remove("two", true), remove("three", false)],
        ),
        Script::new(
            "prune",
            several,
            vec![Operation::ContainerPrune, prune(false), prune(true)],
        )
        .or_done(),
        Script::new(
            "volume",
            vec![],
            vec![
                volume("fresh"),
                Operation::VolumeCreate(VolumeSpec::default()),
                remove("db", false),
                Operation::VolumeRemove {
                    volume: named("kept"),
                    force: false,
                },
            ],
        ),
    ]
}

fn images() -> Vec<Script> {
    let layer = |content: &str| tree([("/etc/app.conf", text(content)), ("/deep/er/x", text("x"))]);
    let written = vec![
        run("one", "app", &[]),
        file("one", write("/etc/app.conf", "mode = mine\n")),
        file("one", delete("/dir/a")),
        derived("old", "app", vec![layer("old")], &[]),
    ];
    let export = Operation::Export {
        container: "one".to_owned(),
        to: "/one.tar".to_owned(),
    };
    let import = |image: &str| Operation::Import {
        from: "/one.tar".to_owned(),
        image: image.to_owned(),
    };
    let mut exported = vec![
        Operation::LoadImage(image("tiny", vec![tree([("/a", text("a"))])])),
        Operation::Plant(Place::Host, tree([("/host/x", text("x"))])),
        run("one", "tiny", &[]),
        derived("old", "app", vec![layer("old")], &[]),
    ];
    exported.push(export);
    vec![
        Script::new(
            "commit",
            written,
            vec![commit("one", "fresh"), commit("one", "old")],
        ),
        Script::new(
            "load",
            vec![derived("old", "app", vec![layer("old")], &[])],
            vec![
                derived("fresh", "app", vec![layer("one"), layer("two")], &["/v"]),
                derived("old", "app", vec![layer("new")], &[]),
            ],
        ),
        Script::new(
            "load_archive",
            vec![derived("old", "app", vec![layer("old")], &[])],
            vec![archived("fresh"), archived("old")],
        ),
        Script::new("import", exported, vec![import("fresh"), import("old")]),
        Script::new(
            "tag",
            vec![
                derived("old", "app", vec![layer("old")], &[]),
                derived("new", "app", vec![layer("new")], &[]),
            ],
            vec![
                tag("new", "more"),
                tag("new", "old"),
                untag("more"),
                untag("vol"),
            ],
        ),
    ]
}
