//! Random choices.

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// A source of random choices. The same seed makes the same choices.
#[derive(Debug)]
pub(super) struct Dice {
    rng: TestRng,
}

impl Dice {
    /// Takes over a generator of proptest's.
    pub(super) fn new(rng: TestRng) -> Self {
        Self { rng }
    }

    /// Any number.
    pub(super) fn number(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number below `bound`; 0 when there is none.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        // The bounds are tiny, so that the bias is too.
        usize::try_from(self.number() % bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True so many times in a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these; `None` when there are none.
    pub(super) fn pick<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        items.get(self.below(items.len()))
    }

    /// One of these texts.
    pub(super) fn text(&mut self, items: &[&str]) -> String {
        self.pick(items)
            .map_or_else(String::new, |text| (*text).to_owned())
    }

    /// One of these, as often as the weights beside them say; the default when there are none.
    pub(super) fn weighted<T: Copy + Default>(&mut self, items: &[(usize, T)]) -> T {
        let total: usize = items.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.below(total);
        for (weight, item) in items {
            if rest < *weight {
                return *item;
            }
            rest -= weight;
        }
        T::default()
    }

    /// `Some` so many times in a hundred.
    pub(super) fn maybe<T>(
        &mut self,
        percent: usize,
        make: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }
}

/// The generator of one case: seeded with the seed of its own, which names it.
pub(super) fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte = value;
    }
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// The seed of a run's case of this number, from 0. The first has the run's own, so that `--seed SEED --cases 1` does any
/// case again; the others are spread by splitmix64, so that the cases of two near seeds are not the same.
pub fn case_seed(run: u64, case: u64) -> u64 {
    if case == 0 {
        return run;
    }
    let mut mixed = run.wrapping_add(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
