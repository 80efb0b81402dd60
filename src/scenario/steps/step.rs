//! Steps: a mapping with exactly one operation and a few common keys.

use super::super::decoder::Decoder;
use super::super::mentions::Subject;
use super::super::names::NAME_MAX;
use super::super::source::{Node, Pair, Spot, Value};
use super::super::words::{one_of, quote};
use super::super::{Action, Step, scalars};
use super::files::Files;
use super::table::{Decode, OPERATIONS, Row};
use super::when::{Condition, condition};
use super::{expect, place, table};
use crate::engine::{FileRequest, Operation, Place};

const COMMON: &[&str] = &["in", "as", "expect", "when", "note"];

/// What a step takes over from the `do:` around it.
#[derive(Clone)]
struct Around<'p> {
    parameters: &'p [(String, String)],
    scope: Scope,
    place: Option<(Place, Spot)>,
    user: Option<String>,
    condition: Condition,
    note: Option<String>,
}

/// Where a step stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// In `steps:`.
    Top,
    /// In a `do:`.
    Do,
    /// In a `concurrently:`.
    Branch,
}

/// Decodes `steps:`. Steps that the case leaves out by `when:` are left out, and the others keep
/// their numbers.
pub(crate) fn steps(
    node: &Node,
    parameters: &[(String, String)],
    decoder: &mut Decoder<'_>,
) -> Vec<Step> {
    let Value::List(items) = &node.value else {
        decoder.unexpected(node, "a list of steps");
        return Vec::new();
    };
    if items.is_empty() {
        decoder.fault(node.spot(), "a scenario without steps shows nothing");
    }
    let around = Around {
        parameters,
        scope: Scope::Top,
        place: None,
        user: None,
        condition: Condition::Open(None),
        note: None,
    };
    numbered(items, "", &around, decoder)
}

fn numbered(
    items: &[Node],
    prefix: &str,
    around: &Around<'_>,
    decoder: &mut Decoder<'_>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, item) in items.iter().enumerate() {
        // The note of a `do:` is told once.
        let note = if index == 0 {
            around.note.clone()
        } else {
            None
        };
        let around = Around {
            note,
            ..around.clone()
        };
        steps.extend(step(
            item,
            &format!("{prefix}{}", index + 1),
            around,
            decoder,
        ));
    }
    steps
}

/// Decodes one step; a `do:` is several.
fn step(node: &Node, number: &str, around: Around<'_>, decoder: &mut Decoder<'_>) -> Vec<Step> {
    let alone;
    let pairs = match &node.value {
        Value::Map(pairs) => pairs.as_slice(),
        Value::Scalar(name) => {
            let value = Node {
                id: node.id,
                value: Value::Null,
            };
            alone = [Pair {
                key: name.clone(),
                value,
            }];
            &alone
        }
        Value::Null | Value::List(_) => {
            decoder.unexpected(node, "a step");
            decoder.lose_track();
            return Vec::new();
        }
    };
    let around = take_common(pairs, around, decoder);
    let Some(pair) = operation_of(node, pairs, decoder) else {
        // Only file operations have a place, and of what has a name they make nothing but handles.
        if around.place.is_some() {
            decoder.lose_track_of_handles();
        } else {
            decoder.lose_track();
        }
        return Vec::new();
    };
    let get = |key: &str| pairs.iter().find(|pair| pair.key == key);
    let made = if pair.key == "do" {
        do_steps(pair, number, get("expect"), &around, decoder)
    } else {
        let row = table::find(&pair.key);
        row.and_then(|row| {
            let written = Written {
                node,
                pair,
                row,
                number,
            };
            one_step(&written, get("expect"), &around, decoder)
        })
        .into_iter()
        .collect()
    };
    if around.condition == Condition::Never {
        Vec::new()
    } else {
        made
    }
}

/// `in`, `as`, `when` and `note`.
fn take_common<'p>(
    pairs: &[Pair],
    mut around: Around<'p>,
    decoder: &mut Decoder<'_>,
) -> Around<'p> {
    for pair in pairs {
        match pair.key.as_str() {
            // A place that is not understood must not be reported as missing too.
            "in" => {
                let place = place::place(&pair.value, decoder).unwrap_or(Place::Host);
                around.place = Some((place, pair.value.spot()));
            }
            "as" => {
                around.user = scalars::text(&pair.value, decoder);
                if around
                    .user
                    .as_ref()
                    .is_some_and(|user| user.len() > NAME_MAX)
                {
                    decoder.fault(pair.value.spot(), "the name is too long");
                    around.user = None;
                }
            }
            "note" => around.note = scalars::text(&pair.value, decoder),
            "when" => {
                let own = condition(&pair.value, around.parameters, decoder);
                around.condition = around.condition.and(own);
            }
            _ => {}
        }
    }
    around
}

/// The one entry that is the operation.
fn operation_of<'n>(node: &Node, pairs: &'n [Pair], decoder: &mut Decoder<'_>) -> Option<&'n Pair> {
    let is_operation = |pair: &&Pair| pair.key == "do" || table::find(&pair.key).is_some();
    let mut operations = pairs.iter().filter(is_operation);
    let operation = operations.next();
    let names = || OPERATIONS.iter().map(|row| row.name).chain(["do"]);
    for pair in pairs {
        if COMMON.contains(&pair.key.as_str()) || is_operation(&pair) {
            continue;
        }
        let alone = matches!(node.value, Value::Scalar(_));
        let spot = if alone { node.spot() } else { pair.spot() };
        let what = if operation.is_some() {
            "key of a step"
        } else {
            "operation"
        };
        let help = decoder.meant(&pair.key, names().chain(COMMON.iter().copied()));
        decoder.fault_help(spot, format!("unknown {what} {}", quote(&pair.key)), help);
    }
    if let (Some(first), Some(second)) = (operation, operations.next()) {
        decoder.fault_twice(
            second.spot(),
            first.spot(),
            format!(
                "a step has one operation, this one has {}",
                one_of([first.key.as_str(), second.key.as_str()]).replace(" or ", " and ")
            ),
        );
    }
    if operation.is_none() && pairs.iter().all(|pair| COMMON.contains(&pair.key.as_str())) {
        decoder.fault(node.spot(), "this step has no operation");
    }
    operation
}

/// `do:`, file steps that share a place and a user.
fn do_steps(
    pair: &Pair,
    number: &str,
    expect: Option<&Pair>,
    around: &Around<'_>,
    decoder: &mut Decoder<'_>,
) -> Vec<Step> {
    if let Some(expect) = expect {
        decoder.fault(expect.spot(), "`expect` belongs to the steps inside `do`");
    }
    if around.scope == Scope::Do {
        decoder.fault(pair.spot(), "a `do` inside a `do`");
    }
    let Value::List(items) = &pair.value.value else {
        decoder.unexpected(&pair.value, "a list of file steps");
        return Vec::new();
    };
    if items.is_empty() {
        decoder.fault(pair.value.spot(), "nothing is done");
    }
    let around = Around {
        scope: Scope::Do,
        ..around.clone()
    };
    numbered(items, &format!("{number}."), &around, decoder)
}

/// A step as it is written.
struct Written<'n> {
    node: &'n Node,
    /// The entry that is its operation.
    pair: &'n Pair,
    row: &'n Row,
    number: &'n str,
}

fn one_step(
    written: &Written<'_>,
    expected: Option<&Pair>,
    around: &Around<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Step> {
    let mark = decoder.mark();
    let Written {
        node, row, number, ..
    } = *written;
    let action = action(written, around, decoder);
    let expect = match (expected, row.decode) {
        (Some(pair), Decode::Concurrently) => {
            decoder.fault(pair.spot(), "`expect` belongs to the branches");
            None
        }
        (Some(pair), _) => expect::expect(&pair.value, row, decoder),
        (None, _) => None,
    };
    let when = match &around.condition {
        Condition::Open(when) => when.clone(),
        Condition::Never => None,
    };
    if around.condition == Condition::Never {
        decoder.forget_all_since(mark);
    } else if expected.is_some_and(|pair| expects_error(&pair.value)) {
        decoder.forget_uses_since(mark);
    } else if matches!(row.decode, Decode::Concurrently) {
        decoder.makes_first_since(mark);
    }
    let Some(action) = action else {
        match row.decode {
            Decode::Files(_) => decoder.lose_track_of_handles(),
            _ => decoder.lose_track(),
        }
        return None;
    };
    let note = around.note.clone();
    Some(Step {
        number: number.to_owned(),
        at: decoder.at(node),
        note,
        when,
        action,
        expect,
    })
}

/// Who expects a refusal may well name what does not exist.
fn expects_error(expect: &Node) -> bool {
    matches!(&expect.value, Value::Map(pairs) if pairs.iter().any(|pair| pair.key == "error"))
}

fn action(written: &Written<'_>, around: &Around<'_>, decoder: &mut Decoder<'_>) -> Option<Action> {
    let Written {
        node,
        pair,
        row,
        number,
    } = *written;
    if !row.is_file_operation() {
        refuse_place(node, pair, around, decoder);
    }
    let value = &pair.value;
    match row.decode {
        Decode::Files(decode) => file_step(pair, decode, around, decoder),
        Decode::World(operation) => {
            let empty = matches!(&value.value, Value::Map(pairs) if pairs.is_empty());
            if !empty && value.value != Value::Null {
                decoder.fault(value.spot(), format!("`{}` takes nothing", row.name));
            }
            Some(Action::Operation(operation()))
        }
        Decode::Object(decode) => {
            if value.value == Value::Null {
                decoder.fault(pair.spot(), format!("`{}` of what?", row.name));
                return None;
            }
            decode(value, decoder).map(Action::Operation)
        }
        Decode::ObjectAlone(decode) => decode(value, decoder).map(Action::Operation),
        Decode::Concurrently => Some(Action::Concurrently(branches(
            pair, number, around, decoder,
        ))),
    }
}

/// Only processes are somewhere, as someone.
fn refuse_place(node: &Node, pair: &Pair, around: &Around<'_>, decoder: &mut Decoder<'_>) {
    if around.scope == Scope::Do {
        decoder.fault(
            pair.spot(),
            format!("`{}` is no file operation, which `do` is for", pair.key),
        );
    }
    let Value::Map(pairs) = &node.value else {
        return;
    };
    for common in pairs
        .iter()
        .filter(|pair| matches!(pair.key.as_str(), "in" | "as"))
    {
        let message = format!(
            "`{}` has no `{}`: that is for file operations",
            pair.key, common.key
        );
        decoder.fault(common.spot(), message);
    }
}

fn file_step(
    pair: &Pair,
    decode: fn(&Node, Files<'_>, &mut Decoder<'_>) -> Option<Vec<crate::engine::FileAction>>,
    around: &Around<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Action> {
    let place = if let Some((place, spot)) = &around.place {
        match place {
            Place::Container(name) => decoder.uses(*spot, Subject::Container(name.clone())),
            Place::Volume(volume) => decoder.uses(*spot, place::subject_of(volume)),
            Place::Host => {}
        }
        place.clone()
    } else {
        decoder.fault_help(
            pair.spot(),
            format!("where does `{}` happen?", pair.key),
            "a file step needs `in: CONTAINER`, `in: host` or `in: volume NAME`".to_owned(),
        );
        Place::Host
    };
    let files = Files { place: &place };
    let actions = decode(&pair.value, files, decoder)?;
    let requests = actions
        .into_iter()
        .map(|action| FileRequest {
            action,
            stop_on_refusal: true,
        })
        .collect();
    Some(Action::Operation(Operation::Files {
        place,
        user: around.user.clone(),
        requests,
    }))
}

/// `concurrently:`, each branch a step, or the steps of a `do:`.
fn branches(
    pair: &Pair,
    number: &str,
    around: &Around<'_>,
    decoder: &mut Decoder<'_>,
) -> Vec<Vec<Step>> {
    if around.scope != Scope::Top {
        decoder.fault(pair.spot(), "`concurrently` inside another step");
    }
    let Value::List(items) = &pair.value.value else {
        decoder.unexpected(&pair.value, "a list of steps");
        return Vec::new();
    };
    if items.len() < 2 {
        decoder.fault(pair.value.spot(), "at least two branches run side by side");
    }
    let inside = Around {
        parameters: around.parameters,
        scope: Scope::Branch,
        place: None,
        user: None,
        condition: Condition::Open(None),
        note: None,
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            step(
                item,
                &format!("{number}.{}", index + 1),
                inside.clone(),
                decoder,
            )
        })
        .filter(|branch| !branch.is_empty())
        .collect()
}
