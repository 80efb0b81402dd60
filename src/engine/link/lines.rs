//! From what comes out of a pipe, in pieces, to replies.

use super::Read;
use crate::engine::escape;

/// How much of a line is shown that is no reply, in bytes.
const SHOWN: usize = 200;

/// How much is shown of what is wrong with it, in bytes: the words of a library, which repeat some of the line.
const WHY: usize = 600;

/// Puts lines together and reads them.
pub(in crate::engine) struct Lines<G> {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    longest: usize,
    read: fn(&[u8]) -> Read<G>,
}

impl<G> Lines<G> {
    /// No line may be longer than `longest` bytes, its newline counted.
    pub(in crate::engine) fn new(longest: usize, read: fn(&[u8]) -> Read<G>) -> Self {
        Self {
            line: Vec::new(),
            longest,
            read,
        }
    }

    /// Takes more of standard output: every whole line is a reply, and handed over. Nobody waits for one where
    /// that gives `false`.
    pub(in crate::engine) fn feed(
        &mut self,
        fresh: &[u8],
        hand_over: impl Fn(u64, Result<G, String>) -> bool,
    ) -> Result<(), String> {
        for piece in fresh.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > self.longest {
                let longest = self.longest >> 20;
                return Err(format!("it wrote a line of more than {longest} MiB"));
            }
            if self.line.pop_if(|byte| *byte == b'\n').is_some() {
                let (id, given) = (self.read)(&self.line).map_err(|why| {
                    let why = beginning(why.as_bytes(), WHY);
                    format!("it wrote what is no reply: {why}: {}", self.shown())
                })?;
                if !hand_over(id, given) {
                    return Err(format!(
                        "it answered request {id}, which waits for no answer: {}",
                        self.shown()
                    ));
                }
                self.line.clear();
            }
        }
        Ok(())
    }

    fn shown(&self) -> String {
        beginning(&self.line, SHOWN)
    }
}

/// The beginning of something, for a message.
fn beginning(bytes: &[u8], most: usize) -> String {
    match bytes.get(..most) {
        None => escape(bytes),
        Some(beginning) => format!("{}…", escape(beginning)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fed with pieces of so many bytes: what was handed over, and what was said in the end.
    fn fed(text: &str, piece: usize) -> (Vec<u64>, Result<(), String>) {
        let mut lines = Lines::new(2000, |line| {
            let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
            let id = text.parse().map_err(|_| format!("no number: {text}"))?;
            Ok((id, Ok(())))
        });
        let ids = std::cell::RefCell::new(Vec::new());
        let end = text.as_bytes().chunks(piece).try_for_each(|piece| {
            lines.feed(piece, |id, _| {
                ids.borrow_mut().push(id);
                id != 9
            })
        });
        (ids.into_inner(), end)
    }

    #[test]
    fn lines_are_the_same_in_whatever_pieces_they_come() {
        for (text, ids, said) in [
            ("1\n22\n3", vec![1, 22], None),
            (
                "1\n9\n3\n",
                vec![1, 9],
                Some("it answered request 9, which waits for no answer: 9"),
            ),
            (
                "1\na\x1b[2J\\\n3\n",
                vec![1],
                Some("it wrote what is no reply: no number: a\\x1b[2J\\\\: a\\x1b[2J\\\\"),
            ),
            (
                &"1".repeat(3000),
                vec![],
                Some("it wrote a line of more than 0 MiB"),
            ),
        ] {
            for piece in [1, 2, 3, 5000] {
                let end = said.map_or(Ok(()), |said| Err(said.to_owned()));
                assert_eq!(fed(text, piece), (ids.clone(), end), "{text} by {piece}");
            }
        }
    }

    #[test]
    fn no_more_is_repeated_than_can_be_read() {
        let text = format!("{}\n", "x".repeat(1900));
        let (_, end) = fed(&text, 100);
        let said = end.unwrap_err();
        assert!(said.len() < WHY + SHOWN + 60, "{said}");
    }
}
