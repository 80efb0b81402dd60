//! Quoting: one line whatever the bytes are, and nothing that a comparison could overlook.

use std::fmt::{Arguments, Write as _};

use sha2::{Digest as _, Sha256};

/// Longest content, in characters as quoted, that is shown whole.
const WHOLE_MAX: usize = 72;
/// How much is shown of a longer one.
const SHOWN: usize = 40;
/// How many hexadecimal digits of a digest are shown.
const DIGEST_DIGITS: usize = 16;

/// Appends formatted text.
pub(super) fn add(text: &mut String, words: Arguments<'_>) {
    // Writing to a string cannot fail.
    text.write_fmt(words).ok();
}

/// Bytes in double quotes: `\n`, `\t`, `\r`, `\0`, `\"`, `\\`, `\u{…}` for characters that do not
/// print, `\xNN` for bytes that are not UTF-8.
pub fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => quoted.extend(['\\', character]),
                ' '..='~' => quoted.push(character),
                other => quoted.extend(other.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            add(&mut quoted, format_args!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

/// A name or path as one word: as it is when it cannot be misread, else quoted.
pub fn word(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        quote(text.as_bytes())
    }
}

/// A path of an observed tree as one word. Such a path is escaped already, so that only a space or
/// a quote still needs quotes, and its backslashes stay as they are. One that an engine has not escaped ends no
/// line and speaks to no terminal.
pub(super) fn seen_path(path: &str) -> String {
    if path.chars().any(char::is_control) {
        return quote(path.as_bytes());
    }
    if path.is_empty() || path.contains([' ', '"']) {
        format!("\"{}\"", path.replace('"', "\\\""))
    } else {
        path.to_owned()
    }
}

/// Content in one line: whole when it is short, else its beginning, its length in bytes and its
/// digest.
pub fn content(bytes: &[u8]) -> String {
    // Every byte takes at least a quarter of a character once decoded.
    if bytes.len() <= WHOLE_MAX * 4 {
        let quoted = quote(bytes);
        if quoted.chars().count() <= WHOLE_MAX {
            return quoted;
        }
    }
    let start = quote(bytes.get(..SHOWN).unwrap_or(bytes));
    format!("{start}… {}", measured(bytes.len() as u64, &sha256(bytes)))
}

/// Content of which only the length and the digest are known.
pub(super) fn measured(size: u64, sha256: &str) -> String {
    let digits = sha256.get(..DIGEST_DIGITS).unwrap_or(sha256);
    format!("{size} bytes sha256:{}", word(digits))
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        add(&mut text, format_args!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        for (bytes, quoted) in [
            (&b""[..], r#""""#),
            (b"1\n", r#""1\n""#),
            (b"a\t\"b\"\\'\0", r#""a\t\"b\"\\'\0""#),
            (b"\xff\xfeok", r#""\xff\xfeok""#),
            ("é\u{202e}\u{feff}".as_bytes(), r#""é\u{202e}\u{feff}""#),
            (b"\x1b[31m", r#""\u{1b}[31m""#),
            ("a\u{301}".as_bytes(), r#""a\u{301}""#),
        ] {
            assert_eq!(quote(bytes), quoted);
        }
    }

    #[test]
    fn words() {
        for (text, shown) in [
            ("/data/rows", "/data/rows"),
            ("/a b", r#""/a b""#),
            ("", r#""""#),
            ("/a\nb", r#""/a\nb""#),
            ("it's", "it's"),
        ] {
            assert_eq!(word(text), shown);
        }
        assert_eq!(seen_path(r"/a\nb"), r"/a\nb");
        assert_eq!(seen_path("/a \"b"), r#""/a \"b""#);
        assert_eq!(seen_path("/a\n\x1b"), r#""/a\n\u{1b}""#);
        assert_eq!(measured(5, "a\nb"), r#"5 bytes sha256:"a\nb""#);
    }

    #[test]
    fn long_content_is_cut_with_its_digest() {
        let long = "0123456789".repeat(10);
        assert_eq!(
            content(long.as_bytes()),
            "\"0123456789012345678901234567890123456789\"… 100 bytes sha256:9cfe7faff7054298"
        );
        let other = long.replace('9', "8");
        assert_ne!(content(long.as_bytes()), content(other.as_bytes()));
        assert_eq!(content(&[0xff; 17]), quote(&[0xff; 17]));
        assert!(content(&[0xff; 18]).contains("… 18 bytes sha256:"));
    }
}
