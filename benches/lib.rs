//! Benchmarks: `engine.rs` with criterion, `compare.py` against wasm and Python peers. Nothing else
//! lives in this package.
