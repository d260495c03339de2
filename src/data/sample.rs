//! What one run uses: training and test points drawn from a data set, scaled, with the bias.
//!
//! Scaling. All feature vectors are divided by the largest l2 norm of the *whole* data set, drawn
//! or not, so the scale does not depend on the seed and every point lies in the unit ball. Then a 1
//! is appended for the bias: D = d + 1, bias last. Regression labels are standardised task by task
//! with the mean and the standard deviation (divisor n) of that task's training points; labels
//! that are all the same have only their mean removed.

use super::{DataSet, Kind, Layout, MAX_VALUES, RawPoints};
use crate::choice::choice;
use crate::rng::{Random, Stream};
use crate::{Error, Result};

choice! {
    /// What is done to the labels of a regression.
    TargetScaling {
        /// Mean 0 and standard deviation 1 over the training points of each task.
        Standardised = "standardised",
        /// Nothing.
        Raw = "raw",
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

/// How a sample is drawn.
///
/// | field | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `train_per_task` | none | training points of each task | at least 1, and what is there |
/// | `train_share` | none | the same as a share of the task's points, rounded down | above 0, below 1 |
/// | `test_per_task` | none: all the rest | test points of each task | at least 1, and what is there |
/// | `target_scaling` | standardised | labels of a regression | |
/// | `seed` | 0 | which points | any |
///
/// Exactly one of `train_per_task` and `train_share` is given, or neither where the file itself
/// says which points are for training (a `split` column). One that is given overrules the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleSettings {
    /// Training points of each task.
    pub train_per_task: Option<usize>,
    /// Training points as a share of the points of the task.
    pub train_share: Option<f64>,
    /// Test points of each task; none: all the rest.
    pub test_per_task: Option<usize>,
    /// What is done to the labels of a regression.
    pub target_scaling: TargetScaling,
    /// Which points are drawn.
    pub seed: u64,
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
/// Names the field (`train_per_task`, `train_share`, `test_per_task`) that asks for more than is
/// there, or is out of its range.
pub fn draw(data: &DataSet, settings: &SampleSettings) -> Result<Sample> {
    let wanted = settings.wanted(data.has_split())?;
    if settings.test_per_task == Some(0) {
        return Err(Error::field("test_per_task", 0, "at least 1"));
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
    if rows.saturating_mul(data.features + 2) > MAX_VALUES {
        return Err(Error::data(format!(
            "{rows} points of {} features in all tasks together; expected at most {MAX_VALUES} \
             numbers: draw fewer points with train_per_task and test_per_task",
            data.features
        )));
    }
    let norm = largest_norm(data);
    let classes = matches!(data.layout, Layout::Classes { .. });
    let tasks = drawn
        .iter()
        .enumerate()
        .map(|(task, (train, test))| {
            let class = classes.then_some(task as f64);
            let mut sample = TaskSample {
                name: data.task_names[task].clone(),
                train: train.scaled(data.features, norm, class),
                test: test.scaled(data.features, norm, class),
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
    })
}

/// The largest l2 norm of a feature vector of the data set; 1 where all are zero.
pub fn largest_norm(data: &DataSet) -> f64 {
    let largest = |features: &[f64]| {
        features
            .chunks_exact(data.features)
            .map(|row| row.iter().map(|x| x * x).sum::<f64>())
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
            (Some(_), Some(share)) => Err(Error::field(
                "train_share",
                share,
                "only one of train_per_task and train_share",
            )),
            (Some(0), None) => Err(Error::field("train_per_task", 0, "at least 1")),
            (Some(count), None) => Ok(Wanted::Count(count)),
            (None, Some(share)) if share > 0.0 && share < 1.0 => Ok(Wanted::Share(share)),
            (None, Some(share)) => Err(Error::field(
                "train_share",
                share,
                "a number above 0 and below 1",
            )),
            (None, None) if has_split => Ok(Wanted::AsInFile),
            (None, None) => Err(Error::field(
                "train_per_task",
                "nothing",
                "train_per_task or train_share, as the data has no split of its own",
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
                let train = share_of(share, count);
                if train == 0 {
                    return Err(Error::field(
                        "train_share",
                        share,
                        format!("at least one of the {count} points of {place}"),
                    ));
                }
                train
            }
            Wanted::Count(train) => {
                return Err(Error::field(
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
            return Err(Error::field(
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
/// that number: 20 % of 445 is 89.
fn share_of(share: f64, count: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and count"
    )]
    let train = (share * count as f64 + 1e-9).floor() as usize;
    train.min(count - 1)
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
             or train_share to draw anew"
        )));
    }
    if let Some(count) = settings.test_per_task {
        if count > test.len() {
            return Err(Error::field(
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
    let (train, test) =
        settings.draw_rows(wanted, data.point_count(), "the data set", &mut random)?;
    Ok(labels
        .iter()
        .map(|labels| {
            let rows = |chosen: &[usize]| Rows {
                points: features,
                labels,
                chosen: chosen.to_vec(),
            };
            (rows(&train), rows(&test))
        })
        .collect())
}

fn draw_classes<'a>(
    data: &DataSet,
    train: &'a RawPoints,
    test: &'a RawPoints,
    wanted: Wanted,
    settings: &SampleSettings,
) -> Result<Drawn<'a>> {
    let Wanted::Count(train_count) = wanted else {
        return Err(Error::field(
            "train_share",
            settings.train_share.unwrap_or_default(),
            "train_per_task for one-vs-rest tasks: half of the class, half of the others",
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
                return Err(Error::field(
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
    fn scaled(&self, features: usize, norm: f64, class: Option<f64>) -> Points {
        let mut points = Points {
            features: Vec::with_capacity(self.chosen.len() * (features + 1)),
            labels: Vec::with_capacity(self.chosen.len()),
        };
        for &row in &self.chosen {
            let values = &self.points[row * features..(row + 1) * features];
            points.features.extend(values.iter().map(|x| x / norm));
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
        let labels = &self.train.labels;
        let n = labels.len() as f64;
        let constant = labels.iter().all(|label| *label == labels[0]);
        // The mean of equal numbers can differ from them in the last bit; that must not become
        // the standard deviation.
        let (mean, deviation) = if constant {
            (labels[0], 1.0)
        } else {
            let mean = labels.iter().sum::<f64>() / n;
            let square = labels.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>();
            let deviation = (square / n).sqrt();
            (mean, if deviation > 0.0 { deviation } else { 1.0 })
        };
        for points in [&mut self.train, &mut self.test] {
            for label in &mut points.labels {
                *label = (*label - mean) / deviation;
            }
        }
    }
}
