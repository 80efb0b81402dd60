//! Cases, parameters, ids.

use super::super::Action;
use super::{bad, good, load_text};
use crate::engine::{FileAction, Operation};

fn ids(text: &str) -> Vec<String> {
    load_text(text)
        .unwrap_or_else(|faults| panic!("{faults}"))
        .iter()
        .map(super::super::Scenario::id)
        .collect()
}

#[test]
fn every_combination_is_a_case() {
    let text = "title: '${b} ${a}'\ncases: {a: [1, x y], b: [ro, rw]}\nsteps: [crash]\n";
    assert_eq!(
        ids(text),
        [
            "a[a=1,b=ro]",
            "a[a=1,b=rw]",
            "a[a=x_y,b=ro]",
            "a[a=x_y,b=rw]"
        ]
    );
    let cases = load_text(text).unwrap();
    assert_eq!(cases[2].title, "ro x y");
    assert_eq!(cases[2].case[0], ("a".to_owned(), "x y".to_owned()));
}

#[test]
fn cases_may_be_listed() {
    let text = "title: '${b}'\ncases: [{a: 0644, b: x}, {b: y, a: 0o644}]\nabout: '${a}'\nsteps: [crash]\n";
    assert_eq!(ids(text), ["a[a=0644,b=x]", "a[a=0o644,b=y]"]);
    assert_eq!(load_text(text).unwrap()[0].about.as_deref(), Some("0644"));
}

#[test]
fn parameters_are_filled_in_before_meaning_is_looked_at() {
    let text = "title: t\ncases: {ro: [true, false], path: [/x]}\nimages: {app: {}}\nsteps:\n\
                - run: {name: c, image: app, read_only: \"${ro}\"}\n- {in: c, write: {\"${path}/y\": \"$${ro} $$ ${ro}\"}}\n";
    let cases = load_text(text).unwrap();
    for (case, expected) in cases.iter().zip([true, false]) {
        let Action::Operation(Operation::Run(spec)) = &case.steps[0].action else {
            panic!()
        };
        assert_eq!(spec.read_only, expected);
        let Action::Operation(Operation::Files { requests, .. }) = &case.steps[1].action else {
            panic!()
        };
        let FileAction::Write { path, node } = &requests[0].action else {
            panic!()
        };
        assert_eq!(path, "/x/y");
        let content =
            crate::engine::Content::Bytes(format!("${{ro}} $$ {expected}").as_str().into());
        assert_eq!(node.kind, crate::engine::NodeKind::File(content));
    }
}

#[test]
fn a_literal_needs_no_cases() {
    assert_eq!(
        good("title: $${HOME} $5\nsteps: [crash]\n").title,
        "${HOME} $5"
    );
}

#[test]
fn faults() {
    let table = [
        (
            "cases: {a: [1]}\n",
            "a.yaml:2:9: nothing uses the parameter `a`\n 2 | cases: {a: [1]}\n   |         ^\nhelp: it is used as `${a}`",
        ),
        (
            "about: ${x}\n",
            "a.yaml:2:8: no parameter of `cases` is called `x`\n 2 | about: ${x}\n   |        ^\nhelp: a literal `${` is `$${`",
        ),
        (
            "about: ${ax}\ncases: {ay: [1]}\n",
            "a.yaml:2:8: no parameter of `cases` is called `ax`\n 2 | about: ${ax}\n   |        ^\nhelp: did you mean `ay`?\n\na.yaml:3:9: nothing uses the parameter `ay`\n 3 | cases: {ay: [1]}\n   |         ^\nhelp: it is used as `${ay}`",
        ),
        (
            "about: a ${x\n",
            "a.yaml:2:8: a `${` without its `}`\n 2 | about: a ${x\n   |        ^\nhelp: a literal one is `$${`",
        ),
        (
            "about: ${a}\ncases: {a: []}\n",
            "a.yaml:3:12: `a` has no values\n 3 | cases: {a: []}\n   |            ^",
        ),
        (
            "about: ${a}\ncases: {a: [1, 1]}\n",
            "a.yaml:3:1: two cases have the id `a[a=1]`\n 3 | cases: {a: [1, 1]}\n   | ^\n\na.yaml:3:12: `a` has a value twice\n 3 | cases: {a: [1, 1]}\n   |            ^",
        ),
        (
            "about: ${a}\ncases: {a: [x, X]}\n",
            "a.yaml:3:1: the ids `a[a=x]` and `a[a=X]` differ in case only\n 3 | cases: {a: [x, X]}\n   | ^",
        ),
        (
            "about: ${a}\ncases: {a: [' ', '/']}\n",
            "a.yaml:3:1: two cases have the id `a[a=_]`\n 3 | cases: {a: [' ', '/']}\n   | ^",
        ),
        (
            "about: ${a}\ncases: [{a: 1}, {b: 1}]\n",
            "a.yaml:3:17: this case lacks the parameter `a`\n 3 | cases: [{a: 1}, {b: 1}]\n   |                 ^\n\na.yaml:3:18: the first case has no parameter `b`\n 3 | cases: [{a: 1}, {b: 1}]\n   |                  ^\nhelp: it may be `a`",
        ),
        (
            "cases: []\n",
            "a.yaml:2:1: there are no cases\n 2 | cases: []\n   | ^",
        ),
        (
            "cases: x\n",
            "a.yaml:2:8: expected parameters with lists of values, or a list of cases, found `x`\n 2 | cases: x\n   |        ^",
        ),
        (
            "cases: {engine: [1]}\nabout: ${engine}\n",
            "a.yaml:2:9: `when` has `engine` for itself\n 2 | cases: {engine: [1]}\n   |         ^",
        ),
        (
            "cases: {a b: [1]}\nabout: ${a b}\n",
            "a.yaml:2:9: `a b` cannot be the name of a parameter\n 2 | cases: {a b: [1]}\n   |         ^\nhelp: letters, digits, `_` and `-`",
        ),
    ];
    for (middle, expected) in table {
        let faults = bad(&format!("title: t\n{middle}steps: [crash]\n"));
        assert_eq!(faults, expected, "\n{faults}\n");
    }
}

#[test]
fn keys_that_parameters_make_equal_are_duplicates() {
    let faults =
        bad("title: t\ncases: {a: [/x, /y]}\nhost:\n  ${a}: '1'\n  /y: '2'\nsteps: [crash]\n");
    assert_eq!(
        faults,
        "a.yaml:5:3: `/y` is there twice\n 5 |   /y: '2'\n   |   ^\nhelp: the first one is in line 4"
    );
}
