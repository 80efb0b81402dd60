//! Scalars by their meaning: text, booleans, numbers, modes, owners, sizes, times, bytes, devices.
//! Each decoder notes what is wrong and then gives `None`.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::decoder::Decoder;
use super::fields::Fields;
use super::source::{Node, Value};
use super::words;
use crate::engine::{Bytes, DeviceKind, Time};

/// Text: any scalar, by its source text.
pub(crate) fn text(node: &Node, decoder: &mut Decoder<'_>) -> Option<String> {
    scalar(node, "text", decoder).map(str::to_owned)
}

/// The source text of a scalar.
pub(crate) fn scalar<'n>(
    node: &'n Node,
    expected: &str,
    decoder: &mut Decoder<'_>,
) -> Option<&'n str> {
    if let Value::Scalar(text) = &node.value {
        return Some(text);
    }
    decoder.unexpected(node, expected);
    None
}

/// A list of texts, or one text alone.
pub(crate) fn texts(node: &Node, decoder: &mut Decoder<'_>) -> Vec<String> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .filter_map(|item| text(item, decoder))
            .collect(),
        Value::Scalar(text) => vec![text.clone()],
        Value::Null | Value::Map(_) => {
            decoder.unexpected(node, "a list");
            Vec::new()
        }
    }
}

/// A mapping of texts.
pub(crate) fn labels(node: &Node, decoder: &mut Decoder<'_>) -> BTreeMap<String, String> {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping of names to texts");
        return BTreeMap::new();
    };
    pairs
        .iter()
        .filter_map(|pair| Some((pair.key.clone(), text(&pair.value, decoder)?)))
        .collect()
}

/// `true` or `false`.
pub(crate) fn boolean(node: &Node, decoder: &mut Decoder<'_>) -> Option<bool> {
    match &node.value {
        Value::Scalar(text) if text == "true" => Some(true),
        Value::Scalar(text) if text == "false" => Some(false),
        _ => {
            decoder.unexpected(node, "`true` or `false`");
            None
        }
    }
}

/// A whole number that is not negative.
pub(crate) fn number(node: &Node, decoder: &mut Decoder<'_>) -> Option<u64> {
    parsed(node, "a whole number", decoder, decimal)
}

/// A whole number.
pub(crate) fn integer(node: &Node, decoder: &mut Decoder<'_>) -> Option<i32> {
    parsed(node, "a whole number", decoder, |text| text.parse().ok())
}

/// A size or an offset in bytes.
pub(crate) fn size(node: &Node, decoder: &mut Decoder<'_>) -> Option<u64> {
    parsed(node, "a size such as 512, 4KiB or 1MB", decoder, parse_size)
}

/// Permission bits, octal however they are written.
pub(crate) fn mode(node: &Node, decoder: &mut Decoder<'_>) -> Option<u32> {
    parsed(node, "an octal mode such as 0644", decoder, parse_mode)
}

/// `uid:gid`, or `uid` for both.
pub(crate) fn owner(node: &Node, decoder: &mut Decoder<'_>) -> Option<(u32, u32)> {
    parsed(
        node,
        "an owner such as \"1000:1000\"",
        decoder,
        |text| match text.split_once(':') {
            Some((uid, gid)) => Some((id(uid)?, id(gid)?)),
            None => id(text).map(|both| (both, both)),
        },
    )
}

/// An owner of which one part may be missing, with its colon: `1000:` or `:1000`.
pub(crate) fn owner_change(
    node: &Node,
    decoder: &mut Decoder<'_>,
) -> Option<(Option<u32>, Option<u32>)> {
    let expected = "an owner such as \"1000:1000\", \"1000:\" or \":1000\"";
    let part = |text: &str| {
        if text.is_empty() {
            Some(None)
        } else {
            id(text).map(Some)
        }
    };
    parsed(node, expected, decoder, |text| match text.split_once(':') {
        Some(("", "")) => None,
        Some((uid, gid)) => Some((part(uid)?, part(gid)?)),
        None => id(text).map(|both| (Some(both), Some(both))),
    })
}

/// A point in time.
pub(crate) fn time(node: &Node, decoder: &mut Decoder<'_>) -> Option<Time> {
    parsed(
        node,
        "a time such as 2024-01-02T03:04:05Z, or seconds since 1970",
        decoder,
        parse_time,
    )
}

/// `c 1:3`
pub(crate) fn device(node: &Node, decoder: &mut Decoder<'_>) -> Option<(DeviceKind, u32, u32)> {
    parsed(node, "a device such as \"c 1:3\"", decoder, parse_device)
}

/// Base64 with padding (RFC 4648, section 4); blanks and line ends do not count.
pub(crate) fn base64(node: &Node, decoder: &mut Decoder<'_>) -> Option<Vec<u8>> {
    parsed(node, "base64", decoder, |text| {
        let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        STANDARD.decode(dense).ok()
    })
}

/// A SHA-256 in hexadecimal, in lower case.
pub(crate) fn sha256(node: &Node, decoder: &mut Decoder<'_>) -> Option<String> {
    parsed(
        node,
        "a SHA-256 of 64 hexadecimal digits",
        decoder,
        |text| {
            let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
            good.then(|| text.to_ascii_lowercase())
        },
    )
}

/// Bytes as a text, `{text: …}` or `{base64: …}`.
pub(crate) fn bytes(node: &Node, decoder: &mut Decoder<'_>) -> Option<Bytes> {
    if let Value::Scalar(text) = &node.value {
        return Some(Bytes::from(text.as_str()));
    }
    if !matches!(node.value, Value::Map(_)) {
        decoder.unexpected(node, "text, or bytes as `{base64: …}`");
        return None;
    }
    Fields::open(node, "content", &["text", "base64"], decoder)
        .map(|fields| bytes_of(&fields, decoder))
}

/// Bytes from the keys `text` or `base64`, exactly one of them.
pub(crate) fn bytes_of(fields: &Fields<'_>, decoder: &mut Decoder<'_>) -> Bytes {
    match (fields.get("text"), fields.pair("base64")) {
        (Some(node), None) => text(node, decoder).unwrap_or_default().as_str().into(),
        (None, Some(pair)) => base64(&pair.value, decoder).unwrap_or_default().into(),
        (None, None) => {
            decoder.fault(fields.spot(), "content is missing: `text` or `base64`");
            Bytes::default()
        }
        (Some(_), Some(pair)) => {
            decoder.fault(
                pair.spot(),
                "content is either `text` or `base64`, not both",
            );
            Bytes::default()
        }
    }
}

/// One of a few names.
pub(crate) fn choice<T: Copy>(
    node: &Node,
    what: &str,
    choices: &[(&str, T)],
    decoder: &mut Decoder<'_>,
) -> Option<T> {
    let names = || choices.iter().map(|(name, _)| *name);
    let Value::Scalar(text) = &node.value else {
        decoder.unexpected(node, &words::one_of(names()));
        return None;
    };
    let found = choices
        .iter()
        .find(|(name, _)| name == text)
        .map(|(_, value)| *value);
    if found.is_none() {
        decoder.fault_help(
            node.spot(),
            format!("unknown {what} {}", words::quote(text)),
            decoder.meant(text, names().collect::<Vec<_>>()),
        );
    }
    found
}

fn parsed<T>(
    node: &Node,
    expected: &str,
    decoder: &mut Decoder<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let value = match &node.value {
        Value::Scalar(text) => parse(text),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    };
    if value.is_none() {
        decoder.unexpected(node, expected);
    }
    value
}

/// Decimal digits alone; the standard library would take a sign too.
fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A user or group number. The largest means "leave as it is" to `chown` and names nobody.
fn id(text: &str) -> Option<u32> {
    decimal(text).filter(|id| *id != u32::MAX)
}

fn parse_mode(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let octal = !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = octal
        .then(|| u32::from_str_radix(digits, 8).ok())
        .flatten()?;
    (mode <= 0o7777).then_some(mode)
}

fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 8] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
    ];
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), *unit)))
        .unwrap_or((text, 1));
    // Offsets of files are signed on Linux.
    decimal::<u64>(digits)?
        .checked_mul(unit)
        .filter(|size| i64::try_from(*size).is_ok())
}

fn parse_time(text: &str) -> Option<Time> {
    if text.contains(['T', 't']) {
        let moment = humantime::parse_rfc3339(text)
            .ok()?
            .duration_since(UNIX_EPOCH)
            .ok()?;
        return Some(Time {
            seconds: i64::try_from(moment.as_secs()).ok()?,
            nanos: moment.subsec_nanos(),
        });
    }
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if fraction.len() > 9 {
        return None;
    }
    let scale = 10_u32.checked_pow(u32::try_from(9 - fraction.len()).ok()?)?;
    let seconds: i64 = decimal(whole)?;
    let nanos = decimal::<u32>(fraction)?.checked_mul(scale)?;
    Some(match (negative, nanos) {
        (false, _) => Time { seconds, nanos },
        (true, 0) => Time {
            seconds: -seconds,
            nanos,
        },
        // Nanoseconds count forward from the second before.
        (true, _) => Time {
            seconds: -seconds - 1,
            nanos: 1_000_000_000 - nanos,
        },
    })
}

/// Major numbers have 12 bits on Linux, minor numbers 20.
fn parse_device(text: &str) -> Option<(DeviceKind, u32, u32)> {
    let (letter, numbers) = text.split_once(' ')?;
    let kind = match letter {
        "c" => DeviceKind::Char,
        "b" => DeviceKind::Block,
        _ => return None,
    };
    let (major, minor) = numbers.split_once(':')?;
    let (major, minor) = (decimal(major)?, decimal(minor)?);
    (major < 1 << 12 && minor < 1 << 20).then_some((kind, major, minor))
}
