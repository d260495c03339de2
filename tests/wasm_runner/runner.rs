//! Runs a wasm test binary in Node or Chromium: cargo starts it as the runner of tests/wasm.rs.
//!
//! It is `wasm-bindgen-test-runner`, built from the locked version instead of being installed.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
