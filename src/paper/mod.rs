//! The paper's figures and claims. [`plan`] lists the runs of a figure, [`figures`] prepares their results,
//! [`findings`] states what the results say about the paper's claim, [`published`] is what the page
//! shows before it computes anything, [`reproduction`] compares every claim with what was measured, as
//! Markdown. Not here: threads, files, drawing (`chart::sweep`).

pub mod figures;
pub mod findings;
pub mod plan;
pub mod published;
pub mod reproduction;
