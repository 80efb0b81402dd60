//! A measurement that is a ratio: the subject's time divided by the reference's, both taken in turn
//! in one run, so that a machine whose speed drifts does not matter.

use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{Bencher, Throughput};

/// Subject ÷ reference. Lower is better; 1 is as fast as the reference.
pub(crate) struct Ratio;

/// Times `subject` against `reference`, turn by turn. What they give is dropped outside of the time that counts.
pub(crate) fn compare<R, S>(
    bencher: &mut Bencher<'_, Ratio>,
    mut reference: impl FnMut() -> R,
    mut subject: impl FnMut() -> S,
) {
    compare_prepared(bencher, (|| (), |()| reference()), (|| (), |()| subject()));
}

/// [`compare`] for work that needs something made before its time counts: a pair of who makes that, and who
/// works with it.
pub(crate) fn compare_prepared<P, R, Q, S>(
    bencher: &mut Bencher<'_, Ratio>,
    mut reference: (impl FnMut() -> P, impl FnMut(P) -> R),
    mut subject: (impl FnMut() -> Q, impl FnMut(Q) -> S),
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

fn time<P, R>((prepare, work): &mut (impl FnMut() -> P, impl FnMut(P) -> R)) -> Duration {
    let prepared = prepare();
    let start = Instant::now();
    let made = work(prepared);
    let took = start.elapsed();
    drop(made);
    took
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
