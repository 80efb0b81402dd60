//! Paths and names as text: every engine escapes them alike.

use std::fmt::Write as _;

/// A path, a name or a link's text as a string: bytes that are not UTF-8 and control characters as
/// `\xNN`, but a newline as `\n`; a backslash as `\\`.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => text.push_str("\\n"),
                '\\' => text.push_str("\\\\"),
                other if other.is_control() => {
                    escape_bytes(&mut text, other.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => text.push(other),
            }
        }
        escape_bytes(&mut text, chunk.invalid());
    }
    text
}

fn escape_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _: std::fmt::Result = write!(text, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn only_what_cannot_be_shown_is_escaped() {
        for (bytes, expected) in [
            (&b"/etc/app.conf"[..], "/etc/app.conf"),
            ("/größe".as_bytes(), "/größe"),
            (b"/a\nb\tc", "/a\\nb\\x09c"),
            (b"C:\\init", "C:\\\\init"),
            (b"/\xff\xc3", "/\\xff\\xc3"),
            ("/\u{85}".as_bytes(), "/\\xc2\\x85"),
        ] {
            assert_eq!(escape(bytes), expected);
        }
    }
}
