//! Defences against injected points, and what they are worth.
//!
//! The learner whose tasks cannot be dragged is [`crate::mtrl::capped`]; [`certificate`] says what it
//! promises. [`sanitise`] drops suspicious points before training, [`ranking`] orders tasks by how
//! suspicious they look, [`detection`] compares both with the truth where it is known. [`study`]
//! measures all of them for one specification; it alone uses [`crate::experiment`]. Not here:
//! the attacker.

pub mod certificate;
pub mod detection;
pub mod ranking;
pub mod sanitise;
pub mod study;
