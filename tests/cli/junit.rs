//! The rules of JUnit files on which their readers agree (Jenkins' `junit-10.xsd`): which element may stand in
//! which, with which attributes, and how they are counted. Of what is no part of it, `skipped` of a whole report
//! and `file` of a case are written, which GitLab and others read.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

type Names = &'static [&'static str];

/// Element → its parents, attributes that it must have, attributes that it may have.
const RULES: &[(&str, Names, Names, Names)] = &[
    (
        "testsuites",
        &[""],
        &["name", "tests", "failures", "errors"],
        &["time", "skipped"],
    ),
    (
        "testsuite",
        &["testsuites"],
        &["name", "tests"],
        &["failures", "errors", "skipped", "time"],
    ),
    ("properties", &["testsuite"], &[], &[]),
    ("property", &["properties"], &["name", "value"], &[]),
    (
        "testcase",
        &["testsuite"],
        &["name", "classname"],
        &["time", "file"],
    ),
    ("failure", &["testcase"], &["message", "type"], &[]),
    ("error", &["testcase"], &["message", "type"], &[]),
    ("skipped", &["testcase"], &["message"], &[]),
];

/// A test, and the element that says how it ended, if it did not pass.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) child: Option<String>,
}

/// Reads a report, and fails where it breaks a rule.
pub(crate) fn check(text: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    let mut counts: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    loop {
        let (start, is_open) = match reader.read_event().unwrap() {
            Event::Start(start) => (start, true),
            Event::Empty(start) => (start, false),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
        let attributes = attributes(&start);
        let parent = open.last().map_or("", String::as_str);
        keeps_the_rules(&name, parent, &attributes);
        match name.as_str() {
            "testcase" => cases.push(Case {
                name: attributes["name"].clone(),
                child: None,
            }),
            "failure" | "error" | "skipped" => {
                let case = cases.last_mut().unwrap();
                assert_eq!(case.child, None, "{}: ends twice", case.name);
                case.child = Some(name.clone());
            }
            "testsuites" | "testsuite" => counts.push((name.clone(), attributes)),
            _ => {}
        }
        if is_open {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    // There is one suite, so that both count the same.
    assert_eq!(counts.len(), 2, "{counts:?}");
    for (name, said) in &counts {
        let of = |child: &str| {
            let is_meant = |case: &&Case| case.child.as_deref() == Some(child);
            cases.iter().filter(is_meant).count()
        };
        for (attribute, count) in [
            ("tests", cases.len()),
            ("failures", of("failure")),
            ("errors", of("error")),
            ("skipped", of("skipped")),
        ] {
            assert_eq!(said[attribute], count.to_string(), "{attribute} of {name}");
        }
    }
    cases
}

fn attributes(start: &BytesStart<'_>) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let attributes = start.attributes().map(Result::unwrap);
    attributes
        .map(|attribute| (text(attribute.key.as_ref()), text(&attribute.value)))
        .collect()
}

fn keeps_the_rules(name: &str, parent: &str, attributes: &BTreeMap<String, String>) {
    let rule = RULES.iter().find(|rule| rule.0 == name);
    let Some((_, parents, must, may)) = rule else {
        panic!("there is no element {name}");
    };
    assert!(parents.contains(&parent), "{name} in {parent}");
    for attribute in *must {
        assert!(
            attributes.contains_key(*attribute),
            "{name} without {attribute}"
        );
    }
    for (attribute, value) in attributes {
        let attribute = attribute.as_str();
        assert!(
            must.contains(&attribute) || may.contains(&attribute),
            "{name} has {attribute}"
        );
        if attribute == "time" {
            // Seconds, without an exponent or a sign.
            assert!(
                value.chars().all(|c| c.is_ascii_digit() || c == '.'),
                "{value}"
            );
        }
    }
}
