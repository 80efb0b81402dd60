//! Random scripts, the same for the same seed.

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

const NAMES: &[&str] = &["a", "b", "c", "d", "e"];
const TEXTS: &[&str] = &["x", "hello", "some-longer-text", "1234567890"];
const MODES: &[&str] = &["644", "600", "755", "4755", "2755", "1777", "000", "400"];
const OWNERS: &[&str] = &["0 0", "1 2", "65534 65534", "7 -", "- 8"];
const STEPS: usize = 120;

/// A script for a seed.
pub fn script(seed: u64) -> Script {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut text = String::new();
    let layers = 1 + dice.roll(3);
    for layer in (0..layers).rev() {
        fixture(&mut dice, layer, layers, &mut text);
    }
    for number in 0..STEPS {
        let step = step(&mut dice, number);
        text.push_str(&step);
        text.push('\n');
    }
    Script::parse(&text)
}

/// Files of one layer. Every name is used once, so that no line can fail.
fn fixture(dice: &mut Dice, layer: usize, layers: usize, text: &mut String) {
    let line = |text: &mut String, words: String| {
        text.push_str(&format!("{layer} {words}\n"));
    };
    for name in NAMES {
        match dice.roll(8) {
            0 | 1 => line(text, format!("file {name} {}", dice.pick(TEXTS))),
            2 => line(text, format!("symlink /dev/null {name}")),
            3 if layer + 1 < layers => line(text, format!("whiteout {name}")),
            3 | 4 => {}
            _ => {
                line(
                    text,
                    format!("dir {name} {}", dice.pick(&["755", "2775", "700"])),
                );
                if dice.roll(4) == 0 {
                    line(text, format!("mark {name} opaque y"));
                }
                for child in NAMES {
                    match dice.roll(9) {
                        0..=2 => line(text, format!("file {name}/{child} {}", dice.pick(TEXTS))),
                        3 => line(text, format!("dir {name}/{child}")),
                        4 => line(text, format!("file {name}/{child}/{} z", dice.pick(NAMES))),
                        5 if layer + 1 < layers => {
                            line(text, format!("whiteout {name}/{child}"));
                        }
                        6 => line(text, format!("fifo {name}/{child} 644")),
                        _ => {}
                    }
                }
            }
        }
    }
}

fn path(dice: &mut Dice) -> String {
    let depth = 1 + dice.roll(3);
    let parts: Vec<&str> = (0..depth).map(|_| dice.pick(NAMES)).collect();
    parts.join("/")
}

fn step(dice: &mut Dice, number: usize) -> String {
    let (one, two) = (path(dice), path(dice));
    let text = dice.pick(TEXTS);
    let mode = dice.pick(MODES);
    let owner = dice.pick(OWNERS);
    let handle = dice.pick(&["h", "i"]);
    match dice.roll(40) {
        0 | 1 => format!("create {one} {mode}"),
        2..=4 => format!("mkdir {one} 755"),
        5 => format!("symlink /dev/null {one}"),
        6 => format!("fifo {one} 644"),
        7 => format!("write {one} {text}"),
        8 => format!("append {one} {text}"),
        9 => format!("otrunc {one} {text}"),
        10 => format!("trunc {one} {}", dice.roll(12)),
        11 => format!("read {one}"),
        12 => format!("chmod {one} {mode}"),
        13 => format!("chown {one} {owner}"),
        14 => format!("times {one} 1000 {}", 2000 + number),
        15 => format!("setx {one} user.{} {text}", dice.pick(NAMES)),
        16 => format!("rmx {one} user.{}", dice.pick(NAMES)),
        17..=20 => format!("unlink {one}"),
        21..=23 => format!("rmdir {one}"),
        24..=27 => format!("rename {one} {two}"),
        28 => format!("rename {one} {two} noreplace"),
        29 => format!("rename {one} {two} exchange"),
        30 | 31 => format!("link {one} {two}"),
        32 => format!("list {one}"),
        33 => format!("stat {one}"),
        34 => format!("open {handle} {one} {}", dice.pick(&["r", "rw"])),
        35 => format!("hwrite {handle} {} {text}", dice.roll(9)),
        36 => format!("hread {handle}"),
        37 => format!("hstat {handle}"),
        38 => format!("rename {one} {two}"),
        _ if dice.roll(4) == 0 => "remount".to_owned(),
        _ => format!("setx {one} trusted.t {text}"),
    }
}
