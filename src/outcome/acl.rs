//! POSIX ACLs, as the kernel hands them out in extended attributes, in words.
//!
//! Format: `linux/posix_acl_xattr.h`: a 32-bit version 2, then entries of 16-bit tag, 16-bit
//! permissions, 32-bit id, all little-endian.

const HEADER: [u8; 4] = [2, 0, 0, 0];

/// The ACL as `getfacl --omit-header` writes it, on one line. `None` for another attribute, or when
/// the bytes are no ACL.
pub(super) fn decode(name: &str, value: &[u8]) -> Option<String> {
    if !matches!(name, "system.posix_acl_access" | "system.posix_acl_default") {
        return None;
    }
    let entries = value.strip_prefix(&HEADER)?;
    let (entries, rest) = entries.as_chunks::<8>();
    if !rest.is_empty() {
        return None;
    }
    let words: Option<Vec<String>> = entries.iter().copied().map(entry).collect();
    Some(words?.join(","))
}

fn entry(bytes: [u8; 8]) -> Option<String> {
    let [tag0, tag1, bits, 0, id0, id1, id2, id3] = bytes else {
        return None;
    };
    let id = u32::from_le_bytes([id0, id1, id2, id3]);
    let who = match u16::from_le_bytes([tag0, tag1]) {
        0x01 => "user:".to_owned(),
        0x02 => format!("user:{id}"),
        0x04 => "group:".to_owned(),
        0x08 => format!("group:{id}"),
        0x10 => "mask:".to_owned(),
        0x20 => "other:".to_owned(),
        _ => return None,
    };
    let letter = |bit: u8, letter: char| if bits & bit == 0 { '-' } else { letter };
    Some(format!(
        "{who}:{}{}{}",
        letter(4, 'r'),
        letter(2, 'w'),
        letter(1, 'x')
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acls_are_decoded_and_others_are_not() {
        let mut acl = vec![2, 0, 0, 0];
        for (tag, bits, id) in [
            (1_u16, 7_u16, u32::MAX),
            (2, 5, 1000),
            (4, 0, u32::MAX),
            (16, 7, u32::MAX),
            (32, 4, u32::MAX),
        ] {
            acl.extend(tag.to_le_bytes());
            acl.extend(bits.to_le_bytes());
            acl.extend(id.to_le_bytes());
        }
        let access = "system.posix_acl_access";
        let decoded = "user::rwx,user:1000:r-x,group::---,mask::rwx,other::r--";
        assert_eq!(decode(access, &acl).as_deref(), Some(decoded));
        assert_eq!(decode("user.x", &acl), None);
        assert_eq!(decode(access, &acl[..acl.len() - 1]), None);
        assert_eq!(decode(access, b"\x01\0\0\0"), None);
    }
}
