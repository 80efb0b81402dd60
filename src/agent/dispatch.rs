//! Tells the agent's process from every other.

/// The reserved environment variable that makes a process an agent. Its value is the version of the
/// protocol that the engine speaks.
pub const VARIABLE: &str = "LAYERSPEC_AGENT";

/// Returns at once unless this process was started as an agent. The first line of every `main` that
/// uses this crate, before any argument is read and any thread is started.
///
/// No engine of this version starts agents, so that for now it always returns.
pub fn dispatch() {}
