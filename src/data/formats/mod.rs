//! File formats: bytes to tables or arrays. CSV, MATLAB files of version 5, IDX and our own bundle;
//! `matlab_tasks` knows the two layouts of MATLAB variables that are tasks without a mapping. Not
//! here: opening files, what a user's columns mean (`import`), the published files (`published`).

pub mod bundle;
pub mod csv;
pub mod idx;
pub mod matlab;
pub(super) mod matlab_tasks;
