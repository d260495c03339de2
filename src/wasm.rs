//! The boundary to the page: converts and forwards; no arithmetic.

use wasm_bindgen::prelude::*;

/// The version of the engine, as links carry it.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
