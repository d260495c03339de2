//! The paper's figures and claims. [`plan`] lists the runs of a figure, [`figures`] prepares their results,
//! [`findings`] states what they show on one data set, [`claims`] judges the paper's claims, [`published`]
//! is what the page shows before it computes anything, [`reproduction`] compares every claim with what was
//! measured, [`studies`] what the figures do not show, [`search`] tries what the paper leaves open, as
//! Markdown. Not here: threads, files, drawing (`chart::sweep`).

/// Where the paper is.
pub const ADDRESS: &str = "https://doi.org/10.1609/aaai.v32i1.11838";

pub mod claims;
pub mod figures;
pub mod findings;
pub mod plan;
pub mod published;
pub mod reproduction;
pub mod search;
pub mod studies;
