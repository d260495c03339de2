//! What one run uses: training and test points drawn from a data set, scaled, with the bias.
//!
//! Scaling. Each column is standardised, where that is asked for, with the mean and the standard
//! deviation (divisor n) of the training points of all tasks together; a column that is constant
//! there becomes zero. Then all feature vectors are divided by the largest l2 norm of the *whole*
//! data set, drawn or not, so that every point lies in the unit ball. (Without standardising, this
//! scale does not depend on the seed.) Then a 1 is appended for the bias: D = d + 1, bias last.
//! Regression labels are standardised task by task with the mean and the standard deviation
//! (divisor n) of that task's training points; labels that are all the same have only their mean
//! removed.
//!
//! Rows that all tasks label (Sarcos) are drawn once for all of them, or training rows for each task
//! apart (`shared_rows`). Test rows are then still the same for all, and none is a training row of
//! any task.

use super::{DataSet, Kind, Layout, MAX_VALUES, RawPoints, Spread};
use crate::affine::Affine;
use crate::choice::choice;
use crate::rng::{Random, Stream};
use crate::{Error, Result};

choice! {
    /// What is done to the labels of a regression.
    TargetScaling {
        /// Mean 0 and standard deviation 1 over the training points of each task.
        Standardised = "standardised" => "standardised on the training set",
        /// Nothing.
        Raw = "raw" => "raw",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the words and their enum are declared by one macro"
)]
impl Default for TargetScaling {
    fn default() -> Self {
        Self::Standardised
    }
}

choice! {
    /// What is done to the features before they are divided by the common norm.
    FeatureScaling {
        /// Nothing.
        None = "none" => "as they are",
        /// Mean 0 and standard deviation 1 over the training points of all tasks together.
        Standard = "standard" => "each column standardised on the training set",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the words and their enum are declared by one macro"
)]
impl Default for FeatureScaling {
    fn default() -> Self {
        Self::None
    }
}

/// How a sample is drawn.
///
/// | field | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `train_per_task` | none | training points of each task | at least 1, at most the available |
/// | `train_share` | none | the same as a share of the task's points, rounded down | above 0, below 1 |
/// | `test_per_task` | none: all the rest | test points of each task | at least 1, at most the available |
/// | `target_scaling` | standardised | labels of a regression | |
/// | `feature_scaling` | none | features | |
/// | `shared_rows` | true | whether tasks that label the same rows train on the same ones | false only for such tasks |
/// | `seed` | 0 | which points | any |
///
/// Exactly one of `train_per_task` and `train_share` is given, or neither where the file itself
/// marks the test points (a `split` column). A given size overrides the file. With rows apart,
/// `train_share` is a share of the m-th part of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSettings {
    /// Training points of each task.
    pub train_per_task: Option<usize>,
    /// Training points as a share of the points of the task.
    pub train_share: Option<f64>,
    /// Test points of each task; none: all the rest.
    pub test_per_task: Option<usize>,
    /// What is done to the labels of a regression.
    pub target_scaling: TargetScaling,
    /// What is done to the features.
    pub feature_scaling: FeatureScaling,
    /// Where all tasks label the same rows: do they train on the same ones?
    pub shared_rows: bool,
    /// Which points are drawn.
    pub seed: u64,
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self {
            train_per_task: None,
            train_share: None,
            test_per_task: None,
            target_scaling: TargetScaling::default(),
            feature_scaling: FeatureScaling::default(),
            shared_rows: true,
            seed: 0,
        }
    }
}

/// Scaled points: `features` row-major, n x D, D = d + 1, the bias 1 last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// Row-major, n x D.
    pub features: Vec<f64>,
    /// n.
    pub labels: Vec<f64>,
}

/// One task of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSample {
    /// The name in the data set.
    pub name: String,
    /// At least one point.
    pub train: Points,
    /// At least one point, none of them a training point.
    pub test: Points,
}

/// What a run uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// d, without the bias.
    pub features: usize,
    /// What the labels are.
    pub kind: Kind,
    /// At least one.
    pub tasks: Vec<TaskSample>,
    /// One entry a feature.
    pub columns: Vec<FeatureColumn>,
}

/// A feature column over the training points of all tasks together.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureColumn {
    /// Its name in the data set.
    pub name: String,
    /// Smallest value, in its own units.
    pub low: f64,
    /// Largest value, in its own units.
    pub high: f64,
    /// Whether all values are whole numbers.
    pub whole: bool,
    /// From its own units to those of the sample.
    pub units: Affine,
}

/// Rows of a block of points, and what their labels are.
struct Rows<'a> {
    points: &'a [f64],
    labels: &'a [f64],
    chosen: Vec<usize>,
}

/// How many training points are wanted.
#[derive(Clone, Copy)]
enum Wanted {
    Count(usize),
    Share(f64),
    AsInFile,
}

/// Draws a sample. The same data and settings give the same bits everywhere.
///
/// # Errors
/// Names the field (`train_per_task`, `train_share`, `test_per_task`) that exceeds the available points
/// or its range; `shared_rows` that is false for tasks that have rows of their own.
pub fn draw(data: &DataSet, settings: &SampleSettings) -> Result<Sample> {
    let wanted = settings.wanted(data.has_split())?;
    if settings.test_per_task == Some(0) {
        return Err(Error::out_of_range("test_per_task", 0, "at least 1"));
    }
    if !settings.shared_rows && !matches!(data.layout, Layout::Shared { .. }) {
        return Err(Error::invalid("shared_rows", no_shared_rows(&data.name)));
    }
    let drawn = match &data.layout {
        Layout::Separate { tasks, is_test } => {
            draw_separate(data, tasks, is_test.as_deref(), wanted, settings)?
        }
        Layout::Shared { features, labels } => {
            draw_shared(data, features, labels, wanted, settings)?
        }
        Layout::Classes { train, test, .. } => draw_classes(data, train, test, wanted, settings)?,
    };
    let rows: usize = drawn
        .iter()
        .map(|(train, test)| train.chosen.len() + test.chosen.len())
        .sum();
    check_numbers(rows, data.features)?;
    let columns = columns(data, &drawn, settings.feature_scaling)?;
    let classes = matches!(data.layout, Layout::Classes { .. });
    let tasks = drawn
        .iter()
        .enumerate()
        .map(|(task, (train, test))| {
            let class = classes.then_some(task as f64);
            let mut sample = TaskSample {
                name: data.task_names[task].clone(),
                train: train.scaled(&columns, class),
                test: test.scaled(&columns, class),
            };
            if data.kind == Kind::Regression
                && settings.target_scaling == TargetScaling::Standardised
            {
                sample.standardise();
            }
            sample
        })
        .collect();
    Ok(Sample {
        features: data.features,
        kind: data.kind,
        tasks,
        columns,
    })
}

/// Range and units of each column, from the training rows.
fn columns(data: &DataSet, drawn: &Drawn, scaling: FeatureScaling) -> Result<Vec<FeatureColumn>> {
    let d = data.features;
    let rows = || {
        drawn.iter().flat_map(|(train, _)| {
            let row = |row: &usize| &train.points[row * d..(row + 1) * d];
            train.chosen.iter().map(row)
        })
    };
    let mut columns: Vec<FeatureColumn> = (data.feature_names.iter())
        .map(|name| FeatureColumn {
            name: name.clone(),
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            whole: true,
            units: Affine::by_norm(1.0),
        })
        .collect();
    for row in rows() {
        for (column, &x) in columns.iter_mut().zip(row) {
            column.low = column.low.min(x);
            column.high = column.high.max(x);
            column.whole = column.whole && x.fract() == 0.0;
        }
    }
    if scaling == FeatureScaling::Standard {
        let mut values = Vec::new();
        for (k, column) in columns.iter_mut().enumerate() {
            values.clear();
            values.extend(rows().map(|row| row[k]));
            column.units = match Spread::of(&values) {
                None => Affine {
                    mean: values[0],
                    deviation: 0.0,
                    ..Affine::by_norm(1.0)
                },
                Some(spread) => Affine {
                    mean: spread.mean,
                    shift: spread.shift,
                    deviation: spread.deviation(),
                    norm: 1.0,
                },
            };
        }
    }
    let norm = match scaling {
        FeatureScaling::None => largest_norm(data),
        FeatureScaling::Standard => largest_norm_of(data, |k, x| columns[k].units.standardised(x)),
    };
    if !norm.is_finite() {
        return Err(Error::invalid(
            "feature_scaling",
            "standard is not possible: a point is more than 1e150 standard deviations of the \
             training points away from them; use none, or correct its values",
        ));
    }
    for column in &mut columns {
        column.units.norm = norm;
    }
    Ok(columns)
}

/// Points of a sample, or those that are injected, are not more numbers than a data set may hold.
///
/// # Errors
/// Names both counts, the limit, and the fields to change.
pub(crate) fn check_numbers(points: usize, features: usize) -> Result<()> {
    if points.saturating_mul(features + 2) > MAX_VALUES {
        return Err(Error::data(format!(
            "{points} points of {features} features in all tasks together; expected at most \
             {MAX_VALUES} numbers: take fewer with train_per_task, test_per_task or budget"
        )));
    }
    Ok(())
}

/// The largest l2 norm of a feature vector of the data set; 1 where all are zero.
pub fn largest_norm(data: &DataSet) -> f64 {
    largest_norm_of(data, |_, x| x)
}

/// The same with each entry mapped by `map`, which takes the number of its column, too.
fn largest_norm_of(data: &DataSet, map: impl Fn(usize, f64) -> f64) -> f64 {
    let square = |row: &[f64]| {
        let entries = row.iter().enumerate().map(|(k, &x)| map(k, x));
        entries.map(|x| x * x).sum::<f64>()
    };
    let largest = |features: &[f64]| {
        features
            .chunks_exact(data.features)
            .map(square)
            .fold(0.0, f64::max)
    };
    let square = match &data.layout {
        Layout::Separate { tasks, .. } => tasks
            .iter()
            .map(|task| largest(&task.features))
            .fold(0.0, f64::max),
        Layout::Shared { features, .. } => largest(features),
        Layout::Classes { train, test, .. } => {
            largest(&train.features).max(largest(&test.features))
        }
    };
    // Squares below the normal numbers have lost their digits: such features are zeros.
    if square >= f64::MIN_POSITIVE {
        square.sqrt()
    } else {
        1.0
    }
}

impl SampleSettings {
    fn wanted(&self, has_split: bool) -> Result<Wanted> {
        match (self.train_per_task, self.train_share) {
            (Some(_), Some(_)) => Err(Error::invalid(
                "train_share",
                "cannot be combined with train_per_task; give only one of them",
            )),
            (Some(0), None) => Err(Error::out_of_range("train_per_task", 0, "at least 1")),
            (Some(count), None) => Ok(Wanted::Count(count)),
            (None, Some(share)) if share > 0.0 && share < 1.0 => Ok(Wanted::Share(share)),
            (None, Some(share)) => Err(Error::out_of_range(
                "train_share",
                share,
                "above 0 and below 1",
            )),
            (None, None) if has_split => Ok(Wanted::AsInFile),
            (None, None) => Err(Error::invalid(
                "train_per_task",
                "missing; the data has no split of its own, so give train_per_task or train_share",
            )),
        }
    }

    /// Disjoint training and test rows out of `count`.
    fn draw_rows(
        &self,
        wanted: Wanted,
        count: usize,
        place: &str,
        random: &mut Random,
    ) -> Result<(Vec<usize>, Vec<usize>)> {
        let train = match wanted {
            Wanted::Count(train) if train < count => train,
            Wanted::Share(share) => {
                let train = share_of(share, count).min(count.saturating_sub(1));
                if train == 0 {
                    let reason = format!(
                        "{share} of the {count} points of {place} is none; a task needs one to train \
                         and one to test"
                    );
                    return Err(Error::invalid("train_share", reason));
                }
                train
            }
            Wanted::Count(train) => {
                return Err(Error::out_of_range(
                    "train_per_task",
                    train,
                    format!(
                        "at most {}: {place} has {count} points, and one must be left to test",
                        count - 1
                    ),
                ));
            }
            Wanted::AsInFile => unreachable!("only where the file has a split, which is no draw"),
        };
        let rest = count - train;
        let test = self.test_per_task.unwrap_or(rest);
        if test > rest {
            return Err(Error::out_of_range(
                "test_per_task",
                test,
                format!("at most {rest}: {place} has {count} points, {train} of them to train"),
            ));
        }
        let mut rows = random.choose(count, train + test);
        let test_rows = rows.split_off(train);
        Ok((rows, test_rows))
    }
}

/// floor(share * count), where a product that only rounding keeps below a whole number counts as
/// that number: 20 % of 445 is 89, 29 % of 100 is 29.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count"
)]
pub(crate) fn share_of(share: f64, count: usize) -> usize {
    (share * count as f64 + 1e-9).floor() as usize
}

type Drawn<'a> = Vec<(Rows<'a>, Rows<'a>)>;

fn draw_separate<'a>(
    data: &DataSet,
    tasks: &'a [RawPoints],
    is_test: Option<&[Vec<bool>]>,
    wanted: Wanted,
    settings: &SampleSettings,
) -> Result<Drawn<'a>> {
    let mut drawn = Vec::with_capacity(tasks.len());
    for (task, points) in tasks.iter().enumerate() {
        let place = format!("task {}", data.task_names[task]);
        let mut random = Random::new(settings.seed, Stream::Split, task as u64);
        let (train, test) = match (wanted, is_test) {
            (Wanted::AsInFile, Some(is_test)) => {
                split_as_in_file(&is_test[task], &place, settings, &mut random)?
            }
            _ => settings.draw_rows(wanted, points.count(), &place, &mut random)?,
        };
        let rows = |chosen| Rows {
            points: &points.features,
            labels: &points.labels,
            chosen,
        };
        drawn.push((rows(train), rows(test)));
    }
    Ok(drawn)
}

fn split_as_in_file(
    is_test: &[bool],
    place: &str,
    settings: &SampleSettings,
    random: &mut Random,
) -> Result<(Vec<usize>, Vec<usize>)> {
    let rows_where = |wanted| -> Vec<usize> {
        let rows = is_test.iter().enumerate();
        rows.filter(|(_, test)| **test == wanted)
            .map(|(row, _)| row)
            .collect()
    };
    let (train, mut test) = (rows_where(false), rows_where(true));
    if train.is_empty() || test.is_empty() {
        let missing = if train.is_empty() { "train" } else { "test" };
        return Err(Error::data(format!(
            "{place} has no points of split {missing}; expected at least one, or train_per_task \
             or train_share to draw again"
        )));
    }
    if let Some(count) = settings.test_per_task {
        if count > test.len() {
            return Err(Error::out_of_range(
                "test_per_task",
                count,
                format!("at most {}, the test points of {place}", test.len()),
            ));
        }
        let chosen = random.choose(test.len(), count);
        test = chosen.iter().map(|at| test[*at]).collect();
    }
    Ok((train, test))
}

fn draw_shared<'a>(
    data: &DataSet,
    features: &'a [f64],
    labels: &'a [Vec<f64>],
    wanted: Wanted,
    settings: &SampleSettings,
) -> Result<Drawn<'a>> {
    let mut random = Random::new(settings.seed, Stream::Split, 0);
    let (count, m) = (data.point_count(), labels.len());
    let parts = if settings.shared_rows { 1 } else { m };
    let wanted = rows_of_all(wanted, count, parts)?;
    let (train, test) = settings.draw_rows(wanted, count, "the data set", &mut random)?;
    let own = train.len() / parts;
    Ok((labels.iter().enumerate())
        .map(|(task, labels)| {
            let part = task % parts;
            let rows = |chosen: &[usize]| Rows {
                points: features,
                labels,
                chosen: chosen.to_vec(),
            };
            (rows(&train[part * own..(part + 1) * own]), rows(&test))
        })
        .collect())
}

/// Training rows of `parts` tasks together, where each trains on rows of its own; as wanted for one
/// part.
fn rows_of_all(wanted: Wanted, count: usize, parts: usize) -> Result<Wanted> {
    if parts == 1 {
        return Ok(wanted);
    }
    let most = (count - 1) / parts;
    let own = match wanted {
        Wanted::Count(own) if own <= most => own,
        Wanted::Count(own) => {
            let range = format!(
                "at most {most}: {parts} tasks have rows of their own out of {count}, and one must be \
                 left to test"
            );
            return Err(Error::out_of_range("train_per_task", own, range));
        }
        Wanted::Share(share) => match share_of(share, count / parts).min(most) {
            0 => {
                let reason = format!(
                    "{share} of the {} rows of each task is none; a task needs one to train",
                    count / parts
                );
                return Err(Error::invalid("train_share", reason));
            }
            own => own,
        },
        Wanted::AsInFile => return Ok(wanted),
    };
    Ok(Wanted::Count(own * parts))
}

/// Why rows cannot be drawn apart.
pub(crate) fn no_shared_rows(name: &str) -> String {
    format!(
        "false is for tasks that label the same rows, such as sarcos; the tasks of {name} do not"
    )
}

fn draw_classes<'a>(
    data: &DataSet,
    train: &'a RawPoints,
    test: &'a RawPoints,
    wanted: Wanted,
    settings: &SampleSettings,
) -> Result<Drawn<'a>> {
    let Wanted::Count(train_count) = wanted else {
        return Err(Error::invalid(
            "train_share",
            "does not apply to one-vs-rest tasks; give train_per_task: half of the class, half of the \
             others",
        ));
    };
    let mut drawn = Vec::with_capacity(data.task_count());
    for task in 0..data.task_count() {
        let mut random = Random::new(settings.seed, Stream::Split, task as u64);
        let mut draw_from = |pool: &'a RawPoints, count: Option<usize>, field: &str| {
            let of_class = |wanted| -> Vec<usize> {
                let rows = pool.labels.iter().enumerate();
                rows.filter(|(_, label)| (**label == task as f64) == wanted)
                    .map(|(row, _)| row)
                    .collect()
            };
            let (class, others) = (of_class(true), of_class(false));
            // None: all of the class, and as many others.
            let count = count.unwrap_or(2 * class.len().min(others.len()));
            let half = count / 2;
            if half == 0 || half > class.len() || count - half > others.len() {
                return Err(Error::out_of_range(
                    field,
                    count,
                    format!(
                        "from 2 to {}: half of {}, half of the others",
                        2 * class.len().min(others.len()),
                        data.task_names[task]
                    ),
                ));
            }
            let mut chosen = Vec::with_capacity(count);
            for (rows, count) in [(class, half), (others, count - half)] {
                let picked = random.choose(rows.len(), count);
                chosen.extend(picked.iter().map(|at| rows[*at]));
            }
            Ok(Rows {
                points: &pool.features,
                labels: &pool.labels,
                chosen,
            })
        };
        let train_rows = draw_from(train, Some(train_count), "train_per_task")?;
        let test_rows = draw_from(test, settings.test_per_task, "test_per_task")?;
        drawn.push((train_rows, test_rows));
    }
    Ok(drawn)
}

impl Rows<'_> {
    /// `class`: a label becomes 1 where it is this class, else -1.
    fn scaled(&self, columns: &[FeatureColumn], class: Option<f64>) -> Points {
        let features = columns.len();
        let mut points = Points {
            features: Vec::with_capacity(self.chosen.len() * (features + 1)),
            labels: Vec::with_capacity(self.chosen.len()),
        };
        // What is not standardised is divided by one number.
        let common = (columns.first().map(|column| column.units.norm))
            .filter(|&norm| (columns.iter()).all(|column| column.units == Affine::by_norm(norm)));
        for &row in &self.chosen {
            let values = &self.points[row * features..(row + 1) * features];
            match common {
                Some(norm) => points.features.extend(values.iter().map(|x| x / norm)),
                None => (points.features).extend(
                    (columns.iter().zip(values)).map(|(column, &x)| column.units.scaled(x)),
                ),
            }
            points.features.push(1.0);
            let label = self.labels[row];
            points.labels.push(match class {
                None => label,
                Some(class) if label == class => 1.0,
                Some(_) => -1.0,
            });
        }
        points
    }
}

impl Points {
    /// n.
    pub fn count(&self) -> usize {
        self.labels.len()
    }
}

impl TaskSample {
    fn standardise(&mut self) {
        let (mean, shift, deviation) = match Spread::of(&self.train.labels) {
            None => (self.train.labels[0], 0.0, 1.0),
            Some(spread) => (spread.mean, spread.shift, spread.deviation()),
        };
        for points in [&mut self.train, &mut self.test] {
            for label in &mut points.labels {
                *label = ((*label - mean) - shift) / deviation;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic;

    fn shared(n: u8) -> DataSet {
        let layout = Layout::Shared {
            features: (0..n).flat_map(|k| [f64::from(k), 3.0]).collect(),
            labels: vec![
                (0..n).map(f64::from).collect(),
                (0..n).map(|k| 10.0 - 2.0 * f64::from(k)).collect(),
                vec![0.1; usize::from(n)],
            ],
        };
        let names = ["up", "down", "constant"].map(String::from).to_vec();
        DataSet::new("shared", Kind::Regression, 2, names, layout).unwrap()
    }

    fn digits() -> DataSet {
        let pool = |count: u8, offset: f64| RawPoints {
            features: (0..count).map(|k| f64::from(k) + offset).collect(),
            labels: (0..count).map(|k| f64::from(k % 3)).collect(),
        };
        let layout = Layout::Classes {
            train: pool(30, 0.0),
            test: pool(15, 0.5),
            classes: 3,
        };
        let names = ["zero", "one", "two"].map(String::from).to_vec();
        DataSet::new("digits", Kind::Classification, 1, names, layout).unwrap()
    }

    fn with_split(tests: &[bool]) -> DataSet {
        let count = tests.len();
        let points = RawPoints {
            features: vec![1.0; count],
            labels: (0..count).map(|k| k as f64).collect(),
        };
        let layout = Layout::Separate {
            tasks: vec![points],
            is_test: Some(vec![tests.to_vec()]),
        };
        DataSet::new("split", Kind::Regression, 1, vec!["a".into()], layout).unwrap()
    }

    fn count(train: usize, test: Option<usize>) -> SampleSettings {
        SampleSettings {
            train_per_task: Some(train),
            test_per_task: test,
            target_scaling: TargetScaling::Raw,
            ..SampleSettings::default()
        }
    }

    fn field_of(result: Result<Sample>) -> String {
        let error = result.unwrap_err();
        error.field_name().unwrap_or_default().to_string()
    }

    #[test]
    fn the_seed_decides_the_sample() {
        let data = synthetic::generate(Kind::Regression, 1).unwrap();
        let sample = |seed| {
            let settings = SampleSettings {
                seed,
                ..count(40, None)
            };
            draw(&data, &settings).unwrap()
        };
        assert_eq!(sample(1), sample(1));
        assert_ne!(sample(1), sample(2));
        assert_eq!(sample(1).tasks[7].test.count(), 200);
    }

    #[test]
    fn training_and_test_points_are_disjoint_and_shared_by_all_tasks() {
        let sample = draw(&shared(20), &count(8, Some(12))).unwrap();
        let [up, down, _] = &sample.tasks[..] else {
            panic!("three tasks");
        };
        let mut seen: Vec<f64> = [&up.train.labels[..], &up.test.labels].concat();
        seen.sort_by(f64::total_cmp);
        assert_eq!(seen, (0..20).map(f64::from).collect::<Vec<_>>());
        for (a, b) in up.train.labels.iter().zip(&down.train.labels) {
            assert_eq!(*b, 10.0 - 2.0 * a);
        }
        assert_eq!(up.train.features, down.train.features);
    }

    #[test]
    fn rows_apart_are_in_one_training_set_only_and_tested_on_by_all() {
        let apart = |settings| SampleSettings {
            shared_rows: false,
            ..settings
        };
        let sample = draw(&shared(20), &apart(count(5, None))).unwrap();
        // The first feature is the number of the row, over the largest norm.
        let rows = |points: &Points| -> Vec<f64> {
            let rows = points.features.chunks_exact(3);
            rows.map(|row| (row[0] * libm::sqrt(19.0 * 19.0 + 9.0)).round())
                .collect()
        };
        let mut all: Vec<f64> = (sample.tasks.iter())
            .flat_map(|task| rows(&task.train))
            .collect();
        all.extend(rows(&sample.tasks[0].test));
        all.sort_by(f64::total_cmp);
        assert_eq!(all, (0..20).map(f64::from).collect::<Vec<_>>());
        for task in &sample.tasks {
            assert_eq!((task.train.count(), task.test.count()), (5, 5));
            assert_eq!(task.test.features, sample.tasks[0].test.features);
        }
        let [up, down, _] = &sample.tasks[..] else {
            panic!("three tasks");
        };
        assert_eq!(up.train.labels, rows(&up.train));
        let expected: Vec<f64> = (rows(&down.train).iter())
            .map(|row| 10.0 - 2.0 * row)
            .collect();
        assert_eq!(down.train.labels, expected);
        // Half of a third of 20 rows, rounded down.
        let half = SampleSettings {
            train_share: Some(0.5),
            ..SampleSettings::default()
        };
        let sample = draw(&shared(20), &apart(half)).unwrap();
        assert_eq!(sample.tasks[2].train.count(), 3);
        for (data, settings, field) in [
            (shared(20), count(7, None), "train_per_task"),
            (shared(20), count(6, Some(3)), "test_per_task"),
            (shared(2), count(1, None), "train_per_task"),
            (digits(), count(8, None), "shared_rows"),
            (with_split(&[false, true]), count(1, None), "shared_rows"),
        ] {
            assert_eq!(field_of(draw(&data, &apart(settings))), field);
        }
    }

    #[test]
    fn the_largest_point_of_the_whole_data_set_has_norm_1_and_the_bias_is_last() {
        let data = shared(5);
        let sample = draw(&data, &count(1, Some(1))).unwrap();
        let row = &sample.tasks[0].train.features;
        let index = sample.tasks[0].train.labels[0];
        // The largest is (4, 3).
        assert_eq!(row[..], [index / 5.0, 3.0 / 5.0, 1.0]);
    }

    #[test]
    fn labels_are_standardised_on_the_training_points_of_each_task() {
        let settings = SampleSettings {
            target_scaling: TargetScaling::Standardised,
            ..count(10, None)
        };
        let sample = draw(&shared(20), &settings).unwrap();
        for task in &sample.tasks[..2] {
            let n = task.train.count() as f64;
            let mean = task.train.labels.iter().sum::<f64>() / n;
            let square = task.train.labels.iter().map(|y| y * y).sum::<f64>() / n;
            // Rounding of ten numbers of size 1.
            assert!(mean.abs() < 1e-14 && (square - 1.0).abs() < 1e-14);
        }
        let constant = &sample.tasks[2];
        assert!(constant.train.labels.iter().all(|label| *label == 0.0));
        assert!(constant.test.labels.iter().all(|label| *label == 0.0));
    }

    #[test]
    fn one_vs_rest_takes_half_of_the_class_and_half_of_the_others() {
        let sample = draw(&digits(), &count(8, Some(6))).unwrap();
        for (class, task) in sample.tasks.iter().enumerate() {
            for (points, half, offset) in [(&task.train, 4, 0.0), (&task.test, 3, 0.5)] {
                let ones = points.labels.iter().filter(|label| **label == 1.0).count();
                assert_eq!((ones, points.count()), (half, 2 * half));
                for (row, label) in points.features.chunks(2).zip(&points.labels) {
                    let index = (row[0] * 29.0 - offset).round();
                    assert_eq!(index % 3.0 == class as f64, *label == 1.0);
                }
            }
        }
        // No size given: all of the class, and as many others.
        let whole = draw(&digits(), &count(8, None)).unwrap();
        assert_eq!(whole.tasks[0].test.count(), 10);
        assert_eq!(
            field_of(draw(&digits(), &count(22, None))),
            "train_per_task"
        );
        assert_eq!(field_of(draw(&digits(), &count(1, None))), "train_per_task");
        assert_eq!(
            field_of(draw(&digits(), &count(8, Some(12)))),
            "test_per_task"
        );
    }

    #[test]
    fn a_share_is_rounded_down_but_not_by_rounding_errors() {
        assert_eq!(share_of(0.2, 445), 89);
        assert_eq!(share_of(0.2, 690), 138);
        assert_eq!(share_of(0.2, 449), 89);
        // 0.29 * 100 is 28.999999999999996 in floating point.
        assert_eq!(share_of(0.29, 100), 29);
        assert_eq!(share_of(0.28, 25), 7);
        assert_eq!(share_of(1.5, 3), 4);
    }

    #[test]
    fn the_split_of_the_file_holds_unless_a_number_or_share_is_given() {
        let data = with_split(&[false, true, false, true, true]);
        let as_in_file = SampleSettings {
            target_scaling: TargetScaling::Raw,
            ..SampleSettings::default()
        };
        let sample = draw(&data, &as_in_file).unwrap();
        assert_eq!(sample.tasks[0].train.labels, [0.0, 2.0]);
        assert_eq!(sample.tasks[0].test.labels, [1.0, 3.0, 4.0]);
        let fewer = SampleSettings {
            test_per_task: Some(2),
            ..as_in_file.clone()
        };
        let sample = draw(&data, &fewer).unwrap();
        assert_eq!(sample.tasks[0].test.count(), 2);
        assert!(
            sample.tasks[0]
                .test
                .labels
                .iter()
                .all(|y| [1.0, 3.0, 4.0].contains(y))
        );
        let more = SampleSettings {
            test_per_task: Some(4),
            ..as_in_file.clone()
        };
        assert_eq!(field_of(draw(&data, &more)), "test_per_task");
        assert_eq!(
            draw(&data, &count(4, None)).unwrap().tasks[0].train.count(),
            4
        );
        let untested = draw(&with_split(&[false, false]), &as_in_file);
        assert!(untested.unwrap_err().to_string().contains("split test"));
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let data = shared(20);
        let share = |share| SampleSettings {
            train_share: Some(share),
            ..SampleSettings::default()
        };
        for bad in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY, 0.01] {
            assert_eq!(field_of(draw(&data, &share(bad))), "train_share", "{bad}");
        }
        assert_eq!(
            field_of(draw(&data, &SampleSettings::default())),
            "train_per_task"
        );
        for bad in [0, 20, 21, usize::MAX] {
            assert_eq!(
                field_of(draw(&data, &count(bad, None))),
                "train_per_task",
                "{bad}"
            );
        }
        for bad in [0, 11, usize::MAX] {
            assert_eq!(
                field_of(draw(&data, &count(10, Some(bad)))),
                "test_per_task",
                "{bad}"
            );
        }
        let both = SampleSettings {
            train_share: Some(0.5),
            ..count(10, None)
        };
        assert_eq!(field_of(draw(&data, &both)), "train_share");
    }

    #[test]
    fn labels_are_standardised_whatever_their_size() {
        // Squares of the smallest underflow.
        for size in [1e-300, 1e-165, 1e-5, 1.0, 1e90] {
            let labels: Vec<f64> = [1.0, 2.0, 4.0, 7.0].map(|y| size * y).to_vec();
            let mut sample = TaskSample {
                name: "a".into(),
                train: Points {
                    features: Vec::new(),
                    labels: labels.clone(),
                },
                test: Points {
                    features: Vec::new(),
                    labels,
                },
            };
            sample.standardise();
            let labels = &sample.train.labels;
            let square = labels.iter().map(|y| y * y).sum::<f64>() / 4.0;
            // A few roundings.
            assert!((square - 1.0).abs() < 1e-14, "{size:e}: {labels:?}");
            assert!(labels.iter().sum::<f64>().abs() < 1e-14);
            assert_eq!(sample.test.labels, *labels);
        }
    }

    #[test]
    fn more_points_than_numbers_may_be_are_refused() {
        assert!(check_numbers(MAX_VALUES / 10, 8).is_ok());
        let message = |points| check_numbers(points, 8).unwrap_err().to_string();
        let more = message(MAX_VALUES / 10 + 1);
        assert!(
            more.starts_with("6710887 points of 8 features") && more.contains("budget"),
            "{more}"
        );
        assert!(message(usize::MAX).contains("67108864 numbers"));
    }

    #[test]
    fn a_task_of_one_point_is_refused_with_a_reason() {
        let share = SampleSettings {
            train_share: Some(0.5),
            ..SampleSettings::default()
        };
        let message = draw(&with_split(&[false]), &share).unwrap_err().to_string();
        assert_eq!(
            message,
            "train_share: 0.5 of the 1 points of task a is none; a task needs one to train and one to \
             test"
        );
    }

    #[test]
    fn features_that_are_all_zero_are_left_alone() {
        let layout = Layout::Shared {
            features: vec![0.0; 4],
            labels: vec![vec![1.0, 2.0]],
        };
        let data = DataSet::new("zero", Kind::Regression, 2, vec!["a".into()], layout).unwrap();
        let sample = draw(&data, &count(1, None)).unwrap();
        assert_eq!(sample.tasks[0].train.features, [0.0, 0.0, 1.0]);
    }
}
