//! The paper's figures and claims. [`figures`] plans the runs of a figure and prepares its results,
//! [`findings`] states what the results say about the paper's claim, [`published`] is what the page
//! shows before it computes anything, [`reproduction`] compares every claim with what was measured, as
//! Markdown. Not here: threads, files, drawing (`chart::sweep`).

pub mod figures;
pub mod findings;
pub mod published;
pub mod reproduction;
