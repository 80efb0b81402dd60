//! Sequences of operations, and what the engine answers.
