//! PATOM Lab.
pub mod data;
pub mod error;
pub mod rng;
pub use error::{Error, Result};
#[cfg(target_arch = "wasm32")]
pub mod wasm;
