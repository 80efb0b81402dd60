//! Whatever is done to the bytes of an archive, reading it ends soon, with a tree that can be written and read
//! again or with an error, and touches nothing else. The corpus is what the other tests read. More cases:
//! `PROPTEST_CASES=100000`.

use std::path::Path;
use std::time::{Duration, Instant};

use layerspec::store::archive::{Export, Format, Layer, Limits};
use layerspec::union::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;

use super::build::{file, folder, gzip, layout, saved, saved_as, tar, zstd};
use super::change::{self, apply, changes};
use super::stage::{Stage, Unpacked, namespace, plain, text};
use super::table::rows;

/// No reading takes longer, on a slow machine and unoptimised.
const MOST: Duration = Duration::from_secs(20);

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.limits = Limits {
        bytes: 16 << 20,
        entries: 10_000,
        ..Limits::default()
    };
    stage
}

/// Makes the sums of all headers right again, so that what is behind them is reached.
fn mend(bytes: &mut [u8]) {
    for block in bytes.as_chunks_mut::<512>().0 {
        if block[257..262] == *b"ustar" {
            let mut header = tar::Header::new_old();
            header.as_mut_bytes().copy_from_slice(block);
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
    }
}

/// Archives of every kind.
fn archives() -> Vec<Vec<u8>> {
    let layers = vec![
        tar(&[folder("d/"), file("d/a", "one")]),
        tar(&[file("d/.wh.a", ""), file("c", "two")]),
    ];
    let packed: Vec<Vec<u8>> = layers.iter().map(|layer| gzip(layer)).collect();
    let frames: Vec<Vec<u8>> = layers.iter().map(|layer| zstd(layer)).collect();
    let whole = saved("a:1", &layers);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/layers/saved/app.tar");
    vec![
        gzip(&whole),
        zstd(&whole),
        whole,
        tar(&saved_as("a:1", "{}", &layers, &packed)),
        tar(&layout(
            r#"{"User":"5","Volumes":{"/a":{}}}"#,
            &layers,
            &frames,
        )),
        std::fs::read(path).unwrap(),
    ]
}

/// What was unpacked, written and unpacked again.
fn again(stage: &Stage, unpacked: &Unpacked) -> Unpacked {
    let work = stage.home().join("work");
    let unions: Vec<_> = unpacked
        .layers
        .iter()
        .map(|path| plain(path, &work))
        .collect();
    let layer = |union| Layer {
        union,
        namespace: namespace(),
        since: Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        },
    };
    let export = Export {
        name: "a",
        layers: unions.iter().map(|union| layer(union)).collect(),
        config: &unpacked.config,
    };
    let mut bytes = Vec::new();
    export
        .write(Format::Oci, &mut bytes, tempfile::tempfile)
        .unwrap();
    stage.bytes(&bytes).unwrap()
}

proptest! {
    #![proptest_config(change::config(400))]

    #[test]
    fn layers_are_unpacked_or_refused(
        which in any::<Index>(),
        changes in changes(),
        is_mended in prop::bool::weighted(0.9),
    ) {
        let rows = rows();
        let row = &rows[which.index(rows.len())];
        let mut layers = row.layers.clone();
        let last = layers.len() - 1;
        apply(&mut layers[last], &changes);
        if is_mended {
            mend(&mut layers[last]);
        }
        let stage = stage();
        let start = Instant::now();
        let copied = stage.copied(&saved("test/image:1", &layers));
        match stage.layers(&layers) {
            Ok(unpacked) => {
                let listed = copied.map(|layers| layers.into_iter().map(|(_, listing)| listing).collect());
                prop_assert_eq!(listed, Ok(unpacked.said(&stage)));
                let found = text(&unpacked.listing());
                prop_assert_eq!(text(&again(&stage, &unpacked).listing()), found);
            }
            Err(error) => {
                // Only what a disk says is not said by who does not write to it.
                prop_assert!(copied.is_err() || error.errno().is_some(), "{}", error);
                let said = error.to_string();
                prop_assert!(said.len() < 1000 && !said.contains('\x1b'), "{}", said);
            }
        }
        prop_assert!(start.elapsed() < MOST, "{}", row.name);
    }

    #[test]
    fn archives_are_read_or_refused(
        which in any::<Index>(),
        changes in changes(),
        is_mended in any::<bool>(),
    ) {
        let mut archives = archives();
        let which = which.index(archives.len());
        let archive = &mut archives[which];
        apply(archive, &changes);
        if is_mended {
            mend(archive);
        }
        let stage = stage();
        let start = Instant::now();
        if let Err(error) = stage.bytes(archive) {
            prop_assert!(!error.to_string().is_empty());
        }
        prop_assert!(start.elapsed() < MOST);
    }
}
