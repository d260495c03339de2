//! The tasks, the weights of the terms, and the data part of the objective.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::linalg::{
    add_four, add_gram, add_scaled, ascending, dot, mirror, multiply, multiply_symmetric,
    norm_squared, orthonormalise,
};
use crate::mtrl::Loss;
use crate::mtrl::task::{Task, TaskState, keeps_sums};

/// Most that a number of tasks that keep sums times the square of their features may be. Such a
/// task keeps two or three matrices of that square, and a run holds two problems: 1.3 GB.
pub(crate) const MAX_SQUARES: usize = 1 << 25;

/// Directions of large variance that the preconditioner of a large system knows.
pub(crate) const MODES: usize = 8;

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

/// The lower level with its data.
#[derive(Clone, Debug)]
pub struct Problem {
    weights: Weights,
    pull_cap: Option<f64>,
    dimension: usize,
    tasks: Vec<TaskState>,
    modes: Vec<f64>,
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
        // Without the feature the code behind it is not compiled in; `prepare` refuses such runs.
        if cfg!(feature = "beyond_paper") {
            self.pull_cap
        } else {
            None
        }
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
        self.tasks[number].inject(rows, labels);
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
        self.tasks[number].replace_injected(rows, labels);
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
        self.tasks[number].activate(w)
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
            let counts = |active: bool| if active || all { share } else { 0.0 };
            let (fours, rest) = state.active.as_chunks::<4>();
            let mut blocks = state.task.points.chunks_exact(4 * dimension);
            for (block, active) in (&mut blocks).zip(fours) {
                let weights = active.map(counts);
                for (target, row) in
                    (images.chunks_exact_mut(dimension)).zip(rows.chunks_exact(dimension))
                {
                    let mut c = [0.0; 4];
                    multiply(&mut c, block, row);
                    for (c, weight) in c.iter_mut().zip(weights) {
                        *c *= weight;
                    }
                    add_four(target, block, c);
                }
            }
            for (x, &active) in blocks.remainder().chunks_exact(dimension).zip(rest) {
                multiply(&mut products, rows, x);
                for (target, product) in images.chunks_exact_mut(dimension).zip(&products) {
                    add_scaled(target, counts(active) * product, x);
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
        let points = &task.points[range.start * self.dimension..range.end * self.dimension];
        let mut residuals = vec![0.0; range.len()];
        multiply(&mut residuals, points, w);
        for (residual, y) in residuals.iter_mut().zip(&task.labels[range]) {
            *residual = y - *residual;
            if hinge && y * *residual <= 0.0 {
                *residual = 0.0;
            }
        }
        residuals
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
    fn images_of_several_points_at_once_have_the_bits_of_one_point_at_a_time() {
        let weights = Weights {
            loss: Loss::SquaredHinge,
            lambda1: 0.1,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        let (dimension, n) = (50, 10);
        let mut random = Random::new(5, Stream::Synthetic, 0);
        let mut normals = |count| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
        let task = Task {
            points: normals(n * dimension),
            labels: normals(n).iter().map(|y| y.signum()).collect(),
            clean: n,
        };
        let mut problem = Problem::new(weights, dimension, vec![task; 2]).unwrap();
        assert!(!problem.keeps_sums());
        problem.activate_all(&normals(2 * dimension));
        // Four rows that share loads, and two more.
        let rows = normals(6 * dimension);
        let mut found = rows.clone();
        problem.mean_images(&mut found, &rows);
        let mut expected = vec![0.0; rows.len()];
        let mut products = [0.0; 6];
        for state in &problem.tasks {
            assert!(state.active.contains(&true) && state.active.contains(&false));
            for (x, _) in state.active_rows(dimension) {
                multiply(&mut products, &rows, x);
                for (image, product) in expected.chunks_exact_mut(dimension).zip(products) {
                    add_scaled(image, state.scale() / 2.0 * product, x);
                }
            }
        }
        assert_eq!(found, expected);
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
