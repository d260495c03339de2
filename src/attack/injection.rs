//! The injected points of one attacking task: drawn, projected.

use crate::attack::InjectedLabels;
use crate::linalg::norm_squared;
use crate::rng::{Random, Stream};

/// Injected points of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// The task, from 0.
    pub task: usize,
    /// Row-major, n̂ x D, the bias entry (1) last.
    pub points: Vec<f64>,
    /// n̂ labels; they never change.
    pub labels: Vec<f64>,
}

impl Injection {
    /// Draws `count` points uniformly in the ball of `radius` (d features) and their labels.
    /// `clean_labels` are those of the task; `classes`: labels are -1 and +1.
    pub fn draw(
        task: usize,
        count: usize,
        features: usize,
        radius: f64,
        (rule, classes, clean_labels): (InjectedLabels, bool, &[f64]),
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed, Stream::InitialPoints, task as u64);
        let mut points = Vec::with_capacity(count * (features + 1));
        for _ in 0..count {
            // A direction from normals, a length whose d-th power is uniform.
            let direction: Vec<f64> = (0..features).map(|_| random.normal()).collect();
            let length = radius * libm::pow(random.uniform(), 1.0 / features as f64);
            let norm = norm_squared(&direction).sqrt();
            let factor = if norm > 0.0 { length / norm } else { 0.0 };
            let start = points.len();
            points.extend(direction.iter().map(|x| factor * x));
            project(&mut points[start..], radius);
            points.push(1.0);
        }
        let mut random = Random::new(seed, Stream::InjectedLabels, task as u64);
        let (low, high) = clean_labels
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &y| {
                (low.min(y), high.max(y))
            });
        let labels = (0..count)
            .map(|_| match rule {
                InjectedLabels::Uniform if classes => {
                    if random.uniform() < 0.5 {
                        -1.0
                    } else {
                        1.0
                    }
                }
                InjectedLabels::Uniform => low + (high - low) * random.uniform(),
                InjectedLabels::Resampled => clean_labels[random.below(clean_labels.len())],
                InjectedLabels::Flipped => -clean_labels[random.below(clean_labels.len())],
            })
            .collect();
        Self {
            task,
            points,
            labels,
        }
    }
}

/// ProjX of the paper: x if |x| is at most `radius`, else x radius / |x|. Afterwards |x| computed
/// in floating point is at most `radius`.
pub fn project(x: &mut [f64], radius: f64) {
    let mut norm = norm_squared(x).sqrt();
    while norm > radius {
        // A second round, with a factor below 1, where rounding left it a hair outside.
        let factor = (radius / norm).min(1.0 - f64::EPSILON);
        x.iter_mut().for_each(|x| *x *= factor);
        norm = norm_squared(x).sqrt();
    }
}
