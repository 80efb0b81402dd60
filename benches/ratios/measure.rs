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

/// A piece of work of some size, and its bare counterpart of the same size.
pub(crate) struct Sized<S, B> {
    pub(crate) subject: S,
    pub(crate) bare: B,
}

/// How many times its bare counterpart a large piece of work costs ÷ the same of a small one. 1 is growth
/// like that of the bare one, so what the file system itself does to many files is no matter.
pub(crate) fn compare_growth(
    bencher: &mut Bencher<'_, Ratio>,
    mut small: Sized<impl FnMut(), impl FnMut()>,
    mut large: Sized<impl FnMut(), impl FnMut()>,
) {
    bencher.iter_custom(|rounds| {
        let mut times = [Duration::ZERO; 4];
        for _ in 0..rounds {
            times[0] += time(&mut small.bare);
            times[1] += time(&mut small.subject);
            times[2] += time(&mut large.bare);
            times[3] += time(&mut large.subject);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a few thousand rounds at the most"
        )]
        let weight = rounds as f64;
        let [small_bare, small, large_bare, large] = times.map(|time| time.as_secs_f64());
        weight * (large / large_bare) / (small / small_bare)
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
