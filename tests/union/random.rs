//! Random scripts, the same for the same seed.

use std::fmt::Write as _;

use super::script::Script;

/// A small generator (`xorshift64*`); its quality does not matter, that it never changes does.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.roll(from.len())]
    }
}

const NAMES: &[&str] = &["a", "b", "c", "d"];
const TEXTS: &[&str] = &["x", "hello", "some-longer-text", "1234567890"];
const MODES: &[&str] = &["644", "600", "755", "4755", "2755", "1777", "000", "400"];
const OWNERS: &[&str] = &["0 0", "1 2", "65534 65534", "7 -", "- 8"];
const DIRECTORY_MODES: &[&str] = &["755", "2775", "700"];
const STEPS: usize = 200;

/// A script for a seed.
pub(crate) fn script(seed: u64) -> Script {
    make(seed, false)
}

/// One in whose lower layers files have several names.
pub(crate) fn script_with_links(seed: u64) -> Script {
    make(seed, true)
}

fn make(seed: u64, has_links: bool) -> Script {
    let mut maker = Maker {
        dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        known: Vec::new(),
        text: String::new(),
        files: Vec::new(),
    };
    let layers = 1 + maker.dice.roll(3);
    for layer in (0..layers).rev() {
        maker.fixture(layer, layer + 1 == layers);
        if has_links {
            maker.fixture_links(layer);
        }
    }
    for number in 0..STEPS {
        let step = maker.step(number);
        maker.text.push_str(&step);
        maker.text.push('\n');
    }
    Script::parse(&maker.text)
}

struct Maker {
    dice: Dice,
    /// Paths that have been something once.
    known: Vec<String>,
    text: String,
    /// What is no directory in the layer that is being made.
    files: Vec<String>,
}

impl Maker {
    fn line(&mut self, layer: usize, words: &str, path: &str) {
        let _ = writeln!(self.text, "{layer} {words}");
        let kind = words.split(' ').next().unwrap_or_default();
        if matches!(kind, "file" | "symlink" | "fifo") {
            self.files.push(path.to_owned());
        }
        self.known.push(path.to_owned());
    }

    /// Files of one layer. Every name is used once, so that no line can fail.
    fn fixture(&mut self, layer: usize, is_lowest: bool) {
        for name in NAMES {
            let text = self.dice.pick(TEXTS);
            match self.dice.roll(9) {
                0 | 1 => self.line(layer, &format!("file {name} {text}"), name),
                2 => self.line(layer, &format!("symlink /dev/null {name}"), name),
                3 if !is_lowest => self.line(layer, &format!("whiteout {name}"), name),
                3 => {}
                _ => self.fixture_directory(layer, name, is_lowest),
            }
        }
    }

    /// More names for some of the files of a layer.
    fn fixture_links(&mut self, layer: usize) {
        let files = std::mem::take(&mut self.files);
        for at in 0..files.len().min(6) {
            let file = &files[self.dice.roll(files.len())];
            let path = format!("{}{at}", self.dice.pick(&["l", "m", "n"]));
            self.line(layer, &format!("link {file} {path}"), &path);
            self.known.push(file.clone());
        }
    }

    fn fixture_directory(&mut self, layer: usize, name: &str, is_lowest: bool) {
        let mode = self.dice.pick(DIRECTORY_MODES);
        self.line(layer, &format!("dir {name} {mode}"), name);
        // Opaque `x` tells that empty files in it may be whiteouts.
        let mut can_have_marks = false;
        match self.dice.roll(6) {
            0 => self.line(layer, &format!("mark {name} opaque y"), name),
            1 => {
                self.line(layer, &format!("mark {name} opaque x"), name);
                can_have_marks = true;
                // No step can name it, so that the directory is never empty: one in which nothing but such
                // whiteouts is left is not empty to the kernel when it is to be removed.
                let _ = writeln!(self.text, "{layer} file {name}/kept x");
            }
            _ => {}
        }
        for child in NAMES {
            let path = format!("{name}/{child}");
            let text = self.dice.pick(TEXTS);
            match self.dice.roll(9) {
                0..=2 => self.line(layer, &format!("file {path} {text}"), &path),
                3 => self.line(layer, &format!("dir {path}"), &path),
                4 => {
                    let below = format!("{path}/{}", self.dice.pick(NAMES));
                    self.line(layer, &format!("file {below} z"), &below);
                }
                5 if !is_lowest => self.line(layer, &format!("whiteout {path}"), &path),
                6 => self.line(layer, &format!("fifo {path} 644"), &path),
                7 if !is_lowest && can_have_marks => {
                    self.line(layer, &format!("file {path} -"), &path);
                    self.line(layer, &format!("mark {path} whiteout y"), &path);
                    // Where another name of it would be, the kernel has a whiteout or not, as it has looked into
                    // this directory before or not.
                    self.files.pop();
                }
                _ => {}
            }
        }
    }

    /// Mostly a path that may be there.
    fn path(&mut self) -> String {
        if self.known.is_empty() || self.dice.roll(8) == 0 {
            return self.dice.pick(NAMES).to_owned();
        }
        let at = self.dice.roll(self.known.len());
        self.known[at].clone()
    }

    /// Often a path that is free, in a directory that may be there.
    fn new_path(&mut self) -> String {
        let mut path = self.path();
        if path.matches('/').count() < 3 && self.dice.roll(3) > 0 {
            path = format!("{path}/{}", self.dice.pick(NAMES));
        }
        self.known.push(path.clone());
        path
    }

    fn step(&mut self, number: usize) -> String {
        let one = self.path();
        let dice = &mut self.dice;
        let text = dice.pick(TEXTS);
        let mode = dice.pick(MODES);
        let owner = dice.pick(OWNERS);
        let handle = dice.pick(&["h", "i"]);
        let name = dice.pick(NAMES);
        let size = dice.roll(12);
        let space = dice.pick(&["trusted", "user"]);
        match dice.roll(48) {
            0..=2 => format!("create {} {mode}", self.new_path()),
            3..=6 => format!("mkdir {} 755", self.new_path()),
            7 => format!("symlink /dev/null {}", self.new_path()),
            8 => format!("fifo {} 644", self.new_path()),
            9 => format!("write {one} {text}"),
            10 => format!("append {one} {text}"),
            11 => format!("otrunc {one} {text}"),
            12 => format!("trunc {one} {size}"),
            13 => format!("read {one}"),
            14 => format!("chmod {one} {mode}"),
            15 => format!("chown {one} {owner}"),
            16 => format!("times {one} 1000 {}", 2000 + number),
            17 => format!("setx {one} user.{name} {text}"),
            18 => format!("rmx {one} user.{name}"),
            19..=22 => format!("unlink {one}"),
            23..=26 => format!("rmdir {one}"),
            27..=31 => format!("rename {one} {}", self.new_path()),
            32 => format!("rename {one} {} noreplace", self.new_path()),
            33 | 34 => format!("rename {one} {} exchange", self.path()),
            35..=37 => format!("link {one} {}", self.new_path()),
            38 => format!("list {one}"),
            39 => format!("stat {one}"),
            // The kernel cannot copy up what was unlinked; `h` is up before.
            40 if handle == "h" => format!("open h {one} rw"),
            40 => format!("open i {one} r"),
            41 => format!("hwrite {handle} {size} {text}"),
            42 => format!("hread {handle}"),
            43 => format!("hstat {handle}"),
            44 => format!("hchmod h {mode}"),
            45 => format!("tmpfile h {one} 640"),
            46 => format!("hlink {handle} {}", self.new_path()),
            _ if number.is_multiple_of(3) => "remount".to_owned(),
            // A mark one level up, which a program keeps for a mount of its own.
            _ if number.is_multiple_of(2) => format!("setx {one} {space}.overlay.{name} {text}"),
            _ => format!("setx {one} trusted.t {text}"),
        }
    }
}
