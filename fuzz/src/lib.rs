//! Hostile input: the readers of files, links and specifications on bytes that nobody wrote.
//!
//! [`targets`] are the functions under test with what must hold of them; [`mutate`] makes new
//! inputs of old ones, the same ones each time; `main` runs the targets so, on any toolchain. The
//! programs in `fuzz_targets` give the same functions to libFuzzer. Not here: property tests, which
//! make valid specifications (`tests/properties.rs`).

pub mod mutate;
pub mod targets;
