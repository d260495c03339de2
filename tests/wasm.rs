//! What must hold in wasm: the same tests run in a worker of Chromium and in Node.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn the_boundary_says_the_version_of_the_crate() {
    assert_eq!(patom::wasm::version(), env!("CARGO_PKG_VERSION"));
}
