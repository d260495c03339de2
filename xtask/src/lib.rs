//! The project's own build tool: build, serve, data, test, fuzz, trust.
//!
//! It is a library so that the browser tests serve the site by the very same [`server`].

pub mod audit;
pub mod bench;
pub mod build;
pub mod data;
pub mod fuzz;
pub mod licences;
pub mod server;
pub mod settings;
pub mod setup;
pub mod site;
pub mod supply;
pub mod test;
pub mod trust;
pub mod wasm;
pub mod workspace;
