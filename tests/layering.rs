//! Holds the source to its own rules: which module may use which, how long a file may be, and what is
//! written in one place only. The table of allowed edges is read from `CONTRIBUTING.md`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 500;

#[test]
fn imports_follow_the_arrows() {
    let table = table(&fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap());
    let mut wrong = Vec::new();
    for file in sources() {
        wrong.extend(wrong_imports(&file, &table));
    }
    assert!(
        wrong.is_empty(),
        "against the table in CONTRIBUTING.md:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_row_of_the_table_is_a_module() {
    let table = table(&fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap());
    let files = sources();
    for module in table.keys() {
        let exists = files
            .iter()
            .any(|file| row_of(&file.module, &table) == Some(module));
        assert!(exists, "`{module}` has a row but no file");
    }
}

#[test]
fn no_file_is_too_long() {
    for file in sources() {
        let lines = file.text.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines", file.path.display());
    }
}

#[test]
fn what_belongs_in_one_place_is_there_only() {
    let mut wrong = Vec::new();
    for (word, place) in [
        ("serde_yaml", "scenario/source"),
        ("unsafe", "sys"),
        ("env::var", "environment.rs"),
    ] {
        for file in sources() {
            let inner = file.path.strip_prefix(root().join("src")).unwrap();
            if inner.starts_with(place) {
                continue;
            }
            for (number, line) in code_lines(&file.text) {
                if has_word(&line, word) {
                    wrong.push(format!("{}:{number}: {word}", file.path.display()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "only in their places:\n{}",
        wrong.join("\n")
    );
}

/// A file under `src` and the path of its module: `["engine", "native"]`.
struct Source {
    path: PathBuf,
    module: Vec<String>,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let inner = path
                    .strip_prefix(root().join("src"))
                    .unwrap()
                    .with_extension("");
                let mut module: Vec<String> = inner
                    .iter()
                    .map(|part| part.to_str().unwrap().to_owned())
                    .collect();
                if module.last().is_some_and(|last| last == "mod") {
                    module.pop();
                }
                files.push(Source {
                    module,
                    text: fs::read_to_string(&path).unwrap(),
                    path,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Module → the modules that it may use; `everything` stands for all.
fn table(markdown: &str) -> BTreeMap<String, Vec<String>> {
    let section = markdown
        .split("## Which way data flows")
        .nth(1)
        .expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let mut table = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let names = |cell: &str| -> Vec<String> {
            cell.split(',')
                .map(|name| name.trim().trim_matches('`').to_owned())
                .collect()
        };
        let previous = table.insert(names(cells[0])[0].clone(), names(cells[2]));
        assert!(previous.is_none(), "two rows: {line}");
    }
    assert!(table.len() > 10, "the table is there");
    table
}

/// The row for a module: the longest name that is a prefix of its path.
fn row_of<'a>(module: &[String], table: &'a BTreeMap<String, Vec<String>>) -> Option<&'a String> {
    (1..=module.len())
        .rev()
        .find_map(|length| table.get_key_value(&module[..length].join("::")))
        .map(|(name, _)| name)
}

fn wrong_imports(file: &Source, table: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    if is_for_tests(file) {
        return Vec::new();
    }
    let place = |number: usize| format!("{}:{number}", file.path.display());
    let Some(own) = row_of(&file.module, table) else {
        return vec![format!(
            "{}: `{}` has no row",
            place(1),
            file.module.join("::")
        )];
    };
    let allowed = &table[own];
    let mut wrong = Vec::new();
    for (number, path) in crate_paths(file) {
        let Some(used) = row_of(&path, table) else {
            wrong.push(format!(
                "{}: `{}` has no row",
                place(number),
                path.join("::")
            ));
            continue;
        };
        let may = used == own
            || allowed
                .iter()
                .any(|name| name == used || name == "everything");
        if !may {
            wrong.push(format!("{}: `{own}` uses `{used}`", place(number)));
        }
    }
    wrong
}

/// Every path of the crate that a file names, with the number of its line.
fn crate_paths(file: &Source) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    let lines = shipped(file);
    let code: String = lines
        .iter()
        .flat_map(|(_, line)| [line.as_str(), "\n"])
        .collect();
    let start = if file.module == ["main"] {
        "layerspec::"
    } else {
        "crate::"
    };
    for (at, _) in code.match_indices(start) {
        let line = code[..at].matches('\n').count() + 1;
        for path in targets(&code[at + start.len()..]) {
            paths.push((line, path));
        }
    }
    // `super::` that climbs out of the top-level module names the crate in another way.
    let climb = "super::".repeat(file.module.len());
    for (at, _) in code.match_indices(&climb) {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + climb.len()..];
        if !rest.starts_with("super::") && !code[..at].ends_with("::") {
            paths.extend(targets(rest).into_iter().map(|path| (line, path)));
        }
    }
    paths
}

/// Whether a file is only there for unit tests.
fn is_for_tests(file: &Source) -> bool {
    file.module
        .iter()
        .any(|part| part == "tests" || part == "testing")
}

/// The lines of code that are not only there for unit tests, which stand at the end of a file.
fn shipped(file: &Source) -> Vec<(usize, String)> {
    let is_tests = |line: &str| line.starts_with("mod tests {");
    code_lines(&file.text)
        .into_iter()
        .take_while(|(_, line)| !is_tests(line))
        .collect()
}

/// The one or two leading names of each path: `a::b::c` is `a::b`, `{a::b, c}` is both.
fn targets(text: &str) -> Vec<Vec<String>> {
    let Some(group) = text.strip_prefix('{') else {
        let names = text.split("::").take(2).map(|part| {
            part.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        });
        return vec![names.take_while(|name| !name.is_empty()).collect()];
    };
    let mut depth = 1;
    let mut items = vec![String::new()];
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => items.push(String::new()),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        let separator = character == ',' && depth == 1;
        if !separator && !character.is_whitespace() {
            items.last_mut().unwrap().push(character);
        }
    }
    items
        .iter()
        .filter(|item| !item.is_empty())
        .flat_map(|item| targets(item))
        .collect()
}

/// Numbered lines without comments and without what is in string literals.
fn code_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    // What ends the string literal that is open at the start of a line.
    let mut open: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let mut code = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            if let Some(end) = &open {
                let escaped = end == "\"" && rest.starts_with('\\');
                let step = if escaped { 2 } else { 1 };
                if let Some(after) = rest.strip_prefix(end.as_str()) {
                    rest = after;
                    open = None;
                } else {
                    let mut characters = rest.chars();
                    drop(characters.by_ref().take(step).collect::<String>());
                    rest = characters.as_str();
                }
            } else if rest.starts_with("//") {
                break;
            } else if let Some(after) = rest.strip_prefix("'\"'") {
                rest = after;
            } else if let Some((hashes, after)) = raw_string(rest) {
                open = Some(format!("\"{}", "#".repeat(hashes)));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('"') {
                open = Some("\"".to_owned());
                rest = after;
            } else {
                let mut characters = rest.chars();
                code.extend(characters.next());
                rest = characters.as_str();
            }
        }
        lines.push((index + 1, code));
    }
    lines
}

/// The number of hashes of a raw string literal that starts here, and what follows its quote.
fn raw_string(text: &str) -> Option<(usize, &str)> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.chars().take_while(|c| *c == '#').count();
    rest[hashes..]
        .strip_prefix('"')
        .filter(|_| hashes > 0)
        .map(|after| (hashes, after))
}

fn has_word(line: &str, word: &str) -> bool {
    let boundary = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
    line.match_indices(word).any(|(at, _)| {
        boundary(line[..at].chars().next_back()) && {
            let rest = &line[at + word.len()..];
            // `env::var_os` reads the environment too, `unsafe_code` is only a lint's name.
            boundary(rest.chars().next()) || word == "env::var"
        }
    })
}

/// Module, text, and what is wrong with it.
const FORMS: &[(&str, &str, Option<&str>)] = &[
    ("union::copy", "use crate::sys::open;", None),
    ("union::copy", "use crate::union::Node;", None),
    (
        "union::copy",
        "use crate::engine::Kind;",
        Some("`union` uses `engine`"),
    ),
    (
        "union::copy",
        "use crate::{sys::x, engine};",
        Some("`union` uses `engine`"),
    ),
    (
        "union::copy",
        "use crate::{\n  sys::{a, b},\n  engine::Kind,\n};",
        Some("`engine`"),
    ),
    (
        "union::copy",
        "fn f() { crate::cli::main() }",
        Some("`union` uses `cli`"),
    ),
    (
        "union::copy",
        "use super::super::engine::Kind;",
        Some("`union` uses `engine`"),
    ),
    ("union::copy", "// use crate::engine::Kind;", None),
    ("union::copy", "/// See [`crate::engine::Kind`].", None),
    ("union::copy", "let x = \"crate::engine\";", None),
    ("union::copy", "let x = r#\"\" crate::engine\"#;", None),
    (
        "union::copy",
        "let x = ('\"', \"\\\"\"); crate::engine::f()",
        Some("`union` uses `engine`"),
    ),
    ("union::copy", "use super::node;", None),
    (
        "engine::file",
        "use crate::engine::native::Native;",
        Some("uses `engine::native`"),
    ),
    ("engine::native::files", "use crate::engine::Kind;", None),
    (
        "engine::native::files",
        "use crate::sys::x;",
        Some("uses `sys`"),
    ),
    ("cli::run", "use crate::engine::native::Native;", None),
    ("union::tests", "use crate::engine::Kind;", None),
    (
        "union::a",
        "mod tests {\n    use crate::engine::Kind;\n}",
        None,
    ),
    ("stray", "", Some("`stray` has no row")),
];

#[test]
fn the_reader_of_imports_sees_every_form() {
    let table: BTreeMap<String, Vec<String>> = [
        ("union", vec!["sys"]),
        ("sys", vec!["nothing"]),
        ("engine", vec!["nothing"]),
        ("engine::native", vec!["engine", "union"]),
        ("cli", vec!["everything"]),
    ]
    .into_iter()
    .map(|(name, uses)| {
        (
            name.to_owned(),
            uses.into_iter().map(str::to_owned).collect(),
        )
    })
    .collect();
    for (module, text, wrong) in FORMS {
        let file = Source {
            path: PathBuf::from("file.rs"),
            module: module.split("::").map(str::to_owned).collect(),
            text: (*text).to_owned(),
        };
        let seen = wrong_imports(&file, &table).join("\n");
        match wrong {
            None => assert_eq!(seen, "", "{module}: {text}"),
            Some(wrong) => assert!(seen.contains(wrong), "{module}: {text}: {seen}"),
        }
    }
}
