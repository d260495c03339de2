//! PATOM Lab.
pub mod attack;
pub mod chart;
mod choice;
pub mod data;
pub mod error;
pub mod experiment;
pub mod figures;
pub mod linalg;
pub mod link;
pub mod metrics;
pub mod mtrl;
pub mod report;
pub mod rng;
pub mod spec;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
#[cfg(all(target_arch = "wasm32", feature = "bench"))]
pub mod wasm_bench;
#[cfg(feature = "bench")]
pub mod workload;
pub use error::{Error, Result};
