//! From the meaning back to the text: a scenario as YAML that is loaded as the same scenario.
//!
//! A case is written as a file of its own: what `cases:` filled in stays filled in. An image's archive is named as it was.
//!
//! | file | what it writes |
//! |---|---|
//! | `yaml` | mappings, lists and quoted text |
//! | `tree` | trees |
//! | `files`, `objects`, `expect` | steps |
//! | `name` | the names of operations |

mod expect;
mod files;
mod name;
mod objects;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

pub use name::{action_name, operation_name};

use self::yaml::{Map, Yaml, document, list, single};
use super::{Action, Difference, Scenario, Step, When};
use crate::engine::{ImageSpec, Operation, Place};

/// The name of every operation that a step can have.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    super::steps::OPERATIONS.iter().map(|row| row.name)
}

/// The text of a scenario file that means this case.
pub fn to_yaml(scenario: &Scenario) -> String {
    let mut map = Map::default()
        .with("title", scenario.title.as_str())
        .with_if("about", scenario.about.as_deref())
        .texts("covers", scenario.covers.iter().map(String::as_str))
        .texts(
            "requires",
            scenario.requires.iter().map(|capability| capability.name()),
        );
    if !scenario.differs.is_empty() {
        let mut differs = Map::default();
        for (engine, Difference { why, bug }) in &scenario.differs {
            differs = match bug {
                None => differs.with(engine, why.as_str()),
                Some(bug) => {
                    let known = Map::default().with("why", why.as_str());
                    differs.with(engine, known.with("bug", bug.as_str()))
                }
            };
        }
        map = map.with("differs", differs);
    }
    if !scenario.images.is_empty() {
        let mut images = Map::default();
        for spec in &scenario.images {
            images = images.with(&spec.name, image(spec));
        }
        map = map.with("images", images);
    }
    if !scenario.host.0.is_empty() {
        map = map.with("host", tree::tree(&scenario.host));
    }
    if !scenario.volumes.is_empty() {
        let mut volumes = Map::default();
        for (spec, content) in &scenario.volumes {
            let content = (!content.0.is_empty()).then(|| tree::tree(content));
            let own = Map::default().with_if("content", content);
            volumes = volumes.with(
                spec.name.as_deref().unwrap_or_default(),
                objects::described(own, spec),
            );
        }
        map = map.with("volumes", volumes);
    }
    document(map.with("steps", Yaml::List(steps(&scenario.steps))))
}

fn image(spec: &ImageSpec) -> Map {
    let mut map = Map::default().with_if("from", spec.from.as_deref());
    if let Some(archive) = &spec.archive {
        map = match &archive.tag {
            None => map.with("archive", archive.path.as_str()),
            Some(tag) => map.with(
                "archive",
                Map::default()
                    .with("file", archive.path.as_str())
                    .with("tag", tag.as_str()),
            ),
        };
    }
    if !spec.layers.is_empty() {
        map = map.with(
            "layers",
            Yaml::List(spec.layers.iter().map(tree::tree).collect()),
        );
    }
    objects::config(map, &spec.config).with_if("platform", spec.platform.as_deref())
}

/// Steps, those of a `do:` together again: they share the first part of their number.
fn steps(steps: &[Step]) -> Vec<Yaml> {
    let mut written = Vec::new();
    let mut rest = steps;
    while let Some(first) = rest.first() {
        let group = group(&first.number);
        let length = rest
            .iter()
            .take_while(|step| self::group(&step.number) == group)
            .count();
        let (together, after) = rest.split_at(if group.is_none() { 1 } else { length });
        written.push(match group {
            None => step(first),
            Some(_) => do_steps(together),
        });
        rest = after;
    }
    written
}

/// What the steps of one `do:` have in common: `4` of `4.2`.
fn group(number: &str) -> Option<&str> {
    number.rsplit_once('.').map(|(group, _)| group)
}

fn do_steps(steps: &[Step]) -> Yaml {
    single("do", Yaml::List(steps.iter().map(step).collect()))
}

fn step(step: &Step) -> Yaml {
    let mut map = Map::default();
    match &step.action {
        Action::Operation(operation) => {
            if let Operation::Files {
                place,
                user,
                requests,
            } = operation
            {
                map = map
                    .with("in", place_text(place))
                    .with_if("as", user.as_deref());
                map = map.with(operation_name(operation), files::requests(requests));
            } else {
                map = map.with(operation_name(operation), objects::object(operation));
            }
        }
        Action::Concurrently(branches) => {
            let branch = |branch: &Vec<Step>| match branch.as_slice() {
                // As deep as the number of the `concurrently:` and one more.
                [only]
                    if only.number.matches('.').count() == step.number.matches('.').count() + 1 =>
                {
                    self::step(only)
                }
                steps => do_steps(steps),
            };
            map = map.with(
                "concurrently",
                Yaml::List(branches.iter().map(branch).collect()),
            );
        }
    }
    map.with_if("expect", step.expect.as_ref().map(expect::expect))
        .with_if("when", step.when.as_ref().map(when))
        .with_if("note", step.note.as_deref())
        .into()
}

fn place_text(place: &Place) -> String {
    match place {
        Place::Container(name) => name.clone(),
        Place::Host => "host".to_owned(),
        Place::Volume(volume) => match volume {
            crate::engine::VolumeRef::Named(name) => format!("volume {name}"),
            anonymous @ crate::engine::VolumeRef::Anonymous { .. } => {
                objects::volume_ref(anonymous)
            }
        },
    }
}

fn when(when: &When) -> Map {
    let texts = |items: &[String]| list(items.iter().map(String::as_str));
    let mut map = Map::default();
    if !when.engines.is_empty() {
        map = map.with("engine", texts(&when.engines));
    }
    if !when.not_engines.is_empty() {
        map = map.with("not", single("engine", texts(&when.not_engines)));
    }
    map.texts(
        "requires",
        when.requires.iter().map(|capability| capability.name()),
    )
}
