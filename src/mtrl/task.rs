//! The points of one task, and what is kept of them.
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
//!
//! Not here: the weights of the terms, and more than one task.

use crate::linalg::{
    add_combination, add_gram, add_scaled, dot, mirror, multiply, multiply_symmetric, norm_squared,
};
use crate::mtrl::Loss;

/// Up to this many entries all tasks keep sums: their matrices are small.
pub(crate) const SMALL_DIMENSION: usize = 48;

/// Points read at a time by a product through them: they stay in the cache.
const BLOCK: usize = 8;

/// Whether a task of so many points keeps sums of them; else products go through its points.
pub(super) fn keeps_sums(points: usize, dimension: usize) -> bool {
    dimension <= SMALL_DIMENSION || points >= dimension
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

#[derive(Clone, Debug)]
pub(super) struct TaskState {
    pub(super) task: Task,
    /// The points that the sums hold.
    pub(super) active: Vec<bool>,
    /// Squared hinge: the w for which `active` was found, and how far w may be from it before a
    /// point can change sides; negative where the points have moved since.
    reference: Vec<f64>,
    reach: f64,
    /// Squared hinge: what tells which points can have changed sides.
    margins: Option<Margins>,
    /// None where products go through the points.
    pub(super) sums: Option<TaskSums>,
}

#[derive(Clone, Debug)]
pub(super) struct TaskSums {
    clean: Sums,
    /// None where there are no injected points.
    injected: Option<Sums>,
    /// 2/N Σ x x' over the active points, both triangles.
    pub(super) curvature: Vec<f64>,
    /// Σ y x and Σ y² over the active points.
    pub(super) moment: Vec<f64>,
    pub(super) label_squares: f64,
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
    pub(super) fn new(task: Task, dimension: usize, loss: Loss) -> Self {
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

    /// Adds injected points behind the others; the sums of the clean ones stay.
    pub(super) fn inject(&mut self, rows: &[f64], labels: &[f64]) {
        let dimension = self.reference.len();
        assert_eq!(rows.len(), labels.len() * dimension, "a row a label");
        self.task.points.extend_from_slice(rows);
        self.task.labels.extend_from_slice(labels);
        let total = self.task.labels.len();
        self.active.resize(total, self.margins.is_none());
        if let Some(margins) = &mut self.margins {
            // None is active until the next look at them.
            self.reach = -1.0;
            for (x, y) in rows.chunks_exact(dimension).zip(labels) {
                margins.add(x, *y);
            }
        }
        if let Some(sums) = &mut self.sums
            && total > self.task.clean
        {
            sums.injected.get_or_insert_with(|| Sums::zero(dimension));
        }
        self.sum_injected();
    }

    /// Puts as many others in place of the injected points.
    pub(super) fn replace_injected(&mut self, rows: &[f64], labels: &[f64]) {
        let clean = self.task.clean;
        assert_eq!(labels.len(), self.task.labels.len() - clean, "as many");
        self.task.points.truncate(clean * self.reference.len());
        self.task.labels.truncate(clean);
        self.active.truncate(clean);
        if let Some(margins) = &mut self.margins {
            margins.slacks.truncate(clean);
            margins.norms.truncate(clean);
        }
        self.inject(rows, labels);
    }

    /// Brings the sums to the active set at `w`. Returns whether any point changed sides.
    pub(super) fn activate(&mut self, w: &[f64]) -> bool {
        if self.knows(w) {
            return false;
        }
        let (entering, leaving) = self.scan(w);
        if entering.is_empty() && leaving.is_empty() {
            return false;
        }
        let scale = self.scale();
        if let Some(sums) = &mut self.sums {
            for (sign, numbers) in [(1.0, entering), (-1.0, leaving)] {
                // Ascending: the clean ones come first.
                let first = numbers.partition_point(|&j| j < self.task.clean);
                let (clean, injected) = numbers.split_at(first);
                sums.clean.add(sign, &self.task, clean.iter().copied());
                if let Some(sums) = &mut sums.injected {
                    sums.add(sign, &self.task, injected.iter().copied());
                }
            }
            sums.total(scale);
        }
        true
    }

    /// y = 2/N Σ x x'v over the active points.
    pub(super) fn multiply_curvature(&self, y: &mut [f64], v: &[f64]) {
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
    pub(super) fn active_rows(&self, dimension: usize) -> impl Iterator<Item = (&[f64], f64)> {
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
    pub(super) fn knows(&self, w: &[f64]) -> bool {
        if self.reach == f64::INFINITY {
            return true;
        }
        self.reach > 0.0 && distance_squared(w, &self.reference) < self.reach * self.reach
    }

    /// 2/N.
    pub(super) fn scale(&self) -> f64 {
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
