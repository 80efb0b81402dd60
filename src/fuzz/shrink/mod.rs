//! From a scenario that shows a difference to a smaller one that still does, by proptest's protocol.

mod simpler;
mod trees;

use proptest::strategy::ValueTree;

use crate::scenario::{Action, Scenario, Step};

/// A scenario, and ways to make it smaller.
#[derive(Clone, Debug)]
pub(super) struct Shrinking {
    current: Scenario,
    /// What it was before the last reduction, in case that went too far.
    before: Option<Scenario>,
    passes: Vec<Pass>,
    pass: usize,
    at: usize,
    /// Whether anything of this round was of use.
    progress: bool,
}

/// One kind of reduction, tried at one place after the other.
#[derive(Clone, Copy, Debug)]
enum Pass {
    /// So many steps that follow each other go.
    Steps(usize),
    /// So many entries of trees go.
    Entries(usize),
    Layers,
    Images,
    Volumes,
    /// One step becomes simpler.
    Step,
    /// One entry of a tree becomes simpler.
    Entry,
    /// One image becomes simpler.
    Image,
}

/// What a pass has for a place.
enum Try {
    /// The pass has come to its end.
    End,
    Smaller(Box<Scenario>),
}

impl Shrinking {
    pub(super) fn new(scenario: Scenario) -> Self {
        let passes = passes(&scenario);
        Self {
            current: scenario,
            before: None,
            passes,
            pass: 0,
            at: 0,
            progress: false,
        }
    }

    /// Leaves out every step after that of this position, from 1.
    pub(super) fn cut(&mut self, position: usize) {
        self.current.steps.truncate(position);
        *self = Self::new(self.current.clone());
    }

    fn attempt(&self, pass: Pass) -> Try {
        let smaller = match pass {
            Pass::Steps(size) => without_steps(&self.current, self.at, size),
            Pass::Entries(size) => trees::without_entries(&self.current, self.at, size),
            Pass::Layers => trees::without_layer(&self.current, self.at),
            Pass::Images => {
                let mut smaller = self.current.clone();
                trees::remove_at(&mut smaller.images, self.at).then_some(smaller)
            }
            Pass::Volumes => {
                let mut smaller = self.current.clone();
                trees::remove_at(&mut smaller.volumes, self.at).then_some(smaller)
            }
            Pass::Step => simpler::step_at(&self.current, self.at),
            Pass::Entry => trees::simpler_entry(&self.current, self.at),
            Pass::Image => trees::simpler_image(&self.current, self.at),
        };
        match smaller {
            Some(mut smaller) => {
                renumber(&mut smaller.steps);
                Try::Smaller(Box::new(smaller))
            }
            None => Try::End,
        }
    }
}

/// Large bites first.
fn passes(scenario: &Scenario) -> Vec<Pass> {
    let halves = |mut size: usize| {
        let mut sizes = Vec::new();
        while size > 1 {
            size /= 2;
            sizes.push(size);
        }
        sizes
    };
    let mut passes: Vec<Pass> = halves(scenario.steps.len())
        .into_iter()
        .map(Pass::Steps)
        .collect();
    passes.extend([Pass::Volumes, Pass::Images, Pass::Layers]);
    passes.extend(
        halves(trees::count(scenario))
            .into_iter()
            .map(Pass::Entries),
    );
    passes.extend([
        Pass::Step,
        Pass::Entry,
        Pass::Image,
        Pass::Steps(1),
        Pass::Entries(1),
    ]);
    passes
}

impl ValueTree for Shrinking {
    type Value = Scenario;

    fn current(&self) -> Scenario {
        self.current.clone()
    }

    fn simplify(&mut self) -> bool {
        // The last reduction stands if nobody took it back.
        if self.before.take().is_some() {
            self.progress = true;
        }
        loop {
            let Some(pass) = self.passes.get(self.pass).copied() else {
                if !self.progress {
                    return false;
                }
                // Once more from the beginning, as long as it is of use.
                self.passes = passes(&self.current);
                (self.pass, self.at, self.progress) = (0, 0, false);
                continue;
            };
            match self.attempt(pass) {
                Try::Smaller(smaller) => {
                    self.before = Some(std::mem::replace(&mut self.current, *smaller));
                    return true;
                }
                Try::End => {
                    self.pass += 1;
                    self.at = 0;
                }
            }
        }
    }

    fn complicate(&mut self) -> bool {
        let Some(before) = self.before.take() else {
            return false;
        };
        self.current = before;
        self.at += 1;
        true
    }
}

fn without_steps(scenario: &Scenario, at: usize, size: usize) -> Option<Scenario> {
    let from = at * size;
    let length = scenario.steps.len();
    if from >= length {
        return None;
    }
    let mut smaller = scenario.clone();
    smaller.steps.drain(from..(from + size).min(length));
    Some(smaller)
}

/// Numbers steps as the loader does.
pub(super) fn renumber(steps: &mut [Step]) {
    for (at, step) in steps.iter_mut().enumerate() {
        step.number = (at + 1).to_string();
        if let Action::Concurrently(branches) = &mut step.action {
            for (branch_at, branch) in branches.iter_mut().enumerate() {
                for (inner_at, inner) in branch.iter_mut().enumerate() {
                    inner.number = format!("{}.{}.{}", at + 1, branch_at + 1, inner_at + 1);
                }
            }
        }
    }
}
