//! A measurement that is a ratio: the subject's time divided by the reference's, both taken in turn
//! in one run, so that a machine whose speed drifts does not matter.

use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{Bencher, Throughput};

/// Subject ÷ reference. Lower is better; 1 is as fast as the reference.
pub(crate) struct Ratio;

/// Times `subject` against `reference`, turn by turn.
pub(crate) fn compare(
    bencher: &mut Bencher<'_, Ratio>,
    mut reference: impl FnMut(),
    mut subject: impl FnMut(),
) {
    bencher.iter_custom(|rounds| {
        let (mut of_reference, mut of_subject) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..rounds {
            of_reference += time(&mut reference);
            of_subject += time(&mut subject);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a few thousand rounds at the most"
        )]
        let weight = rounds as f64;
        weight * of_subject.as_secs_f64() / of_reference.as_secs_f64()
    });
}

/// [`compare`] for work that leaves something behind, which is taken away outside of the time that counts.
pub(crate) fn compare_made<R, S>(
    bencher: &mut Bencher<'_, Ratio>,
    mut reference: impl FnMut() -> R,
    mut subject: impl FnMut() -> S,
) {
    bencher.iter_custom(|rounds| {
        let (mut of_reference, mut of_subject) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..rounds {
            let start = Instant::now();
            let made = reference();
            of_reference += start.elapsed();
            drop(made);
            let start = Instant::now();
            let made = subject();
            of_subject += start.elapsed();
            drop(made);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a few thousand rounds at the most"
        )]
        let weight = rounds as f64;
        weight * of_subject.as_secs_f64() / of_reference.as_secs_f64()
    });
}

/// Cost of one unit in a large piece of work ÷ cost of one in a small one. 1 is linear growth, less is
/// better than linear.
pub(crate) fn compare_per_unit(
    bencher: &mut Bencher<'_, Ratio>,
    (small_units, mut small): (u32, impl FnMut()),
    (large_units, mut large): (u32, impl FnMut()),
) {
    bencher.iter_custom(|rounds| {
        let (mut of_small, mut of_large) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..rounds {
            of_small += time(&mut small);
            of_large += time(&mut large);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a few thousand rounds at the most"
        )]
        let weight = rounds as f64;
        let per_unit = |total: Duration, units: u32| total.as_secs_f64() / f64::from(units);
        weight * per_unit(of_large, large_units) / per_unit(of_small, small_units)
    });
}

fn time(work: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

impl Measurement for Ratio {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) {}

    fn end(&self, (): ()) -> f64 {
        0.0
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &RatioFormatter
    }
}

struct RatioFormatter;

impl ValueFormatter for RatioFormatter {
    fn scale_values(&self, _typical: f64, _values: &mut [f64]) -> &'static str {
        "x the reference"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        "x the reference"
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "ratio"
    }
}
