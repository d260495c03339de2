//! What can make the result of a run meaningless, from its points and its clean model: warnings for
//! the report. Not here: what is noticed while a file is read (`data::import`).

use std::cmp::Ordering;

use crate::attack::{Attack, FeatureDomain, Injection};
use crate::data::sample::{FeatureColumn, FeatureScaling, Sample, TaskSample};
use crate::data::{Kind, Layout};
use crate::error::excerpt;
use crate::linalg::{ascending, norm_squared};
use crate::metrics::MetricName;
use crate::minus::minus;
use crate::report::{Model, SingleTask};
use crate::spec::{DatasetRef, Spec};
use crate::warning::{Warning, WarningCode};

/// A column that makes up more than this share of the squared norm of all points dominates.
const DOMINANT: f64 = 0.99;
/// Fewer test points than this make the metric of a task uncertain.
const FEW: usize = 20;
/// Tasks share rows where more than this share of the training rows are in other tasks, too.
const SHARED: f64 = 0.5;
/// Single-task learning is better where its error is lower by more than this share (NMSE) or its AUC
/// higher by more than this.
const BETTER: (f64, f64) = (0.01, 0.005);
/// Where the training points all lie within this radius, another point lies far out (at 1).
const NEAR: f64 = 0.05;
/// Names that a message lists.
const LISTED: usize = 5;
/// Characters of a name in a message.
const LONGEST_NAME: usize = 60;

/// What a run knows when it is over.
pub(crate) struct Findings<'a> {
    pub spec: &'a Spec,
    pub layout: &'a Layout,
    pub sample: &'a Sample,
    pub injections: &'a [Injection],
    pub clean: &'a Model,
    pub single_task: &'a SingleTask,
}

impl Findings<'_> {
    /// All warnings, the gravest first.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let all = [
            self.no_better_than_guessing(),
            self.dominant_column(),
            self.far_point(),
            self.constant_columns(),
            self.impossible_values(),
            self.few_test_points(),
            self.worse_than_single_task(),
            self.shared_rows(),
            self.one_task(),
        ];
        all.into_iter().flatten().collect()
    }

    fn no_better_than_guessing(&self) -> Option<Warning> {
        let is_bad = |value: f64| match self.sample.kind {
            Kind::Regression => value >= 1.0,
            Kind::Classification => value <= 0.5,
        };
        let metrics = &self.clean.metric_per_task;
        let defined = metrics.iter().flatten().count();
        let bad: Vec<usize> = (0..metrics.len())
            .filter(|&task| metrics[task].is_some_and(is_bad))
            .collect();
        let first = *bad.first()?;
        let what = match self.sample.kind {
            Kind::Regression => {
                "predicts no better than the mean of its labels (NMSE of 1 or more)"
            }
            Kind::Classification => "ranks no better than chance (AUC of 0.5 or less)",
        };
        let message = format!(
            "The clean model {what} in {} of {defined} tasks: {}. An attack on such a task shows \
             nothing; check the columns and their scaling, or choose λ1 and λ2 by cross-validation.",
            bad.len(),
            list(bad.iter().map(|&task| self.title(task)))
        );
        let warning = Warning::new(WarningCode::NoBetterThanGuessing, message);
        Some(if bad.len() == 1 {
            warning.of_task(first)
        } else {
            warning
        })
    }

    fn dominant_column(&self) -> Option<Warning> {
        let d = self.sample.features;
        if d < 2 {
            return None;
        }
        let mut squares = vec![0.0; d];
        for task in &self.sample.tasks {
            for row in task.train.features.chunks_exact(d + 1) {
                for (square, x) in squares.iter_mut().zip(row) {
                    *square += x * x;
                }
            }
        }
        let total: f64 = squares.iter().sum();
        let at = squares
            .iter()
            .position(|&square| square > DOMINANT * total)?;
        let column = &self.sample.columns[at].name;
        let name = excerpt(column, LONGEST_NAME);
        let cure = match self.spec.feature_scaling {
            FeatureScaling::None => "`feature_scaling: standard` removes the units.",
            FeatureScaling::Standard => "Check it for values that are out of range.",
        };
        let message = format!(
            "Column {name} makes up {:.1} % of the squared norm of the points, so the other columns \
             have nearly no effect. {cure}",
            // Never rounded up to all of it, where it is not.
            (1000.0 * squares[at] / total).floor() / 10.0
        );
        Some(Warning::new(WarningCode::DominantColumn, message).of_column(column))
    }

    /// The common norm is that of the point furthest out, trained on or not.
    fn far_point(&self) -> Option<Warning> {
        let d = self.sample.features;
        let trained = self.sample.tasks.iter().flat_map(|task| {
            let points = task.train.features.chunks_exact(d + 1);
            points.map(|row| norm_squared(&row[..d]))
        });
        let furthest = trained.fold(0.0, f64::max).sqrt();
        // Zero: there is nothing to compare with.
        if !(furthest > 0.0 && furthest < NEAR) {
            return None;
        }
        let columns = &self.sample.columns;
        let scaled = |row: &[f64]| -> Vec<f64> {
            let pairs = columns.iter().zip(row);
            pairs.map(|(column, &x)| column.units.scaled(x)).collect()
        };
        let blocks: Vec<&[f64]> = match self.layout {
            Layout::Separate { tasks, .. } => {
                tasks.iter().map(|task| task.features.as_slice()).collect()
            }
            Layout::Shared { features, .. } => vec![features],
            Layout::Classes { train, test, .. } => vec![&train.features, &test.features],
        };
        let rows = || blocks.iter().flat_map(|block| block.chunks_exact(d));
        let norms = rows().map(|row| norm_squared(&scaled(row)));
        let (at, _) =
            norms.enumerate().fold(
                (0, 0.0),
                |most, (at, norm)| {
                    if norm > most.1 { (at, norm) } else { most }
                },
            );
        let row = rows().nth(at)?;
        let entries: Vec<f64> = scaled(row).iter().map(|x| x.abs()).collect();
        let column = *ascending(&entries).last()?;
        let name = &columns[column].name;
        let message = format!(
            "Column {} has the value {}, which puts a point {:.0} times as far out as any training \
             point. All points are divided by its norm, so the models are held near zero; correct the \
             value or leave its row out.",
            excerpt(name, LONGEST_NAME),
            minus(format_args!("{}", row[column])),
            (1.0 / furthest).floor()
        );
        Some(Warning::new(WarningCode::ImplausibleValues, message).of_column(name))
    }

    fn constant_columns(&self) -> Option<Warning> {
        if self.spec.feature_scaling == FeatureScaling::None {
            return None;
        }
        let is_constant = |column: &&FeatureColumn| column.low == column.high;
        about_columns(
            WarningCode::ConstantColumn,
            self.sample.columns.iter().filter(is_constant),
            |names| {
                format!(
                    "Constant in the training points, and so without effect: {names}. Standardised, \
                     such a column is zero."
                )
            },
        )
    }

    /// In a ball, injected points have values between those that whole numbers can have.
    fn impossible_values(&self) -> Option<Warning> {
        let injects = (self.injections.iter()).any(|injection| !injection.labels.is_empty());
        let is_file = matches!(self.spec.dataset, DatasetRef::File { .. });
        if !injects || !is_file || self.spec.feature_domain == FeatureDomain::Observed {
            return None;
        }
        let is_whole = |column: &&FeatureColumn| column.whole && column.low < column.high;
        about_columns(
            WarningCode::ImpossibleValues,
            self.sample.columns.iter().filter(is_whole),
            |names| {
                format!(
                    "Whole numbers only: {names}. Injected points lie in a ball and have values there \
                     that a real point cannot have; `feature_domain: observed` keeps them possible."
                )
            },
        )
    }

    fn few_test_points(&self) -> Option<Warning> {
        let tests = |task: usize| self.sample.tasks[task].test.count();
        let few: Vec<usize> = (self.spec.targets.iter().copied())
            .filter(|&task| tests(task) < FEW)
            .collect();
        let first = *few.first()?;
        let described = few
            .iter()
            .map(|&task| format!("{} ({})", self.title(task), tests(task)));
        let message = format!(
            "Fewer than {FEW} test points in {} of {} target tasks: {}. The test metric is uncertain \
             there.",
            few.len(),
            self.spec.targets.len(),
            list(described)
        );
        let warning = Warning::new(WarningCode::FewTestPoints, message);
        Some(if few.len() == 1 {
            warning.of_task(first)
        } else {
            warning
        })
    }

    fn worse_than_single_task(&self) -> Option<Warning> {
        if self.sample.tasks.len() < 2 {
            return None;
        }
        let both: Vec<(f64, f64)> = (self.clean.metric_per_task.iter())
            .zip(&self.single_task.clean.metric_per_task)
            .filter_map(|(multi, single)| Some(((*multi)?, (*single)?)))
            .collect();
        let mean =
            |pick: fn(&(f64, f64)) -> f64| both.iter().map(pick).sum::<f64>() / both.len() as f64;
        let (multi, single) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let is_worse = match self.sample.kind {
            Kind::Regression => multi > single * (1.0 + BETTER.0),
            Kind::Classification => multi < single - BETTER.1,
        };
        if !is_worse {
            return None;
        }
        let message = format!(
            "On clean data single-task learning with the same λ1 is better: mean {} over the tasks \
             {single:.4}, multi-task learning {multi:.4}. A smaller λ2 shares less; cross-validation chooses \
             λ1 and λ2.",
            MetricName::of(self.sample.kind).text()
        );
        Some(Warning::new(WarningCode::WorseThanSingleTask, message))
    }

    fn shared_rows(&self) -> Option<Warning> {
        let share = match self.layout {
            Layout::Shared { .. } if self.spec.shared_rows && self.sample.tasks.len() > 1 => 1.0,
            _ => shared_rows(&self.sample.tasks, self.sample.features),
        };
        if share <= SHARED {
            return None;
        }
        let mut message = format!(
            "{:.0} % of the training rows have the same features as a row of another task. Distances \
             between points of different tasks say nothing here.",
            (100.0 * share).floor()
        );
        if self.spec.attack == Attack::Indirect {
            message += " An indirect attacker, who sees the attacking tasks, so knows the features of \
                        the targets' training points.";
            if matches!(self.layout, Layout::Shared { .. }) {
                message += " `shared_rows: false` gives each task training rows of its own.";
            }
        }
        Some(Warning::new(WarningCode::SharedRows, message))
    }

    fn one_task(&self) -> Option<Warning> {
        let only = self.sample.tasks.len() == 1;
        let message = "There is only one task, so nothing is shared between tasks. Is the column that \
                       names the tasks missing?";
        only.then(|| Warning::new(WarningCode::OneTask, message))
    }

    fn title(&self, task: usize) -> String {
        let name = excerpt(&self.sample.tasks[task].name, LONGEST_NAME);
        format!("T{} {name}", task + 1)
    }
}

/// One warning about columns; none without columns.
fn about_columns<'a>(
    code: WarningCode,
    columns: impl Iterator<Item = &'a FeatureColumn>,
    message: impl Fn(String) -> String,
) -> Option<Warning> {
    let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    let first = *names.first()?;
    let warning = Warning::new(
        code,
        message(list(names.iter().map(|name| excerpt(name, LONGEST_NAME)))),
    );
    Some(if names.len() == 1 {
        warning.of_column(first)
    } else {
        warning
    })
}

/// The first names, and how many more there are.
fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(LISTED);
    let first = names[..names.len() - more].join(", ");
    if more > 0 {
        format!("{first} and {more} more")
    } else {
        first
    }
}

/// Share of the training rows whose features are those of a row of another task.
fn shared_rows(tasks: &[TaskSample], features: usize) -> f64 {
    if tasks.len() < 2 {
        return 0.0;
    }
    let mut rows: Vec<(&[f64], usize)> = Vec::new();
    for (number, task) in tasks.iter().enumerate() {
        let points = task.train.features.chunks_exact(features + 1);
        rows.extend(points.map(|row| (row, number)));
    }
    rows.sort_unstable_by(|(a, i), (b, j)| compare(a, b).then(i.cmp(j)));
    let shared: usize = (rows.chunk_by(|(a, _), (b, _)| compare(a, b).is_eq()))
        .filter(|group| group[0].1 != group[group.len() - 1].1)
        .map(<[_]>::len)
        .sum();
    shared as f64 / rows.len() as f64
}

/// Some order of rows, the same everywhere.
fn compare(a: &[f64], b: &[f64]) -> Ordering {
    (a.iter().map(|x| x.to_bits())).cmp(b.iter().map(|x| x.to_bits()))
}
