//! What becomes a wasm module: the exports that `patom` has with the module's feature. Nothing else.
//!
//! A package of its own because a linked program is optimised as the package at its end asks for. Here
//! that is speed, so that the kernels keep their vectors; `patom`, which is linked in, is made small
//! (see the profile `small` in the root manifest).

#[cfg(target_arch = "wasm32")]
pub use patom::wasm;
