//! Tests of execution and expectations on a scripted engine.

mod execute;
mod expect;
