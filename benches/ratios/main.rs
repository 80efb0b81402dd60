//! Every figure is a ratio against a reference that ran in turn with it, so lower is better and a machine
//! whose speed drifts does not matter.
//!
//! `cargo bench` runs all, `cargo bench -- 'volume scenario'` those with that in their names.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on fails"
)]

mod bare;
mod engine;
mod image;
mod measure;
mod scenario;
#[expect(dead_code, reason = "the benchmark of daemons uses the rest")]
mod world;

use criterion::{Criterion, criterion_group, criterion_main};

use measure::Ratio;

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Ratio);
    targets = scenario::scenario, scenario::empty, scenario::jobs, scenario::first_verdict, engine::engine, image::image
}
criterion_main!(benches);
