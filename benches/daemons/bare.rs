//! The same by hand: the commands that a person would type, with an image that has a shell.

use std::path::PathBuf;
use std::process::{Command, Output};

use tar::{Builder, EntryType, Header};

/// Names of what is made, in a daemon that others use too.
const PREFIX: &str = "layerspec-bare";

/// A program, and an image that it has.
pub(crate) struct Bare {
    program: &'static str,
    image: String,
    prefix: String,
}

impl Bare {
    /// Gives the daemon an image with a static busybox.
    pub(crate) fn new(program: &'static str) -> Result<Self, String> {
        let busybox = find("busybox").ok_or("no busybox to make an image of")?;
        let prefix = format!("{PREFIX}-{}", std::process::id());
        let bare = Self {
            program,
            image: format!("localhost/{prefix}"),
            prefix,
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        let mut archive = Builder::new(std::fs::File::create(&path).unwrap());
        for name in ["bin/sh", "bin/sleep"] {
            archive.append_path_with_name(&busybox, name).unwrap();
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        archive
            .append_data(&mut header, "data/", std::io::empty())
            .unwrap();
        archive.into_inner().unwrap();
        bare.command(&["import", path.to_str().unwrap(), &bare.image]);
        // One that needs shared objects does not run there.
        let said = bare.output(&[
            "run",
            "--rm",
            "--network=none",
            &bare.image,
            "/bin/sh",
            "-c",
            "exit 0",
        ]);
        if said.status.success() {
            return Ok(bare);
        }
        Err(String::from_utf8_lossy(&said.stderr).into_owned())
    }

    fn output(&self, arguments: &[&str]) -> Output {
        Command::new(self.program).args(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) {
        let said = self.output(arguments);
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(
            said.status.success(),
            "{} {arguments:?}: {error}",
            self.program
        );
    }

    fn run(&self, name: &str, options: &[&str]) {
        let name = format!("--name={name}");
        let mut arguments = vec!["run", "--detach", "--network=none", "--pull=never", &name];
        arguments.extend(options);
        // Like a container that waits to be told what to do.
        arguments.extend([
            &*self.image,
            "/bin/sh",
            "-c",
            "trap exit TERM; while :; do sleep 60 & wait; done",
        ]);
        self.command(&arguments);
    }

    /// A volume, a container that writes into it and beside it, another one that reads both, and nothing is left.
    pub(crate) fn volume_scenario(&self) {
        let [store, first, second] =
            ["store", "first", "second"].map(|name| format!("{}-{name}", self.prefix));
        let mount = format!("--volume={store}:/data");
        self.command(&["volume", "create", &store]);
        self.run(&first, &[&mount]);
        self.exec(&first, "echo 1 > /data/rows; echo x > /cache");
        self.command(&["rm", "--force", &first]);
        self.run(&second, &[&mount]);
        self.exec(&second, "read x < /data/rows; test ! -e /cache");
        self.command(&["rm", "--force", &second]);
        self.command(&["volume", "rm", &store]);
    }

    /// Two containers, one after the other.
    pub(crate) fn two_containers(&self) {
        let names = ["first", "second"].map(|name| format!("{}-{name}", self.prefix));
        for name in &names {
            self.run(name, &[]);
        }
        for name in &names {
            self.command(&["rm", "--force", name]);
        }
    }

    fn exec(&self, container: &str, script: &str) {
        self.command(&["exec", container, "/bin/sh", "-c", script]);
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.output(&["image", "rm", "--force", &self.image]);
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}
