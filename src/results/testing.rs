//! Made-up results.

use std::collections::BTreeMap;

use super::{Cell, Product, Results};
use crate::outcome::Halves;
use crate::verdict::{Against, Excerpt, Failure, Mark};

/// A column.
pub(crate) fn product(engine: &str, version: &str) -> Product {
    Product {
        engine: engine.to_owned(),
        version: version.to_owned(),
        kernel: "6.1.0".to_owned(),
        driver: "overlay2".to_owned(),
        file_system: "ext4".to_owned(),
        capabilities: vec!["devices".to_owned()],
    }
}

/// What a run shows in which a file is read that was written.
pub(crate) const SHOWN: &str = "steps
  1    run db from app     ok
  2.1  in db: write /x     ok
  2.2  in db: read /x      \"1\"
merged tree of db (running)
  /x  file  0644 0:0  \"1\"  writable layer
persistence
  kept  step 2.1  db:/x  in the writable layer of db; db sees it at /x
end";

/// A cell in which all is well.
pub(crate) fn cell(case: &str, column: usize) -> Cell {
    Cell {
        case: case.to_owned(),
        column,
        file: format!("scenarios/{case}.yaml"),
        title: "What is written is there".to_owned(),
        marks: Halves::both(Mark::Pass),
        reason: None,
        bug: None,
        failures: Vec::new(),
        outcome: Some(SHOWN.to_owned()),
        conditional: BTreeMap::new(),
        duration_us: 1500,
        again: format!("layerspec run scenarios/{case}.yaml"),
    }
}

/// A cell with these marks.
pub(crate) fn marked(cell: Cell, tree: Mark, persistence: Mark) -> Cell {
    Cell {
        marks: Halves { tree, persistence },
        ..cell
    }
}

/// A cell in which this was seen.
pub(crate) fn shown(cell: Cell, text: &str) -> Cell {
    Cell {
        outcome: Some(text.to_owned()),
        ..cell
    }
}

/// Of an engine whose outcome may differ, one that cannot show a case, and one that fails.
pub(crate) fn results() -> Results {
    let reason = |cell: Cell, why: &str| Cell {
        reason: Some(why.to_owned()),
        ..cell
    };
    let mode = SHOWN.replace("0644", "0600");
    let lost = SHOWN
        .replace("\"1\"\nmerged", "error ENOENT\nmerged")
        .replace("kept", "lost")
        .replace(
            "in the writable layer of db; db sees it at /x",
            "gone at step 2.1",
        );
    let accepted = marked(shown(cell("binds/a", 1), &mode), Mark::Accepted, Mark::Pass);
    let lacking = Cell {
        outcome: None,
        ..marked(cell("volumes/c", 1), Mark::Unsupported, Mark::Unsupported)
    };
    let failed = Cell {
        failures: vec![failure()],
        ..marked(
            shown(cell("volumes/b[x=1]", 1), &lost),
            Mark::Fail,
            Mark::Fail,
        )
    };
    Results {
        layerspec: "0.1.0".to_owned(),
        columns: vec![product("native", "0.1.0"), product("podman", "4.3.1")],
        cells: vec![
            cell("binds/a", 0),
            reason(accepted, "a file is made with another mode"),
            cell("volumes/b[x=1]", 0),
            failed,
            cell("volumes/c", 0),
            reason(lacking, "needs crash, which podman has not"),
        ],
    }
}

fn failure() -> Failure {
    Failure {
        against: Against::Approved(Halves::both(true)),
        headline: "the outcome is not the approved one: snapshots/volumes/b[x=1].snap".to_owned(),
        at: Some(Excerpt {
            path: "scenarios/volumes/b.yaml".into(),
            line: 7,
            column: 3,
            lines: vec![(7, "- in: db".to_owned())],
        }),
        details: vec!["step 2.2, in db: read /x: \"1\" → error ENOENT".to_owned()],
        ..Failure::default()
    }
}
