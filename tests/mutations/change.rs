//! Small changes to bytes, of the kinds that break parsers.

use proptest::prelude::*;
use proptest::sample::Index;

/// So many cases, unless `PROPTEST_CASES` says how many. A failure is told with its input, not kept in a file.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Swap(Index, Index, usize),
    Cut(Index),
}

/// A few changes; most often one.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(&b"\0\xff\x80\n /.-=09{}[]\":,&*!$"[..]),
    ];
    let bytes = prop::collection::vec(byte.clone(), 1..20);
    let one = prop_oneof![
        4 => (any::<Index>(), byte).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<Index>(), 1..600_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (any::<Index>(), 1..600_usize, 1..20_usize)
            .prop_map(|(at, count, times)| Change::Repeat(at, count, times)),
        1 => (any::<Index>(), any::<Index>(), 1..600_usize)
            .prop_map(|(at, to, count)| Change::Swap(at, to, count)),
        1 => any::<Index>().prop_map(Change::Cut),
    ];
    prop::collection::vec(one, 1..6)
}

/// Applies changes in order.
pub(crate) fn apply(bytes: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        let range = |at: usize, count: usize| at..(at + count).min(length);
        match change {
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => drop(bytes.drain(range(at.index(length), *count))),
            Change::Repeat(at, count, times) => {
                let at = at.index(length);
                let more = bytes[range(at, *count)].repeat(*times);
                bytes.splice(at..at, more);
            }
            Change::Swap(at, to, count) => {
                let (at, to) = (at.index(length), to.index(length));
                let more = bytes[range(at, *count)].to_vec();
                bytes.splice(range(to, *count), more);
            }
            Change::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
}
