//! A symlink in an archive that the `tar` crate writes, with its text as it is.

use std::io::{self, Read as _, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

/// Adds a symlink with these attributes. The crate's own way takes the text for a path, and leaves out what a path can do without:
/// `../etc/.` would be `../etc`.
///
/// # Errors
/// What the writer gives; a path that an archive cannot hold.
pub fn append_symlink<W: Write>(
    builder: &mut Builder<W>,
    header: &mut Header,
    path: &Path,
    text: &[u8],
) -> io::Result<()> {
    if header.set_link_name_literal(text).is_err() {
        // As GNU tar puts what does not fit.
        let mut long = Header::new_gnu();
        long.set_entry_type(EntryType::GNULongLink);
        long.set_path("@LongLink")?;
        long.set_size(text.len() as u64 + 1);
        long.set_cksum();
        builder.append(&long, text.chain(&[0_u8][..]))?;
    }
    header.set_entry_type(EntryType::Symlink);
    builder.append_data(header, path, io::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_as_it_is() {
        let long = format!("{}/.", "a/./".repeat(40));
        let longer = "x".repeat(300);
        let texts = ["../etc/.", "a//b/", "./a", ".", &long, &longer];
        let mut builder = Builder::new(Vec::new());
        for (number, text) in texts.iter().enumerate() {
            let mut header = Header::new_gnu();
            header.set_size(0);
            let path = format!("{}{number}", "deep/".repeat(number * 30));
            append_symlink(&mut builder, &mut header, path.as_ref(), text.as_bytes()).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let seen: Vec<(bool, Vec<u8>)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let is_link = entry.header().entry_type() == EntryType::Symlink;
                (is_link, entry.link_name_bytes().unwrap().into_owned())
            })
            .collect();
        let expected = texts.map(|text| (true, text.as_bytes().to_vec()));
        assert_eq!(seen, expected);
    }
}
