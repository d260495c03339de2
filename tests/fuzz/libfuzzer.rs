//! The target that $TARGET names under libFuzzer. cargo-fuzz builds it on a stable toolchain:
//!
//! ```text
//! cargo install cargo-fuzz --locked
//! mkdir -p target/fuzz/csv
//! TARGET=csv cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none --dev --features libfuzzer \
//!     libfuzzer target/fuzz/csv tests/fuzz/corpus/csv -- -max_total_time=60
//! ```
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("TARGET").expect("TARGET names a folder of the corpus"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| patom_fuzz::run(&TARGET, bytes));
