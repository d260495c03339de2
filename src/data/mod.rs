//! Data sets before anything is drawn from them, and what is drawn: the sample of a run.
//!
//! Here: the types. Beside it: readers of file formats (`matlab`, `csv`, `idx`), the compact
//! `bundle` that the page loads, the `synthetic` generator, and `sample` (splits, scaling).
//! Not here: opening files, downloading, anything about models.

use serde::Serialize;

/// What the labels of a data set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Real numbers; measured by NMSE.
    Regression,
    /// -1 or +1; measured by AUC.
    Classification,
}

/// Points with labels: `features` row-major, n x d, unscaled, without the bias entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawPoints {
    /// Row-major, n x d.
    pub features: Vec<f64>,
    /// n labels (regression: any finite number; classification: -1 or +1).
    pub labels: Vec<f64>,
}

/// How the tasks of a data set share its points.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// Every task has points of its own (Landmine, CSV files).
    Separate {
        /// One entry a task.
        tasks: Vec<RawPoints>,
        /// For each task, for each point: is it a test point? Given only where the file says so.
        is_test: Option<Vec<Vec<bool>>>,
    },
    /// All tasks label the same points (Sarcos).
    Shared {
        /// Row-major, n x d.
        features: Vec<f64>,
        /// One vector of n labels a task.
        labels: Vec<Vec<f64>>,
    },
    /// One-vs-rest: task k asks whether a point is of class k (MNIST).
    Classes {
        /// Points that training points are drawn from: features, and the class as label.
        train: RawPoints,
        /// Points that test points are drawn from.
        test: RawPoints,
        /// Number of classes, and so of tasks.
        classes: usize,
    },
}

/// A checked data set: all numbers finite, all sizes consistent, at least one task.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// `landmine`, `sarcos`, `mnist`, `synthetic`, or the file's name.
    pub name: String,
    /// What the labels are.
    pub kind: Kind,
    /// d, without the bias.
    pub features: usize,
    /// The points.
    pub layout: Layout,
    /// SHA-256, 64 hexadecimal digits: of the file for a user's file, else of the canonical points
    /// (see `DataSet::canonical_sha256`).
    pub sha256: String,
    /// Correlation of the tasks, m x m row-major, where it is known (synthetic).
    pub true_correlation: Option<Vec<f64>>,
}

impl DataSet {
    /// m.
    pub fn task_count(&self) -> usize {
        match &self.layout {
            Layout::Separate { tasks, .. } => tasks.len(),
            Layout::Shared { labels, .. } => labels.len(),
            Layout::Classes { classes, .. } => *classes,
        }
    }
}
