//! What a solve gives, and when it ends.

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::mtrl::spectrum::Spectrum;

choice! {
    /// How a solve ended, from good to bad.
    Status {
        /// The certificate is within the tolerance.
        Converged = "converged" => "converged",
        /// The alternation no longer moves, but its certificate is above the tolerance: without a
        /// floor, or with a small one, it can come to rest away from the optimum.
        Settled = "settled" => "settled above the tolerance",
        /// The iteration limit was reached first; the certificate bounds the distance from the optimum.
        IterationLimit = "iteration_limit" => "stopped at the iteration limit",
        /// No further progress was possible in floating point; the certificate bounds the distance.
        Stalled = "stalled" => "stalled: no further progress in floating point",
    }
}

/// When a solve ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// A solve has converged when the certificate is at most `tolerance` max(1, P). The
    /// alternation ends when a round changes W by at most sqrt(`tolerance`) relative to its norm.
    /// Default 1e-9; positive.
    pub tolerance: f64,
    /// Newton steps, or rounds of the alternation. Default 200; positive.
    pub max_iterations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tolerance: 1e-9,
            max_iterations: 200,
        }
    }
}

impl Limits {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn check(&self) -> Result<()> {
        if !(self.tolerance > 0.0 && self.tolerance <= 1.0) {
            return Err(Error::out_of_range(
                "tolerance",
                self.tolerance,
                "above 0 and at most 1",
            ));
        }
        if self.max_iterations == 0 {
            return Err(Error::out_of_range("max_iterations", 0, "at least 1"));
        }
        Ok(())
    }
}

/// A solved lower level.
#[derive(Clone, Debug)]
pub struct Solution {
    /// W, m rows of D entries, the bias last.
    pub w: Vec<f64>,
    /// Z, laid out as W, where there is a pull cap: the part of W that tasks share.
    pub shared: Option<Vec<f64>>,
    /// S and its eigenbasis at W; with a pull cap at Z.
    pub spectrum: Spectrum,
    /// P(W); with a pull cap its upper bound at W and Z.
    pub objective: f64,
    /// Bound on `objective` less the minimum.
    pub certificate: f64,
    /// Newton steps, or rounds of the alternation.
    pub iterations: usize,
    /// Products with the Hessian that they took.
    pub products: usize,
    /// How it ended.
    pub status: Status,
}

/// Where a solve begins.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// W.
    pub(crate) w: Vec<f64>,
    /// Z, where there is a pull cap.
    pub(crate) shared: Option<Vec<f64>>,
}

impl Start {
    /// At a solution.
    pub(crate) fn at(solution: &Solution) -> Self {
        Self {
            w: solution.w.clone(),
            shared: solution.shared.clone(),
        }
    }

    /// A share of the way from one solution to another.
    pub(crate) fn between(from: &Solution, to: &Self, share: f64) -> Self {
        let mix = |a: &[f64], b: &[f64]| {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| a + share * (b - a)).collect()
        };
        let shared = from.shared.as_ref().zip(to.shared.as_ref());
        Self {
            w: mix(&from.w, &to.w),
            shared: shared.map(|(a, b)| mix(a, b)),
        }
    }
}
