//! The running executable and what it needs to be started where nothing else is: the shared objects that
//! it has loaded, the dynamic loader among them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

/// Where the payload is mounted in every container.
const DIRECTORY: &str = "/.layerspec";

/// What is placed in containers.
#[derive(Clone, Debug)]
pub struct Payload {
    executable: PathBuf,
    /// File name → where it is.
    libraries: BTreeMap<String, PathBuf>,
    loader: Option<String>,
}

impl Payload {
    /// That of this process.
    ///
    /// # Errors
    /// When `/proc` does not tell.
    pub fn of_this_process() -> io::Result<Self> {
        let executable = fs::read_link("/proc/self/exe")?;
        let maps = fs::read_to_string("/proc/self/maps")?;
        Ok(Self::new(executable, &maps))
    }

    /// `maps` as `proc_pid_maps(5)` has it: the path is the sixth field.
    fn new(executable: PathBuf, maps: &str) -> Self {
        let mut libraries = BTreeMap::new();
        for line in maps.lines() {
            let path = line.splitn(6, ' ').nth(5).unwrap_or_default().trim_start();
            let name = path.rsplit('/').next().unwrap_or_default();
            if path.starts_with('/') && is_shared_object(name) {
                libraries.insert(name.to_owned(), PathBuf::from(path));
            }
        }
        let loader = libraries
            .keys()
            .find(|name| {
                name.starts_with("ld-") || name.starts_with("ld64") || name.starts_with("ld.so")
            })
            .cloned();
        Self {
            executable,
            libraries,
            loader,
        }
    }

    /// Writes it as a tar archive, to be unpacked in `/.layerspec`: everybody may read and execute.
    ///
    /// # Errors
    /// What reading the files or writing gives.
    pub fn archive(&self, to: impl Write) -> io::Result<()> {
        let mut archive = Builder::new(to);
        append(&mut archive, "exe", &self.executable)?;
        if !self.libraries.is_empty() {
            let mut header = header(0);
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, "lib/", io::empty())?;
        }
        for (name, path) in &self.libraries {
            append(&mut archive, &format!("lib/{name}"), path)?;
        }
        archive.into_inner()?.flush()
    }

    /// The command that starts it: program first.
    pub fn command(&self) -> Vec<String> {
        let executable = format!("{DIRECTORY}/exe");
        match &self.loader {
            None => vec![executable],
            Some(loader) => vec![
                format!("{DIRECTORY}/lib/{loader}"),
                "--library-path".to_owned(),
                format!("{DIRECTORY}/lib"),
                executable,
            ],
        }
    }
}

/// `libc.so.6`, `libx-1.so`, `ld-linux-x86-64.so.2`
fn is_shared_object(name: &str) -> bool {
    name.split('.').skip(1).any(|part| part == "so")
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

fn append(archive: &mut Builder<impl Write>, name: &str, path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    archive.append_data(&mut header(size), name, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_goes_along() {
        let maps = "55d0-55d1 r--p 00000000 08:01 1    /usr/bin/tool\n\
            7f00-7f01 r-xp 00000000 08:01 2    /lib/x86_64-linux-gnu/libc.so.6\n\
            7f02-7f03 r--p 00000000 08:01 2    /lib/x86_64-linux-gnu/libc.so.6\n\
            7f04-7f05 r-xp 00000000 08:01 3    /lib/with space/ld-linux-x86-64.so.2\n\
            7f06-7f07 rw-p 00000000 00:00 0    [stack]\n7f08-7f09 rw-p 00000000 00:00 0\n";
        let payload = Payload::new("/usr/bin/tool".into(), maps);
        let names: Vec<_> = payload.libraries.keys().collect();
        assert_eq!(names, ["ld-linux-x86-64.so.2", "libc.so.6"]);
        let command = payload.command().join(" ");
        assert_eq!(
            command,
            "/.layerspec/lib/ld-linux-x86-64.so.2 --library-path /.layerspec/lib /.layerspec/exe"
        );
        let static_one = Payload::new("/tool".into(), "");
        assert_eq!(static_one.command(), ["/.layerspec/exe"]);
    }

    #[test]
    fn the_archive_holds_the_executable() {
        let payload = Payload::of_this_process().unwrap();
        let mut bytes = Vec::new();
        payload.archive(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names.first().map(String::as_str), Some("exe"));
        assert_eq!(
            names.len() - 1 - usize::from(!payload.libraries.is_empty()),
            payload.libraries.len()
        );
    }
}
