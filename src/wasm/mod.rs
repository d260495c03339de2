//! The boundary to JavaScript: converts and forwards. No arithmetic, no decisions.
//!
//! The library is compiled into two wasm modules, each with the exports of one cargo feature:
//! `engine` (form, links, charts, numerics) is loaded at once by the page and by its workers,
//! `extras` (all that can wait for the first result) when something needs it. A third feature,
//! `bench`, has exports for timing in Node and is no part of the page.
//!
//! Settings cross as plain objects, curves and matrices as `Float64Array` (not a number: not
//! defined), long texts as strings. An error crosses as `{code, field, message}`: thrown, or, where
//! several are usual (checking a form, reading a link), returned as `{errors: [...]}`. The types that
//! JavaScript sees are generated: `derive(Tsify)` writes each into engine.d.ts or extras.d.ts.
//!
//! Here: what every module has, its start and its last panic.

#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "the callers are JavaScript: errors cross as described above"
)]

#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "extras")]
pub mod by_hand;
#[cfg(any(feature = "engine", feature = "extras"))]
mod convert;
#[cfg(feature = "extras")]
pub mod defence;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "extras")]
pub mod extras;
#[cfg(feature = "extras")]
pub mod import;
#[cfg(any(feature = "engine", feature = "extras"))]
mod result;
#[cfg(feature = "extras")]
pub mod risk;
#[cfg(any(feature = "engine", feature = "extras"))]
pub mod run;
#[cfg(feature = "extras")]
pub mod sweep;
#[cfg(feature = "extras")]
pub mod tuning;

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        LAST_PANIC.with(|last| last.replace(info.to_string()));
    }));
}

/// The message of the last panic, empty if there was none. An instance that panicked must not be
/// used again.
#[wasm_bindgen]
pub fn last_panic() -> String {
    LAST_PANIC.with(|last| last.borrow().clone())
}
