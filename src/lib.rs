//! PATOM Lab.
pub mod attack;
pub mod chart;
mod choice;
pub mod data;
pub mod error;
pub mod experiment;
pub mod figures;
pub mod findings;
pub mod linalg;
pub mod link;
pub mod metrics;
pub mod mtrl;
pub mod report;
pub mod rng;
pub mod spec;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub use error::{Error, Result};
