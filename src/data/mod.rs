//! Data sets before anything is drawn from them, and what is drawn: the sample of a run.
//!
//! Here: the types. Below: file [`formats`], the [`published`] data sets, the [`import`] of a user's
//! file and its [`notes`], the [`synthetic`] generator, and [`sample`] (splits, scaling). Not here: opening files,
//! downloading, anything about models.

pub mod formats;
pub mod import;
pub mod notes;
pub mod published;
pub mod sample;
pub mod synthetic;

use sha2::{Digest, Sha256};

use crate::choice::choice;
use crate::warning::{LeftOut, Warning};
use crate::{Error, Result};

/// Most tasks a data set may have.
pub const MAX_TASKS: usize = 512;
/// Most features a data set may have, without the bias.
pub const MAX_FEATURES: usize = 4096;
/// Most numbers a data set or a sample may hold, features and labels together: 512 MiB of f64, and half
/// of that in the page, whose memory ends at 4 GiB.
pub const MAX_VALUES: usize = if usize::BITS > 32 { 1 << 26 } else { 1 << 25 };
/// Largest file that a reader accepts, and most bytes that a compressed file may inflate to.
pub const MAX_FILE_BYTES: usize = 256 << 20;
/// Largest magnitude of a feature or label: its square, summed over all points, stays finite.
pub const MAX_MAGNITUDE: f64 = 1e100;

choice! {
    /// What the labels of a data set are.
    Kind {
        /// Real numbers; measured by NMSE.
        Regression = "regression" => "regression",
        /// -1 or +1; measured by AUC.
        Classification = "classification" => "classification",
    }
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
        /// For each task, for each point: is it a test point? Given only where the file has a split.
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
    /// One name a task: `joint 1 torque`, `digit 0`, or the text of the task column.
    pub task_names: Vec<String>,
    /// One name a feature: of its column in a user's file, else x1 to xd. No part of the SHA-256.
    pub feature_names: Vec<String>,
    /// The points.
    pub layout: Layout,
    /// SHA-256, 64 hexadecimal digits: of the file for a user's file, else of the canonical points
    /// (see `DataSet::canonical_sha256`).
    pub sha256: String,
    /// Correlation of the tasks, m x m row-major, where it is known (synthetic).
    pub true_correlation: Option<Vec<f64>>,
    /// Text of the mapping that read a user's file, where one did (see `import::mapping`).
    pub columns: Option<String>,
    /// What was noticed while a user's file was read.
    pub warnings: Vec<Warning>,
    /// What a user's file holds that is not used.
    pub left_out: Vec<LeftOut>,
}

/// SHA-256 as 64 hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Two hexadecimal digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The kind of a set of labels: classification where all are -1 or 1, or all are 0 or 1
/// (then 0 becomes -1); otherwise regression.
pub(crate) fn classify_labels<'a>(labels: impl Iterator<Item = &'a mut f64> + 'a) -> Kind {
    let mut labels: Vec<&mut f64> = labels.collect();
    let all_among =
        |labels: &[&mut f64], low: f64| labels.iter().all(|label| **label == low || **label == 1.0);
    if all_among(&labels, -1.0) {
        Kind::Classification
    } else if all_among(&labels, 0.0) {
        for label in &mut labels {
            if **label == 0.0 {
                **label = -1.0;
            }
        }
        Kind::Classification
    } else {
        Kind::Regression
    }
}

/// How numbers spread: labels, or the values of a column.
pub(crate) struct Spread {
    /// Their mean.
    pub mean: f64,
    /// What the mean lacks by rounding (the mean of the distances from it): of labels near 1e10 with
    /// a standard deviation of 1 the mean alone is off by 1e-6.
    pub shift: f64,
    /// 1, or the largest distance from the mean where squares of the distances underflow.
    pub scale: f64,
    /// Mean square of the distances, over the square of the scale.
    pub variance: f64,
}

impl Spread {
    /// None where all are equal, or there are none. The mean of equal numbers can differ from them
    /// in the last bit: that must not become their spread.
    pub(crate) fn of(labels: &[f64]) -> Option<Self> {
        if labels.iter().all(|y| *y == labels[0]) {
            return None;
        }
        let n = labels.len() as f64;
        let mean = labels.iter().sum::<f64>() / n;
        let shift = labels.iter().map(|y| y - mean).sum::<f64>() / n;
        let mean_square = |scale: f64| {
            let shares = labels.iter().map(|y| ((y - mean) - shift) / scale);
            shares.map(|share| share * share).sum::<f64>() / n
        };
        let (mut scale, mut variance) = (1.0, mean_square(1.0));
        if variance == 0.0 {
            let distances = labels.iter().map(|y| ((y - mean) - shift).abs());
            scale = distances.fold(0.0, f64::max);
            variance = mean_square(scale);
        }
        Some(Self {
            mean,
            shift,
            scale,
            variance,
        })
    }

    /// The standard deviation, never zero.
    pub(crate) fn deviation(&self) -> f64 {
        (self.scale * self.variance.sqrt()).max(f64::MIN_POSITIVE)
    }
}

/// The names of features that have none of their own.
fn numbered_features(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("x{number}")).collect()
}

impl RawPoints {
    /// n.
    pub fn count(&self) -> usize {
        self.labels.len()
    }
}

impl DataSet {
    /// Checks sizes and numbers and computes the SHA-256 of the canonical points.
    ///
    /// # Errors
    /// Names the limit, the task or the point that is wrong.
    pub fn new(
        name: impl Into<String>,
        kind: Kind,
        features: usize,
        task_names: Vec<String>,
        layout: Layout,
    ) -> Result<Self> {
        let mut data = Self {
            name: name.into(),
            kind,
            features,
            task_names,
            feature_names: Vec::new(),
            layout,
            sha256: String::new(),
            true_correlation: None,
            columns: None,
            warnings: Vec::new(),
            left_out: Vec::new(),
        };
        data.check()?;
        data.feature_names = numbered_features(features);
        data.sha256 = data.canonical_sha256();
        Ok(data)
    }

    /// m.
    pub fn task_count(&self) -> usize {
        self.task_names.len()
    }

    /// Number of points as people count them: shared points once.
    pub fn point_count(&self) -> usize {
        match &self.layout {
            Layout::Separate { tasks, .. } => tasks.iter().map(RawPoints::count).sum(),
            Layout::Shared { labels, .. } => labels.first().map_or(0, Vec::len),
            Layout::Classes { train, test, .. } => train.count() + test.count(),
        }
    }

    /// Smallest and largest number of points of a task (one-vs-rest: both pools together).
    pub fn points_per_task(&self) -> (usize, usize) {
        match &self.layout {
            Layout::Separate { tasks, .. } => {
                let counts = || tasks.iter().map(RawPoints::count);
                (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
            }
            _ => (self.point_count(), self.point_count()),
        }
    }

    /// Does the file mark which points are for training and which for testing?
    pub fn has_split(&self) -> bool {
        matches!(
            &self.layout,
            Layout::Separate {
                is_test: Some(_),
                ..
            }
        )
    }

    /// The points of each task that a model may be trained on: those that the file does not mark for
    /// testing. (Of one-vs-rest: those of the training pool.)
    pub fn training_points(&self) -> Vec<RawPoints> {
        match &self.layout {
            Layout::Separate { tasks, is_test } => {
                let train = |(at, points): (usize, &RawPoints)| {
                    let Some(is_test) = is_test.as_ref().map(|is_test| &is_test[at]) else {
                        return points.clone();
                    };
                    let mut train = RawPoints::default();
                    let rows = points.features.chunks_exact(self.features);
                    for ((row, label), test) in rows.zip(&points.labels).zip(is_test) {
                        if !test {
                            train.features.extend(row);
                            train.labels.push(*label);
                        }
                    }
                    train
                };
                tasks.iter().enumerate().map(train).collect()
            }
            Layout::Shared { features, labels } => {
                let task = |labels: &Vec<f64>| RawPoints {
                    features: features.clone(),
                    labels: labels.clone(),
                };
                labels.iter().map(task).collect()
            }
            Layout::Classes { train, classes, .. } => {
                let task = |own: usize| {
                    let sign = |class: &f64| if *class == own as f64 { 1.0 } else { -1.0 };
                    RawPoints {
                        features: train.features.clone(),
                        labels: train.labels.iter().map(sign).collect(),
                    }
                };
                (0..*classes).map(task).collect()
            }
        }
    }

    /// SHA-256 over name, kind, sizes and the bits of every number, in the order in which they
    /// are stored. The canonical numbers are those after the rounding of the bundle (see
    /// `published`), so a data set read from a raw file and one read from a bundle agree.
    pub fn canonical_sha256(&self) -> String {
        let mut hash = Sha256::new();
        let size = |hash: &mut Sha256, size: usize| hash.update((size as u64).to_le_bytes());
        let numbers = |hash: &mut Sha256, numbers: &[f64]| {
            // In blocks, because hashing eight bytes at a time costs several times as much.
            let mut block = Vec::with_capacity(8 * 1024);
            for chunk in numbers.chunks(1024) {
                block.clear();
                for number in chunk {
                    block.extend_from_slice(&number.to_bits().to_le_bytes());
                }
                hash.update(&block);
            }
        };
        let points = |hash: &mut Sha256, points: &RawPoints| {
            size(hash, points.count());
            numbers(hash, &points.features);
            numbers(hash, &points.labels);
        };
        hash.update(b"patom data 1\0");
        size(&mut hash, self.name.len());
        hash.update(self.name.as_bytes());
        size(&mut hash, self.kind as usize);
        size(&mut hash, self.features);
        size(&mut hash, self.task_count());
        match &self.layout {
            Layout::Separate { tasks, is_test } => {
                hash.update([0, u8::from(is_test.is_some())]);
                for task in tasks {
                    points(&mut hash, task);
                }
                for flags in is_test.iter().flatten() {
                    let flags: Vec<u8> = flags.iter().map(|flag| u8::from(*flag)).collect();
                    hash.update(flags);
                }
            }
            Layout::Shared { features, labels } => {
                hash.update([1, 0]);
                size(&mut hash, self.point_count());
                numbers(&mut hash, features);
                for labels in labels {
                    numbers(&mut hash, labels);
                }
            }
            Layout::Classes {
                train,
                test,
                classes,
            } => {
                hash.update([2, 0]);
                size(&mut hash, *classes);
                points(&mut hash, train);
                points(&mut hash, test);
            }
        }
        hex(&hash.finalize())
    }

    fn check(&self) -> Result<()> {
        check_limit("tasks", self.task_count(), MAX_TASKS)?;
        check_limit("features", self.features, MAX_FEATURES)?;
        match &self.layout {
            Layout::Separate { tasks, is_test } => {
                check_same("tasks", tasks.len(), self.task_count())?;
                for (name, task) in self.task_names.iter().zip(tasks) {
                    self.check_points(task, &format!("task {name}"))?;
                }
                if let Some(is_test) = is_test {
                    check_same("split columns", is_test.len(), tasks.len())?;
                    for (flags, task) in is_test.iter().zip(tasks) {
                        check_same("split entries", flags.len(), task.count())?;
                    }
                }
                if self.kind == Kind::Classification {
                    for (name, task) in self.task_names.iter().zip(tasks) {
                        check_classes(&task.labels, name)?;
                    }
                }
            }
            Layout::Shared { features, labels } => {
                check_same("label columns", labels.len(), self.task_count())?;
                for (task, (name, labels)) in self.task_names.iter().zip(labels).enumerate() {
                    let place = format!("task {name}");
                    check_labels(labels, &place)?;
                    if task == 0 {
                        self.check_features(features, labels.len(), &place)?;
                    } else {
                        // Once for all tasks: there may be hundreds that share many points.
                        check_same("labels", labels.len(), self.point_count())?;
                    }
                    if self.kind == Kind::Classification {
                        check_classes(labels, name)?;
                    }
                }
            }
            Layout::Classes {
                train,
                test,
                classes,
            } => {
                check_same("classes", *classes, self.task_count())?;
                for (points, name) in [(train, "training pool"), (test, "test pool")] {
                    self.check_points(points, name)?;
                    let known = |label: &f64| {
                        label.fract() == 0.0 && (0.0..*classes as f64).contains(label)
                    };
                    if let Some(label) = points.labels.iter().find(|label| !known(label)) {
                        return Err(Error::data(format!(
                            "{name}: class {label}; expected a whole number from 0 to {}",
                            classes - 1
                        )));
                    }
                }
            }
        }
        let values = match &self.layout {
            Layout::Separate { tasks, .. } => tasks
                .iter()
                .map(|task| task.count() * (self.features + 1))
                .sum(),
            Layout::Shared { features, labels } => {
                features.len() + labels.iter().map(Vec::len).sum::<usize>()
            }
            Layout::Classes { .. } => self.point_count() * (self.features + 1),
        };
        check_limit("numbers", values, MAX_VALUES)
    }

    fn check_points(&self, points: &RawPoints, place: &str) -> Result<()> {
        check_labels(&points.labels, place)?;
        self.check_features(&points.features, points.count(), place)
    }

    fn check_features(&self, features: &[f64], points: usize, place: &str) -> Result<()> {
        if points.checked_mul(self.features) != Some(features.len()) {
            return Err(Error::data(format!(
                "{place}: {} feature values for {points} points of {} features",
                features.len(),
                self.features
            )));
        }
        match features.iter().position(|number| is_unusable(*number)) {
            None => Ok(()),
            Some(at) => Err(Error::data(format!(
                "{place}, point {}, feature {}: {}; expected {USABLE} {MAX_MAGNITUDE:e}",
                at / self.features + 1,
                at % self.features + 1,
                features[at]
            ))),
        }
    }
}

const USABLE: &str = "a finite number of at most";

fn is_unusable(number: f64) -> bool {
    number.is_nan() || number.abs() > MAX_MAGNITUDE
}

fn check_labels(labels: &[f64], place: &str) -> Result<()> {
    if labels.is_empty() {
        return Err(Error::data(format!("{place} has no points")));
    }
    match labels.iter().position(|number| is_unusable(*number)) {
        None => Ok(()),
        Some(at) => Err(Error::data(format!(
            "{place}, point {}: label {}; expected {USABLE} {MAX_MAGNITUDE:e}",
            at + 1,
            labels[at]
        ))),
    }
}

fn check_classes(labels: &[f64], task: &str) -> Result<()> {
    match labels.iter().find(|label| label.abs() != 1.0) {
        Some(label) => Err(Error::data(format!(
            "task {task}: label {label}; expected -1 or 1"
        ))),
        None => Ok(()),
    }
}

fn check_limit(what: &str, found: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&found) {
        Ok(())
    } else {
        Err(Error::data(format!("{found} {what}; expected 1 to {most}")))
    }
}

fn check_same(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::data(format!("{found} {what}; expected {expected}")))
    }
}

/// The ending of a file's name, in lower case. A file that is too large is refused here, before it is
/// read.
fn ending_of(name: &str, bytes: &[u8]) -> Result<String> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Error::data(format!(
            "{name}: {} bytes; expected at most {MAX_FILE_BYTES}",
            bytes.len()
        )));
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Ok(ending.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny(label: f64, feature: f64) -> Result<DataSet> {
        DataSet::new(
            "tiny",
            Kind::Classification,
            2,
            vec!["a".into()],
            Layout::Separate {
                tasks: vec![RawPoints {
                    features: vec![1.0, 2.0, 3.0, feature],
                    labels: vec![-1.0, label],
                }],
                is_test: None,
            },
        )
    }

    #[test]
    fn numbers_that_are_not_finite_or_too_large_are_refused_by_place() {
        assert!(tiny(1.0, 4.0).is_ok());
        for bad in [f64::NAN, f64::INFINITY, -1e101] {
            let message = tiny(1.0, bad).unwrap_err().to_string();
            assert!(message.contains("task a, point 2, feature 2"), "{message}");
            assert!(tiny(bad, 4.0).is_err());
        }
        assert!(tiny(0.0, 4.0).is_err(), "0 is no class");
    }

    #[test]
    fn different_points_have_different_hashes() {
        let one = tiny(1.0, 4.0).unwrap();
        assert_eq!(one.sha256, one.canonical_sha256());
        assert_ne!(one.sha256, tiny(-1.0, 4.0).unwrap().sha256);
        assert_ne!(one.sha256, tiny(1.0, 5.0).unwrap().sha256);
    }

    #[test]
    fn labels_determine_the_kind() {
        let kind = |labels: &mut [f64]| classify_labels(labels.iter_mut());
        assert_eq!(kind(&mut [-1.0, 1.0]), Kind::Classification);
        let mut zero_one = [0.0, 1.0];
        assert_eq!(kind(&mut zero_one), Kind::Classification);
        assert_eq!(zero_one, [-1.0, 1.0]);
        assert_eq!(kind(&mut [-1.0, 0.0, 1.0]), Kind::Regression);
        assert_eq!(kind(&mut [f64::NAN, 1.0]), Kind::Regression);
    }
}
