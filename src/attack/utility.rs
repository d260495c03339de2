//! The attacker's utility U: how badly the clean training points of the target tasks are learned.

use crate::attack::ranking;
use crate::choice::choice;
use crate::linalg::{add_scaled, dot, norm_squared};
use crate::mtrl::Problem;

choice! {
    /// What the attacker raises.
    Utility {
        /// The paper's: the summed loss of the clean training points of the targets.
        TrainingLoss = "training_loss" => "training loss of the targets (the paper's)",
        /// Classification: the loss of pairs that are ranked wrongly (see [`ranking`]), summed over the
        /// targets. A target without points of both classes does not count.
        Ranking = "ranking" => "wrongly ranked pairs of the targets (aims at the AUC)",
    }
}

/// A utility of target tasks.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    /// Which.
    pub utility: Utility,
    /// The target tasks.
    pub targets: &'a [usize],
}

impl<'a> Aim<'a> {
    /// The paper's utility.
    pub fn training_loss(targets: &'a [usize]) -> Self {
        Self {
            utility: Utility::TrainingLoss,
            targets,
        }
    }

    /// U at the weights `w` (m rows of D entries).
    pub fn value(self, problem: &Problem, w: &[f64]) -> f64 {
        let dimension = problem.dimension();
        (self.targets.iter())
            .map(|&p| {
                let w = &w[p * dimension..(p + 1) * dimension];
                if self.ranks() {
                    Self::ranking(problem, p, w).0
                } else {
                    norm_squared(&problem.residuals(p, w, 0..problem.task(p).clean))
                }
            })
            .sum()
    }

    /// ∇_W U, laid out as `w`; zero outside the targets.
    pub fn gradient(self, problem: &Problem, w: &[f64]) -> Vec<f64> {
        let dimension = problem.dimension();
        let mut out = vec![0.0; w.len()];
        for &p in self.targets {
            let range = p * dimension..(p + 1) * dimension;
            let slopes = self.slopes(problem, p, &w[range.clone()]);
            let points = problem.task(p).points.chunks_exact(dimension);
            for (x, slope) in points.zip(slopes) {
                add_scaled(&mut out[range.clone()], slope, x);
            }
        }
        out
    }

    /// dU by the score w'x of each clean training point of the target `p` with the weights `w`.
    pub(crate) fn slopes(self, problem: &Problem, p: usize, w: &[f64]) -> Vec<f64> {
        if self.ranks() {
            return Self::ranking(problem, p, w).1;
        }
        let mut slopes = problem.residuals(p, w, 0..problem.task(p).clean);
        slopes.iter_mut().for_each(|slope| *slope *= -2.0);
        slopes
    }

    fn ranks(self) -> bool {
        cfg!(feature = "beyond_paper") && self.utility == Utility::Ranking
    }

    fn ranking(problem: &Problem, p: usize, w: &[f64]) -> (f64, Vec<f64>) {
        let task = problem.task(p);
        let points = task.points.chunks_exact(problem.dimension());
        let scores: Vec<f64> = points.take(task.clean).map(|x| dot(x, w)).collect();
        ranking::loss(&scores, &task.labels[..task.clean])
    }
}
