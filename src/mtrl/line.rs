//! The lower level with Ω fixed and the squared hinge, along a line: a convex function of one
//! number, quadratic between the kinks at which points enter or leave. Not here: which line.

use crate::linalg::dot;
use crate::mtrl::Problem;

/// A step must lower the value by at least this share of what the slope promises.
const SUFFICIENT: f64 = 1e-4;

/// φ(t) = value + slope t + curvature t²/2 + Σ_j weight_j max(0, slack_j + t rate_j)²/2.
pub(crate) struct Line {
    /// The regulariser: its value at 0, slope at 0, and curvature.
    pub(crate) value: f64,
    pub(crate) slope: f64,
    pub(crate) curvature: f64,
    points: Vec<Hinge>,
}

struct Hinge {
    weight: f64,
    slack: f64,
    rate: f64,
}

impl Line {
    /// From `w` to `end` (m rows of D entries), with the regulariser [value, slope, curvature].
    pub(crate) fn new(problem: &Problem, w: &[f64], end: &[f64], regulariser: [f64; 3]) -> Self {
        let dimension = problem.dimension();
        let mut points = Vec::new();
        let ends = w.chunks_exact(dimension).zip(end.chunks_exact(dimension));
        for (i, (w, end)) in ends.enumerate() {
            let task = problem.task(i);
            let weight = 2.0 / task.labels.len() as f64;
            let change: Vec<f64> = end.iter().zip(w).map(|(end, w)| end - w).collect();
            for (x, y) in task.points.chunks_exact(dimension).zip(&task.labels) {
                points.push(Hinge {
                    weight,
                    slack: 1.0 - y * dot(x, w),
                    rate: -y * dot(x, &change),
                });
            }
        }
        let [value, slope, curvature] = regulariser;
        Self {
            value,
            slope,
            curvature,
            points,
        }
    }

    /// φ(0).
    pub(crate) fn start(&self) -> f64 {
        let data: f64 = (self.points.iter())
            .map(|point| {
                let slack = point.slack.max(0.0);
                point.weight * slack * slack
            })
            .sum();
        self.value + 0.5 * data
    }

    /// φ'(t).
    pub(crate) fn slope_at(&self, t: f64) -> f64 {
        let data: f64 = (self.points.iter())
            .map(|point| point.weight * (point.slack + t * point.rate).max(0.0) * point.rate)
            .sum();
        self.slope + t * self.curvature + data
    }

    /// φ(1) - φ(0), without the cancellation of that difference.
    fn change(&self) -> f64 {
        let data: f64 = (self.points.iter())
            .map(|point| {
                let before = point.slack.max(0.0);
                let after = (point.slack + point.rate).max(0.0);
                point.weight * (after - before) * (after + before)
            })
            .sum();
        self.slope + 0.5 * (self.curvature + data)
    }

    /// How far to go: 1 where that lowers φ enough, else to the minimum, which is before 1 then.
    pub(crate) fn length(&self) -> f64 {
        if self.change() <= SUFFICIENT * self.slope_at(0.0) {
            return 1.0;
        }
        let mut kinks: Vec<f64> = (self.points.iter())
            .map(|point| -point.slack / point.rate)
            .filter(|t| (0.0..1.0).contains(t))
            .chain([0.0, 1.0])
            .collect();
        kinks.sort_by(f64::total_cmp);
        // φ' grows: the piece in which it passes zero.
        let end = kinks.partition_point(|&t| self.slope_at(t) < 0.0);
        let Some(before) = end.checked_sub(1) else {
            return 0.0;
        };
        let (low, high) = (kinks[before], kinks.get(end).copied().unwrap_or(1.0));
        let (falling, rising) = (self.slope_at(low), self.slope_at(high));
        if rising > falling {
            (low - falling * (high - low) / (rising - falling)).clamp(low, high)
        } else {
            low
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(regulariser: [f64; 3], points: &[(f64, f64)]) -> Line {
        let [value, slope, curvature] = regulariser;
        let hinge = |&(slack, rate): &(f64, f64)| Hinge {
            weight: 1.0,
            slack,
            rate,
        };
        Line {
            value,
            slope,
            curvature,
            points: points.iter().map(hinge).collect(),
        }
    }

    #[test]
    fn a_full_step_that_lowers_the_value_is_taken_whole() {
        // (1 - t)²/2 + 0.01 t²/2: its minimum is a little before 1.
        let line = line([0.0, 0.0, 0.01], &[(1.0, -1.0)]);
        assert_eq!(line.start(), 0.5);
        assert_eq!(line.length(), 1.0);
    }

    #[test]
    fn otherwise_the_minimum_between_the_kinks_is_found() {
        // max(0, 1 - 4t)²/2 falls to t = 1/4; max(0, 8t - 2)²/2 rises from there.
        let steep = line([0.0, -0.8, 0.0], &[(1.0, -4.0), (-2.0, 8.0)]);
        // Beyond 1/4: -0.8 + 8 (8t - 2) = 0.
        let exact = 16.8 / 64.0;
        assert!((steep.length() - exact).abs() < 1e-15);
        assert!(steep.slope_at(exact).abs() < 1e-13);
        assert!(steep.change() > 0.0);
    }

    #[test]
    fn an_uphill_direction_has_no_step() {
        assert_eq!(line([0.0, 1.0, 1.0], &[]).length(), 0.0);
    }
}
