//! File formats: bytes to tables or arrays. Texts with separators (`csv`), MATLAB files of version 5,
//! NumPy files, svmlight, ARFF, rows in JSON, IDX and our own bundle; gzip around any of them; `encoding` of
//! text files.
//! `matlab_tasks` knows the two layouts of MATLAB variables that are tasks without a mapping, `roles`
//! what variables are by their names. Not here: opening files, what a user's columns mean (`import`),
//! the published files (`published`).

pub(super) mod arff;
pub mod bundle;
pub mod csv;
pub(super) mod encoding;
pub(super) mod grid;
pub(super) mod gzip;
pub mod idx;
pub(super) mod json;
pub mod matlab;
pub(super) mod matlab_tasks;
pub(super) mod npy;
pub(super) mod roles;
pub(super) mod svmlight;
pub mod variable;
