//! Choosing cases by their ids.

use glob::Pattern;

/// Selects ids. Without any part it selects all; with several, any of them selects.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    /// Contained in the id.
    Text(String),
    /// Matches the whole id.
    Glob(Pattern),
}

impl Filter {
    /// Reads the parts of a filter: a text that the id contains, or a glob with `*` (any characters,
    /// `/` too) or `?` (any one) on the whole id. Brackets stand for themselves, since ids have them.
    pub fn new(parts: &[String]) -> Self {
        Self {
            parts: parts.iter().map(|part| Part::new(part)).collect(),
        }
    }

    /// Whether a case is selected, by its id (`volumes/x[access=ro]`) or the id with its engine
    /// (`volumes/x[access=ro]@docker`).
    pub fn selects(&self, id: &str, engine: &str) -> bool {
        if self.parts.is_empty() {
            return true;
        }
        let full = format!("{id}@{engine}");
        self.parts.iter().any(|part| match part {
            // Only a text that names an engine looks at it: `native` is no wish for everything.
            Part::Text(text) if text.contains('@') => full.contains(text),
            Part::Text(text) => id.contains(text),
            Part::Glob(pattern) => pattern.matches(id) || pattern.matches(&full),
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl Part {
    fn new(part: &str) -> Self {
        let text = Self::Text(part.to_owned());
        if !part.contains(['*', '?']) {
            return text;
        }
        let mut escaped = String::new();
        for character in part.chars() {
            match character {
                '[' => escaped.push_str("[[]"),
                ']' => escaped.push_str("[]]"),
                other => escaped.push(other),
            }
        }
        // `***` and `a**` are no globs in that library's eyes; as a text they select nothing, which
        // is reported as such.
        Pattern::new(&collapse_stars(&escaped)).map_or(text, Self::Glob)
    }
}

/// Several stars in a row mean what one does, since `*` matches `/` too.
fn collapse_stars(glob: &str) -> String {
    let mut collapsed = String::new();
    for character in glob.chars() {
        if character != '*' || !collapsed.ends_with('*') {
            collapsed.push(character);
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_select_ids() {
        let id = "volumes/readonly[access=ro]";
        for (parts, selected) in [
            (vec![], true),
            (vec!["volumes"], true),
            (vec!["readonly[access=ro]"], true),
            (vec!["readonly[access=rw]"], false),
            (vec!["volumes/*"], true),
            (vec!["volumes/**"], true),
            (vec!["**/readonly*"], true),
            (vec!["*[access=r?]"], true),
            (vec!["*[access=r?]@native"], true),
            (vec!["*[access=r?]@docker"], false),
            (vec!["@native"], true),
            (vec!["native"], false),
            (vec!["read*"], false),
            (vec!["binds", "volumes"], true),
            (vec!["binds", "tmpfs/*"], false),
        ] {
            let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
            assert_eq!(
                Filter::new(&parts).selects(id, "native"),
                selected,
                "{parts:?}"
            );
        }
    }
}
