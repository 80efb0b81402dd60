//! Words for messages: quoting what was written, lists of alternatives, "did you mean".

/// Longest piece of the source that a message repeats, in characters.
const QUOTE_MAX: usize = 60;

/// Most names that are compared with what was written.
const CANDIDATES_MAX: usize = 1000;

/// What was written, in backticks, without control characters, cut when long.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(QUOTE_MAX)
        .flat_map(|c| escape(c).collect::<Vec<_>>())
        .collect();
    if text.chars().nth(QUOTE_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A character as it is, or its escape when it would act on a terminal.
pub(crate) fn escape(character: char) -> impl Iterator<Item = char> {
    let harmful = character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = harmful.then(|| character.escape_default());
    let plain = (!harmful).then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

/// `a`, `b` or `c`, each in backticks.
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The candidate that was probably meant.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Names are short; comparing long text would cost its length times that of every candidate.
    let length = written.chars().take(65).count();
    if length > 64 {
        return None;
    }
    let folded = fold(written);
    candidates
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= 256)
        .map(|candidate| (strsim::osa_distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| {
            *distance < length && *distance <= length.max(candidate.len()).div_ceil(3).min(4)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `_`, `-` and blanks are often taken for each other.
fn fold(name: &str) -> String {
    name.chars()
        .map(|c| {
            if matches!(c, '_' | '-' | ' ') {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// The help for an unknown name: what was probably meant, or else all there is when that is short.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(name) = nearest(written, candidates.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let count = candidates.clone().into_iter().count();
    (1..=12)
        .contains(&count)
        .then(|| format!("it may be {}", one_of(candidates)))
}
