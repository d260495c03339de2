//! The points of the tasks, the weights of the terms, and the data part of the objective.
//!
//! For both losses the data part is, at a given W, a quadratic over the active points (squared
//! loss: all of them; squared hinge: those with y w'x < 1, where the loss is (y - w'x)^2 as well).
//! A task therefore keeps the sums Σ x x' and Σ y x of its active points, those of clean and of
//! injected points apart: the first are made once, the others when the points move; points that
//! enter or leave the active set are added and subtracted. A task also remembers how far its w may
//! move before any point can change sides: until then the sums suffice, and no point is read. Even
//! then only those points are read that can have changed sides, by their norms.
//!
//! A task with fewer points than entries keeps no sums: products through its points are cheaper
//! than with a D x D matrix, and need no memory. [`keeps_sums`] decides, by the sizes alone.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::linalg::{
    add_combination, add_gram, add_scaled, ascending, dot, mirror, multiply, multiply_symmetric,
    norm_squared, orthonormalise,
};
use crate::mtrl::Loss;

/// Most that a number of tasks that keep sums times the square of their features may be. Such a
/// task keeps two or three matrices of that square, and a run holds two problems: 1.3 GB.
pub(crate) const MAX_SQUARES: usize = 1 << 25;

/// Up to this many entries all tasks keep sums: their matrices are small.
pub(crate) const SMALL_DIMENSION: usize = 48;

/// Directions of large variance that the preconditioner of a large system knows.
pub(crate) const MODES: usize = 8;

/// Points read at a time by a product through them: they stay in the cache.
const BLOCK: usize = 8;

/// Whether a task of so many points keeps sums of them; else products go through its points.
fn keeps_sums(points: usize, dimension: usize) -> bool {
    dimension <= SMALL_DIMENSION || points >= dimension
}

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
    modes: Vec<f64>,
}

#[derive(Clone, Debug)]
struct TaskState {
    task: Task,
    /// The points that the sums hold.
    active: Vec<bool>,
    /// Squared hinge: the w for which `active` was found, and how far w may be from it before a
    /// point can change sides; negative where the points have moved since.
    reference: Vec<f64>,
    reach: f64,
    /// Squared hinge: what tells which points can have changed sides.
    margins: Option<Margins>,
    /// None where products go through the points.
    sums: Option<TaskSums>,
}

#[derive(Clone, Debug)]
struct TaskSums {
    clean: Sums,
    /// None where there are no injected points.
    injected: Option<Sums>,
    /// 2/N Σ x x' over the active points, both triangles.
    curvature: Vec<f64>,
    /// Σ y x and Σ y² over the active points.
    moment: Vec<f64>,
    label_squares: f64,
}

impl TaskSums {
    fn zero(dimension: usize, injected: bool) -> Self {
        Self {
            clean: Sums::zero(dimension),
            injected: injected.then(|| Sums::zero(dimension)),
            curvature: vec![0.0; dimension * dimension],
            moment: vec![0.0; dimension],
            label_squares: 0.0,
        }
    }

    /// The whole from the sums of clean and injected points; `scale` is 2/N.
    fn total(&mut self, scale: f64) {
        let clean = &self.clean;
        if let Some(injected) = &self.injected {
            let both = clean.gram.iter().zip(&injected.gram);
            for (scaled, (a, b)) in self.curvature.iter_mut().zip(both) {
                *scaled = scale * (a + b);
            }
            let both = clean.moment.iter().zip(&injected.moment);
            for (sum, (a, b)) in self.moment.iter_mut().zip(both) {
                *sum = a + b;
            }
            self.label_squares = clean.label_squares + injected.label_squares;
        } else {
            for (scaled, sum) in self.curvature.iter_mut().zip(&clean.gram) {
                *scaled = scale * sum;
            }
            self.moment.copy_from_slice(&clean.moment);
            self.label_squares = clean.label_squares;
        }
        mirror(&mut self.curvature, self.moment.len());
    }
}

/// Slacks y (y - w'x) = 1 - y w'x of the points at one w: at another one they have changed by at
/// most |x| times the distance of the two.
#[derive(Clone, Debug)]
struct Margins {
    /// That w; none before the first look.
    base: Option<Vec<f64>>,
    slacks: Vec<f64>,
    /// |x|.
    norms: Vec<f64>,
}

impl Margins {
    /// Adds a point behind the others.
    fn add(&mut self, x: &[f64], y: f64) {
        let slack = |base: &Vec<f64>| y * (y - dot(x, base));
        self.slacks.push(self.base.as_ref().map_or(0.0, slack));
        self.norms.push(norm(x));
    }
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

    fn clear(&mut self) {
        self.gram.fill(0.0);
        self.moment.fill(0.0);
        self.label_squares = 0.0;
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
        let hinge = loss == Loss::SquaredHinge;
        let mut state = Self {
            active: vec![!hinge; n],
            reference: vec![0.0; dimension],
            reach: if hinge { -1.0 } else { f64::INFINITY },
            margins: hinge.then(|| Margins {
                base: None,
                slacks: vec![0.0; n],
                norms: task.points.chunks_exact(dimension).map(norm).collect(),
            }),
            sums: keeps_sums(n, dimension).then(|| TaskSums::zero(dimension, task.clean < n)),
            task,
        };
        if !hinge {
            if let Some(sums) = &mut state.sums {
                sums.clean.add(1.0, &state.task, 0..state.task.clean);
            }
            state.sum_injected();
        }
        state
    }

    /// Sums the active injected points, which have moved.
    fn sum_injected(&mut self) {
        let scale = self.scale();
        let Some(sums) = &mut self.sums else {
            return;
        };
        if let Some(injected) = &mut sums.injected {
            injected.clear();
            let active = (self.task.clean..self.active.len()).filter(|&j| self.active[j]);
            injected.add(1.0, &self.task, active);
        }
        sums.total(scale);
    }

    /// y = 2/N Σ x x'v over the active points.
    fn multiply_curvature(&self, y: &mut [f64], v: &[f64]) {
        if let Some(sums) = &self.sums {
            multiply_symmetric(y, &sums.curvature, v);
            return;
        }
        y.fill(0.0);
        let scale = self.scale();
        let blocks = self.task.points.chunks(BLOCK * v.len());
        for (block, active) in blocks.zip(self.active.chunks(BLOCK)) {
            let mut products = [0.0; BLOCK];
            let products = &mut products[..active.len()];
            multiply(products, block, v);
            for (product, &active) in products.iter_mut().zip(active) {
                *product = if active { scale * *product } else { 0.0 };
            }
            add_combination(y, block, products);
        }
    }

    /// The active points as rows.
    fn active_rows(&self, dimension: usize) -> impl Iterator<Item = (&[f64], f64)> {
        let points = self.task.points.chunks_exact(dimension);
        (points.zip(&self.task.labels).zip(&self.active))
            .filter_map(|((x, &y), &active)| active.then_some((x, y)))
    }

    /// Squared hinge: looks at the points that can have changed sides since the last look, and
    /// returns the numbers of those that enter the active set at `w` and of those that leave it.
    fn scan(&mut self, w: &[f64]) -> (Vec<usize>, Vec<usize>) {
        let (mut entering, mut leaving) = (Vec::new(), Vec::new());
        let Some(Margins {
            base,
            slacks,
            norms,
        }) = &mut self.margins
        else {
            return (entering, leaving);
        };
        // A hair more than the distance, for rounding.
        let distance = (base.as_ref()).map(|base| 1.001 * distance_squared(w, base).sqrt());
        let can_differ = |slack: f64, norm: f64| match distance {
            Some(distance) => slack.abs() <= distance * norm,
            None => true,
        };
        let count = slacks.len();
        let doubtful = (slacks.iter().zip(&*norms))
            .filter(|&(slack, norm)| can_differ(*slack, *norm))
            .count();
        // With so many the margins are worth measuring again.
        let again = 2 * doubtful > count;
        let mut reach = f64::INFINITY;
        for (j, x) in self.task.points.chunks_exact(w.len()).enumerate() {
            let mut slack = slacks[j];
            let mut to_kink = slack.abs() - distance.unwrap_or(0.0) * norms[j];
            if again || can_differ(slack, norms[j]) {
                let y = self.task.labels[j];
                slack = y * (y - dot(x, w));
                to_kink = slack.abs();
                if again {
                    slacks[j] = slack;
                }
            }
            reach = (to_kink / norms[j]).min(reach);
            let is_active = slack > 0.0;
            if is_active != self.active[j] {
                self.active[j] = is_active;
                if is_active {
                    &mut entering
                } else {
                    &mut leaving
                }
                .push(j);
            }
        }
        if again {
            *base = Some(w.to_vec());
        }
        self.reference.copy_from_slice(w);
        // A hair less than the distance of the nearest kink, for rounding.
        self.reach = 0.999 * reach;
        (entering, leaving)
    }

    /// Whether `active` is that of `w` for certain.
    fn knows(&self, w: &[f64]) -> bool {
        if self.reach == f64::INFINITY {
            return true;
        }
        self.reach > 0.0 && distance_squared(w, &self.reference) < self.reach * self.reach
    }

    /// 2/N.
    fn scale(&self) -> f64 {
        2.0 / self.task.labels.len() as f64
    }
}

fn norm(x: &[f64]) -> f64 {
    norm_squared(x).sqrt()
}

/// |a - b|².
fn distance_squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
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
        let with_sums = (tasks.iter())
            .filter(|task| keeps_sums(task.labels.len(), dimension))
            .count();
        check_squares("tasks", with_sums, dimension - 1, MAX_SQUARES)?;
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
        let mut problem = Self {
            weights,
            pull_cap: None,
            dimension,
            tasks,
            modes: Vec::new(),
        };
        if !problem.keeps_sums() {
            problem.modes = problem.largest_modes();
        }
        Ok(problem)
    }

    /// The same tasks with a pull cap μ, or without one (see [`crate::mtrl::capped`]).
    ///
    /// # Errors
    /// A cap that is not positive and finite; with one, more tasks of so many features than memory
    /// holds, whether they keep sums or not.
    pub fn with_pull_cap(self, pull_cap: Option<f64>) -> Result<Self> {
        if let Some(cap) = pull_cap {
            if !(cap > 0.0 && cap < f64::INFINITY) {
                return Err(Error::out_of_range("pull_cap", cap, "positive"));
            }
            // Eliminating a task takes matrices of its own.
            let what = "capped tasks";
            check_squares(what, self.tasks.len(), self.dimension - 1, MAX_SQUARES)?;
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
        let state = &mut self.tasks[number];
        state.task.points.extend_from_slice(rows);
        state.task.labels.extend_from_slice(labels);
        let total = state.task.labels.len();
        state.active.resize(total, state.margins.is_none());
        if let Some(margins) = &mut state.margins {
            // None is active until the next look at them.
            state.reach = -1.0;
            for (x, y) in rows.chunks_exact(self.dimension).zip(labels) {
                margins.add(x, *y);
            }
        }
        if let Some(sums) = &mut state.sums {
            let none = || Sums::zero(self.dimension);
            sums.injected.get_or_insert_with(none);
        }
        state.sum_injected();
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
        let clean = state.task.clean;
        state.task.points[clean * self.dimension..].copy_from_slice(rows);
        state.task.labels[clean..].copy_from_slice(labels);
        if let Some(margins) = &mut state.margins {
            // None is active until the next look at them.
            state.active[clean..].fill(false);
            state.reach = -1.0;
            margins.slacks.truncate(clean);
            margins.norms.truncate(clean);
            for (x, y) in rows.chunks_exact(self.dimension).zip(labels) {
                margins.add(x, *y);
            }
        }
        state.sum_injected();
    }

    /// Value of the data part at `w` (the weights of one task), adding its gradient to `gradient`.
    pub(crate) fn add_data_part(&self, number: usize, w: &[f64], gradient: &mut [f64]) -> f64 {
        let state = &self.tasks[number];
        let scale = state.scale();
        let hinge = self.weights.loss == Loss::SquaredHinge;
        let mut value = 0.0;
        if let Some(sums) = &state.sums
            && state.knows(w)
        {
            // w'Gw - 2 w'Σyx + Σy², in units of 2/N.
            let mut image = vec![0.0; self.dimension];
            multiply_symmetric(&mut image, &sums.curvature, w);
            for (((curved, moment), w_a), g) in image.iter().zip(&sums.moment).zip(w).zip(gradient)
            {
                let linear_term = scale * moment;
                *g += curved - linear_term;
                value += w_a * (curved - 2.0 * linear_term);
            }
            // Rounding may leave a sum of squares a little below zero.
            return (0.5 * (value + scale * sums.label_squares)).max(0.0);
        }
        for (x, y) in state
            .task
            .points
            .chunks_exact(self.dimension)
            .zip(&state.task.labels)
        {
            let residual = y - dot(x, w);
            if !hinge || y * residual > 0.0 {
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
        let (entering, leaving) = state.scan(w);
        if entering.is_empty() && leaving.is_empty() {
            return false;
        }
        let scale = state.scale();
        if let Some(sums) = &mut state.sums {
            for (sign, numbers) in [(1.0, entering), (-1.0, leaving)] {
                // Ascending: the clean ones come first.
                let first = numbers.partition_point(|&j| j < state.task.clean);
                let (clean, injected) = numbers.split_at(first);
                sums.clean.add(sign, &state.task, clean.iter().copied());
                if let Some(sums) = &mut sums.injected {
                    sums.add(sign, &state.task, injected.iter().copied());
                }
            }
            sums.total(scale);
        }
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

    /// y = C v with the curvature of a task, C = 2/N Σ x x' over its active points.
    pub(crate) fn multiply_curvature(&self, number: usize, y: &mut [f64], v: &[f64]) {
        self.tasks[number].multiply_curvature(y, v);
    }

    /// C as a matrix, both triangles; made for the occasion where the task keeps no sums.
    pub(crate) fn curvature(&self, number: usize) -> Cow<'_, [f64]> {
        if let Some(sums) = &self.tasks[number].sums {
            return Cow::Borrowed(&sums.curvature);
        }
        let mut matrix = vec![0.0; self.dimension * self.dimension];
        self.add_curvature(number, 1.0, &mut matrix);
        mirror(&mut matrix, self.dimension);
        Cow::Owned(matrix)
    }

    /// tr C.
    pub(crate) fn curvature_trace(&self, number: usize) -> f64 {
        let state = &self.tasks[number];
        if let Some(sums) = &state.sums {
            return sums.curvature.iter().step_by(self.dimension + 1).sum();
        }
        let squares = state
            .active_rows(self.dimension)
            .map(|(x, _)| norm_squared(x));
        state.scale() * squares.sum::<f64>()
    }

    /// Adds `share` C to a D x D matrix; where the task keeps no sums, to its lower triangle and
    /// some of the upper one.
    pub(crate) fn add_curvature(&self, number: usize, share: f64, matrix: &mut [f64]) {
        let state = &self.tasks[number];
        if let Some(sums) = &state.sums {
            add_scaled(matrix, share, &sums.curvature);
        } else {
            let rows: Vec<&[f64]> = state.active_rows(self.dimension).map(|(x, _)| x).collect();
            add_gram(matrix, self.dimension, share * state.scale(), &rows);
        }
    }

    /// Whether every task keeps sums.
    pub(crate) fn keeps_sums(&self) -> bool {
        self.tasks.iter().all(|state| state.sums.is_some())
    }

    /// Row k of `images` is the mean C of all tasks times row k of `rows`. Each point is read once.
    pub(crate) fn mean_images(&self, images: &mut [f64], rows: &[f64]) {
        self.add_mean_images(images, rows, false);
    }

    /// `all`: as if all points were active, where a task keeps no sums.
    fn add_mean_images(&self, images: &mut [f64], rows: &[f64], all: bool) {
        images.fill(0.0);
        let (dimension, m) = (self.dimension, self.tasks.len() as f64);
        let mut products = vec![0.0; rows.len() / dimension];
        let mut image = vec![0.0; dimension];
        for state in &self.tasks {
            if state.sums.is_some() {
                for (target, row) in
                    (images.chunks_exact_mut(dimension)).zip(rows.chunks_exact(dimension))
                {
                    state.multiply_curvature(&mut image, row);
                    add_scaled(target, 1.0 / m, &image);
                }
                continue;
            }
            let share = state.scale() / m;
            let points = state.task.points.chunks_exact(dimension);
            for (x, &active) in points.zip(&state.active) {
                if !(active || all) {
                    continue;
                }
                multiply(&mut products, rows, x);
                for (target, product) in images.chunks_exact_mut(dimension).zip(&products) {
                    add_scaled(target, share * product, x);
                }
            }
        }
    }

    /// Orthonormal rows near the eigenvectors of the largest eigenvalues of the mean curvature of all
    /// points: two rounds of subspace iteration from the entries of largest variance.
    fn largest_modes(&self) -> Vec<f64> {
        let dimension = self.dimension;
        let mut variance = vec![0.0; dimension];
        for state in &self.tasks {
            for x in state.task.points.chunks_exact(dimension) {
                for (v, x) in variance.iter_mut().zip(x) {
                    *v -= state.scale() * x * x;
                }
            }
        }
        let mut rows = vec![0.0; MODES.min(dimension) * dimension];
        for (row, k) in (rows.chunks_exact_mut(dimension)).zip(ascending(&variance)) {
            row[k] = 1.0;
        }
        let mut images = rows.clone();
        for _ in 0..3 {
            self.add_mean_images(&mut images, &rows, true);
            rows.copy_from_slice(&images);
            orthonormalise(&mut rows, 0, dimension);
        }
        rows
    }

    /// Where not every task keeps sums: [`Problem::largest_modes`], made once.
    pub(crate) fn modes(&self) -> &[f64] {
        &self.modes
    }

    /// Adds 2/N Σ y x of the active points of a task.
    pub(crate) fn add_linear_term(&self, number: usize, target: &mut [f64]) {
        let state = &self.tasks[number];
        if let Some(sums) = &state.sums {
            add_scaled(target, state.scale(), &sums.moment);
        } else {
            for (x, y) in state.active_rows(self.dimension) {
                add_scaled(target, state.scale() * y, x);
            }
        }
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
    use crate::rng::{Random, Stream};

    #[test]
    fn more_tasks_of_many_features_than_memory_holds_are_refused() {
        let weights = Weights {
            loss: Loss::Squared,
            lambda1: 0.1,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        // Labels without points: what is refused for its size is refused first.
        let refusal = |tasks: usize, features: usize, points: usize| {
            let task = Task {
                labels: vec![0.0; points],
                ..Task::default()
            };
            let tasks = vec![task; tasks];
            let problem = Problem::new(weights, features + 1, tasks);
            problem.unwrap_err().to_string()
        };
        let message = |tasks: usize, features: usize| refusal(tasks, features, features + 1);
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
        // Tasks of fewer points hold no squares.
        let few = refusal(512, 4096, 200);
        assert!(few.contains("do not fit together"), "{few}");
    }

    #[test]
    fn active_sets_and_sums_are_those_of_the_definition_wherever_w_and_points_go() {
        let weights = Weights {
            loss: Loss::SquaredHinge,
            lambda1: 0.1,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        let (dimension, n, clean) = (4, 40, 30);
        let mut random = Random::new(3, Stream::Synthetic, 0);
        let mut normals = |count| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
        let task = Task {
            points: normals(n * dimension),
            labels: normals(n).iter().map(|y| y.signum()).collect(),
            clean,
        };
        let mut problem = Problem::new(weights, dimension, vec![task]).unwrap();
        let mut w = normals(dimension);
        for round in 0..60 {
            // From far to near, and points that move in between.
            add_scaled(
                &mut w,
                libm::pow(0.8, f64::from(round)),
                &normals(dimension),
            );
            if round % 3 == 2 {
                problem.move_injected(0, &normals((n - clean) * dimension));
            }
            problem.activate_all(&w);
            let state = &problem.tasks[0];
            let residuals = problem.residuals(0, &w, 0..n);
            let mut exact = vec![0.0; dimension * dimension];
            for (j, x) in state.task.points.chunks_exact(dimension).enumerate() {
                assert_eq!(state.active[j], residuals[j] != 0.0, "{round}: point {j}");
                if state.active[j] {
                    for (row, a) in exact.chunks_exact_mut(dimension).zip(x) {
                        add_scaled(row, state.scale() * a, x);
                    }
                }
            }
            // Rounding of what was added and taken off again.
            let found = &state.sums.as_ref().unwrap().curvature;
            for (found, exact) in found.iter().zip(&exact) {
                assert!((found - exact).abs() < 1e-13, "{round}: {found} {exact}");
            }
        }
    }
}
