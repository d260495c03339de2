//! The points of the tasks, the weights of the terms, and the data part of the objective.
//!
//! For both losses the data part is, at a given W, a quadratic over the active points (squared
//! loss: all of them; squared hinge: those with y w'x < 1, where the loss is (y - w'x)^2 as well).
//! A task therefore keeps the sums Σ x x' and Σ y x of its active points. The sums of the clean
//! points are made once; those of injected points when they move; points that enter or leave the
//! active set are added and subtracted. A task also remembers how far its w may move before any
//! point can change sides: until then the sums suffice, and no point is read.

use crate::error::{Error, Result};
use crate::linalg::{add_gram, add_scaled, dot, mirror, norm_squared};
use crate::mtrl::Loss;

/// Most that a number of tasks times the square of their features may be. A task keeps three
/// matrices of that square, and a run holds two problems: 1.6 GB.
pub(crate) const MAX_SQUARES: usize = 1 << 25;

/// Weights of the terms of the objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Loss of a point.
    pub loss: Loss,
    /// λ1, weight of |W|²/2; positive.
    pub lambda1: f64,
    /// λ2, weight of the task relationship; not negative.
    pub lambda2: f64,
    /// Floor ε of the task covariance; not negative.
    pub epsilon: f64,
}

impl Weights {
    fn check(&self) -> Result<()> {
        let lambda1 = self.lambda1;
        if !(lambda1 > 0.0 && lambda1.is_finite()) {
            return Err(Error::out_of_range(
                "lambda1",
                lambda1,
                "positive and finite",
            ));
        }
        for (name, value) in [("lambda2", self.lambda2), ("epsilon", self.epsilon)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::out_of_range(name, value, "at least 0 and finite"));
            }
        }
        Ok(())
    }
}

/// The points of one task.
#[derive(Clone, Debug, Default)]
pub struct Task {
    /// Row-major, N x D, the bias entry last: first the clean points, then the injected ones.
    pub points: Vec<f64>,
    /// N labels.
    pub labels: Vec<f64>,
    /// How many of the points are clean. The others may be moved.
    pub clean: usize,
}

/// The lower level with its data.
#[derive(Clone, Debug)]
pub struct Problem {
    weights: Weights,
    pull_cap: Option<f64>,
    dimension: usize,
    tasks: Vec<TaskState>,
}

#[derive(Clone, Debug)]
struct TaskState {
    task: Task,
    /// The points that `sums` holds.
    active: Vec<bool>,
    /// Squared hinge: the w for which `active` was found, and how far w may be from it before a
    /// point can change sides; negative where the points have moved since.
    reference: Vec<f64>,
    reach: f64,
    sums: Sums,
    /// Sums of the clean points alone (squared loss), so that moving injected points is cheap.
    clean_sums: Sums,
    /// 2/N Σ x x' over the active points, both triangles.
    curvature: Vec<f64>,
}

/// Sums over points, unweighted.
#[derive(Clone, Debug)]
struct Sums {
    /// Σ x x', lower triangle.
    gram: Vec<f64>,
    /// Σ y x.
    moment: Vec<f64>,
    /// Σ y².
    label_squares: f64,
}

impl Sums {
    fn zero(dimension: usize) -> Self {
        Self {
            gram: vec![0.0; dimension * dimension],
            moment: vec![0.0; dimension],
            label_squares: 0.0,
        }
    }

    /// Adds `sign` times the points of these numbers.
    fn add(&mut self, sign: f64, task: &Task, numbers: impl Iterator<Item = usize> + Clone) {
        let dimension = self.moment.len();
        let row = |j: usize| &task.points[j * dimension..(j + 1) * dimension];
        let rows: Vec<&[f64]> = numbers.clone().map(row).collect();
        add_gram(&mut self.gram, dimension, sign, &rows);
        for (j, row) in numbers.zip(rows) {
            add_scaled(&mut self.moment, sign * task.labels[j], row);
            self.label_squares += sign * task.labels[j] * task.labels[j];
        }
    }
}

impl TaskState {
    fn new(task: Task, dimension: usize, loss: Loss) -> Self {
        let n = task.labels.len();
        let mut state = Self {
            active: vec![loss == Loss::Squared; n],
            reference: vec![0.0; dimension],
            reach: if loss == Loss::Squared {
                f64::INFINITY
            } else {
                -1.0
            },
            sums: Sums::zero(dimension),
            clean_sums: Sums::zero(dimension),
            curvature: vec![0.0; dimension * dimension],
            task,
        };
        if loss == Loss::Squared {
            state.clean_sums.add(1.0, &state.task, 0..state.task.clean);
            state.sum_injected();
        }
        state
    }

    /// Squared loss: recomputes the sums from those of the clean points.
    fn sum_injected(&mut self) {
        self.sums.clone_from(&self.clean_sums);
        self.sums
            .add(1.0, &self.task, self.task.clean..self.task.labels.len());
        self.scale_curvature();
    }

    fn scale_curvature(&mut self) {
        let scale = self.scale();
        for (scaled, sum) in self.curvature.iter_mut().zip(&self.sums.gram) {
            *scaled = scale * sum;
        }
        mirror(&mut self.curvature, self.sums.moment.len());
    }

    /// Whether `active` is that of `w` for certain.
    fn knows(&self, w: &[f64]) -> bool {
        if self.reach == f64::INFINITY {
            return true;
        }
        let distance: f64 = (w.iter().zip(&self.reference))
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        self.reach > 0.0 && distance < self.reach * self.reach
    }

    /// 2/N.
    fn scale(&self) -> f64 {
        2.0 / self.task.labels.len() as f64
    }
}

/// Refuses more of something than memory holds, where each needs a matrix or a few.
pub(crate) fn check_squares(what: &str, count: usize, features: usize, most: usize) -> Result<()> {
    if count.saturating_mul(features.saturating_pow(2)) > most {
        return Err(Error::data(format!(
            "{count} {what} of {features} features; expected at most {most} as their number \
             times features squared"
        )));
    }
    Ok(())
}

impl Problem {
    /// Checks and takes the tasks. `dimension` is D, features and bias.
    ///
    /// # Errors
    /// No task; more of them with so many features than memory holds; a task without points; sizes
    /// that do not fit; a number that is not finite; a label other than -1 and +1 with the squared
    /// hinge; a weight out of range.
    pub fn new(weights: Weights, dimension: usize, tasks: Vec<Task>) -> Result<Self> {
        weights.check()?;
        let loss = weights.loss;
        if tasks.is_empty() || dimension == 0 {
            return Err(Error::data(
                "a problem needs at least one task and one feature",
            ));
        }
        check_squares("tasks", tasks.len(), dimension - 1, MAX_SQUARES)?;
        for (number, task) in tasks.iter().enumerate() {
            let n = task.labels.len();
            if n == 0 || task.clean > n || task.points.len() != n * dimension {
                return Err(Error::data(format!(
                    "task {number}: {n} labels, {} of them clean, and {} numbers for points of \
                     {dimension} entries do not fit together",
                    task.clean,
                    task.points.len(),
                )));
            }
            // Block by block, without a branch inside, so that it costs next to nothing.
            let finite = |block: &[f64]| block.iter().fold(true, |all, v| all & v.is_finite());
            if let Some(bad) = (task.points.chunks(64).chain([&task.labels[..]]))
                .find(|block| !finite(block))
                .and_then(|block| block.iter().find(|v| !v.is_finite()))
            {
                return Err(Error::data(format!(
                    "task {number}: {bad} is not a finite number"
                )));
            }
            if loss == Loss::SquaredHinge
                && let Some(bad) = task.labels.iter().find(|y| y.abs() != 1.0)
            {
                return Err(Error::data(format!(
                    "task {number}: label {bad}; squared_hinge expects -1 or +1"
                )));
            }
        }
        let tasks = tasks
            .into_iter()
            .map(|task| TaskState::new(task, dimension, loss))
            .collect();
        Ok(Self {
            weights,
            pull_cap: None,
            dimension,
            tasks,
        })
    }

    /// The same tasks with a pull cap μ, or without one (see [`crate::mtrl::capped`]).
    ///
    /// # Errors
    /// A cap that is not positive and finite.
    pub fn with_pull_cap(self, pull_cap: Option<f64>) -> Result<Self> {
        if let Some(cap) = pull_cap
            && !(cap > 0.0 && cap < f64::INFINITY)
        {
            return Err(Error::out_of_range("pull_cap", cap, "positive"));
        }
        Ok(Self { pull_cap, ..self })
    }

    /// The same terms for other tasks.
    ///
    /// # Errors
    /// As [`Problem::new`].
    pub fn with_tasks(&self, tasks: Vec<Task>) -> Result<Self> {
        Self::new(self.weights, self.dimension, tasks)?.with_pull_cap(self.pull_cap)
    }

    /// μ, where there is one.
    pub fn pull_cap(&self) -> Option<f64> {
        self.pull_cap
    }

    /// Sets λ1 and λ2; the points and their sums stay.
    ///
    /// # Errors
    /// A value out of range.
    pub fn set_lambdas(&mut self, lambda1: f64, lambda2: f64) -> Result<()> {
        let weights = Weights {
            lambda1,
            lambda2,
            ..self.weights
        };
        weights.check()?;
        self.weights = weights;
        Ok(())
    }

    /// The weights of the terms.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// m.
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// D, features and bias.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The points of a task.
    pub fn task(&self, number: usize) -> &Task {
        &self.tasks[number].task
    }

    /// Adds injected points behind the points of a task; the sums of the clean ones stay.
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn inject(&mut self, number: usize, rows: &[f64], labels: &[f64]) {
        assert_eq!(rows.len(), labels.len() * self.dimension, "a row a label");
        let hinge = self.weights.loss == Loss::SquaredHinge;
        let state = &mut self.tasks[number];
        state.task.points.extend_from_slice(rows);
        state.task.labels.extend_from_slice(labels);
        let total = state.task.labels.len();
        state.active.resize(total, !hinge);
        if hinge {
            state.reach = -1.0;
            state.scale_curvature();
        } else {
            state.sum_injected();
        }
    }

    /// Moves the injected points of a task. `rows`: as many rows of D entries as there are
    /// injected points.
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn move_injected(&mut self, number: usize, rows: &[f64]) {
        let task = &self.tasks[number].task;
        let labels = task.labels[task.clean..].to_vec();
        self.replace_injected(number, rows, &labels);
    }

    /// The same with other labels.
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn replace_injected(&mut self, number: usize, rows: &[f64], labels: &[f64]) {
        let state = &mut self.tasks[number];
        let injected = state.task.clean..state.task.labels.len();
        let tail = injected.start * self.dimension;
        if self.weights.loss == Loss::SquaredHinge {
            // The sums hold the old points: out with them; `activate` brings in the new ones.
            let active = injected.filter(|&j| state.active[j]);
            state.sums.add(-1.0, &state.task, active);
            state.active[state.task.clean..].fill(false);
            state.reach = -1.0;
            state.task.points[tail..].copy_from_slice(rows);
            state.task.labels[state.task.clean..].copy_from_slice(labels);
            state.scale_curvature();
        } else {
            state.task.points[tail..].copy_from_slice(rows);
            state.task.labels[state.task.clean..].copy_from_slice(labels);
            state.sum_injected();
        }
    }

    /// Value of the data part at `w` (the weights of one task), adding its gradient to `gradient`.
    pub(crate) fn add_data_part(&self, number: usize, w: &[f64], gradient: &mut [f64]) -> f64 {
        let state = &self.tasks[number];
        let scale = state.scale();
        let mut value = 0.0;
        if state.knows(w) {
            // w'Gw - 2 w'Σyx + Σy², in units of 2/N.
            let rows = state.curvature.chunks_exact(self.dimension);
            for (((row, moment), w_a), g) in rows.zip(&state.sums.moment).zip(w).zip(gradient) {
                let (curved, linear_term) = (dot(row, w), scale * moment);
                *g += curved - linear_term;
                value += w_a * (curved - 2.0 * linear_term);
            }
            // Rounding may leave a sum of squares a little below zero.
            return (0.5 * (value + scale * state.sums.label_squares)).max(0.0);
        }
        for (x, y) in state
            .task
            .points
            .chunks_exact(self.dimension)
            .zip(&state.task.labels)
        {
            let residual = y - dot(x, w);
            if y * residual > 0.0 {
                value += residual * residual;
                add_scaled(gradient, -scale * residual, x);
            }
        }
        0.5 * scale * value
    }

    /// Brings the sums of a task to the active set at `w`. Returns whether any point changed sides.
    pub(crate) fn activate(&mut self, number: usize, w: &[f64]) -> bool {
        let state = &mut self.tasks[number];
        if state.knows(w) {
            return false;
        }
        state.reference.copy_from_slice(w);
        let (mut nearest, mut longest) = (f64::INFINITY, 0.0);
        let (mut entering, mut leaving) = (Vec::new(), Vec::new());
        let points = state.task.points.chunks_exact(self.dimension);
        for (j, (x, y)) in points.zip(&state.task.labels).enumerate() {
            let slack = y * (y - dot(x, w));
            let is_active = slack > 0.0;
            nearest = slack.abs().min(nearest);
            longest = norm_squared(x).max(longest);
            if is_active != state.active[j] {
                state.active[j] = is_active;
                if is_active {
                    &mut entering
                } else {
                    &mut leaving
                }
                .push(j);
            }
        }
        // A hair less than the distance of the nearest kink, for rounding.
        state.reach = 0.999 * nearest / f64::sqrt(longest);
        if entering.is_empty() && leaving.is_empty() {
            return false;
        }
        state.sums.add(1.0, &state.task, entering.into_iter());
        state.sums.add(-1.0, &state.task, leaving.into_iter());
        state.scale_curvature();
        true
    }

    /// Brings the sums of every task to the active sets at W. Returns whether any point changed
    /// sides.
    pub(crate) fn activate_all(&mut self, w: &[f64]) -> bool {
        let mut changed = false;
        for (i, w) in w.chunks_exact(self.dimension).enumerate() {
            changed |= self.activate(i, w);
        }
        changed
    }

    /// 2/N Σ x x' of the active points of a task, D x D, both triangles.
    pub(crate) fn curvature(&self, number: usize) -> &[f64] {
        &self.tasks[number].curvature
    }

    /// Adds 2/N Σ y x of the active points of a task.
    pub(crate) fn add_linear_term(&self, number: usize, target: &mut [f64]) {
        let state = &self.tasks[number];
        add_scaled(target, state.scale(), &state.sums.moment);
    }

    /// Loss of each point of a task is (y - w'x)² where it counts: the residuals y - w'x of the
    /// points `range`, zero where the point is not active at `w`.
    pub fn residuals(&self, number: usize, w: &[f64], range: std::ops::Range<usize>) -> Vec<f64> {
        let task = &self.tasks[number].task;
        let hinge = self.weights.loss == Loss::SquaredHinge;
        let row = |j: usize| &task.points[j * self.dimension..(j + 1) * self.dimension];
        range
            .map(|j| {
                let residual = task.labels[j] - dot(row(j), w);
                if hinge && task.labels[j] * residual <= 0.0 {
                    0.0
                } else {
                    residual
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_tasks_of_many_features_than_memory_holds_are_refused() {
        let weights = Weights {
            loss: Loss::Squared,
            lambda1: 0.1,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        // Without points: what is refused for its size is refused first.
        let message = |tasks: usize, features: usize| {
            let tasks = vec![Task::default(); tasks];
            let problem = Problem::new(weights, features + 1, tasks);
            problem.unwrap_err().to_string()
        };
        assert_eq!(
            message(8, 4096),
            "8 tasks of 4096 features; expected at most 33554432 as their number \
             times features squared"
        );
        for (tasks, features) in [(2, 4096), (33, 1000), (512, 256)] {
            let small = message(tasks, features);
            assert!(small.contains("do not fit together"), "{small}");
            assert!(message(tasks, features + 10).contains("features squared"));
        }
        assert!(message(2, usize::MAX - 1).contains("features squared"));
    }
}
